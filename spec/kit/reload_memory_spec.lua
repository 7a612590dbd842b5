--- What a replaced generation had is given back, and code is replaced whole or not at all when there is no
--- memory for it.

local support <const> = require "spec.support.reload"
local testing <const> = require "tidegate.testing"

local kit <const> = require "tidegate.testing.kit"

local alive <const>, code <const>, say <const> = support.alive, support.code, support.say

--- Everything that moves, and what an old generation has to end: groups, a topic, a ticker, a keep, a
--- queue, requests under way.
---@param version string
---@return fun(tide: table): table
local function busy(version)
  return function(tide)
    local s <const> = tide.schema
    local kept <const> = tide.keep("score", { points = 0 })
    local Note <const> = tide.event("note", { text = s.string() })
    local Seen <const> = tide.group_message("seen", { text = s.string() })
    local Room <const> = tide.topic {
      pattern = "room:{name}",
      sends = { Seen },
      on_subscribe = function(sub)
        sub.state.since = version
      end,
      on_unsubscribe = function() end,
    }
    tide.on_start(function()
      tide.every(10, function()
        kept:update(function(value)
          value.points = value.points + 1
          return value
        end)
      end)
    end)
    tide.on_stop(function() end)
    tide.route("GET", "/version", function()
      return 200, version
    end)
    return code(version, function(Chat)
      local function start(conn)
        tide.every(1, function()
          conn.state.ticks = (conn.state.ticks or 0) + 1
        end)
        tide.spawn(function()
          tide.queue():get()
        end)
        tide.spawn(function()
          tide.http.get "http://127.0.0.1/slow"
        end)
      end
      Chat.connected = function(_, conn)
        conn.state.list = { 1, 2, { conn.state } }
        start(conn)
      end
      Chat.reloaded = function(_, conn)
        start(conn)
      end
      Chat:on_event(Note, function() end)
    end, {
      groups = { "all" },
      topics = { Room },
      authenticate = function()
        return { id = "ann", name = "Ann" }
      end,
      migrate = function(state)
        return state
      end,
    })(tide)
  end
end

---@return tidegate.TestApp
local function open(config)
  local app <const> = testing.app(busy "1", config)
  app:stub_http("http://127.0.0.1/slow", { status = 200, body = "", delay = 1000 })
  return app
end

--- Clients of every kind: idle, with a topic, one whose handler waits.
---@param app tidegate.TestApp
---@return tidegate.TestClient[]
local function connect(app)
  local clients <const> = {}
  for index = 1, 3 do
    clients[index] = app:connect "/ws"
    clients[index]:assert_authenticated()
  end
  clients[2]:send { action = "subscribe", topic = "room:a" }
  assert.frame({ action = "subscribed" }, clients[2]:receive())
  clients[3]:send { action = "wait", payload = { seconds = 5 } }
  return clients
end

local function leave(clients)
  for _, client in ipairs(clients) do
    client:close()
  end
end

describe("100 reloads", function()
  --- Bytes of Lua that nobody can reach any more are not counted.
  local function kilobytes()
    collectgarbage()
    collectgarbage()
    return collectgarbage "count"
  end

  it("give back what each generation had", function()
    local app <close> = open()
    local clients = connect(app)
    local tenth, last
    for version = 2, 101 do
      assert(app:reload(busy(tostring(version))))
      app:advance(6)
      assert.equal(("%d serving: 3"):format(version), alive(app))
      if version % 10 == 1 then -- clients keep all that they have got
        leave(clients)
        clients = connect(app)
        last = kilobytes()
        tenth = tenth or last
      else
        clients[3]:send { action = "wait", payload = { seconds = 5 } }
      end
    end
    assert.is_true(last < 1.05 * tenth, ("%.0f KB after the tenth, %.0f KB"):format(tenth, last))
    leave(clients)
    app:advance(2000)
    assert.no_leaks(app)
  end)

  it("that fail leave nothing behind either", function()
    local app <close> = open()
    local tenth
    for version = 1, 100 do
      assert.is_nil((app:reload(function(tide)
        busy(tostring(version))(tide)
        error "broken"
      end)))
      tenth = version == 10 and kilobytes() or tenth
    end
    local grown <const> = kilobytes() / tenth
    assert.is_true(grown < 1.05, ("Lua has %.3f times as much as after the tenth"):format(grown))
    assert.equal("1 serving: 0", alive(app))
    assert.no_leaks(app)
  end)
end)

