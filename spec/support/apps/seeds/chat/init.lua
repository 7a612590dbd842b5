--- Answers each message of the chat in a way that shows how it came in.

local messages <const> = require "chat.messages"
local tide <const> = require "tidegate"
local s <const> = tide.schema

local Chat <const> = tide.consumer { name = "chat", path = "/ws/chat" }

Chat:on(messages.chat, { output = messages.chat_group }, function(_, message)
  return messages.chat_group(message.payload)
end)

Chat:on(messages.notification, { output = messages.notification }, function(_, message)
  return messages.notification(message.payload)
end)

Chat:on(tide.message "quiet", { output = messages.notification }, function()
  return messages.notification()
end)

Chat:on(
  tide.message("whisper", s.string()),
  { output = messages.group_chat },
  function(conn, message)
    conn:send(messages.group_chat(message.payload))
  end
)

Chat:on(messages.room_message, { output = messages.room_message }, function(_, message)
  return messages.room_message(message.payload)
end)

Chat:on(messages.custom, { output = messages.custom }, function(_, message)
  return messages.custom(message.payload)
end)

local notify <const> = tide.message("notify", {
  content = s.string(),
  level = s.string():optional(),
})

--- What the event's handler will send, when events are delivered.
Chat:on(notify, { output = { messages.shown, messages.notification } }, function(conn, message)
  local event <const> = messages.notify(message.payload)
  conn:send(messages.shown(tostring(event)))
  return messages.notification {
    text = event.payload.level:upper() .. ": " .. event.payload.content,
  }
end)

Chat:on(tide.message "leak", { output = messages.shown }, function(conn)
  local _, problem <const> = pcall(conn.send, conn, messages.notify { content = "secret plans" })
  conn:send(messages.shown(problem))
  return messages.notify { content = "secret plans" }
end)

local camel_notification <const> = tide.message("notification", {
  user_name = s.string(),
  message_text = s.string(),
})
local camel_group <const> = tide.group_message("chat_group", { sender_name = s.string() })

local Camel <const> = tide.consumer { name = "camel", path = "/ws/camel", camelize = true }

Camel:on(camel_notification, {
  output = { camel_notification, camel_group },
}, function(conn, message)
  conn:send(camel_group { sender_name = message.payload.user_name })
  return camel_notification {
    user_name = message.payload.user_name,
    message_text = message.payload.message_text:upper(),
  }
end)

return { Chat, Camel }
