-- Ends its connections in every way in which a connection can end.
local tide <const> = require "tidegate"
local s <const> = tide.schema

local say <const> = tide.message("say", { text = s.string() })
local part <const> = tide.message("part", { number = s.integer(), text = s.string() })
local wait <const> = tide.message "wait"
local leave <const> = tide.message("leave", { code = s.integer(), reason = s.string() })
local flood <const> = tide.message("flood", {
  count = s.integer(),
  bytes = s.integer(),
  code = s.integer():optional(),
})

local Ends <const> = tide.consumer { name = "ends", path = "/ws/ends" }

Ends:on(say, { output = say }, function(_, message)
  return say { text = message.payload.text }
end)

Ends:on(leave, function(conn, message)
  conn:close(message.payload.code, message.payload.reason)
end)

Ends:on(flood, { output = part }, function(conn, message)
  for number = 1, message.payload.count do
    conn:send(part { number = number, text = ("x"):rep(message.payload.bytes) })
  end
  if message.payload.code then
    conn:close(message.payload.code, "enough")
  end
end)

Ends:on(wait, function()
  tide.sleep(1000)
end)

return Ends
