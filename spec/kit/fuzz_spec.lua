--- Arbitrary conversations: what is found in consumers that are wrong in one way each, and how it is
--- told. Each spec that a failure prints is run here, and has to fail as well.

local failure <const> = require "spec.support.failure"
local testing <const> = require "tidegate.testing"

--- Declares a consumer that hands every "say" to `handle(tide, conn, message, Say)`.
local function consumer(handle, more)
  return function(tide)
    local s <const> = tide.schema
    local Say <const> =
      tide.message("say", { text = s.string { max = 50 }, count = s.integer():optional() })
    local Talker <const> = tide.consumer { path = "/talk/{room}", name = "talker" }
    Talker:on(Say, { output = Say }, function(conn, message)
      return handle(tide, conn, message, Say)
    end)
    if more then
      more(tide, Talker)
    end
    return Talker
  end
end

local function echo(_, _, message, Say)
  return Say(message.payload)
end

--- What testing.fuzz says of a consumer.
local function found(declare, options)
  local app <close> = testing.app(declare)
  return (failure(function()
    testing.fuzz(app, "/talk/blue", options)
  end))
end

--- Runs the `it` of a failure, alone, with an application of its own.
local function runs_again(declare, text)
  local source <const> = assert(text:match "\n\n(it%(.*)$", text)
  local body
  local environment <const> = setmetatable({
    app = testing.app(declare),
    it = function(_, fn)
      body = fn
    end,
  }, { __index = _G })
  assert(load(source, "=spec", "t", environment))()
  local is_fine <const>, problem <const> = pcall(body)
  environment.app:close()
  assert.is_false(is_fine, "the printed spec passes:\n" .. source)
  return tostring(problem), source
end

