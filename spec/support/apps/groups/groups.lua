--- Clients in groups. Where a client connects says in which, and whose it is:
--- /ws/talk?groups=a,b&user=7 joins two groups as user 7. Its messages name deeds.

local tide <const> = require "tidegate"
local s <const> = tide.schema

local said <const> = tide.message("said", s.any())
local deed <const> = tide.message("do", s.object { what = s.string(), with = s.any():optional() })
local note <const> = tide.message("note", s.object { text = s.string() })
local chat_group <const> = tide.group_message("chat_group", { text = s.string() })
local profile <const> = tide.group_message("profile", {
  user_name = s.string(),
  labels = s.map(s.integer()),
  free_form = s.any():optional(),
})
local clashing <const> = tide.message("clashing", { user_name = s.string(), userName = s.string() })
local counted <const> = tide.message("counted", s.object { n = s.integer() }, {
  serialise = function(payload)
    payload.n = payload.n + 1
    return { n = payload.n }
  end,
})
local happened <const> = tide.event("happened", { text = s.string() })

---@param text? string
---@return string[]
local function listed(text)
  local names <const> = {}
  for name in (text or ""):gmatch "[^,]+" do
    names[#names + 1] = name
  end
  return names
end

--- User 7 of "7", ann of "ann", an object without an id of "nameless".
---@param text string
local function user_of(text)
  if text == "nameless" then
    return { name = text }
  elseif text:sub(1, 1) == "{" then
    return { id = text:sub(2, -2), name = "somebody" }
  end
  return text:find "^%d$" and tonumber(text) or text
end

local loading <const> = {
  broadcast = select(2, pcall(tide.broadcast, "a", note { text = "x" })),
  count = select(
    2,
    pcall(function()
      return tide.group("a"):count()
    end)
  ),
}

---@param value any
local function as_json(value)
  return value == nil and tide.messages.error and require("cjson").null or value
end

---@param ... any
local function answer(...)
  local values <const> = {}
  for index = 1, select("#", ...) do
    values[index] = as_json((select(index, ...)))
  end
  return said(tide.array(values))
end

---@param conn tidegate.Conn
---@param message tidegate.Outgoing
---@param options? table
local function broadcast(conn, message, options)
  return answer(conn:broadcast(message, options))
end

local kept = {} -- connections, by a name

local deeds <const> = {
  join = function(conn, name)
    return answer(conn:join(name))
  end,
  leave = function(conn, name)
    return answer(conn:leave(name))
  end,
  groups = function(conn)
    return said(tide.array(conn.groups))
  end,
  user = function(conn)
    return answer(conn.user)
  end,
  id = function(conn)
    return said(conn.id)
  end,
  say = function(conn, text)
    return broadcast(conn, chat_group { text = text })
  end,
  note = function(conn, with)
    return broadcast(conn, note { text = with.text }, { groups = with.groups })
  end,
  say_to_others = function(conn, text)
    return broadcast(conn, chat_group { text = text }, { exclude_current = true })
  end,
  before_and_after = function(conn, text)
    conn:send(note { text = "before" })
    conn:broadcast(chat_group { text = text })
    conn:send(note { text = "after" })
    return said "reply"
  end,
  profile = function(conn, with)
    return broadcast(conn, profile(with), { groups = "shared" })
  end,
  clashing = function(conn, groups)
    return broadcast(conn, clashing { user_name = "a", userName = "b" }, { groups = groups })
  end,
  counted = function(conn)
    return broadcast(conn, counted { n = 1 }, { groups = "shared" })
  end,
  from_anywhere = function(conn, with)
    local exclude <const> = with.exclude == "me" and conn or with.exclude
    tide.spawn(function()
      conn:send(answer(tide.broadcast(with.groups, chat_group { text = with.text }, {
        exclude = exclude,
      })))
    end)
  end,
  count = function(_, name)
    return said(tide.group(name):count())
  end,
  members = function(_, name)
    local list <const> = tide.array()
    for index, member in ipairs(tide.group(name):members()) do
      assert(member.id == member.conn.id and member.user == member.conn.user)
      list[index] = member.user or false
    end
    return said(list)
  end,
  send_group = function(_, with)
    return answer(tide.group(with.name):send(note { text = with.text }))
  end,
  close_group = function(_, with)
    return answer(tide.group(with.name):close(with.code, with.reason))
  end,
  user_count = function(_, id)
    return said(tide.user(id):count())
  end,
  user_connections = function(conn, id)
    local list <const> = tide.array()
    for index, other in ipairs(tide.user(id):connections()) do
      list[index] = other == conn
    end
    return said(list)
  end,
  send_user = function(_, with)
    return answer(tide.user(with.id):send(chat_group { text = with.text }))
  end,
  close_user = function(_, with)
    return answer(tide.user(with.id):close(with.code, with.reason))
  end,
  close = function(conn)
    conn:close(4000, "bye")
    return answer(conn:join "late", (conn:leave "a"))
  end,
  raise = function()
    error "raised"
  end,
  keep = function(conn, name)
    kept[name] = conn
    return answer(#conn.groups)
  end,
  kept = function(_, name)
    local conn <const> = kept[name]
    local joined <const>, why <const> = conn:join "a"
    local sent <const>, why_not <const> = conn:broadcast(note { text = "x" })
    return answer(#conn.groups, joined, why, sent, why_not, tostring(conn):match "%(closed%)")
  end,
  names = function()
    return answer(tostring(tide.group "日本"), tostring(tide.user(7)))
  end,
  loading = function()
    return answer(loading.broadcast, loading.count)
  end,
}

--- Calls that are wrong: what each raises.
local mistakes <const> = {
  function(conn)
    conn:join ""
  end,
  function(conn)
    conn:join(("a"):rep(201))
  end,
  function(conn)
    conn:join "\xff"
  end,
  function(conn)
    conn:join(7)
  end,
  function(conn)
    conn:leave()
  end,
  function(conn)
    conn:broadcast(happened { text = "x" })
  end,
  function(conn)
    conn:broadcast(note)
  end,
  function(conn)
    conn:broadcast(note { text = "x" }, { group = "a" })
  end,
  function(conn)
    conn:broadcast(note { text = "x" }, { exclude_current = 1 })
  end,
  function(conn)
    conn:broadcast(note { text = "x" }, { groups = { "a", 7 } })
  end,
  function(conn)
    conn:broadcast(note { text = "x" }, { groups = { name = "a" } })
  end,
  function(conn)
    local message <const> = note { text = "x" }
    message.payload = { text = 7 }
    conn:broadcast(message)
  end,
  function()
    tide.broadcast("a", happened { text = "x" })
  end,
  function()
    tide.broadcast("a", note { text = "x" }, { except = "b" })
  end,
  function()
    tide.broadcast("a", note { text = "x" }, { exclude = "nobody" })
  end,
  function()
    local message <const> = note { text = "x" }
    message.payload = nil
    tide.broadcast("a", message)
  end,
  function()
    tide.group()
  end,
  function()
    tide.user {}
  end,
  function()
    tide.user ""
  end,
  function()
    tide.group("a").count()
  end,
  function()
    tide.group("a"):close(999)
  end,
}

deeds.mistakes = function(conn)
  local texts <const> = tide.array()
  for index, mistake in ipairs(mistakes) do
    local _, text <const> = pcall(mistake, conn)
    local line <const> = tonumber(tostring(text):match "groups%.lua:(%d+): ")
    local info <const> = debug.getinfo(mistake, "S")
    assert(line and line > info.linedefined and line < info.lastlinedefined, text)
    texts[index] = text:match "groups%.lua:%d+: (.*)"
  end
  return said(texts)
end

local Talk <const> = tide.consumer {
  path = "/ws/talk",
  sends = { note, chat_group, profile, clashing, counted },
  groups = function(conn)
    local query <const> = conn.query
    if query.slow then
      tide.sleep(tonumber(query.slow))
    end
    if query.raise then
      error "no groups"
    end
    return query.nothing and {} or listed(query.groups)
  end,
  send_authentication = false,
  authenticate = function(request)
    return request.query.user and user_of(request.query.user) or { name = "anonymous" }
  end,
}

Talk:on(deed, { output = said }, function(conn, message)
  local run <const> = assert(deeds[message.payload.what], "no such deed")
  return run(conn, message.payload.with)
end)

function Talk:connected(conn)
  if conn.query.fail then
    conn:send(note { text = "in " .. table.concat(conn.groups, ",") })
    error "connected raised"
  end
end

function Talk:disconnected(conn, code)
  local text <const> = ("left %s with %d"):format(table.concat(conn.groups, ","), code)
  conn:broadcast(chat_group { text = text })
  local joined <const>, why <const> = conn:join "late"
  assert(joined == nil and why == "closed")
end

--- Its groups come from a list and from a mixin.
local Listed <const> = tide.consumer { path = "/ws/listed", groups = { "é", "room a b", "é" } }
Listed:use(tide.mixin { groups = "日本" })
Listed:on(deed, { output = said }, function(conn)
  return said(conn.groups)
end)

local Shared <const> = tide.consumer { path = "/ws/shared", groups = "shared" }
local Camel <const> = tide.consumer { path = "/ws/camel", groups = "shared", camelize = true }
local Text <const> = tide.text_consumer {
  path = "/ws/text",
  groups = { "shared" },
  authenticate = function(request)
    return request.query.user
  end,
  receive = function(conn)
    conn:send_text("user " .. tostring(conn.user))
  end,
}
local Wrong <const> = tide.consumer {
  path = "/ws/wrong",
  groups = function(conn)
    return conn.query.returns == "number" and 7 or nil
  end,
}
--- In no group: development warns of what it broadcasts.
local Alone <const> = tide.consumer { path = "/ws/alone" }
Alone:on(deed, { output = said }, function(conn)
  return answer(conn:broadcast(note { text = "x" }), conn.user)
end)

return { Talk, Listed, Shared, Camel, Text, Wrong, Alone }
