-- The code after a reload.

local tide <const> = require "tidegate"
local s <const> = tide.schema

local act <const> = tide.message("do", { what = s.string(), with = s.any():optional() })
local said <const> = tide.message("said", s.any())

local score <const> = tide.keep("score", { points = 1000 })
local late <const> = tide.keep("late", "initial")

local room <const> = tide.topic { pattern = "room:{name}" }

local chat <const> = tide.consumer {
  path = "/ws/chat",
  topics = { room },
  groups = { "all" },
  send_authentication = false,
  authenticate = function()
    return { id = 7, name = "ann" }
  end,
}

function chat:reloaded(conn, from_generation)
  local state <const> = conn.state
  if state.value == "wait" then
    tide.sleep(1)
  elseif state.value == "raise" then
    error "reloaded raises"
  end
  conn:send(said {
    reloaded = from_generation,
    is_self = self == chat,
    count = state.count,
    list = state.list,
    user = conn.user,
    is_cycle = state.self == state and state.me == conn.user,
    left = { state.on_done == nil, state.thread == nil },
  })
end

local acts <const> = {}

function acts.state(conn)
  return conn.state
end

function acts.spin()
  while true do
  end
end

function acts.score(_, points)
  if points then
    score:set { points = points }
  end
  return { score = score:get(), late = late:get() }
end

-- Looks at once at a connection whose handler still runs in the code before.
function acts.look(conn)
  local seen <const> = {}
  for _, member in ipairs(tide.group("all"):members()) do
    local is_fine <const>, text <const> = pcall(function()
      return member.conn.state
    end)
    seen[#seen + 1] = {
      is_own = member.conn == conn,
      user = member.user.name,
      state = is_fine and "readable" or text:match ": (.*)",
    }
  end
  return seen
end

chat:on(act, { output = said }, function(conn, m)
  return said(acts[m.payload.what](conn, m.payload.with))
end)

room:on(act, { output = said }, function(sub)
  return said(sub.state)
end)

local migrated <const> = tide.consumer {
  path = "/ws/migrated",
  migrate = function(state, from_generation)
    if from_generation == 1 then
      return { total = state.count + 1 }
    end
    state.total = state.total + 1
    if from_generation == 3 then
      error "cannot migrate"
    elseif from_generation == 4 then
      tide.sleep(1)
    elseif from_generation == 5 then
      return "text"
    end
  end,
}
migrated:on(act, { output = said }, function(conn)
  return said(conn.state)
end)

local about <const> = tide.consumer {
  path = "/ws/about",
  authenticate = function()
    tide.sleep(1)
    return nil, 401, "asked in the new code"
  end,
  object = function(conn)
    local value <const> = conn.state.value
    if value == "wait" then
      tide.sleep(1)
    elseif value == "raise" then
      error "object raises"
    elseif value == "sleep" then
      tide.sleep(1000)
    end
    return value ~= "gone" and { title = "new", owner = conn.user.id } or nil
  end,
  permissions = function()
    error "permissions are not asked"
  end,
}

function about:reloaded(conn, from_generation)
  conn:send(said { reloaded = from_generation, object = conn.object, is_self = self == about })
end

about:on(act, { output = said }, function(conn)
  return said(conn.object.title)
end)

return { chat, migrated, about }
