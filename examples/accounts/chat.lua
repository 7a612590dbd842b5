--- A chat in rooms. Who says something is told from the session, not from the message.

local messages <const> = require "messages"
local session <const> = require "session"
local tide <const> = require "tidegate"

local Chat <const> = tide.consumer {
  name = "chat",
  path = "/ws/chat/{room_id:slug}/",
  description = "Passes on what is said to all in the room",
  authenticate = session,
  groups = function(conn)
    return "chat_" .. conn.params.room_id
  end,
}

Chat:on(messages.echo, {
  summary = "Says something to the room, the sender too",
  output = messages.said,
}, function(conn, message)
  conn:broadcast(messages.said(conn.user.username .. ": " .. message.payload))
end)

return Chat
