-- The everyday consumer: replies of every size, several sends, closes, failures.
local tide <const> = require "tidegate"
local journal <const> = require "journal"
local s <const> = tide.schema

local text <const> = { message = s.string { max = 2000 } }
local m <const> = {
  user_message = tide.message("user_message", text),
  system_echo = tide.message("system_echo", text),
  any = tide.message("any", s.any()),
  burst = tide.message("burst", { count = s.integer { min = 0, max = 1000 } }),
  part = tide.message("part", { number = s.integer() }),
  burst_done = tide.message("burst_done"),
  blob = tide.message("blob", { bytes = s.integer { min = 0 }, number = s.integer():optional() }),
  blobs = tide.message("blobs", { bytes = s.integer { min = 0 }, count = s.integer { min = 0 } }),
  blob_data = tide.message("blob_data", { number = s.integer():optional(), data = s.string() }),
  bye = tide.message("bye", { code = s.integer():optional(), reason = s.string():optional() }),
  keep = tide.message("keep"),
  kept = tide.message("kept"),
  call_kept = tide.message("call_kept"),
  answer = tide.message("answer", { sent = s.string(), closed = s.string(), id = s.string() }),
  count = tide.message("count"),
  counted = tide.message("counted", { number = s.integer() }),
  fail = tide.message("fail", { how = s.string() }),
  silent = tide.message("silent"),
}

local Echo <const> = tide.consumer {
  name = "echo",
  path = { "/ws/echo", "/ws/other/echo" },
  description = "Answers",
  tags = { "spec" },
}

Echo:on(tide.messages.ping, { summary = "Answers a ping" }, function()
  return tide.messages.pong()
end)

Echo:on(m.user_message, { output = m.system_echo }, function(_, message)
  return m.system_echo { message = "🔧 System Echo: " .. message.payload.message }
end)

Echo:on(m.any, { output = m.any }, function(_, message)
  return m.any(message.payload)
end)

Echo:on(m.burst, { output = m.burst_done }, function(conn, message)
  for number = 1, message.payload.count do
    conn:send(m.part { number = number })
  end
  return m.burst_done()
end)

Echo:on(m.blob, { output = m.blob_data }, function(_, message)
  local payload <const> = message.payload
  return m.blob_data { number = payload.number, data = ("x"):rep(payload.bytes) }
end)

Echo:on(m.blobs, { output = m.blob_data }, function(conn, message)
  local data <const> = ("x"):rep(message.payload.bytes)
  for number = 1, message.payload.count do
    local sent, why = conn:send(m.blob_data { number = number, data = data })
    if not sent then
      journal.note { number = number, why = why }
      return
    end
  end
end)

Echo:on(m.bye, { summary = "Closes after what is queued" }, function(conn, message)
  conn:send(m.part { number = 1 })
  conn:send(m.part { number = 2 })
  if message.payload.code then
    conn:close(message.payload.code, message.payload.reason)
  else
    conn:close()
  end
  local _, sent = conn:send(m.part { number = 3 })
  local _, closed = conn:close(4000, "again")
  journal.note { sent = tostring(sent), closed = tostring(closed) }
end)

local kept_conn

Echo:on(m.keep, { output = m.kept }, function(conn)
  kept_conn = conn
  return m.kept()
end)

Echo:on(m.call_kept, { output = m.answer }, function()
  local _, sent = kept_conn:send(m.kept())
  local _, closed = kept_conn:close(1000, "late")
  return m.answer { sent = tostring(sent), closed = tostring(closed), id = kept_conn.id }
end)

Echo:on(m.count, { output = m.counted }, function(conn)
  conn.state.number = (conn.state.number or 0) + 1
  return m.counted { number = conn.state.number }
end)

local failures <const> = {
  string = function()
    error "secret words"
  end,
  table = function()
    error { secret = "words" }
  end,
  ["nil"] = function()
    error(nil)
  end,
  index = function()
    local nothing = tonumber "nothing"
    return nothing.secret
  end,
  declared = function()
    tide.error { code = "not_found", detail = "No such room" }
  end,
  tostring = function()
    error(setmetatable({}, {
      __tostring = function()
        error "secret words"
      end,
    }))
  end,
}

Echo:on(m.fail, { summary = "Raises" }, function(conn, message)
  conn:send(m.part { number = 1 })
  failures[message.payload.how]()
end)

Echo:on(m.silent, { summary = "Answers nothing" }, function() end)

local leave <const> = journal.leaver "echo"

function Echo:disconnected(conn, code, reason)
  leave(conn, code, reason)
end

return Echo
