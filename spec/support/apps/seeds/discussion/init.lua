--- Repeats a new message to its sender as a member would see it, and then as a reply.

local messages <const> = require "discussion.messages"
local tide <const> = require "tidegate"

local Discussion <const> = tide.consumer { name = "discussion", path = "/ws/discussion" }

Discussion:on(messages.new_message, {
  output = { messages.member_message, messages.reply },
}, function(conn, message)
  conn:send(messages.member_message(message.payload))
  return messages.reply { content = "Re: " .. message.payload.content }
end)

local announce <const> = tide.message("announce", { content = tide.schema.string() })
local shown <const> = tide.message("shown", tide.schema.string())

--- Shows the event that would tell all members.
Discussion:on(announce, { output = shown }, function(_, message)
  return shown(tostring(messages.notify_people(message.payload)))
end)

Discussion:on(tide.messages.ping, { output = tide.messages.pong }, function()
  return tide.messages.pong()
end)

return Discussion
