--- A handler that waits, and one that does not.

local tide <const> = require "tidegate"
local s <const> = tide.schema

local rest <const> = tide.message("rest", { seconds = s.number { min = 0, max = 60 } })
local rested <const> = tide.message "rested"

local Rest <const> = tide.consumer { path = "/ws/rest" }

Rest:on(rest, { output = rested }, function(_, message)
  tide.sleep(message.payload.seconds)
  return rested()
end)

Rest:on(tide.messages.ping, { output = tide.messages.pong }, function()
  return tide.messages.pong()
end)

return Rest
