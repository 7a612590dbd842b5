-- Clients that tell each other events, one consumer for each way to take them.

local tide <const> = require "tidegate"
local s <const> = tide.schema

local events <const> = {
  notify = tide.event("notify", {
    content = s.string { max = 20 },
    level = s.string():default "info",
  }),
  user_joined = tide.event("user_joined", {
    user_name = s.string(),
    extra_data = s.map(s.integer()):optional(),
  }),
  gated = tide.event("gated", s.integer()),
  failing = tide.event("failing", s.boolean()),
  late = tide.event "late",
  checked = tide.event(
    "checked",
    s.integer():check(function(value)
      return value > 9 and "is too large" or nil
    end)
  ),
  chained = tide.event("chained", s.integer()),
  envelope = tide.event("envelope", {
    version = s.string(),
    topic = s.string(),
    ref = s.integer(),
    seq = s.integer(),
  }),
  nobody = tide.event "nobody",
}

-- The same name with another payload: what a sender takes for right, its receiver does not.
local other_notify <const> = tide.event("notify", { content = s.integer() })

local said <const> = tide.message("said", s.any())
local gate <const> = tide.queue(10000)

local consumers <const> = {}

-- What all of them handle.
local Talking <const> = tide.mixin { sends = { said } }

Talking:on(tide.messages.ping, { output = tide.messages.pong }, function()
  return tide.messages.pong()
end)

Talking:on(tide.message "whoami", { output = said }, function(conn)
  return said(conn.id)
end)

---@return tidegate.Outgoing
local function answer(result, problem)
  return said(tide.array { result or false, problem })
end

local named <const> = { event = s.string(), payload = s.any():optional() }
local to_one <const> = s.object(named):extend { to = s.string() }

Talking:on(tide.message("tell", to_one), { output = said }, function(_, message)
  local payload <const> = message.payload
  return answer(tide.send_event(payload.to, events[payload.event](payload.payload)))
end)

Talking:on(tide.message("tell_self", named), { output = said }, function(conn, message)
  local event <const> = events[message.payload.event](message.payload.payload)
  local is_sent <const>, problem <const> = tide.send_event(conn, event)
  conn:send(said "sent to myself")
  return answer(is_sent, problem)
end)

Talking:on(tide.message("tell_wrong", s.string()), { output = said }, function(_, message)
  return answer(tide.send_event(message.payload, other_notify { content = 1 }))
end)

local to_consumer <const> = s.object(named):extend { consumer = s.string() }

Talking:on(tide.message("tell_consumer", to_consumer), { output = said }, function(_, message)
  local payload <const> = message.payload
  local event <const> = events[payload.event](payload.payload)
  return answer(tide.broadcast_event(consumers[payload.consumer], event))
end)

local to_groups <const> = s.object(named):extend { groups = s.any() }

Talking:on(tide.message("tell_groups", to_groups), { output = said }, function(_, message)
  local payload <const> = message.payload
  local event <const> = events[payload.event](payload.payload)
  return answer(tide.broadcast_event(payload.groups, event))
end)

local shout <const> = { groups = s.any(), exclude_current = s.boolean():optional() }

Talking:on(tide.message("shout", shout), { output = said }, function(conn, message)
  return said(conn:broadcast(said "shouted", message.payload))
end)

-- So many events to one connection, from one call.
Talking:on(
  tide.message("storm", { to = s.string(), count = s.integer() }),
  { output = said },
  function(_, message)
    local sent, problem = 0, nil
    for index = 1, message.payload.count do
      local is_sent <const>, why <const> = tide.send_event(message.payload.to, events.gated(index))
      sent, problem = sent + (is_sent and 1 or 0), why or problem
    end
    return answer(sent, problem)
  end
)

Talking:on(tide.message("open", s.integer()), function(_, message)
  for _ = 1, message.payload do
    gate:put(true)
  end
end)

-- What the program says of each wrong way to send.
Talking:on(tide.message "misuse", { output = said }, function(conn)
  local event <const> = events.notify { content = "x" }
  local ways <const> = {
    function()
      return tide.send_event(7, event)
    end,
    function()
      return tide.send_event(conn, events.notify)
    end,
    function()
      return tide.send_event(conn, said "x")
    end,
    function()
      return conn:send(event)
    end,
    function()
      return tide.broadcast_event("", event)
    end,
    function()
      return tide.broadcast_event(nil, event)
    end,
    function()
      return tide.broadcast_event("all", said "x")
    end,
    function()
      return tide.broadcast_event(Talking, event)
    end,
  }
  local problems <const> = {}
  for index, way in ipairs(ways) do
    local _, problem <const> = pcall(way)
    problems[index] = tostring(problem):gsub("^.*main%.lua:%d+: ", "main.lua: ")
  end
  return said(problems)
end)

