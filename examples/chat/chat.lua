--- A chat whose group messages tell each receiver whether they are its own, and announcements from
--- outside: events that anyone with the token can send.

local messages <const> = require "messages"
local tide <const> = require "tidegate"

local Chat <const> = tide.consumer {
  name = "chat",
  path = "/ws/chat",
  description = "One room for all, and announcements",
  groups = { "room_123", "general_announcements" },
  send_authentication = false,
  --- Two windows with one name are one user. Without a name, a client is nobody's equal.
  authenticate = function(request)
    return { id = request.query.name }
  end,
}

Chat:on(messages.chat, {
  summary = "Says something to everybody, the sender too",
  output = messages.chat_group,
}, function(conn, message)
  conn:broadcast(messages.chat_group(message.payload))
end)

Chat:on(messages.tell_others, {
  summary = "Says something to the others",
  output = messages.chat_group,
}, function(conn, message)
  conn:broadcast(messages.chat_group(message.payload), {
    groups = { "room_123", "general_announcements" }, -- who is in both gets one copy
    exclude_current = true,
  })
end)

Chat:on_event(messages.notify, {
  summary = "Shows an announcement",
  output = messages.notification,
}, function(_, event)
  local level <const> = event.payload.level:upper()
  return messages.notification { text = level .. ": " .. event.payload.content }
end)

return Chat
