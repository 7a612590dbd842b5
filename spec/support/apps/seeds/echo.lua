--- The first consumer of the founding documents' quick start: a payload that is a string.

local tide <const> = require "tidegate"

local echo <const> = tide.message("echo", tide.schema.string())

local Echo <const> = tide.consumer { name = "echo", path = "/ws/echo" }

Echo:on(echo, { output = echo }, function(_, message)
  return echo("Echo: " .. message.payload)
end)

Echo:on(tide.messages.ping, { output = tide.messages.pong }, function()
  return tide.messages.pong()
end)

return Echo
