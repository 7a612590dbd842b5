local support <const> = require "spec.support.kit"

local kit <const> = support.kit
local tide <const> = kit.tide() -- what waits in it does so in apps only, also under `tidegate test`

--- A number that declares how often a consumer was reached, in a world of its own.
---@param tide_of table
local function counting(tide_of)
  local Count <const> = tide_of.message("count", tide_of.schema.integer())
  local consumer <const> = tide_of.consumer { path = "/x", name = "count" }
  local count = 0
  consumer:on(Count, { output = Count }, function()
    count = count + 1
    return Count(count)
  end)
  return consumer
end

---@param app table
---@return string
local function count(app)
  local link <const> = app:connect { path = "/x" }
  link:send("text", '{"action":"count","payload":0}')
  return link:take().data
end

describe("worlds", function()
  it("do not see each other", function()
    local first <close> = support.app(counting)
    local second <close> = support.app(counting)
    assert.equal('{"action":"count","payload":1}', count(first))
    assert.equal('{"action":"count","payload":2}', count(first))
    assert.equal('{"action":"count","payload":1}', count(second))
    assert.are_not_equal(first:tide(), second:tide())
    assert.equal(first:tide(), first:require "tidegate")
  end)

  it("leave the state as it was", function()
    local rep <const>, request <const>, input <const> = string.rep, require, io.input()
    rawset(string, "kit_specs_own", function()
      return "found"
    end)
    local app <close> = support.echo()
    assert.equal("found", ("x"):kit_specs_own())
    rawset(string, "kit_specs_own", nil)
    assert.equal(rep, string.rep)
    assert.equal(request, require)
    assert.equal(input, io.input())
    assert.equal("function", type(app.connect))
  end)

  it("give everything back, however many there were", function()
    local function open_and_close()
      local app <close> = support.echo()
      assert(app:connect { path = "/x" }):send("text", '{"action":"ping"}')
    end
    for _ = 1, 20 do
      open_and_close()
    end
    collectgarbage()
    collectgarbage()
    local before <const> = collectgarbage "count"
    for _ = 1, 200 do
      open_and_close()
    end
    collectgarbage()
    collectgarbage()
    assert.is_true(collectgarbage "count" - before < 64)
  end)

  it("answer that they are closed to whoever still holds something of them", function()
    local held, fn
    local app <const> = support.app(function(tide_of)
      local Ping <const> = tide_of.message "ping"
      local consumer <const> = tide_of.consumer { path = "/x" }
      function consumer.connected(_, conn)
        held = conn
      end
      consumer:on(Ping, function()
        return Ping()
      end)
      fn = function()
        return tide_of.spawn(function() end)
      end
      return consumer
    end)
    local link <const> = app:connect { path = "/x" }
    local path <const> = held.path
    app:close()
    app:close()
    collectgarbage()
    assert.equal("/x", path)
    assert.same({ nil, "closed" }, { held:send_text "x" })
    assert.truthy(tostring(held):find "%(closed%)")
    assert.has_error(fn, "tide.spawn: the app is closed, or serves newer code")
    assert.has_error(function()
      app:connect { path = "/x" }
    end, "the app is closed")
    assert.equal("close", link:take().kind)
    assert.same({ nil, "closed" }, { link:send("text", "x") })
    assert.equal("connected", app:logs()[1].event)
  end)

  it("answer so for groups, users, events and topics too", function()
    local held <const>, made <const> = {}, {}
    local app <const> = support.app(function(tide_of)
      local s <const> = tide_of.schema
      made.said = tide_of.message("said", { text = s.string():default "" })
      made.notify = tide_of.event("notify", s.string())
      made.Room = tide_of.topic {
        pattern = "room:{name}",
        sends = { made.said },
        on_subscribe = function(sub)
          held.sub = sub
        end,
      }
      local consumer <const> =
        tide_of.consumer { path = "/x", groups = { "all" }, topics = { made.Room } }
      consumer:on_event(made.notify, function() end)
      function consumer.connected(_, conn)
        held.conn = conn
        held.group, held.user = tide_of.group "all", tide_of.user(7)
        held.members = held.group:members()
      end
      made.tide = tide_of
      return consumer
    end)
    app
      :connect({ path = "/x", user = { id = 7 } })
      :send("text", '{"action":"subscribe","topic":"room:a"}')
    assert.equal(1, app:call(held.user.count, held.user))
    assert.equal("room:a", held.sub.topic)
    app:close()
    collectgarbage()
    collectgarbage()
    local message <const>, event <const> = made.said {}, made.notify "x"
    for _, fn in ipairs {
      function()
        return held.conn:join "other"
      end,
      function()
        return held.conn:leave "all"
      end,
      function()
        return held.conn:broadcast(message)
      end,
      function()
        return held.sub:send(message)
      end,
      function()
        return held.sub:broadcast(message)
      end,
      function()
        return held.sub:close()
      end,
    } do
      assert.same({ nil, "closed" }, { fn() })
    end
    assert.same({}, held.conn.groups)
    assert.same({ id = 7 }, held.conn.user)
    assert.equal(held.conn, held.sub.conn)
    assert.equal("subscription to room:a (closed)", tostring(held.sub))
    assert.equal("group all", tostring(held.group))
    for what, calls in pairs {
      ["tide.group"] = {
        function()
          return held.group:count()
        end,
        function()
          return held.group:members()
        end,
        function()
          return held.group:close()
        end,
        function()
          return held.group:send(message)
        end,
      },
      ["tide.user"] = {
        function()
          return held.user:connections()
        end,
        function()
          return held.user:send(message)
        end,
      },
      ["tide.broadcast"] = {
        function()
          return made.tide.broadcast("all", message)
        end,
      },
      ["tide.send_event"] = {
        function()
          return made.tide.send_event(held.conn, event)
        end,
      },
      ["tide.broadcast_event"] = {
        function()
          return made.tide.broadcast_event("all", event)
        end,
      },
      ["Topic:count"] = {
        function()
          return made.Room:count { name = "a" }
        end,
      },
      ["Topic:broadcast"] = {
        function()
          return made.Room:broadcast("room:a", message)
        end,
      },
      ["Topic:broadcast_event"] = {
        function()
          return made.Room:broadcast_event("room:a", event)
        end,
      },
    } do
      for _, fn in ipairs(calls) do
        local ok <const>, text <const> = pcall(fn)
        assert.is_false(ok)
        assert.truthy(text:find(what .. ": the app is closed", 1, true), text)
      end
    end
    assert.equal(held.conn, held.members[1].conn)
  end)

  it("let what waits end with them, and what it held is collected later", function()
    local answers <const> = {}
    do
      local app <const> = support.app(function(tide_of)
        local queue <const> = tide_of.queue(1)
        local Ask <const> = tide_of.message "ask"
        local consumer <const> = tide_of.consumer {
          path = "/x",
          authenticate = function(request)
            if request.query.wait then
              tide_of.sleep(1000)
            end
            return true
          end,
          groups = function(conn)
            answers.conn = conn
            queue:get()
          end,
          sends = { Ask },
        }
        return consumer
      end, { drain_seconds = 1 })
      app:connect { path = "/x", query = "wait=1" }
      app:connect { path = "/x" }
      assert.same({}, answers.conn.groups)
      app:close()
    end
    collectgarbage()
    collectgarbage()
    assert.same({ nil, "closed" }, { answers.conn:join "x" })
  end)

  it("that a spec forgets are collected", function()
    local log <const> = setmetatable({}, { __mode = "k" })
    do
      local app <const> = support.echo()
      app:connect { path = "/x" }
      log[app] = true
    end
    collectgarbage()
    collectgarbage()
    assert.is_nil(next(log))
  end)

  it("are stopped as a gateway is: hooks run, clients get 1001", function()
    local order <const> = {}
    local app <const> = support.app(function(tide_of)
      local consumer <const> = tide_of.consumer { path = "/x" }
      function consumer.disconnected(_, _, code)
        order[#order + 1] = "disconnected " .. code
      end
      tide_of.on_start(function()
        order[#order + 1] = "start"
        local guard <close> = setmetatable({}, {
          __close = function()
            order[#order + 1] = "closed"
          end,
        })
        tide_of.sleep(1000)
        return guard
      end)
      tide_of.on_stop(function(reason)
        order[#order + 1] = "stop: " .. reason
      end)
      return consumer
    end)
    local link <const> = app:connect { path = "/x" }
    app:close()
    assert.same({ "start", "stop: stop", "disconnected 1001", "closed" }, order)
    assert.same({ "close 1001 the server is going away", "end" }, support.frames(link))
  end)
end)

describe("what a spec declares itself", function()
  local Counter <const> = counting(tide)

  it("can be opened again and again", function()
    for _, expected in ipairs { 1, 2, 3 } do
      local app <close> = assert(kit.open { consumers = Counter })
      assert.equal(('{"action":"count","payload":%d}'):format(expected), count(app))
    end
  end)

  it("gives everything back when it is opened again and again", function()
    local s <const> = tide.schema
    local Said <const> = tide.group_message("said", { some_text = s.string() })
    local Ask <const> = tide.message("ask", { some_text = s.string() })
    local Notify <const> = tide.event("notify", { some_text = s.string() })
    local Relayed <const> = tide.event "relayed"
    local Room <const> = tide.topic {
      pattern = "room:{name}",
      sends = { Said },
      authorise = function()
        return true
      end,
      on_subscribe = function() end,
      on_unsubscribe = function() end,
    }
    Room:on(Ask, function(sub, message)
      sub:broadcast(Said { some_text = message.payload.some_text })
    end)
    Room:on_event(Notify, function() end)
    Room:relay(Relayed)
    local consumer <const> = tide.consumer {
      path = "/x",
      name = "all",
      camelize = true,
      topics = { Room },
      sends = { Said },
      groups = function()
        return { "one", "two" }
      end,
      authenticate = function()
        return 7
      end,
    }
    consumer:on(Ask, function(conn, message)
      conn:broadcast(Said { some_text = message.payload.some_text })
    end)
    consumer:on_event(Notify, function() end)
    consumer:relay(Relayed)

    local function converse()
      local app <close> = assert(kit.open { consumers = consumer })
      local link <const> = app:connect { path = "/x" }
      link:send("text", '{"action":"subscribe","topic":"room:a"}')
      link:send("text", '{"action":"ask","topic":"room:a","payload":{"someText":"a"}}')
      link:send("text", '{"action":"ask","payload":{"someText":"b"}}')
      local told <const> = {
        tide.broadcast_event({ "one", "two" }, Notify { some_text = "x" }),
        tide.broadcast_event("one", Relayed()),
        Room:count { name = "a" },
        Room:broadcast_event("room:a", Notify { some_text = "x" }),
      }
      assert.same({ 1, 1, 1, 1 }, told)
      return support.frames(link)
    end

    local first <const> = converse()
    assert.same({
      'text {"action":"authentication","payload":{"statusCode":200,"statusText":"OK"}}',
      'text {"action":"subscribed","topic":"room:a"}',
      'text {"action":"said","payload":{"someText":"a"},"topic":"room:a",'
        .. '"is_mine":true,"is_current":true}',
      'text {"action":"said","payload":{"someText":"b"},"is_mine":true,"is_current":true}',
    }, first)
    for _ = 1, 50 do
      assert.same(first, converse())
    end
    --- How many references all worlds have given out: freed ones are used again.
    local function references()
      local sum = 0
      for key, value in pairs(debug.getregistry()) do
        local is_refs <const> = math.type(key) == "integer" and type(value) == "table"
        sum = sum + (is_refs and rawlen(value) or 0)
      end
      return sum
    end
    local before <const> = references()
    for _ = 1, 50 do
      converse()
    end
    assert.equal(before, references())
  end)

  it("is in one open app at a time", function()
    local app <close> = assert(kit.open { consumers = { Counter } })
    assert.equal(tide, app:tide())
    assert.has_error(
      function()
        kit.open { consumers = Counter }
      end,
      "consumers that a spec declares itself can be in one open app at a time: close the other app first, or "
        .. "hand over a function(tide) that declares them anew"
    )
  end)

  it("cannot wait outside of a task", function()
    local app <close> = assert(kit.open { consumers = Counter })
    local ok <const>, text <const> = pcall(tide.sleep, 1)
    assert.is_false(ok)
    assert.truthy(text:find("nothing waits in a spec: only handlers", 1, true))
    assert.equal(
      3,
      app:call(function(a, b)
        tide.sleep(1)
        return a + b
      end, 1, 2)
    )
    assert.equal(1, app:now())
  end)
end)

describe("opening", function()
  ---@param expected string
  ---@param options table
  local function refused(expected, options)
    local app <const>, text <const> = kit.open(options)
    assert.is_nil(app)
    assert.equal(expected, text)
  end

  it("takes what the gateway takes, settings of the folder among it", function()
    local app <close> = assert(kit.open { folder = "consumers" })
    assert(app:connect { path = "/ws/system" })
  end)

  it("tells what is wrong with the application", function()
    refused("spec/support/nowhere: No such file or directory", { folder = "spec/support/nowhere" })
    local line <const> = debug.getinfo(1, "l").currentline + 2
    local function raises()
      error("boo", 0) -- here
    end
    local _, text <const> = kit.open { declare = raises }
    local place <const> = "spec/kit/core_world_spec.lua:" .. line
    assert.equal(place .. ": it raised boo\n", text:match "^[^\n]*\n")
    assert.truthy(text:find('> +%d+ |       error%("boo", 0%) %-%- here\n'), text)
    refused(
      "declare: it raised boo",
      { declare = coroutine.wrap(function()
        error("boo", 0)
      end) }
    )
  end)

  it("tells what is wrong with a setting, as the command line does", function()
    local function open(config)
      return { declare = counting, config = config }
    end
    refused("config: port: 70000 is not between 0 and 65535", open { port = 70000 })
    local _, text <const> = kit.open(open { max_erors = 1 })
    assert.truthy(text:find("max_errors", 1, true))
    collectgarbage() -- what had only begun to be an app, too
  end)
end)
