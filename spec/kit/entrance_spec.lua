--- Messages that are sent before their client is let in are handled afterwards, in order, or never; and
--- nobody who is refused gets anything. Visitors are made up from seeds (ENTRANCE_SEED is the first,
--- ENTRANCE_RUNS how many), what has to come of them says model/entry.lua.

local Entry <const> = require "spec.kit.model.entry"
local Random <const> = require "spec.kit.model.random"
local testing <const> = require "tidegate.testing"

local SEED <const> = tonumber(os.getenv "ENTRANCE_SEED" or 1)
local RUNS <const> = tonumber(os.getenv "ENTRANCE_RUNS" or 100)

--- Visitors by their number, and the numbers of messages that were handled.
local visitors, handled

--- What the group is told.
local news

---@param seconds integer
---@param conn_or_request table
local function pass(tide, seconds, what, conn_or_request)
  tide.sleep(seconds)
  local who <const> = visitors[tonumber(conn_or_request.query.n)]
  if who.refused_by == what and who.raises then
    error "down"
  end
  return who.refused_by ~= what
end

local function declare(tide)
  local s <const> = tide.schema
  local say <const> = tide.message("say", s.object { number = s.integer(), seconds = s.integer() })
  local heard <const> = tide.message("heard", s.integer())
  news = tide.message("news", s.integer())
  local function authenticate(request)
    local who <const> = visitors[tonumber(request.query.n)]
    local is_allowed <const> = pass(tide, who.seconds.authenticate, "authenticate", request)
    return is_allowed and request.token ~= "wrong" and request.query.n or nil
  end
  local function room(path, authenticator)
    local Room <const> = tide.consumer {
      path = path,
      authentication_timeout = Entry.timeout,
      groups = "inside",
      sends = { news },
      authenticate = authenticator,
      object = function(conn)
        local who <const> = visitors[tonumber(conn.query.n)]
        return pass(tide, who.seconds.object, "object", conn) and who or nil
      end,
      permissions = function(conn)
        return pass(tide, conn.object.seconds.permissions, "permissions", conn)
      end,
    }
    function Room:connected(conn)
      tide.sleep(conn.object.seconds.connected)
    end
    Room:on(say, { output = heard }, function(conn, message)
      local list <const> = handled[tonumber(conn.query.n)]
      list[#list + 1] = message.payload.number
      conn:send(heard(message.payload.number))
      tide.sleep(message.payload.seconds)
    end)
    return Room
  end
  return {
    room("/ws/plain", authenticate),
    room("/ws/first", tide.auth.first_message(authenticate)),
  }
end

--- What happens, in the order in which it does.
---@return { at: number, run: function }[]
local function plan(app, visits, announcements, clients, reloads)
  local steps <const> = {}
  local function add(at, run)
    steps[#steps + 1] = { at = at, order = #steps, run = run }
  end
  for number, what in ipairs(visits) do
    local who <const> = what.who
    add(who.begins, function()
      local path <const> = who.is_first and "/ws/first" or "/ws/plain"
      clients[number] = assert(app:connect(path, { query = { n = number } }))
    end)
    for index, message in ipairs(who.says) do
      local is_token <const> = who.is_first and index == 1 and who.opening ~= "talk"
      add(message.at, function()
        clients[number]:send(is_token and {
          action = "authenticate",
          payload = { token = who.opening == "wrong" and "wrong" or "right" },
        } or { action = "say", payload = { number = index, seconds = message.seconds } })
      end)
    end
    if who.leaves then
      add(who.leaves, function()
        clients[number][who.is_rude and "drop" or "close"](clients[number])
      end)
    end
  end
  for index, at in ipairs(announcements) do
    add(at, function()
      app:broadcast("inside", news(index))
    end)
  end
  for _, at in ipairs(reloads) do
    add(at, function()
      assert(app:reload(declare))
    end)
  end
  table.sort(steps, function(a, b)
    return a.at < b.at or a.at == b.at and a.order < b.order
  end)
  return steps
end

---@param client table
---@return table[]
local function frames_of(client)
  local list <const> = {}
  for _, item in ipairs(client:frames()) do
    if item.kind == "text" then
      list[#list + 1] = item.frame
    end
  end
  return list
end

--- Asserts what one has got, and what was handled of it.
---@param seed integer
---@param number integer
---@param what model.Visit
---@param announcements number[]
---@param client table
local function check(seed, number, what, announcements, client)
  local where <const> = ("seed %d, visitor %d"):format(seed, number)
  local ended <const>, who <const> = what.entrance, what.who
  local is_told <const> = not (who.leaves and who.leaves < ended.at)
  assert.same(what.handled, handled[number], where)
  local frames <const> = frames_of(client)
  assert.equal(
    is_told and ended.status or nil,
    (frames[1] or { payload = {} }).payload.status_code,
    where
  )
  local heard <const>, told <const> = {}, {}
  for index = 2, #frames do
    local into <const> = frames[index].action == "heard" and heard or told
    into[#into + 1] = frames[index].payload
  end
  assert.same(what.handled, heard, where)
  local expected <const> = {}
  for index, at in ipairs(announcements) do
    expected[#expected + 1] = Entry.is_inside(what, at) and index or nil
  end
  assert.same(expected, told, where)
  if is_told and ended.close then
    assert.equal(1, #frames, where)
    client:assert_closed(ended.close)
  end
end

--- Plays what one seed has made up, and checks it.
---@param seed integer
---@param reloads? number[] when the code is replaced
---@param counts table<string, integer>
local function play(seed, reloads, counts)
  local visits <const>, announcements <const>, inbox_messages <const> =
    Entry.generate(seed, reloads ~= nil)
  visitors, handled = {}, {}
  for number, what in ipairs(visits) do
    visitors[number], handled[number] = what.who, {}
  end
  local app <close> = testing.app(declare, {
    inbox_messages = inbox_messages,
    login_attempts = 0,
    max_generations = 64,
  })
  local clients <const> = {}
  for _, step in ipairs(plan(app, visits, announcements, clients, reloads or {})) do
    app:advance(step.at - app:now())
    step.run()
  end
  app:advance(Entry.length + 60 - app:now())
  for number, what in ipairs(visits) do
    check(seed, number, what, announcements, clients[number])
    local kind <const> = what.who.leaves and "left" or what.entrance.ready and "let_in" or "refused"
    counts[kind] = counts[kind] + 1
    counts.handled = counts.handled + #handled[number]
    clients[number]:drop()
  end
  app:advance(1)
  assert.equal(1, #app:generations())
  assert.no_leaks(app)
end

describe("an entrance", function()
  it("lets messages in with their client, or never", function()
    local counts <const> = { let_in = 0, refused = 0, left = 0, handled = 0 }
    for seed = SEED, SEED + RUNS - 1 do
      play(seed, nil, counts)
    end
    for kind, count in pairs(counts) do
      assert.is_true(count * 4 > RUNS, ("%d %s in %d runs"):format(count, kind, RUNS))
    end
  end)

  it("does so while the code is replaced", function()
    local counts <const> = { let_in = 0, refused = 0, left = 0, handled = 0 }
    for seed = SEED, SEED + RUNS // 2 do
      local random <const>, reloads <const> = Random.new(seed), {}
      for index = 1, random:between(1, 5) do
        reloads[index] = random:below(25) + 0.125
      end
      play(seed, reloads, counts)
    end
    assert.is_true(counts.handled * 4 > RUNS)
  end)
end)
