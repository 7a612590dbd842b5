--- Answers each client directly: a greeting, a pong, an echo. Nobody else hears of it.

local messages <const> = require "system.messages"
local tide <const> = require "tidegate"

local System <const> = tide.consumer {
  name = "system",
  path = "/ws/system",
  description = "System Messages Consumer - Direct WebSocket without channel layers",
  tags = { "system", "direct" },
  sends = { messages.system_echo },
}

System:on(tide.messages.ping, {
  summary = "Handle ping requests",
  description = "Simple ping-pong for connectivity testing",
  output = tide.messages.pong,
}, function()
  return tide.messages.pong()
end)

System:on(messages.user_message, {
  summary = "Handle message user send to system",
  description = "Echo system messages back directly without using channel layers",
  output = messages.system_echo,
}, function(_, message)
  return messages.system_echo { message = "🔧 System Echo: " .. message.payload.message }
end)

function System:connected(conn)
  conn:send(messages.system_echo { message = "🔧 System: Connection established!" })
end

return System
