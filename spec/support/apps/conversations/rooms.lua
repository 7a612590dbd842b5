--- Rooms that clients of several consumers share: what each row of the order table is about.
--- spec/kit/model/rooms.lua says what its clients get.

local tide <const> = require "tidegate"
local s <const> = tide.schema

local words <const> = s.object { text = s.string { min = 1, max = 40 } }
local words_and <const> = function(fields)
  return words:extend(fields)
end

local said <const> = tide.message("said", words)
local counted <const> = tide.message("counted", { receivers = s.integer() })
local listed <const> = tide.message("listed", { groups = s.array(s.string()) })
local heard <const> = tide.group_message("heard", words)
local noted <const> = tide.event("noted", words)
local broke <const> = tide.event("broke", words)
local news <const> = tide.event("news", words)

local named <const> = s.object { room = s.string { min = 1, max = 40 } }

local function group_of(conn)
  return "room " .. conn.params.room
end

--- What all of them handle.
local Talk <const> = tide.mixin { sends = { said, heard } }

Talk:on(tide.messages.ping, { output = tide.messages.pong }, function()
  return tide.messages.pong()
end)

Talk:on(
  tide.message("tell", words_and { times = s.integer { min = 0, max = 3 }:default(1) }),
  { output = said },
  function(conn, message)
    local payload <const> = message.payload
    for time = 1, payload.times do
      conn:send(said { text = time .. " " .. payload.text })
    end
    return said { text = payload.text }
  end
)

Talk:on(tide.message "quiet", function() end)

Talk:on(tide.message("fail", words), { output = said }, function(conn, message)
  conn:send(said { text = message.payload.text })
  error "the shelf has fallen"
end)

Talk:on(tide.message("refuse", words), { output = said }, function(conn, message)
  conn:send(said { text = message.payload.text })
  tide.error { code = "not_today", detail = message.payload.text }
end)

Talk:on(
  tide.message("shout", words_and { without_me = s.boolean():default(false) }),
  { output = counted },
  function(conn, message)
    local receivers <const> = conn:broadcast(heard { text = message.payload.text }, {
      exclude_current = message.payload.without_me,
    })
    return counted { receivers = receivers }
  end
)

Talk:on(tide.message("join", named), { output = listed }, function(conn, message)
  conn:join("room " .. message.payload.room)
  return listed { groups = conn.groups }
end)

Talk:on(tide.message("leave", named), { output = listed }, function(conn, message)
  conn:leave("room " .. message.payload.room)
  return listed { groups = conn.groups }
end)

Talk:on(
  tide.message("notify", words_and { event = s.enum { "noted", "broke", "news" } }),
  { output = counted },
  function(conn, message)
    local text <const> = { text = message.payload.text }
    local event <const> = ({ noted = noted, broke = broke, news = news })[message.payload.event](
      text
    )
    return counted { receivers = tide.broadcast_event(group_of(conn), event) }
  end
)

Talk:on(
  tide.message("bye", { code = s.integer { min = 4000, max = 4099 } }),
  { output = said },
  function(conn, message)
    conn:send(said { text = "bye" })
    conn:close(message.payload.code, "as asked")
  end
)

Talk:on_event(noted, { output = said }, function(conn, event)
  conn:send(said { text = "noted" })
  return said { text = event.payload.text }
end)

Talk:on_event(broke, { output = said }, function(conn, event)
  conn:send(said { text = event.payload.text })
  error "the pencil has broken"
end)

Talk:relay(news)

local function farewell(_, conn, code)
  conn:broadcast(heard { text = "left with " .. code })
end

local function greet(_, conn)
  conn:send(said { text = "in " .. table.concat(conn.groups, ", ") })
end

---@param options table of a consumer
---@param connected? fun(consumer: tidegate.Consumer, conn: tidegate.Conn)
---@return tidegate.Consumer
local function room(options, connected)
  options.groups = function(conn)
    return { group_of(conn) }
  end
  local Room <const> = tide.consumer(options)
  Room:use(Talk)
  Room.connected = connected or greet
  Room.disconnected = farewell
  return Room
end

local refusals <const> = { unauthorized = 401, forbidden = 403, missing = 404 }

--- The query's `as` is who comes, or what happens at the door.
local function authenticate(request)
  local as <const> = request.query.as
  if as == "late" then
    tide.sleep(60)
  elseif as == "broken" then
    error "the lock is broken"
  elseif refusals[as] then
    return nil, refusals[as], "No " .. as
  end
  return as
end

return {
  room { name = "talk", path = "/ws/talk/{room}" },
  room { name = "done", path = "/ws/done/{room}", send_completion = true },
  room { name = "door", path = "/ws/door/{room}", authenticate = authenticate },
  room({ name = "trap", path = "/ws/trap/{room}" }, function(consumer, conn)
    greet(consumer, conn)
    error "the floor has given way"
  end),
}
