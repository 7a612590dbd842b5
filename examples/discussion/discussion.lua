--- Discussions in rooms. Everybody may read; in a room whose name begins with "private-", only
--- members write. Clients speak camel case.

local messages <const> = require "messages"
local tide <const> = require "tidegate"

--- Who is a member proves it with a word. A real application asks its session, or its database.
local MEMBERS_WORD <const> = "tide"

local function room_of(conn)
  return "discussion/" .. conn.params.room_id
end

local function may_write(conn)
  return conn.user.is_member or not conn.params.room_id:find "^private%-"
end

local Discussion <const> = tide.consumer {
  name = "discussion",
  path = "/ws/discussion/{room_id:slug}",
  description = "One discussion in each room",
  camelize = true,
  send_authentication = false,
  authenticate = function(request)
    local name <const> = request.query.name
    if not name or name == "" or #name > 50 then
      return nil, 403, "A name of 1 to 50 bytes is needed: ?name=Ann"
    end
    if #request.params.room_id > 100 then
      return nil, 404, "No such room"
    end
    return { id = name, name = name, is_member = request.query.word == MEMBERS_WORD }
  end,
  groups = function(conn)
    return { "discussion", room_of(conn) }
  end,
}

Discussion:on(tide.messages.ping, { output = tide.messages.pong }, function()
  return tide.messages.pong()
end)

Discussion:on(messages.new_message, {
  summary = "Says something in the room",
  description = "The others get it as a member's message; the sender reads how many got it",
  output = { messages.member_message, messages.reply },
}, function(conn, message)
  if not may_write(conn) then
    tide.error {
      code = "forbidden",
      detail = "Cannot send messages to private rooms without membership",
    }
  end
  local receivers <const> = conn:broadcast(
    messages.member_message {
      content = message.payload.content,
      raw = message.payload.raw,
      author_name = conn.user.name,
    },
    { groups = room_of(conn), exclude_current = true }
  )
  return messages.reply { content = ("Readers: %d"):format(receivers) }
end)

Discussion:on_event(messages.notify_people, {
  summary = "Tells a person something",
  output = messages.notification,
}, function(conn, event)
  return messages.notification {
    user_name = conn.user.name,
    message_text = event.payload.content,
  }
end)

function Discussion:connected(conn)
  tide.broadcast_event(
    room_of(conn),
    messages.notify_people { content = conn.user.name .. " has come" }
  )
end

return Discussion
