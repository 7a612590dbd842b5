--- Everything at once, for spec/wire/storm.test.js: clients that do what they like, in handlers that wait,
--- raise, come too late and end other clients.

local tide <const> = require "tidegate"
local s <const> = tide.schema

local post <const> =
  { from_whom = s.string(), number = s.integer(), filler = s.string():optional() }

local posted <const> = tide.group_message("posted", post)
local plain <const> = tide.message("plain", post)
local noticed <const> = tide.message("noticed", post)
local done <const> = tide.message("done", s.any())
local farewell <const> = tide.message("farewell", s.string())
local notice <const> = tide.event("notice", post)
local passed <const> = tide.event("passed", post)

local function pause(chance, seconds)
  if math.random() < chance then
    tide.sleep(math.random() * seconds)
  end
end

local Room <const> = tide.topic {
  pattern = "room:{room_name}",
  sends = { posted, noticed, farewell },
  authorise = function(sub)
    pause(0.3, 0.05)
    local dice <const> = math.random(20)
    if dice == 1 then
      error "the authoriser broke"
    elseif dice == 2 then
      sub.conn:close(4000, "by the authoriser")
    elseif dice == 3 then
      tide.sleep(1)
    end
    return dice > 4
  end,
  on_subscribe = function(sub)
    pause(0.3, 0.05)
    local dice <const> = math.random(20)
    if dice == 1 then
      sub:close()
    elseif dice == 2 then
      error "on_subscribe broke"
    elseif dice == 3 then
      tide.sleep(1)
    end
    sub:broadcast(farewell(sub.conn.id))
  end,
  on_unsubscribe = function(sub, reason)
    sub:broadcast(farewell(reason))
    pause(0.3, 0.05)
    if math.random(20) == 1 then
      error "on_unsubscribe broke"
    end
    sub:send(farewell(reason))
  end,
}

local told <const> = s.object(post):extend { to = s.any() }

Room:on(tide.message("post", told), function(sub, message)
  pause(0.2, 0.02)
  local payload <const> = message.payload
  sub:broadcast(posted { from_whom = payload.from_whom, number = payload.number })
end)
Room:on(tide.message "leave", function(sub)
  sub:close()
  pause(0.3, 0.02)
end)
Room:on_event(notice, { output = noticed }, function(_, event)
  pause(0.3, 0.02)
  return noticed(event.payload)
end)
Room:relay(passed)

local deeds_done <const> = tide.keep("deeds", 0)
local question <const> = tide.message("question", { number = s.integer() })
local everybody <const> = {}
local Deeds <const> = tide.mixin { sends = { posted, plain, noticed, farewell, question } }

local deeds <const> = {}

function deeds.join(conn, given)
  return conn:join(given.to)
end

function deeds.leave(conn, given)
  return conn:leave(given.to)
end

function deeds.groups(conn)
  return #conn.groups
end

function deeds.post(conn, given)
  return conn:broadcast(
    posted { from_whom = given.from_whom, number = given.number, filler = given.filler },
    {
      groups = given.to,
      exclude_current = math.random() < 0.3,
    }
  )
end

function deeds.plain(_, given)
  return tide.broadcast(given.to, plain { from_whom = given.from_whom, number = given.number })
end

function deeds.notice(_, given)
  return tide.broadcast_event(
    given.to,
    notice { from_whom = given.from_whom, number = given.number }
  )
end

function deeds.passed(_, given)
  return tide.broadcast_event(
    given.to,
    passed { from_whom = given.from_whom, number = given.number }
  )
end

