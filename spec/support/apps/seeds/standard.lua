--- Sends every message that tidegate knows.

local tide <const> = require "tidegate"
local standard <const> = tide.messages

local Standard <const> = tide.consumer { name = "standard", path = "/ws/standard" }

Standard:on(standard.ping, {
  output = {
    standard.authentication,
    standard.error,
    standard.complete,
    standard.group_complete,
    standard.event_complete,
    standard.pong,
  },
}, function(conn)
  conn:send(standard.authentication { status_code = 200, status_text = "OK" })
  conn:send(standard.authentication {
    status_code = 403,
    status_text = "Forbidden",
    data = { detail = "No such room" },
  })
  conn:send(standard.error { detail = "Something is wrong", code = "odd" })
  conn:send(standard.error())
  conn:send(standard.complete())
  conn:send(standard.group_complete())
  conn:send(standard.event_complete())
  return standard.pong()
end)

return Standard
