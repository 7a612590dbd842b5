--- What spec/wire/topics.test.js talks to: rooms whose names say how they behave.

local tide <const> = require "tidegate"
local s <const> = tide.schema

local text <const> = s.object { text = s.string() }

local echoed <const> = tide.message("echoed", text)
local posted <const> = tide.group_message("posted", text)
local state <const> = tide.message("state", { runs = s.integer() })
local left <const> = tide.message("left", { reason = s.string() })
local loud <const> = tide.message("loud", text)
local counted <const> = tide.message("counted", { answer = s.any() })
local noticed <const> = tide.message("noticed", { the_text = s.string() })
local notice <const> = tide.event("notice", text)
local passed <const> = tide.event("passed", { the_text = s.string() })

local Room <const> = tide.topic {
  pattern = "room:{room_name}",
  sends = { state, left, posted },
  authorise = function(sub)
    local name <const> = sub.params.room_name
    if name == "private" then
      return false
    elseif name == "members" then
      return false, "Members only"
    elseif name == "boom" then
      error "the authoriser broke"
    elseif name == "declared" then
      tide.error { code = "banned", detail = "You are banned" }
    elseif name == "odd" then
      return "yes"
    elseif name == "never" then
      tide.sleep(100)
    elseif name == "slow" then
      tide.sleep(0.05)
    end
    return true
  end,
  on_subscribe = function(sub)
    local name <const> = sub.params.room_name
    sub.conn.state.runs = (sub.conn.state.runs or 0) + 1
    if name == "slow" then
      tide.sleep(0.05)
    elseif name == "broken" then
      error "on_subscribe broke"
    elseif name == "brief" then
      sub:close()
    end
    sub:send(state { runs = sub.conn.state.runs })
  end,
  on_unsubscribe = function(sub, reason)
    if sub.params.room_name == "slow" then
      tide.sleep(0.05)
    end
    sub:send(left { reason = reason })
    sub:broadcast(left { reason = reason })
    tide.log.info("left", { who = sub.conn.query.who, topic = sub.topic, reason = reason })
  end,
}

Room:on(tide.message("echo", text), { output = echoed }, function(_, message)
  return echoed(message.payload)
end)

Room:on(tide.message("slow_echo", text), { output = echoed }, function(_, message)
  tide.sleep(0.05)
  return echoed(message.payload)
end)

Room:on(tide.message("post", text), function(sub, message)
  sub:broadcast(posted(message.payload))
end)

Room:on(tide.message("post_others", text), function(sub, message)
  sub:broadcast(posted(message.payload), { exclude_current = true })
end)

Room:on(tide.message "leave", function(sub)
  sub:close()
end)

Room:on(tide.message "fail", function()
  error "a handler broke"
end)

Room:on_event(notice, { output = noticed }, function(sub, event)
  return noticed { the_text = sub.topic .. " " .. event.payload.text }
end)

Room:relay(passed)

local Presence <const> = tide.topic { pattern = "presence:{user}" }

Presence:on(tide.message("echo", text), { output = echoed }, function(sub, message)
  return echoed { text = sub.params.user .. " " .. message.payload.text }
end)

-- The same names belong to another topic here.
local Other <const> = tide.topic { pattern = "room:{id:slug}" }

Other:on(tide.message("post", text), function(sub, message)
  sub:broadcast(posted(message.payload))
end)

local Hub <const> = tide.consumer {
  path = "/ws/hub",
  topics = { Room, Presence },
  groups = { "lobby" },
  sends = loud,
}

local in_room <const> = s.object { room = s.any(), text = s.string():optional() }

Hub:on(tide.message("shout", text), function(conn, message)
  conn:broadcast(loud(message.payload))
end)

Hub:on(tide.message("tell", in_room), function(_, message)
  Room:broadcast(message.payload.room, posted { text = message.payload.text })
end)

Hub:on(tide.message("count", in_room), { output = counted }, function(_, message)
  return counted { answer = Room:count(message.payload.room) }
end)

Hub:on(tide.message("notify", in_room), { output = counted }, function(_, message)
  local room <const> = message.payload.room
  Room:broadcast_event(room, passed { the_text = message.payload.text })
  return counted { answer = Room:broadcast_event(room, notice { text = message.payload.text }) }
end)

function Hub:disconnected(conn)
  tide.log.info("gone", { who = conn.query.who, groups = #conn.groups })
end

local Complete <const> = tide.consumer {
  path = "/ws/complete",
  topics = { Room },
  send_completion = true,
}

local Camel <const> = tide.consumer { path = "/ws/camel", topics = { Room }, camelize = true }

local Strangers <const> = tide.consumer { path = "/ws/strangers", topics = { Other } }

local Alone <const> = tide.consumer { path = "/ws/room/{room_name}", topic = Room }

return { Hub, Complete, Camel, Strangers, Alone }