function deeds.tell_all(_, given)
  local Consumer <const> = everybody[math.random(#everybody)]
  return tide.broadcast_event(
    Consumer,
    notice { from_whom = given.from_whom, number = given.number }
  )
end

function deeds.tell_self(conn, given)
  for _ = 1, 40 do
    tide.send_event(conn, notice { from_whom = given.from_whom, number = given.number })
  end
end

function deeds.tell_room(_, given)
  local event <const> = math.random() < 0.5 and notice or passed
  return Room:broadcast_event(
    "room:" .. given.to,
    event { from_whom = given.from_whom, number = given.number }
  )
end

function deeds.kick_group(_, given)
  return math.random() < 0.2 and tide.group(given.to):close(4001, "kicked")
end

function deeds.kick_user(conn)
  return math.random() < 0.2
    and tide.user(conn.user and conn.user.id or "nobody"):close(4002, "kicked")
end

function deeds.tell_user(conn, given)
  local id <const> = conn.user and conn.user.id or "nobody"
  return tide.user(id):send(plain { from_whom = given.from_whom, number = given.number })
end

function deeds.sleep()
  tide.sleep(math.random() * 0.1)
end

function deeds.late()
  tide.sleep(10)
end

function deeds.fail()
  error "a handler broke"
end

function deeds.close(conn)
  conn:close(4003, "asked for")
  return conn:broadcast(farewell "closed")
end

function deeds.flood(conn, given)
  for _ = 1, 200 do
    conn:send(
      plain { from_whom = given.from_whom, number = given.number, filler = ("x"):rep(1000) }
    )
  end
end

function deeds.spawn(conn, given)
  tide.spawn(function()
    tide.sleep(math.random() * 0.02)
    conn:join(given.to)
    conn:broadcast(farewell "from a task")
  end)
end

function deeds.tick(conn)
  conn.state.ticks = conn.state.ticks or 0
  tide.every(0.01, function()
    conn.state.ticks = conn.state.ticks + 1
    if conn.state.ticks % 20 == 0 then
      return conn:send(farewell(tostring(conn.state.ticks)))
    end
  end)
end

function deeds.gather()
  local function nap()
    tide.sleep(math.random() * 0.05)
    return 1
  end
  return select("#", tide.gather { nap, nap, nap })
end

function deeds.ask(conn)
  return (conn:call(question { number = 1 }, { timeout = 0.2 })) ~= nil
end

function deeds.count()
  return deeds_done:update(function(count)
    return count + 1
  end)
end

local deed <const> = told:extend { what = s.string() }

Deeds:on(tide.message("deed", deed), { output = done, timeout = 0.3 }, function(conn, message)
  local payload <const> = message.payload
  return done(deeds[payload.what](conn, payload) or false)
end)

Deeds:on(tide.message("several", deed), { output = done, concurrency = 3 }, function(conn, message)
  local payload <const> = message.payload
  tide.sleep(math.random() * 0.02)
  return done(deeds[payload.what](conn, payload) or false)
end)

Deeds:on_event(notice, { output = noticed }, function(conn, event)
  pause(0.2, 0.02)
  local dice <const> = math.random(40)
  if dice == 1 then
    error "an event's handler broke"
  elseif dice == 2 then
    conn:close(4004, "by an event")
  end
  return noticed(event.payload)
end)
Deeds:relay(passed)

tide.route("GET", "/slowly", function()
  pause(0.5, 0.2)
  local dice <const> = math.random(10)
  if dice == 1 then
    error "a route broke"
  elseif dice == 2 then
    tide.sleep(10)
  end
  tide.spawn(deeds.late)
  return 200, { gathered = deeds.gather() }
end)

local function door(options)
  options.topics = { Room }
  options.send_completion = true
  options.authenticate = function(request)
    pause(0.3, 0.05)
    local dice <const> = math.random(40)
    if dice == 1 then
      error "the authenticator broke"
    elseif dice == 2 then
      tide.sleep(10)
    elseif dice == 3 then
      return nil, 403
    end
    return { id = request.query.user }
  end
  options.reauthenticate_seconds = 1
  options.migrate = function(state)
    return math.random(10) > 1 and state or error "migrate broke"
  end
  options.groups = function(conn)
    pause(0.3, 0.05)
    return { "all", "user " .. conn.user.id }
  end
  local Consumer <const> = tide.consumer(options)
  Consumer:use(Deeds)
  function Consumer:connected(conn)
    pause(0.3, 0.05)
    conn:broadcast(farewell "hello")
    tide.send_event(conn, passed { from_whom = "itself", number = 0 })
  end
  function Consumer:reloaded(conn)
    pause(0.3, 0.05)
    conn:broadcast(farewell "moved")
    if math.random(10) == 1 then
      error "reloaded broke"
    end
  end
  function Consumer:disconnected(conn)
    conn:broadcast(farewell "goodbye")
    pause(0.3, 0.1)
    conn:broadcast(farewell "still here")
  end
  everybody[#everybody + 1] = Consumer
  return Consumer
end

local OwnRoom <const> = tide.consumer { path = "/ws/room/{room_name}", topic = Room }

return {
  door { name = "plain", path = "/ws/plain" },
  door { name = "camel", path = "/ws/camel", camelize = true },
  OwnRoom,
}
