--- What becomes of connections, their tasks and their data when the code of an application is replaced.

local support <const> = require "spec.support.reload"
local testing <const> = require "tidegate.testing"

local alive <const>, code <const>, say <const>, told <const> =
  support.alive, support.code, support.say, support.told

---@param client tidegate.TestClient
---@param seconds number
local function wait(client, seconds)
  client:send { action = "wait", payload = { seconds = seconds } }
end

---@param client tidegate.TestClient
---@param text string
local function send(client, text)
  client:send { action = "say", payload = { text = text } }
end

describe("a connection", function()
  it("moves at once when nothing of it runs, with its state", function()
    local app <close> = testing.app(code "one")
    local clients <const> = {}
    for index = 1, 300 do
      clients[index] = app:connect "/ws"
      say(clients[index], "a")
    end
    assert(app:reload(code "two"))
    assert.equal("2 serving: 300", alive(app))
    for _, client in ipairs(clients) do
      assert.equal("b 2 by two", say(client, "b"))
    end
    assert.equal(300, app:metric "tidegate_connections_moved_total")
  end)

  it("ends its handler where it began, over three reloads, and then lands in the newest", function()
    local app <close> = testing.app(code "one")
    local client <close> = app:connect "/ws"
    local other <close> = app:connect "/ws"
    say(client, "a")
    wait(client, 10)
    send(client, "b")
    for index, version in ipairs { "two", "three", "four" } do
      assert.equal(index + 1, assert(app:reload(code(version))).generation)
    end
    assert.equal("1 retiring: 1, 4 serving: 1", alive(app))
    app:advance(9)
    assert.same({ "a 1 by one" }, told(client))
    app:advance(1)
    assert.same({ "a 1 by one", "waited 2 by one", "b 3 by four" }, told(client))
    assert.equal("4 serving: 2", alive(app))
    assert.equal("x 1 by four", say(other, "x"))
  end)

  it("has its handler ended when retire_seconds are over", function()
    local app <close> = testing.app(code "one", { retire_seconds = 20 })
    local client <close> = app:connect "/ws"
    wait(client, 100)
    send(client, "b")
    assert(app:reload(code "two"))
    app:advance(19.9)
    assert.same({}, told(client))
    app:advance(0.1)
    assert.same({ "handler_timeout", "b 1 by two" }, told(client))
    assert.equal("2 serving: 1", alive(app))
    assert.equal(1, app:metric "tidegate_handlers_retired_total")
  end)

  it("has it ended before when more than max_generations would be alive", function()
    local app <close> = testing.app(code "1", { max_generations = 3, retire_seconds = 600 })
    local clients <const> = {}
    for index = 1, 3 do
      clients[index] = app:connect "/ws"
      wait(clients[index], 100)
      assert(app:reload(code(tostring(index + 1))))
    end
    assert.equal("2 retiring: 1, 3 retiring: 1, 4 serving: 1", alive(app))
    assert.same({ "handler_timeout" }, told(clients[1]))
    assert.equal(0, app:now())
    assert.equal(1, app:metric "tidegate_reloads_postponed_total")
    app:advance(100)
    assert.same({ "waited 1 by 2" }, told(clients[2]))
    assert.same({ "waited 1 by 3" }, told(clients[3]))
    assert.equal("4 serving: 3", alive(app))
  end)

  it("is told by `reloaded`, whose tasks go on; those of the old code end", function()
    local function ticking(version)
      return code(version, function(Chat, tide)
        local Tick <const> = tide.message("tick", { text = tide.schema.string() })
        local function start(conn)
          tide.every(1, function()
            conn:send(Tick { text = version })
          end)
        end
        function Chat:connected(conn)
          start(conn)
        end
        function Chat:reloaded(conn, from)
          conn.state.came_from = from
          start(conn)
        end
      end)
    end
    local app <close> = testing.app(ticking "one")
    local client <close> = app:connect "/ws"
    app:advance(2.5)
    assert(app:reload(ticking "two"))
    app:advance(2.5)
    local ticks <const> = {}
    for index, seen in ipairs(client:frames()) do
      ticks[index] = ("%s at %.1f"):format(seen.frame.payload.text, seen.at)
    end
    assert.same({ "one at 1.0", "one at 2.0", "two at 3.5", "two at 4.5" }, ticks)
    assert.equal("2 serving: 1", alive(app))
  end)

  it("may have its state rewritten by `migrate`, before `reloaded`", function()
    local order <const> = {}
    local app <close> = testing.app(code "one")
    local client <close> = app:connect "/ws"
    say(client, "a")
    assert(app:reload(code("two", function(Chat)
      function Chat:reloaded(conn)
        order[#order + 1] = "reloaded with " .. conn.state.count
      end
    end, {
      migrate = function(state, from)
        order[#order + 1] = ("migrate from %d"):format(from)
        return { count = state.count + 100 }
      end,
    })))
    assert.same({ "migrate from 1", "reloaded with 101" }, order)
    assert.equal("b 102 by two", say(client, "b"))
  end)

  it("leaves behind what is no data, and the log says what", function()
    local app <close> = testing.app(code("one", function(Chat)
      function Chat:connected(conn)
        conn.state.deep = { on_done = print, kept = 1 }
      end
    end))
    local client <close> = app:connect "/ws"
    local seen
    assert(app:reload(code("two", function(Chat)
      function Chat:reloaded(conn)
        seen = conn.state.deep
      end
    end)))
    assert.same({ kept = 1 }, seen)
    local lines <const> = app:logs "left_behind"
    assert.equal(1, #lines)
    assert.equal("conn.state.deep.on_done is a function and stays behind", lines[1].fields.text)
    assert(client)
  end)

  it("is closed with 1012 when its consumer is gone", function()
    local app <close> = testing.app(code "one")
    local client <close> = app:connect "/ws"
    assert(app:reload(code("two", nil, { name = "other", path = "/other" })))
    client:assert_closed(1012, "the consumer was removed")
    assert.equal("2 serving: 0", alive(app))
  end)

  it("stays with the old code when the setting says so", function()
    local app <close> = testing.app(code "one", { gone_consumers = "stay" })
    local client <close> = app:connect "/ws"
    local other <const> = code("two", nil, { name = "other", path = "/other" })
    assert(app:reload(other))
    app:advance(1000)
    assert.equal("a 1 by one", say(client, "a"))
    assert.equal("1 retiring: 1, 2 serving: 0", alive(app))
    client:close()
    assert.equal("2 serving: 0", alive(app))
  end)

  it("has its object loaded again, and is closed when it is gone", function()
    local titles <const> = { a = "old" }
    local asked <const> = {}
    local function titled(version)
      return code(version, function(Chat, tide)
        local Ask <const> = tide.message "ask"
        local Title <const> = tide.message("title", tide.schema.string())
        Chat:on(Ask, { output = Title }, function(conn)
          return Title(conn.object.title)
        end)
        function Chat:reloaded(conn)
          asked[#asked + 1] = conn.object.title
        end
      end, {
        object = function(conn)
          local title <const> = titles[conn.query.id]
          return title and { title = title .. " by " .. version, close = print }
        end,
      })
    end
    local app <close> = testing.app(titled "one")
    local client <close> = app:connect("/ws", { query = { id = "a" } })
    assert.equal("old by one", client:call({ action = "ask" }).payload)
    titles.a = "new"
    assert(app:reload(titled "two"))
    assert.same({ "new by two" }, asked)
    assert.equal("new by two", client:call({ action = "ask" }).payload)
    titles.a = nil
    assert(app:reload(titled "three"))
    client:assert_closed(4404)
    assert.same({ "new by two" }, asked)
    assert.equal("3 serving: 0", alive(app))
  end)

  it("that came to old code and is being let in ends that there", function()
    local function declare(version)
      return function(tide)
        return code(version, nil, {
          authenticate = function()
            tide.sleep(5)
            return "by " .. version
          end,
        })(tide)
      end
    end
    local app <close> = testing.app(declare "one")
    local client <close> = app:connect "/ws"
    assert(app:reload(declare "two"))
    assert.equal("1 retiring: 1, 2 serving: 0", alive(app))
    app:advance(5)
    client:assert_authenticated()
    assert.equal("2 serving: 1", alive(app))
    assert.equal("a 1 by two", say(client, "a"))
  end)
end)

describe("old code", function()
  it("may hold a connection that has moved: it sends, and has no state", function()
    local held, Note
    local app <close> = testing.app(code("one", function(Chat, tide)
      Note = tide.message("note", { text = tide.schema.string(), by = tide.schema.string() })
      function Chat:connected(conn)
        held = conn
      end
    end))
    local other <close> = app:connect "/ws"
    wait(other, 10)
    local client <close> = app:connect "/ws"
    assert(app:reload(code "two"))
    assert.is_true(held:send(Note { text = "still", by = "one" }))
    assert.same({ "still by one" }, told(client))
    local _, text <const> = pcall(function()
      return held.state
    end)
    assert.truthy(text:find("conn.state moved to generation 2 with its connection", 1, true), text)
    assert.equal("a 1 by two", say(client, "a"))
    app:advance(10)
    assert.equal("2 serving: 2", alive(app))
    assert.same({ nil, "closed" }, { held:send(Note { text = "gone", by = "one" }) })
  end)

  it("ends with on_stop, and the new begins with on_start", function()
    local order <const> = {}
    local function hooked(version)
      return code(version, function(_, tide)
        tide.on_start(function()
          order[#order + 1] = version .. " starts"
        end)
        tide.on_stop(function(reason)
          tide.sleep(1)
          order[#order + 1] = ("%s stops: %s"):format(version, reason)
        end)
      end)
    end
    local app <const> = testing.app(hooked "one")
    local client <const> = app:connect "/ws"
    wait(client, 5)
    assert(app:reload(hooked "two"))
    assert.same({ "one starts", "two starts" }, order)
    app:advance(5.5)
    assert.equal("1 stopping: 0, 2 serving: 1", alive(app))
    app:advance(0.5)
    assert.equal("one stops: reload", order[3])
    assert.equal("2 serving: 1", alive(app))
    app:close()
    assert.equal("two stops: stop", order[4])
  end)

  it("and new hear each other's events and group messages", function()
    local heard <const> = {}
    local function grouped(version)
      return code(version, function(Chat, tide)
        local Note <const> = tide.event("note", { text = tide.schema.string() })
        local Tell <const> = tide.message("tell", { seconds = tide.schema.number() })
        Chat:on_event(Note, function(_, event)
          heard[#heard + 1] = ("%s hears %s"):format(version, event.payload.text)
        end)
        Chat:on(Tell, function(_, message)
          tide.sleep(message.payload.seconds)
          tide.broadcast_event("all", Note { text = version })
        end)
      end, { groups = { "all" } })
    end
    local app <close> = testing.app(grouped "one")
    local old <close> = app:connect "/ws"
    local new <close> = app:connect "/ws"
    old:send { action = "tell", payload = { seconds = 5 } }
    assert(app:reload(grouped "two"))
    new:send { action = "tell", payload = { seconds = 0 } }
    -- What comes for a connection whose handler runs in the old code waits until it has moved.
    assert.same({ "two hears two" }, heard)
    app:advance(5)
    table.sort(heard)
    assert.same({ "two hears one", "two hears one", "two hears two", "two hears two" }, heard)
  end)

  it("and new check events of each other by their own schema", function()
    local heard <const> = {}
    local function told_of(version, fields)
      return code(version, function(Chat, tide)
        local s <const> = tide.schema
        local Note <const> = tide.event("note", fields(s))
        local Tell <const> = tide.message("tell", { seconds = s.number(), text = s.string() })
        Chat:on_event(Note, function(_, event)
          heard[#heard + 1] = ("%s hears %s, %s"):format(
            version,
            event.payload.text,
            event.payload.tone
          )
        end)
        Chat:on(Tell, function(_, message)
          tide.sleep(message.payload.seconds)
          tide.broadcast_event("all", Note { text = message.payload.text })
        end)
      end, { groups = { "all" } })
    end
    local app <close> = testing.app(told_of("one", function(s)
      return { text = s.string() }
    end))
    local short <const> = app:connect "/ws"
    local long <const> = app:connect "/ws"
    short:send { action = "tell", payload = { seconds = 5, text = "short" } }
    long:send { action = "tell", payload = { seconds = 5, text = "much too long" } }
    assert(app:reload(told_of("two", function(s)
      return { text = s.string { max = 5 }, tone = s.string():default "plain" }
    end)))
    app:advance(5)
    assert.same({ "two hears short, plain", "two hears short, plain" }, heard)
    assert.equal(1, app:metric "tidegate_events_invalid_total") -- what all are sent is checked once
  end)
end)

describe("what is kept", function()
  it("stays, whatever the new code calls initial", function()
    local function keeping(initial)
      return code("any", function(Chat, tide)
        local kept <const> = tide.keep("score", initial)
        local Add <const> = tide.message "add"
        local Score <const> = tide.message("score", tide.schema.integer())
        Chat:on(Add, { output = Score }, function()
          return Score(kept:update(function(value)
            return value + 1
          end))
        end)
      end)
    end
    local app <close> = testing.app(keeping(10))
    local client <close> = app:connect "/ws"
    assert.equal(11, client:call({ action = "add" }).payload)
    assert(app:reload(keeping(500)))
    assert.equal(12, client:call({ action = "add" }).payload)
    assert.is_nil((app:reload(function()
      error "broken"
    end)))
    assert.equal(13, client:call({ action = "add" }).payload)
  end)
end)

describe("routes", function()
  it("are those of the new code", function()
    local function routed(version)
      return function(tide)
        tide.route("GET", "/version", function()
          return 200, version
        end)
        return code(version)(tide)
      end
    end
    local app <close> = testing.app(routed "one")
    assert.equal("one", app:request("GET", "/version").body)
    assert(app:reload(routed "two"))
    assert.equal("two", app:request("GET", "/version").body)
    assert(app:reload(code "three"))
    assert.equal(404, app:request("GET", "/version").status)
  end)
end)

describe("clients that talk all the time", function()
  local MESSAGES <const> = 480

  --- Sends one of two messages, and notes what has to come back.
  local function talk(client, sent, text)
    if math.random(3) == 1 then
      sent[#sent + 1] = "waited"
      wait(client, math.random() / 10)
    else
      sent[#sent + 1] = text
      send(client, text)
    end
  end

  --- Each message has one answer, in order: of the newest code that could, counted by the state that
  --- came along; or it was ended with its generation.
  local function check(client, sent)
    local got <const>, count, last = told(client), 0, 0
    assert.equal(#sent, #got)
    for place, text in ipairs(got) do
      if text ~= "handler_timeout" then
        count = count + 1
        local said <const>, by <const> = text:match "^(.*) by (%d+)$"
        assert.equal(("%s %d"):format(sent[place], count), said)
        assert.is_true(tonumber(by) >= last, "an older code answered after a newer one")
        last = tonumber(by)
      end
    end
    return #got - count
  end

  for _, max_generations in ipairs { 2, 4, 64 } do
    local title <const> = "are answered once each, in order, with at most %d generations"
    it(title:format(max_generations), function()
      math.randomseed(max_generations)
      local app <close> = testing.app(code "1", { max_generations = max_generations })
      local clients <const>, sent <const> = {}, {}
      for index = 1, 8 do
        clients[index], sent[index] = app:connect "/ws", {}
      end
      local version, ended = 1, 0
      for number = 1, MESSAGES do
        local index <const> = math.random(#clients)
        talk(clients[index], sent[index], tostring(number))
        if math.random(6) == 1 then
          version = version + 1
          assert(app:reload(code(tostring(version))))
        end
        if math.random(4) == 1 then
          app:advance(math.random() / 20)
        end
      end
      app:advance(60)
      for index, client in ipairs(clients) do
        ended = ended + check(client, sent[index])
      end
      assert.equal(("%d serving: 8"):format(version), alive(app))
      assert.is_true(version > 40, version .. " versions")
      assert.equal(max_generations == 64, ended == 0, ended .. " handlers were ended")
    end)
  end
end)
