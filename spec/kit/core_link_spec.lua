local support <const> = require "spec.support.kit"

local echo <const>, frames <const> = support.echo, support.frames

describe("a link", function()
  it("sends and gets messages, and closes", function()
    local app <close> = echo()
    local link <const> = app:connect { path = "/x" }
    assert.equal("echo", link.consumer)
    assert.is_true(link:send("text", '{"action":"ping","ref":1}'))
    assert.is_true(link:close(1000, "bye"))
    assert.same({ 'text {"action":"ping","ref":1}', "close 1000 bye", "end" }, frames(link))
    assert.same({ nil, "closed" }, { link:send("text", "{}") })
  end)

  it("puts fragments together as the gateway does", function()
    local app <close> = echo()
    local link <const> = app:connect { path = "/x" }
    link:fragment("text", '{"action":', true, false)
    assert.same({}, frames(link))
    link:fragment("text", '"ping"}', false, true)
    assert.same({ 'text {"action":"ping"}' }, frames(link))
    link:fragment("text", "{}", false, true)
    assert.same({ "close 1002 fragments out of order", "end" }, frames(link))
  end)

  it("is closed with 1007 for text that is not UTF-8, and with 1009 for a long one", function()
    local app <close> = echo { max_message_bytes = 100 }
    local bad <const>, long <const> = app:connect { path = "/x" }, app:connect { path = "/x" }
    bad:send("text", "\xff")
    long:send("text", ("x"):rep(101))
    assert.same({ "close 1007 the text is not UTF-8", "end" }, frames(bad))
    assert.same({ "close 1009 the message is longer than max_message_bytes", "end" }, frames(long))
  end)

  it("answers heartbeats by itself, and lists them", function()
    local app <close> = echo { heartbeat_seconds = 25, heartbeat_timeout_seconds = 20 }
    local link <const> = app:connect { path = "/x" }
    app:advance(300)
    assert.equal(12, #frames(link))
    assert.equal(1, tonumber(app:metrics():match "\ntidegate_connections (%d+)"))
  end)

  it("that stalls is given up by the policy for slow clients", function()
    local app <close> = support.app(function(tide)
      local Flood <const> = tide.message "flood"
      local Water <const> = tide.message("water", { text = tide.schema.string() })
      local consumer <const> = tide.consumer { path = "/x", name = "flood" }
      consumer:on(Flood, function(conn)
        for _ = 1, 80 do -- more than the kernel takes
          conn:send(Water { text = ("x"):rep(1000) })
        end
      end)
      return consumer
    end, { slow_client_seconds = 30 })
    local link <const> = app:connect { path = "/x" }
    link:stall()
    link:send("text", '{"action":"flood"}')
    assert.is_nil(link:take())
    app:advance(29)
    assert.equal("connected", app:logs()[1].event)
    assert.equal(1, #app:logs())
    app:advance(4)
    assert.equal("client_given_up", app:logs()[2].event)
    assert.equal(1013, app:logs()[3].fields.code)
  end)

  it("that resumes gets everything in order", function()
    local app <close> = echo()
    local link <const> = app:connect { path = "/x" }
    link:stall()
    for ref = 1, 3 do
      link:send("text", ('{"action":"ping","ref":%d}'):format(ref))
    end
    assert.is_nil(link:take())
    link:resume()
    assert.same({
      'text {"action":"ping","ref":1}',
      'text {"action":"ping","ref":2}',
      'text {"action":"ping","ref":3}',
    }, frames(link))
  end)

  it("that drops is a connection that ended with 1006", function()
    local app <close> = echo()
    app:connect({ path = "/x" }):drop()
    local last <const> = app:logs()[2]
    assert.equal("disconnected", last.event)
    assert.equal(1006, last.fields.code)
  end)

  it("waits only as long as it has to", function()
    local app <close> = support.app(function(tide)
      local Later <const> = tide.message "later"
      local consumer <const> = tide.consumer { path = "/x" }
      consumer:on(Later, function()
        tide.sleep(2.5)
        return Later()
      end)
      return consumer
    end)
    local link <const> = app:connect { path = "/x" }
    link:send("text", '{"action":"later"}')
    assert.is_false(link:wait(2.49))
    assert.equal(2.49, app:now())
    assert.is_true(link:wait(1))
    assert.equal(2.5, app:now())
    assert.equal(2.5, link:take().at)
  end)
end)

describe("an upgrade", function()
  it("is refused with what the gateway answers", function()
    local app <close> = echo { max_connections = 1 }
    local function refused(options)
      local link <const>, status <const>, body <const>, headers <const> = app:connect(options)
      assert.is_nil(link)
      assert.equal("application/json", headers["content-type"])
      return { status, body }
    end
    assert.same({ 404, '{"detail":"Not found"}' }, refused { path = "/nope" })
    local protocol <const> = { { "Sec-WebSocket-Protocol", "chat;v=1" } }
    assert.same(
      { 400, '{"detail":"Sec-WebSocket-Protocol is not a list of names"}' },
      refused { path = "/x", headers = protocol }
    )
    local twice <const> = { { "Origin", "http://127.0.0.1" }, { "origin", "http://127.0.0.1" } }
    assert.same(
      { 403, '{"detail":"This origin is not allowed"}' },
      refused { path = "/x", headers = twice }
    )
    local version <const> = { { "Sec-WebSocket-Version", "8" } }
    assert.same(
      { 426, '{"detail":"The WebSocket version is not supported"}' },
      refused { path = "/x", headers = version }
    )
    assert(app:connect { path = "/x" })
    assert.same({ 503, '{"detail":"Too many connections"}' }, refused { path = "/x" })
  end)

  it("shows the consumer path, query and the headers that a gateway keeps", function()
    local seen
    local app <close> = support.app(function(tide)
      local consumer <const> = tide.consumer { path = "/rooms/{name}", headers = { "X-Tenant" } }
      function consumer.connected(_, conn)
        seen = {
          conn.path,
          conn.params.name,
          conn.query.page,
          conn.headers,
          conn.cookies.sid,
          conn.peer,
        }
      end
      return consumer
    end)
    app:connect {
      path = "/rooms/./a%20b",
      query = "page=2",
      peer = "192.0.2.1:5",
      headers = { { "Cookie", "sid=7" }, { "X-Tenant", "t" }, { "X-Other", "o" } },
    }
    local headers <const> = { cookie = "sid=7", ["x-tenant"] = "t", host = "127.0.0.1" }
    assert.same({ "/rooms/a b", "a b", "2", headers, "7", "192.0.2.1:5" }, seen)
  end)
end)

describe("a thousand conversations", function()
  it("take far less than two seconds", function()
    local app <close> = echo()
    local began <const> = os.clock()
    for _ = 1, 1000 do
      local link <const> = app:connect { path = "/x" }
      for _ = 1, 3 do
        link:send("text", '{"action":"ping"}')
        assert.equal('{"action":"ping"}', link:take().data)
      end
      link:close(1000)
      assert.equal(1000, link:take().code)
    end
    assert.is_true(os.clock() - began < 2)
  end)
end)
