local support <const> = require "spec.support.kit"

describe("time", function()
  --- An app whose task notes what happens when.
  ---@param task fun(tide: table, note: fun(what: string))
  ---@return table app
  ---@return string[] notes
  local function noting(task)
    local notes <const> = {}
    local app <const> = support.app(function(tide)
      tide.on_start(function()
        local began <const> = tide.clock()
        task(tide, function(what)
          notes[#notes + 1] = ("%s at %.2f"):format(what, tide.clock() - began)
        end)
      end)
      return tide.consumer { path = "/x" }
    end)
    return app, notes
  end

  it("stands still until it is told to pass, and stops at every timer", function()
    local app <close>, notes <const> = noting(function(tide, note)
      for _, seconds in ipairs { 3, 1, 2, 1 } do
        tide.spawn(function()
          tide.sleep(seconds)
          note(tostring(seconds))
        end)
      end
    end)
    assert.same({}, notes)
    app:advance(0.99)
    assert.same({}, notes)
    app:advance(0.01)
    assert.same({ "1 at 1.00", "1 at 1.00" }, notes)
    app:advance(100)
    assert.same({ "1 at 1.00", "1 at 1.00", "2 at 2.00", "3 at 3.00" }, notes)
    assert.equal(101, app:now())
  end)

  it("lets tickers tick on their seconds", function()
    local app <close>, notes <const> = noting(function(tide, note)
      tide.every(10, function()
        note "tick"
      end)
    end)
    app:advance(35)
    assert.same({ "tick at 10.00", "tick at 20.00", "tick at 30.00" }, notes)
  end)

  it("passes in steps, from timer to timer", function()
    local app <close>, notes <const> = noting(function(tide, note)
      tide.sleep(5)
      note "woken"
    end)
    assert.is_true(app:step(10))
    assert.equal(5, app:now())
    assert.same({ "woken at 5.00" }, notes)
    assert.is_false(app:step(10))
    assert.equal(15, app:now())
  end)

  it("cannot be let pass by what the app runs", function()
    local app, problem
    app = support.app(function(tide)
      local Go <const> = tide.message "go"
      local consumer <const> = tide.consumer { path = "/x" }
      consumer:on(Go, function()
        local _, text <const> = pcall(app.advance, app, 1)
        problem = text
      end)
      return consumer
    end)
    app:connect({ path = "/x" }):send("text", '{"action":"go"}')
    assert.truthy(problem:find("the app is running", 1, true))
    app:close()
  end)

  it("does not pass where the app never rests, which is told", function()
    local app <close> = support.app(function(tide)
      local Go <const> = tide.message "go"
      local consumer <const> = tide.consumer { path = "/x" }
      consumer:on(Go, function()
        while true do
          tide.sleep(0)
        end
      end)
      return consumer
    end)
    local link <const> = app:connect { path = "/x" }
    local ok <const>, text <const> = pcall(link.send, link, "text", '{"action":"go"}')
    assert.is_false(ok)
    assert.truthy(text:find("does not come to rest", 1, true))
  end)
end)

describe("the stubs of an app", function()
  local app, link

  before_each(function()
    app = support.app(function(tide)
      local s <const> = tide.schema
      local Get <const> = tide.message("get", s.string())
      local Got <const> = tide.message("got", s.string())
      local consumer <const> = tide.consumer { path = "/x", name = "x" }
      consumer:on(Get, { output = Got }, function(_, message)
        local response <const>, why <const> = tide.http.get(message.payload)
        return Got(response and response.status .. " " .. response.body or why)
      end)
      local Run <const> = tide.message "run"
      consumer:on(Run, { output = Got }, function()
        local result <const>, why <const> = tide.process.run { "echo", "hi" }
        return Got(result and result.status .. " " .. result.stdout or why)
      end)
      local Tcp <const> = tide.message "tcp"
      consumer:on(Tcp, { output = Got }, function()
        local _, why <const> = tide.tcp.connect("127.0.0.1", 1)
        return Got(why)
      end)
      return consumer
    end)
    link = app:connect { path = "/x" }
  end)

  after_each(function()
    app:close()
  end)

  ---@param url string
  ---@return string
  local function get(url)
    link:send("text", ('{"action":"get","payload":"%s"}'):format(url))
    while link:wait(100) do
      local frame <const> = link:take()
      if frame.kind == "text" then
        return app:decode(frame.data).payload
      end
    end
    return "nothing"
  end

  it("answer requests, the last one that fits first", function()
    app:stub_http("GET http://a/.*", { status = 201, body = "pattern" })
    app:stub_http("http://a/exact?x=1", { body = "exact" })
    app:stub_http("GET http://b/", function(request)
      return { body = request.method .. " " .. request.url }
    end)
    assert.equal("201 pattern", get "http://a/other")
    assert.equal("200 exact", get "http://a/exact?x=1")
    assert.equal("200 GET http://b/", get "http://b/")
    assert.equal(0, app:now())
  end)

  it("answer late, or not in time, on the clock of the app", function()
    app:stub_http("http://late/", { body = "late", delay = 3 })
    app:stub_http("http://never/", { body = "never", delay = 300 })
    assert.equal("200 late", get "http://late/")
    assert.equal(3, app:now())
    assert.equal("timeout: no whole answer after 30000 ms", get "http://never/")
    assert.equal(33, app:now())
  end)

  it("fail on request", function()
    app:stub_http("http://down/", { error = "connect: refused" })
    assert.equal("connect: refused", get "http://down/")
  end)

  it("say what is missing, and what is wrong with them", function()
    assert.equal(
      "connect: nothing answers GET http://a/ in a spec: app:stub_http(pattern, response)",
      get "http://a/"
    )
    app:stub_http("http://a/", function()
      return nil
    end)
    assert.truthy(get("http://a/"):find("answered with a nil: it answers with a table", 1, true))
    assert.equal("stub_failed", app:logs()[2].event)
  end)

  it("stand for programs, which never run", function()
    link:send("text", '{"action":"run"}')
    local missing <const> = 'nothing runs "echo hi" in a spec: app:stub_process(pattern, result)'
    assert.equal(missing, app:decode(link:take().data).payload)
    app:stub_process("^echo", { stdout = "stubbed", status = 3 })
    link:send("text", '{"action":"run"}')
    assert.equal("3 stubbed", app:decode(link:take().data).payload)
  end)

  it("do not stand for TCP, which is told", function()
    link:send("text", '{"action":"tcp"}')
    assert.truthy(link:take().data:find("there is no network in a spec", 1, true))
  end)
end)

describe("what a consumer declares to send", function()
  local app

  before_each(function()
    app = support.app(function(tide)
      local s <const> = tide.schema
      local Note <const> = tide.message("note", s.object { text_body = s.string() })
      local Shout <const> = tide.group_message("shout", s.integer())
      local consumer <const> =
        tide.consumer { path = "/x", name = "x", sends = { Shout }, camelize = true }
      consumer:on(Note, { output = Note }, function(_, message)
        return Note(message.payload)
      end)
      return consumer
    end)
  end)

  after_each(function()
    app:close()
  end)

  it("passes, standard messages with it", function()
    assert.is_true(app:check("x", '{"action":"note","payload":{"textBody":"a"},"ref":7}'))
    assert.is_true(
      app:check("x", '{"action":"shout","payload":1,"is_mine":false,"is_current":true}')
    )
    assert.is_true(app:check("x", '{"action":"error","payload":{"detail":"x"}}'))
    assert.is_true(app:check("x", '{"action":"complete"}'))
  end)

  it("is told from what is not declared, and from what is wrong", function()
    assert.same({ nil, "undeclared" }, { app:check("x", '{"action":"other"}') })
    assert.same({ nil, "undeclared" }, { app:check("x", "no JSON") })
    local right <const>, issues <const> =
      app:check("x", '{"action":"note","payload":{"textBody":1}}')
    assert.is_nil(right)
    assert.equal("string_type", issues[1].type)
    assert.same({ "payload", "textBody" }, issues[1].loc)
  end)
end)

describe("an allocation that fails", function()
  it("is one handler's failure, and the app goes on", function()
    local app <close> = support.echo()
    local failures = 0
    for n = 1, 30 do
      app:inject { allocation = 0 }
      local link <const> = assert(app:connect { path = "/x" })
      app:inject { allocation = n }
      link:send("text", '{"action":"ping"}')
      local frame <const> = link:take()
      failures = failures + (frame and frame.data == '{"action":"ping"}' and 0 or 1)
    end
    app:inject { allocation = 0 }
    assert.is_true(failures > 0)
    local link <const> = app:connect { path = "/x" }
    link:send("text", '{"action":"ping"}')
    assert.equal('{"action":"ping"}', link:take().data)
  end)

  it("has a name; others are refused", function()
    local app <close> = support.echo()
    assert.has_error(function()
      app:inject { nonsense = 1 }
    end, "app:inject: there is no fault called 'nonsense' (faults: allocation, layer)")
  end)
end)

describe("randomness", function()
  it("comes from the seed, and ids are the same every time", function()
    local function draw()
      local numbers <const> = {}
      local app <close> = assert(support.kit.open { folder = "spec/support/apps/kit", seed = 3 })
      local link <const> = app:connect { path = "/ws/random" }
      for index = 1, 5 do
        link:send("text", '{"action":"draw"}')
        numbers[index] = link:take().data
      end
      numbers[6] = link.id
      return numbers
    end
    assert.same(draw(), draw())
  end)
end)