describe("testing.fuzz", function()
  it("passes where nothing is wrong, and says what it did", function()
    local app <close> = testing.app(consumer(echo))
    local result <const> = testing.fuzz(app, "/talk/blue", { runs = 100, seed = 4 })
    assert.equal(100, result.runs)
    assert.is_true(result.messages > 200 and result.messages < 500)
    local share <const> = result.broken / result.messages
    assert.is_true(share > 0.1 and share < 0.3, "broken: " .. share)
    assert.no_leaks(app)
  end)

  it("does the same for a seed, and other things for another", function()
    local function sent(seed)
      local texts <const> = {}
      local app <close> = testing.app(consumer(function(_, _, message, Say)
        texts[#texts + 1] = message.payload.text
        return Say(message.payload)
      end))
      testing.fuzz(app, "/talk/blue", { runs = 20, seed = seed, messages = 3 })
      return table.concat(texts, "|")
    end
    assert.equal(sent(1), sent(1))
    assert.not_equal(sent(1), sent(2))
  end)

  it("finds a handler that fails, with the smallest message", function()
    local declare <const> = consumer(function(_, _, message, Say)
      if (message.payload.count or 0) > 1000 then
        error "too many"
      end
      return Say(message.payload)
    end)
    local text <const> = found(declare)
    assert.is_truthy(text:find "^testing.fuzz of /talk/blue: conversation %d+ %(seed 1%): ")
    assert.is_truthy(text:find("handler_failed (say): ", 1, true), text)
    assert.is_truthy(text:find("too many", 1, true), text)
    local _, source <const> = runs_again(declare, text)
    assert.equal(
      [[
it("holds what seed 1 found", function()
  local client <close> = assert(app:connect "/talk/blue")
  client:send '{"action":"say","payload":{"count":1001,"text":""},"ref":1}'
  assert.equal(0, #app:logs "handler_failed")
end)]],
      source
    )
    local file <close> = assert(io.open "docs/testing.md")
    local manual <const> = file:read("a"):gsub("\n    ", "\n")
    assert.is_truthy(manual:find(source, 1, true), "docs/testing.md does not show it")
  end)

  it("finds what takes two messages", function()
    local declare <const> = consumer(function(_, conn, message, Say)
      if message.payload.text ~= "" then
        conn.state.has_spoken = true
      elseif conn.state.has_spoken then
        error "silence after speech"
      end
      return Say(message.payload)
    end)
    local text <const> = found(declare, { seed = 3 })
    local _, source <const> = runs_again(declare, text)
    assert.equal(2, select(2, source:gsub("client:send", "")))
    assert.is_truthy(source:find('"text":"a"},"ref":1', 1, true), source)
    assert.is_truthy(source:find('"text":""},"ref":2', 1, true), source)
  end)

  it("finds a connection that is closed", function()
    local declare <const> = consumer(function(_, conn, message, Say)
      if #message.payload.text > 20 then
        conn:close(4000, "no speeches")
      end
      return Say(message.payload)
    end)
    local text <const> = found(declare)
    assert.is_truthy(text:find('the server closed the connection with 4000 "no speeches"', 1, true))
    runs_again(declare, text)
  end)

  it("finds a frame that nobody declared", function()
    local declare <const> = consumer(function(tide, _, message, Say)
      return message.payload.count == 0 and tide.messages.pong() or Say(message.payload)
    end)
    local text <const> = found(declare)
    assert.is_truthy(text:find('the consumer "talker" declares no such frame:', 1, true), text)
    assert.is_truthy(runs_again(declare, text):find("does not declare", 1, true))
  end)

  it("finds a task that stays", function()
    local declare <const> = consumer(function(_, conn, message, Say)
      conn.state.queue:put(message.payload.count or 0)
      return Say(message.payload)
    end, function(tide, Talker)
      local queue <const> = tide.queue(100)
      tide.on_start(function()
        for count in queue do
          if count < 0 then
            tide.spawn(function()
              tide.sleep(100000)
            end)
          end
        end
      end)
      function Talker:connected(conn)
        conn.state.queue = queue
      end
    end)
    local text <const> = found(declare, { runs = 50 })
    assert.is_truthy(text:find("holds more than before:\n  1 task", 1, true), text)
    assert.is_truthy(text:find('"count":-1', 1, true), text)
    runs_again(declare, text)
  end)

  it("does not take a client of the spec for what its conversations leave", function()
    local app <close> = testing.app(consumer(echo))
    local client <close> = assert(app:connect "/talk/blue")
    assert.equal(10, testing.fuzz(app, "/talk/blue", { runs = 10 }).runs)
    assert.is_true(client:receive_nothing())
  end)

  it("finds a check that changes its mind", function()
    local is_connected = false
    local declare <const> = function(tide)
      local s <const> = tide.schema
      local text <const> = s.string({ max = 20 }):check(function(said)
        return not is_connected or said == ""
      end)
      local Say <const> = tide.message("say", text)
      local Talker <const> = tide.consumer { path = "/talk/{room}", name = "talker" }
      Talker:on(Say, function() end)
      function Talker.connected()
        is_connected = true
      end
      function Talker.disconnected()
        is_connected = false
      end
      return Talker
    end
    local text <const> = found(declare)
    local expected <const> = 'the message "say" is right, and it was refused with '
      .. 'value_error at { "payload" }'
    assert.is_truthy(text:find(expected, 1, true), text)
    runs_again(declare, text)
  end)

  it("speaks camel case, waits for slow handlers, and lets clients in", function()
    local handled = 0
    local app <close> = testing.app(function(tide)
      local s <const> = tide.schema
      local Act <const> = tide.message(
        "act",
        s.tagged("what_kind", {
          name = s.object { user_name = s.string { min = 1 } },
          age = s.object { user_age = s.integer { min = 0 } },
        })
      )
      local Actor <const> = tide.consumer {
        path = "/talk/{room}",
        name = "actor",
        camelize = true,
        send_completion = true,
        authenticate = function(request)
          tide.sleep(0.5)
          return request.headers["x-user"] and { id = request.headers["x-user"] }
        end,
        headers = { "x-user" },
      }
      Actor:on(Act, { output = Act }, function(_, message)
        tide.sleep(2)
        handled = handled + 1
        return Act(message.payload)
      end)
      return Actor
    end)
    local options <const> = { connect = { headers = { ["x-user"] = "ann" } }, settle = 15 }
    local result <const> = testing.fuzz(app, "/talk/blue", options)
    assert.equal(result.messages - result.broken, handled)
  end)

  it("sends only the actions that are wanted", function()
    local declare <const> = consumer(echo, function(tide, Talker)
      Talker:on(tide.message "crash", function()
        error "crash"
      end)
    end)
    local app <close> = testing.app(declare)
    testing.fuzz(app, "/talk/blue", { actions = { "say" }, broken = 0 })
    local text <const> = failure(function()
      testing.fuzz(app, "/talk/blue", { actions = { "sey" } })
    end)
    assert.equal('testing.fuzz: the consumer "talker" handles no "sey" (actions: crash, say)', text)
  end)

  it("takes consumers that the spec declared itself, and folders", function()
    local tide <const> = require "tidegate"
    local Say <const> = tide.message("say", { text = tide.schema.string() })
    local Own <const> = tide.consumer { path = "/own", name = "own" }
    Own:on(Say, { output = Say }, function(_, message)
      return Say(message.payload)
    end)
    local app <close> = testing.app(Own)
    assert.equal(10, testing.fuzz(app, "/own", { runs = 10 }).runs)
    local system <close> = testing.app "consumers"
    assert.equal(200, testing.fuzz(system, "/ws/system", { runs = 200 }).runs)
  end)

  it("says what it cannot do", function()
    local app <close> = testing.app(function(tide)
      return tide.text_consumer { path = "/text", receive = function() end }
    end)
    local unknown <const> = 'testing.fuzz: unknown option "run" '
      .. "(options: actions, broken, connect, leaks, messages, runs, seed, settle)"
    local refused <const> =
      'testing.fuzz: the server refused the connection to /no with 404: {"detail":"Not found"}'
    for _, case in ipairs {
      { "testing.fuzz: the consumer of /text takes texts, not messages", app, "/text" },
      { "testing.fuzz: expected an application, got 7", 7, "/text" },
      {
        "testing.fuzz: runs must be a whole number of 1 or more, got 0",
        app,
        "/text",
        { runs = 0 },
      },
      { "testing.fuzz: broken is a share from 0 to 1, got 2", app, "/text", { broken = 2 } },
      { unknown, app, "/text", { run = 1 } },
      { refused, app, "/no" },
    } do
      assert.equal(
        case[1],
        failure(function()
          testing.fuzz(table.unpack(case, 2, 4))
        end)
      )
    end
  end)
end)
