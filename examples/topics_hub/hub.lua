--- Several streams over one connection: rooms, and who is there.

local tide <const> = require "tidegate"
local s <const> = tide.schema

local text <const> = s.object { message = s.string { min = 1, max = 2000 } }

local echoed <const> = tide.message("echo", text, { description = "What was said, to its sender" })
local posted <const> =
  tide.group_message("posted", { message = s.string(), room_name = s.string() })
local room_event <const> = tide.event("room_event", { message = s.string() })
local present <const> = tide.message("present", { user = s.string(), connections = s.integer() })

local Room <const> = tide.topic {
  pattern = "room:{room_name}",
  description = "What is said in one room",
  sends = posted,
  authorise = function(sub)
    return sub.params.room_name ~= "private"
  end,
}

Room:on(tide.message("echo", text), { output = echoed }, function(_, message)
  return echoed(message.payload)
end)

Room:on(
  tide.message("post", text),
  { summary = "Says something in the room" },
  function(sub, message)
    sub:broadcast(posted { message = message.payload.message, room_name = sub.params.room_name })
  end
)

Room:relay(room_event)

local Presence
Presence = tide.topic {
  pattern = "presence:{user}",
  description = "How many connections watch a user",
  sends = present,
  on_subscribe = function(sub)
    Presence:broadcast(
      sub.topic,
      present {
        user = sub.params.user,
        connections = Presence:count(sub.topic),
      }
    )
  end,
  on_unsubscribe = function(sub)
    sub:broadcast(present { user = sub.params.user, connections = Presence:count(sub.topic) })
  end,
}

local Hub <const> = tide.consumer {
  name = "topics",
  path = "/ws/topics",
  description = "All topics over one connection",
  topics = { Room, Presence },
}

Hub:on(tide.messages.ping, { output = tide.messages.pong }, function()
  return tide.messages.pong()
end)

local room_name <const> = s.string { min = 1, max = 40, pattern = "^[^:]+$" }
local announce <const> = tide.message("announce", { room_name = room_name, message = s.string() })

Hub:on(announce, { summary = "Tells a room something, by an event" }, function(_, message)
  Room:broadcast_event(
    { room_name = message.payload.room_name },
    room_event { message = message.payload.message }
  )
end)

local Alone <const> = tide.consumer {
  name = "room",
  path = "/ws/topics/room/{room_name}",
  description = "One room on a path of its own",
  topic = Room,
}

return { Hub, Alone }
