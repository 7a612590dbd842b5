--- What the founding documents send to groups: the chat and the discussion of the guide to messages,
--- as members meet them.

local discussion <const> = require "discussion.messages"
local messages <const> = require "chat.messages"
local tide <const> = require "tidegate"
local s <const> = tide.schema

local whisper <const> = tide.message("whisper", s.string())

local function user_of_query(request)
  return { id = request.query.user }
end

--- A consumer of the chat: on its path, in its groups, and with what else is wanted.
local function chat(options)
  options.authenticate = user_of_query
  options.send_authentication = false
  local Chat <const> = tide.consumer(options)

  Chat:on(messages.chat, { output = messages.chat_group }, function(conn, message)
    conn:broadcast(messages.chat_group(message.payload), { exclude_current = false })
  end)

  Chat:on(messages.aside, { output = messages.chat_group }, function(conn, message)
    conn:broadcast(messages.chat_group(message.payload), {
      groups = { "room_123", "announcements" },
      exclude_current = true,
    })
  end)

  Chat:on(whisper, { output = messages.group_chat }, function(conn, message)
    conn:broadcast(messages.group_chat(message.payload))
  end)

  Chat:on_event(messages.notify, { output = messages.notification }, function(_, event)
    return messages.notification {
      text = event.payload.level:upper() .. ": " .. event.payload.content,
    }
  end)
  return Chat
end

local notification <const> = tide.message("notification", {
  user_name = s.string(),
  message_text = s.string(),
})

local Camel <const> = tide.consumer { path = "/ws/groups/camel", groups = "camel", camelize = true }

Camel:on(notification, { output = notification }, function(conn, message)
  conn:broadcast(notification(message.payload))
end)

local Discussion <const> = tide.consumer {
  path = "/ws/groups/discussion",
  groups = "discussion",
  authenticate = user_of_query,
  send_authentication = false,
}

Discussion:on(discussion.new_message, {
  output = { discussion.member_message, discussion.reply },
}, function(conn, message)
  conn:broadcast(discussion.member_message(message.payload))
  return discussion.reply { content = "Re: " .. message.payload.content }
end)

Discussion:relay(discussion.notify_people)

return {
  chat { path = "/ws/groups/chat", groups = { "room_123", "general_announcements" } },
  chat { path = "/ws/groups/announcements", groups = { "announcements" } },
  chat { path = "/ws/groups/complete", groups = { "complete" }, send_completion = true },
  Camel,
  Discussion,
}