Talking:on(tide.message "sends", { output = said }, function(conn)
  conn:send(said "one")
  conn:send(said "two")
  return said "reply"
end)

Talking:on(tide.message "silent", function() end)

Talking:on(tide.message "raises", function(conn)
  conn:send(said "one")
  error "oh"
end)

Talking:on(tide.message "refuses", function()
  tide.error { code = "not_today", detail = "Not today" }
end)

Talking:on(tide.message "waits", { output = said }, function(conn)
  conn:send(said "one")
  tide.sleep(0.01)
  return said "reply"
end)

Talking:on(tide.message "late", { timeout = 0.01 }, function()
  tide.sleep(3600)
end)

Talking:on(tide.message "closes", function(conn)
  conn:close(4000, "bye")
end)

Talking:on(tide.message "raises_after_wait", function()
  tide.sleep(0)
  error "oh"
end)

Talking:on_event(events.notify, { output = said }, function(conn, event)
  conn:send(said "an event")
  return said(event.payload.level .. ": " .. event.payload.content)
end)

Talking:on_event(events.gated, { output = said }, function(_, event)
  gate:get()
  return said(event.payload)
end)

Talking:on_event(events.failing, { output = said }, function(conn, event)
  conn:send(said "before")
  if event.payload then
    tide.error { code = "not_today", detail = "Not today" }
  end
  error "oh"
end)

Talking:on_event(events.late, { timeout = 0.01 }, function(conn)
  local guard <close> = setmetatable({}, {
    __close = function()
      tide.log.info("ended", { what = "late" })
    end,
  })
  conn:send(said "waiting")
  tide.sleep(3600)
  tide.log.info("went on", { guard = tostring(guard) })
end)

Talking:on_event(events.checked, { output = said }, function(_, event)
  return said(event.payload)
end)

Talking:on_event(events.envelope, { output = said }, function(_, event)
  return said(event.payload)
end)

-- Tells itself the next, from inside of the one before.
Talking:on_event(events.chained, { output = said }, function(conn, event)
  if event.payload > 1 then
    tide.send_event(conn, events.chained(event.payload - 1))
  end
  return said(event.payload)
end)

Talking:relay(events.user_joined)

local function join(conn)
  return { "all", "of_" .. conn.params.name }
end

consumers.talk = tide.consumer { name = "talk", path = "/ws/talk/{name}", groups = join }
consumers.talk:use(Talking)

consumers.done =
  tide.consumer { name = "done", path = "/ws/done/{name}", groups = join, send_completion = true }
consumers.done:use(Talking)
consumers.done:on_binary(function() end)

local no_binary <const> =
  tide.consumer { name = "no_binary", path = "/ws/no_binary", send_completion = true }
no_binary:on(tide.messages.ping, { output = tide.messages.pong }, function()
  return tide.messages.pong()
end)

consumers.camel =
  tide.consumer { name = "camel", path = "/ws/camel", camelize = true, sends = said }
consumers.camel:relay(events.user_joined)
consumers.camel:on_event(events.notify, { output = said }, function(_, event)
  return said(event.payload.content)
end)

consumers.deaf = tide.consumer { name = "deaf", path = "/ws/deaf" }

-- Starts slowly, and tells itself an event before it has.
consumers.eager = tide.consumer { name = "eager", path = "/ws/eager", sends = said }
consumers.eager:relay(events.user_joined)
consumers.eager:on_event(events.notify, { output = said }, function(_, event)
  return said(event.payload.content)
end)

function consumers.eager:connected(conn)
  tide.send_event(conn, events.notify { content = "first" })
  tide.send_event(conn, events.user_joined { user_name = "ann" })
  conn:send(said "starting")
  tide.sleep(0.05)
  conn:send(said "started")
end

-- Says goodbye to others by an event.
consumers.leaving = tide.consumer { name = "leaving", path = "/ws/leaving" }

function consumers.leaving:disconnected()
  tide.broadcast_event(consumers.talk, events.user_joined { user_name = "gone" })
end

local text <const> = tide.text_consumer {
  name = "text",
  path = "/ws/text",
  receive = function(conn, data)
    conn:send_text(data)
  end,
}

local list <const> = { text, no_binary }
for _, consumer in pairs(consumers) do
  list[#list + 1] = consumer
end
return list
