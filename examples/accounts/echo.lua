--- An echo for those who have logged in.

local messages <const> = require "messages"
local session <const> = require "session"
local tide <const> = require "tidegate"

local Echo <const> = tide.consumer {
  name = "echo",
  path = "/ws/echo/",
  description = "Answers with what it was sent",
  authenticate = session,
}

Echo:on(tide.messages.ping, { summary = "Answers a ping" }, function()
  return tide.messages.pong()
end)

Echo:on(messages.echo, { summary = "Says it again", output = messages.echo }, function(_, message)
  return messages.echo("Echo: " .. message.payload)
end)

return Echo