describe("an application that ends", function()
  it("while old code runs ends that too, and is collected when nobody holds it", function()
    local order <const> = {}
    local function declare(version)
      return code(version, function(Chat, tide)
        tide.on_stop(function(reason)
          order[#order + 1] = ("%s: %s"):format(version, reason)
        end)
        function Chat:disconnected(_, status)
          order[#order + 1] = ("%s: %d"):format(version, status)
        end
      end)
    end
    local log <const> = setmetatable({}, { __mode = "k" })
    do
      local app <const> = testing.app(declare "one")
      local client <const> = app:connect "/ws"
      client:send { action = "wait", payload = { seconds = 2 } }
      assert(app:reload(declare "two"))
      assert.equal("1 retiring: 1, 2 serving: 0", alive(app))
      app:close()
      log[app] = true
    end
    assert.same({ "one: stop", "two: stop", "one: 1001" }, order)
    collectgarbage()
    collectgarbage()
    assert.is_nil(next(log))
  end)

  it("forgotten as it is, runs no code of its own", function()
    local ran <const>, log <const> = {}, setmetatable({}, { __mode = "k" })
    do
      local function declare(tide)
        return code("one", function(Chat)
          tide.on_stop(function()
            ran[#ran + 1] = "on_stop"
          end)
          function Chat:disconnected()
            ran[#ran + 1] = "disconnected"
          end
        end)(tide)
      end
      local core <const> = assert(kit.open { declare = declare })
      local link <const> = core:connect { path = "/ws" }
      link:send("text", '{"action":"wait","payload":{"seconds":50}}')
      assert.equal(2, core:reload())
      log[core] = true
    end
    collectgarbage()
    collectgarbage()
    assert.is_nil(next(log))
    assert.same({}, ran)
  end)
end)

describe("without memory", function()
  --- Reloads with the n-th allocation failing; whatever happens, one code serves all clients.
  ---@param app tidegate.TestApp
  ---@param n integer
  ---@return integer left allocations that were not asked for
  ---@return boolean has_failed
  local function reload_without(app, n)
    local before <const> = #app:generations()
    assert.equal(1, before)
    local was <const> = app:generations()[1].number
    app:inject { allocation = n }
    local report <const>, problems <const> = app:reload(busy(tostring(was + 1)))
    app:advance(10)
    local left <const> = app:inject { allocation = 0 }
    app:advance(10)
    local number <const> = report and was + 1 or was
    if not report then
      assert.truthy(tostring(problems):find("not enough memory", 1, true), tostring(problems))
    end
    assert.equal(number, app:generations()[1].number)
    assert.equal(1, #app:generations())
    return left, report == nil
  end

  it("either the old code serves on or the new does, and every client is answered", function()
    local n, refused, served = 0, 0, 0
    repeat
      n = n + 1
      local app <close> = open()
      local clients <const> = connect(app)
      local left <const>, has_failed <const> = reload_without(app, n)
      if has_failed then
        refused = refused + 1
      else
        served = served + 1
      end
      local serving <const> = tostring(app:generations()[1].number)
      local place <const> = (" (allocation %d)"):format(n)
      for _, client in ipairs(clients) do
        client:receive_all()
        local answer <const> = say(client, "a")
        assert.truthy(answer:find("^a %d+ by " .. serving .. "$"), answer .. place)
      end
      assert.equal(200, app:request("GET", "/version").status)
      assert.equal(serving, app:request("GET", "/version").body)
      leave(clients)
      app:advance(2000)
      assert.no_leaks(app)
    until left > 0
    assert.is_true(refused > 20, refused .. " were refused")
    assert.is_true(served > 20, served .. " served")
  end)
end)
