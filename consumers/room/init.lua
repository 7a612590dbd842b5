--- Rooms: what one client says is read by all in its room, itself included. Who comes and who goes
--- is told to the others.

local messages <const> = require "room.messages"
local tide <const> = require "tidegate"

local NAME_MAX_BYTES <const> = 100

local Room <const> = tide.consumer {
  name = "room",
  path = "/ws/room/{room_name}",
  description = "Room Chat Consumer - One conversation in each room",
  tags = { "room", "groups" },
  sends = messages.room_notification,
  groups = function(conn)
    local name <const> = conn.params.room_name
    if #name > NAME_MAX_BYTES then
      tide.error {
        code = "room_name_too_long",
        detail = ("The name of a room has at most %d bytes"):format(NAME_MAX_BYTES),
      }
    end
    return "room_" .. name
  end,
}

local function tell_room(conn, text, options)
  local notification <const> = messages.room_notification {
    message = text,
    room_name = conn.params.room_name,
  }
  conn:broadcast(notification, options)
end

Room:on(tide.messages.ping, {
  summary = "Handle ping requests",
  output = tide.messages.pong,
}, function()
  return tide.messages.pong()
end)

Room:on(messages.room_chat, {
  summary = "Says something in the room",
  description = "All in the room get it as a notification, the sender too",
  output = messages.room_notification,
}, function(conn, message)
  tell_room(conn, "💬 " .. message.payload.message)
end)

function Room:connected(conn)
  local text <const> = ("🚪 Someone joined room '%s'"):format(conn.params.room_name)
  tell_room(conn, text, { exclude_current = true })
end

function Room:disconnected(conn)
  tell_room(conn, ("👋 Someone left room '%s'"):format(conn.params.room_name))
end

return Room
