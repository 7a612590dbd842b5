--- tide.route: what requests get, without a socket.

local testing <const> = require "tidegate.testing"

describe("a route", function()
  local app

  --- An app with what `declare(tide)` declares.
  local function open(declare, config)
    app = testing.app(function(tide)
      return declare(tide) or {}
    end, config)
  end

  after_each(function()
    if app then
      app:close()
    end
    app = nil
  end)

  it("answers with the status, the body and the headers that its function returns", function()
    open(function(tide)
      tide.route("GET", "/hello/{name}", function(request)
        return 201, "Hello " .. request.params.name, { ["X-Page"] = request.query.page }
      end)
    end)
    local answer <const> = app:request("GET", "/hello/Ann?page=2")
    assert.equal(201, answer.status)
    assert.equal("Hello Ann", answer.body)
    assert.same({
      ["content-type"] = "text/plain; charset=utf-8",
      ["cache-control"] = "no-store",
      ["x-content-type-options"] = "nosniff",
      ["x-page"] = "2",
    }, answer.headers)
  end)

  it("with `login` hears no more of an address that was refused too often", function()
    local asked = 0
    open(function(tide)
      tide.route("POST", "/login", { login = true }, function(request)
        asked = asked + 1
        return request.body == "right" and 204 or 401
      end)
      tide.route("POST", "/other", function()
        return 401
      end)
    end, { login_attempts = 3 })
    local function post(path, peer, body)
      return app:request("POST", path, { peer = peer, body = body })
    end
    for _ = 1, 3 do
      assert.equal(401, post("/login", "192.0.2.1:1", "wrong").status)
    end
    local answer <const> = post("/login", "192.0.2.1:2", "right")
    assert.equal(429, answer.status)
    assert.equal("20", answer.headers["retry-after"])
    assert.same({ detail = "Too many attempts to log in" }, answer.json)
    assert.equal(3, asked)
    assert.equal(401, post("/other", "192.0.2.1:2").status)
    assert.equal(204, post("/login", "192.0.2.2:1", "right").status)
    app:advance(20)
    assert.equal(204, post("/login", "192.0.2.1:3", "right").status)
  end)

  it("sees the whole request", function()
    local seen
    open(function(tide)
      tide.route("POST", "/x/{n:int}", { headers = { "X-Request-Id" } }, function(request)
        seen = request
        return 204
      end)
    end)
    app:request("POST", "/x/7?a=1", {
      body = "some text",
      peer = "192.0.2.1:99",
      cookies = { c = "2" },
      headers = { ["x-request-id"] = "r", ["x-other"] = "o", ["user-agent"] = "u" },
    })
    assert.same({
      method = "POST",
      path = "/x/7",
      params = { n = 7 },
      query = { a = "1" },
      cookies = { c = "2" },
      headers = {
        host = "127.0.0.1",
        cookie = "c=2",
        ["x-request-id"] = "r",
        ["user-agent"] = "u",
      },
      peer = "192.0.2.1:99",
      body = "some text",
    }, seen)
  end)

  it("writes tables as JSON, along its output where it has one", function()
    open(function(tide)
      local s <const> = tide.schema
      tide.route("GET", "/any", function()
        return 200, { b = { 1, 2 }, a = tide.array() }
      end)
      local output <const> = s.object {
        { "z", s.integer() },
        { "list", s.array(s.string()) },
        { "a", s.string():default "made" },
      }
      tide.route("GET", "/output", { output = output }, function()
        return 200, { list = {}, z = 1 }
      end)
      tide.route("GET", "/wrong", { output = output }, function()
        return 200, { list = { 7 }, z = 1 }
      end)
    end)
    assert.equal('{"a":[],"b":[1,2]}', app:request("GET", "/any").body)
    assert.equal('{"z":1,"list":[],"a":"made"}', app:request("GET", "/output").body)
    assert.equal(500, app:request("GET", "/wrong").status)
    local error <const> = app:logs("handler_failed")[1].fields.error
    assert.matches("GET /wrong: payload.list[1]:", error, 1, true)
  end)

  it("may wait", function()
    open(function(tide)
      tide.route("GET", "/slow", function()
        tide.sleep(3)
        return 200, "done"
      end)
    end)
    assert.equal("done", app:request("GET", "/slow").body)
    assert.equal(3, app:now())
  end)

  it("sets several cookies", function()
    open(function(tide)
      tide.route("GET", "/", function()
        return 200, nil, { ["Set-Cookie"] = { "a=1; Path=/", "b=2" } }
      end)
    end)
    assert.same({ a = "1", b = "2" }, app:request("GET", "/").cookies)
  end)

  describe("with a schema", function()
    before_each(function()
      open(function(tide)
        local s <const> = tide.schema
        tide.route("POST", "/things", {
          schema = {
            name = s.string({ min = 2 }):check(function(name)
              return name == "bad" and "is a bad name" or nil
            end),
            count = s.integer({ coerce = true }):default(1),
            tags = s.array(s.string()):optional(),
          },
        }, function(request)
          return 200, request.payload
        end)
      end)
    end)

    it("gets a payload that is right, with its defaults", function()
      local answer <const> = app:request("POST", "/things", { json = { name = "Ann" } })
      assert.same({ name = "Ann", count = 1 }, answer.json)
    end)

    it("takes a form, where a name that stands twice is a list", function()
      local answer <const> = app:request("POST", "/things", {
        headers = { ["content-type"] = "application/x-www-form-urlencoded" },
        body = "name=A+n%26&count=3&tags=x&tags=y",
      })
      assert.same({ name = "A n&", count = 3, tags = { "x", "y" } }, answer.json)
    end)

    it("answers 422 with all that is wrong, as messages are answered", function()
      local answer <const> = app:request("POST", "/things", { json = { name = "A", count = {} } })
      assert.equal(422, answer.status)
      local types <const> = {}
      for index, item in ipairs(answer.json.detail) do
        types[index] = table.concat(item.loc, ".") .. " " .. item.type
      end
      table.sort(types)
      assert.same({ "payload.count int_type", "payload.name string_too_short" }, types)
      assert.equal(1, app:metric "tidegate_http_invalid_total")
    end)

    it("answers 422 with what a check says", function()
      local answer <const> = app:request("POST", "/things", { json = { name = "bad" } })
      assert.equal(422, answer.status)
      assert.equal("is a bad name", answer.json.detail[1].msg:match "is a bad name")
    end)

    it("misses a payload that is not there", function()
      local answer <const> = app:request("POST", "/things")
      assert.equal(422, answer.status)
      assert.equal("missing", answer.json.detail[1].type)
    end)

    it("answers 400 to what is no JSON, and 415 to what does not say that it is", function()
      local json <const> = { ["content-type"] = "application/json; charset=utf-8" }
      local broken <const> = app:request("POST", "/things", { body = '{"name', headers = json })
      assert.equal(400, broken.status)
      assert.equal("json_invalid", broken.json.detail[1].type)
      local text <const> = { ["content-type"] = "text/plain" }
      assert.equal(415, app:request("POST", "/things", { body = "{}", headers = text }).status)
      assert.equal(415, app:request("POST", "/things", { body = "{}" }).status)
    end)
  end)

  describe("is found", function()
    before_each(function()
      open(function(tide)
        for _, path in ipairs { "/a/{x}", "/a/b", "/a/{x:path}" } do
          tide.route("GET", path, function(request)
            return 200, path .. " " .. tostring(request.params.x)
          end)
        end
        tide.route("POST", "/a/{name}", function(request)
          return 200, request.params.name
        end)
        tide.route("OPTIONS", "/own", function()
          return 200, "mine"
        end)
      end)
    end)

    it("by its path, the most particular first", function()
      assert.equal("/a/b nil", app:request("GET", "/a/b").body)
      assert.equal("/a/{x} c", app:request("GET", "/a/c").body)
      assert.equal("/a/{x:path} c/d", app:request("GET", "/a/c/d").body)
    end)

    it("by its method among those of its path", function()
      assert.equal("c", app:request("POST", "/a/c").body)
      local answer <const> = app:request("DELETE", "/a/c")
      assert.equal(405, answer.status)
      assert.equal("GET, HEAD, POST, OPTIONS", answer.headers.allow)
      assert.equal(404, app:request("GET", "/elsewhere").status)
    end)

    it("by HEAD where it is one of GET", function()
      local answer <const> = app:request("HEAD", "/a/b")
      assert.equal(200, answer.status)
      assert.equal("", answer.body)
    end)

    it("by OPTIONS, which the gateway answers unless a route does", function()
      local answer <const> = app:request("OPTIONS", "/a/c")
      assert.equal(204, answer.status)
      assert.equal("GET, HEAD, POST, OPTIONS", answer.headers.allow)
      assert.equal("mine", app:request("OPTIONS", "/own").body)
    end)
  end)

  describe("lets pages of other sites change nothing", function()
    local function status(method, origin, host)
      local headers <const> = { host = host or "example.org" }
      return app:request(method, "/x", { origin = origin, headers = headers }).status
    end

    before_each(function()
      open(function(tide)
        local options <const> = { origins = { "https://*.friend.example" } }
        for _, method in ipairs { "GET", "POST", "DELETE" } do
          tide.route(method, "/x", options, function()
            return 200
          end)
        end
      end)
    end)

    it("unless it names them, or they are of the same origin", function()
      assert.equal(200, status("POST", nil))
      assert.equal(200, status("POST", "http://example.org"))
      assert.equal(200, status("POST", "https://www.friend.example"))
      for _, origin in ipairs { "https://evil.example", "null", "http://example.org:81", "" } do
        assert.equal(403, status("POST", origin))
        assert.equal(403, status("DELETE", origin))
      end
      assert.equal(8, app:metric "tidegate_http_origins_refused_total")
    end)

    it("but lets them read, since a browser keeps what they read from them", function()
      assert.equal(200, status("GET", "https://evil.example"))
    end)
  end)

  describe("fails", function()
    local mistakes <const> = {
      ["a string as its status"] = function()
        return "200"
      end,
      ["nothing as its status"] = function() end,
      ["99 as its status"] = function()
        return 99
      end,
      ["200.5 as its status"] = function()
        return 200.5
      end,
      ["a boolean as its body"] = function()
        return 200, true
      end,
      ["a body with the status 204"] = function()
        return 204, "x"
      end,
      ["a string as its headers"] = function()
        return 200, "x", "y"
      end,
      ["a header 'x-a' with a line break"] = function()
        return 200, "x", { ["x-a"] = "a\r\nSet-Cookie: b=1" }
      end,
      ["a header with the name 'x a'"] = function()
        return 200, "x", { ["x a"] = "b" }
      end,
      ["the header 'Content-Length'"] = function()
        return 200, "x", { ["Content-Length"] = "7" }
      end,
      ["headers of more than 8192 bytes"] = function()
        return 200, "x", { ["x-a"] = ("a"):rep(8192) }
      end,
      ["a body of 101 bytes"] = function()
        return 200, ("x"):rep(101)
      end,
    }
    for text, handler in pairs(mistakes) do
      it("when its function returns " .. text, function()
        open(function(tide)
          tide.route("GET", "/", handler)
        end, { max_answer_bytes = 100, mode = "production" })
        local answer <const> = app:request("GET", "/")
        assert.equal(500, answer.status)
        assert.same({ detail = "Internal server error" }, answer.json)
        local line <const> = app:logs("handler_failed")[1].fields
        assert.matches(text, line.error, 1, true)
        assert.matches("routes_spec.lua:%d+$", line.source)
        assert.equal("GET /", line.route)
      end)
    end

    it("when its function raises, and says where in development", function()
      open(function(tide)
        tide.route("GET", "/", function()
          error "boom"
        end)
      end)
      local answer <const> = app:request("GET", "/")
      assert.equal(500, answer.status)
      assert.matches("boom", answer.json.traceback, 1, true)
      assert.matches("routes_spec.lua$", answer.json.file)
      assert.equal(1, app:metric "tidegate_handler_errors_total")
    end)

    it("with 400 when its function says so with tide.error", function()
      open(function(tide)
        tide.route("GET", "/", function()
          tide.error { code = "no_such_thing", detail = "There is none" }
        end)
      end)
      local answer <const> = app:request("GET", "/")
      assert.equal(400, answer.status)
      assert.same({ code = "no_such_thing", detail = "There is none" }, answer.json)
      assert.same({}, app:logs "handler_failed")
    end)

    it("with 503 when its function waits longer than it may", function()
      local is_closed = false
      open(function(tide)
        tide.route("GET", "/", { timeout = 2 }, function()
          local _ <close> = setmetatable({}, {
            __close = function()
              is_closed = true
            end,
          })
          tide.sleep(60)
          return 200
        end)
      end)
      assert.equal(503, app:request("GET", "/").status)
      assert.equal(2, app:now())
      assert.is_true(is_closed)
      assert.equal(1, app:metric "tidegate_handler_timeouts_total")
    end)
  end)

  it("is cancelled when its client leaves", function()
    local has_gone_on = false
    open(function(tide)
      tide.route("GET", "/", function()
        tide.sleep(10)
        has_gone_on = true
        return 200
      end)
    end)
    assert.has_error(function()
      app:request("GET", "/", { timeout = 5 })
    end)
    app:advance(60)
    assert.is_false(has_gone_on)
    assert.equal(0, app:metric "tidegate_http_exchanges")
    assert.no_leaks(app)
  end)

  it("takes no body that is longer than it may be", function()
    open(function(tide)
      local options <const> = { max_body_bytes = 20 }
      tide.route("POST", "/own", options, function(request)
        return 200, tostring(#request.body)
      end)
      tide.route("POST", "/usual", function(request)
        return 200, tostring(#request.body)
      end)
    end, { max_body_bytes = 10 })
    assert.equal("20", app:request("POST", "/own", { body = ("x"):rep(20) }).body)
    assert.equal(413, app:request("POST", "/own", { body = ("x"):rep(21) }).status)
    assert.equal("10", app:request("POST", "/usual", { body = ("x"):rep(10) }).body)
    assert.equal(413, app:request("POST", "/usual", { body = ("x"):rep(11) }).status)
    assert.equal(2, app:metric "tidegate_http_too_large_total")
  end)

  it("counts its requests, and what they take", function()
    open(function(tide)
      tide.route("GET", "/x/{y}", function()
        return 204
      end)
    end)
    app:request("GET", "/x/1")
    app:request("HEAD", "/x/2")
    local labels <const> = { route = "/x/{y}", method = "GET" }
    assert.equal(2, app:metric("tidegate_http_route_requests_total", labels))
    assert.equal(2, app:metric("tidegate_handler_seconds_count", labels))
  end)

  describe("cannot be declared", function()
    local function refused(text, declare)
      local is_open <const>, why <const> = pcall(open, declare)
      assert.is_false(is_open)
      assert.matches(text, tostring(why), 1, true)
      assert.matches("routes_spec.lua:%d+", tostring(why))
    end
    local function nothing() end

    it("with what is no method, no path or no function", function()
      refused("tide.route: the method must be one of GET, POST", function(tide)
        tide.route("get", "/", nothing)
      end)
      refused('HEAD is answered by the route of "GET"', function(tide)
        tide.route("HEAD", "/", nothing)
      end)
      refused('the path must begin with "/"', function(tide)
        tide.route("GET", "x", nothing)
      end)
      refused("the handler of GET / must be a function", function(tide)
        tide.route("GET", "/", {})
      end)
      refused('unknown option "shema"; did you mean "schema"?', function(tide)
        tide.route("POST", "/", { shema = {} }, nothing)
      end)
      refused("GET has no body that a schema could be for", function(tide)
        tide.route("GET", "/", { schema = {} }, nothing)
      end)
    end)

    it("twice for a path and a method", function()
      refused("GET /x/{a}", function(tide)
        tide.route("GET", "/x/{a}", nothing)
        tide.route("GET", "/x/{b}", nothing)
      end)
    end)

    it("where the gateway or a consumer is", function()
      for _, path in ipairs { "/healthz", "/metrics", "/api", "/api/x", "/tidegate/dev" } do
        refused("is the gateway's own", function(tide)
          tide.route("GET", path, nothing)
        end)
      end
      refused("are the same to a client", function(tide)
        tide.route("GET", "/ws", nothing)
        return tide.consumer { path = "/ws" }
      end)
    end)

    it("by a handler", function()
      open(function(tide)
        tide.route("GET", "/", function()
          tide.route("GET", "/more", nothing)
          return 200
        end)
      end)
      app:request("GET", "/")
      local error <const> = app:logs("handler_failed")[1].fields.error
      assert.matches("tide.route: declared while modules load, not by a handler", error, 1, true)
    end)
  end)
end)
