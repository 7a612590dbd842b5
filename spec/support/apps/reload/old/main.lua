-- The code before a reload. What replaces it is in ../new.

local tide <const> = require "tidegate"
local s <const> = tide.schema

local act <const> = tide.message("do", { what = s.string(), with = s.any():optional() })
local said <const> = tide.message("said", s.any())

local score <const> = tide.keep("score", { points = 0 })

local room <const> = tide.topic { pattern = "room:{name}" }

local chat <const> = tide.consumer {
  path = "/ws/chat",
  topics = { room },
  groups = { "all" },
  send_authentication = false,
  authenticate = function()
    return { id = 7, name = "ann", tags = tide.array() }
  end,
}

local closed <const> = {}

local acts <const> = {}

function acts.fill(conn)
  local state <const> = conn.state
  state.count, state.list, state.me, state.self = 3, { 1, { deep = 2.5 } }, conn.user, state
  state.on_done, state.thread = print, coroutine.create(print)
  return "filled"
end

function acts.state(conn)
  return conn.state
end

function acts.set(conn, value)
  conn.state.value = value
  return "set"
end

function acts.sleep(conn, seconds)
  tide.sleep(seconds)
  return { code = "old", count = conn.state.count }
end

function acts.spin(_, seconds)
  tide.sleep(seconds)
  while true do
  end
end

function acts.gather()
  local function nap()
    tide.sleep(2)
    return "slept"
  end
  return { tide.gather { nap, nap } }
end

function acts.tick(conn)
  tide.every(1, function()
    conn:send(said "tick of old")
  end)
  tide.spawn(function()
    local ending <close> = setmetatable({}, {
      __close = function()
        closed[#closed + 1] = conn.id
      end,
    })
    tide.sleep(1000)
    return ending
  end)
  return "ticking"
end

-- Waits, and then looks at the connections of the group, which have moved.
function acts.look(conn)
  tide.sleep(2)
  local seen <const> = {}
  for _, member in ipairs(tide.group("all"):members()) do
    local is_fine <const>, text <const> = pcall(function()
      return member.conn.state
    end)
    seen[#seen + 1] = {
      is_own = member.conn == conn,
      user = member.user.name,
      state = is_fine and "readable" or text:match ": (.*)",
      sent = member.conn == conn or member.conn:send(said "from old"),
    }
  end
  return seen
end

function acts.huge(conn)
  conn.state.huge = ("x"):rep(2000000)
  return "huge"
end

function acts.score(_, points)
  if points then
    score:update(function(value)
      value.points = value.points + points
      return value
    end)
  end
  return score:get()
end

chat:on(act, { output = said, concurrency = 4 }, function(conn, m)
  return said(acts[m.payload.what](conn, m.payload.with))
end)

room:on(act, { output = said }, function(sub, m)
  sub.state.value = m.payload.with or sub.state.value
  return said(sub.state.value)
end)

local migrated <const> = tide.consumer { path = "/ws/migrated" }
migrated:on(act, { output = said }, function(conn)
  conn.state.count = 1
  return said(conn.state)
end)

local about <const> = tide.consumer {
  path = "/ws/about",
  authenticate = function()
    return { id = 7 }, { expires_at = os.time() + 3600 }
  end,
  object = function()
    return { title = "old" }
  end,
  reauthenticate_seconds = 60,
}

about:on(act, { output = said }, function(conn, m)
  conn.state.value = m.payload.with
  return said(conn.object.title)
end)

return { chat, migrated, about }
