-- What happened to connections, told to whoever watches at /ws/watch, so that a spec can wait for it.
local tide <const> = require "tidegate"
local s <const> = tide.schema

local watching <const> = tide.message("watching")
local noted <const> = tide.message("noted", { what = s.any() })
local ended <const> = tide.message("ended", {
  consumer = s.string(),
  path = s.string(),
  code = s.integer(),
  reason = s.string(),
  sent = s.string(),
  closed = s.string(),
  count = s.integer(),
})

local journal <const> = { watching = watching, noted = noted, ended = ended }
local watchers <const> = {}

function journal.watch(conn)
  watchers[conn.id] = conn
end

function journal.unwatch(conn)
  watchers[conn.id] = nil
end

local function tell(message)
  for _, watcher in pairs(watchers) do
    watcher:send(message)
  end
end

function journal.note(what)
  tell(noted { what = what })
end

-- For the `disconnected` hook of `name`: every call is reported, so that a second one would show.
function journal.leaver(name)
  return function(conn, code, reason)
    conn.state.ends = (conn.state.ends or 0) + 1
    local _, sent = conn:send(watching())
    local _, closed = conn:close(1000, "again")
    tell(ended {
      consumer = name,
      path = conn.path,
      code = code,
      reason = reason or "",
      sent = tostring(sent),
      closed = tostring(closed),
      count = conn.state.ends,
    })
    tide.log.info("a hook ran", { hook = "disconnected", consumer = name, code = code })
  end
end

return journal
