--- Who comes in and who may stay: authenticator, object, permissions, and what happens to a credential
--- while its connection lives. The authenticators of tide.auth are in authenticators_spec.lua.

local testing <const> = require "tidegate.testing"

local seen

--- What each function of the room says is decided by the query: the spec reads in one place.
local function declare(tide)
  local s <const> = tide.schema
  local who <const> = tide.message "who"
  local told <const> = tide.message("told", s.any())
  local nap <const> = tide.message "nap"
  seen = {}
  local function note(what)
    seen[#seen + 1] = what
  end
  local Room <const> = tide.consumer {
    name = "room",
    path = "/ws/room",
    grace = 5,
    authentication_timeout = 3,
    authenticate = function(request)
      note("authenticate " .. (request.token or "-"))
      local name <const> = request.token or request.query.name
      if name == "raise" then
        error "no answer"
      elseif name == "late" then
        tide.sleep(60)
      end
      local seconds <const> = tonumber(request.query.seconds)
      if name == "nobody" then
        return nil, 200
      end
      return name and { id = name:match "^%a+" }, seconds and { expires_at = tide.now() + seconds }
    end,
    object = function(conn)
      note "object"
      if conn.query.object == "raise" then
        error "no database"
      end
      return conn.query.object ~= "none" and { title = "Tea", owner = "ann" } or nil
    end,
    permissions = function(conn)
      note "permissions"
      if conn.query.may == "raise" then
        error "no rules"
      elseif conn.query.may == "no" then
        return false, "Only " .. conn.object.owner .. " may"
      end
      return conn.query.may ~= "nothing"
    end,
    groups = function()
      note "groups"
      return { "all" }
    end,
    sends = { told },
  }
  function Room:connected(conn)
    note "connected"
    conn:send(told(conn.object.title))
  end
  function Room:disconnected()
    note "disconnected"
  end
  Room:on(who, { output = told }, function(conn)
    note "who"
    return told(conn.user and conn.user.id or "nobody")
  end)
  Room:on(nap, function()
    tide.sleep(100)
  end)
  return Room
end

describe("a connection", function()
  local app

  before_each(function()
    app = testing.app(declare)
  end)

  after_each(function()
    app:close()
  end)

  ---@param query table
  local function connect(query)
    return app:connect("/ws/room", { query = query })
  end

  it(
    "is authenticated, then gets its object, is permitted, joins its groups and is connected",
    function()
      local client <const> = connect { name = "ann" }
      client:assert_authenticated()
      assert.frame({ action = "told", payload = "Tea" }, client:receive())
      assert.same({ "authenticate -", "object", "permissions", "groups", "connected" }, seen)
    end
  )

  for _, row in ipairs {
    { {}, 401, 4401, { "authenticate -" } },
    { { name = "raise" }, 500, 1011, { "authenticate -" } },
    { { name = "ann", object = "none" }, 404, 4404, { "authenticate -", "object" } },
    { { name = "ann", object = "raise" }, 500, 1011, { "authenticate -", "object" } },
    {
      { name = "ann", may = "no" },
      403,
      4403,
      { "authenticate -", "object", "permissions" },
      "Only ann may",
    },
    {
      { name = "ann", may = "nothing" },
      403,
      4403,
      { "authenticate -", "object", "permissions" },
      "You do not have permission to perform this action.",
    },
    { { name = "ann", may = "raise" }, 500, 1011, { "authenticate -", "object", "permissions" } },
  } do
    local query <const>, status <const>, code <const>, steps <const>, detail <const> =
      table.unpack(row)
    it(
      ("that is refused with %d at %s reaches nothing behind that"):format(status, steps[#steps]),
      function()
        local client <const> = connect(query)
        client:send { action = "who" }
        local frame <const> = client:assert_authenticated(status)
        assert.equal(detail, frame.payload.data and frame.payload.data.detail)
        client:assert_closed(code)
        assert.same(steps, seen)
        assert.equal(0, app:group("all"):count())
        assert.equal(0, app:user("ann"):count())
        assert.no_leaks(app)
      end
    )
  end

  it("that is authenticated too slowly is refused in its consumer's own time", function()
    local client <const> = connect { name = "late" }
    app:advance(2.9)
    assert.is_true(client:receive_nothing())
    app:advance(0.2)
    client:assert_authenticated(401)
    client:assert_closed(4408, "authentication took too long")
  end)

  it("of nobody may be let in all the same", function()
    local client <const> = connect { name = "nobody" }
    client:assert_authenticated()
    client:receive()
    assert.frame({ payload = "nobody" }, client:call { action = "who" })
  end)

  it("ends with its credential, after the grace", function()
    local client <const> = connect { name = "ann", seconds = 60 }
    client:assert_authenticated()
    client:receive()
    app:advance(64.9)
    assert.is_true(client:receive_nothing())
    app:advance(0.2)
    client:assert_closed(4401, "expired")
    assert.equal("disconnected", seen[#seen])
    assert.no_leaks(app)
  end)

  it("lives on when its client renews, again and again, and stays the same user's", function()
    local client <const> = connect { name = "ann", seconds = 60 }
    client:assert_authenticated()
    client:receive()
    for round = 1, 3 do
      app:advance(50)
      client:send { action = "authenticate", payload = { token = "ann" .. round }, ref = round }
      assert.exact_frame({
        action = "authentication",
        payload = { status_code = 200, status_text = "OK" },
        ref = round,
      }, client:receive())
    end
    assert.frame({ payload = "ann" }, client:call { action = "who" })
    app:advance(70)
    client:assert_closed(4401, "expired")
  end)

  it("keeps what it has when a renewal is refused, raises, is late or is another user's", function()
    local client <const> = connect { name = "ann", seconds = 60 }
    client:assert_authenticated()
    client:receive()
    for token, status in pairs { raise = 500, bob = 403, late = 401, nobody = 403 } do
      client:send { action = "authenticate", payload = { token = token } }
      app:advance(4)
      client:assert_authenticated(status)
    end
    assert.frame({ payload = "ann" }, client:call { action = "who" })
    app:advance(49.1)
    client:assert_closed(4401, "expired")
  end)

  it("renews beside a handler that waits", function()
    local client <const> = connect { name = "ann", seconds = 60 }
    client:assert_authenticated()
    client:receive()
    client:send { action = "nap" }
    client:send { action = "who" }
    client:send { action = "authenticate", payload = { token = "ann" } }
    client:assert_authenticated()
    assert.is_true(client:receive_nothing())
  end)

  it("is told what is wrong with a renewal that is no message", function()
    local client <const> = connect { name = "ann" }
    client:assert_authenticated()
    client:receive()
    client:send { action = "authenticate", payload = {} }
    assert.frame({ action = "error" }, client:receive())
    assert.frame({ payload = "ann" }, client:call { action = "who" })
  end)

  it("that ends while it renews leaves nothing behind", function()
    local client <const> = connect { name = "ann", seconds = 60 }
    client:assert_authenticated()
    client:send { action = "authenticate", payload = { token = "late" } }
    client:drop()
    app:advance(100)
    assert.no_leaks(app)
  end)
end)

describe("without memory", function()
  it("a client is let in whole or not at all, and what it had before stays", function()
    local app <close> = testing.app(declare)
    local n, refused = 0, 0
    repeat
      n = n + 1
      seen = {}
      app:inject { allocation = n }
      local client <const> = app:connect("/ws/room", { query = { name = "ann", seconds = 60 } })
      if client then
        client:send { action = "authenticate", payload = { token = "ann" } }
      end
      local left <const> = app:inject { allocation = 0 }
      local is_connected <const> = seen[5] == "connected"
      if not is_connected then
        refused = refused + 1
        assert.equal(0, app:user("ann"):count())
      end
      if client then
        client:drop()
      end
      assert.equal(0, app:group("all"):count())
      assert.no_leaks(app)
    until left > 0
    assert.is_true(refused > 5, refused .. " refused")
    app:advance(100)
    assert.no_leaks(app)
  end)
end)

describe("reauthenticate_seconds", function()
  local app, answer, tokens

  before_each(function()
    answer, tokens = nil, {}
    app = testing.app(function(tide)
      return tide.consumer {
        path = "/ws/room",
        reauthenticate_seconds = 60,
        authenticate = tide.auth.any {
          tide.auth.custom(function(request)
            tokens[#tokens + 1] = request.token or request.query.name
            if answer == "raise" then
              error "no answer"
            elseif answer then
              return nil, answer
            end
            return request.query.name
          end),
          tide.auth.first_message(function(request)
            tokens[#tokens + 1] = request.token
            return request.token
          end),
        },
        permissions = function(conn)
          return conn.user ~= "eve"
        end,
      }
    end)
  end)

  after_each(function()
    app:close()
  end)

  it("asks again, silently, as long as the answer is yes", function()
    local client <const> = app:connect("/ws/room", { query = { name = "ann" } })
    client:assert_authenticated()
    app:advance(185)
    assert.same({ "ann", "ann", "ann", "ann" }, tokens)
    assert.is_true(client:receive_nothing())
  end)

  for _, row in ipairs { { 403, 4403 }, { 404, 4404 } } do
    it(("sends away with %d who is refused then"):format(row[2]), function()
      local client <const> = app:connect("/ws/room", { query = { name = "ann" } })
      client:assert_authenticated()
      answer = row[1]
      app:advance(61)
      client:assert_authenticated(row[1])
      client:assert_closed(row[2])
      assert.no_leaks(app)
    end)
  end

  it("lets nobody stay whom it could not ask about", function()
    local client <const> = app:connect("/ws/room", { query = { name = "ann" } })
    client:assert_authenticated()
    answer = "raise"
    app:advance(61)
    client:assert_authenticated(500)
    client:assert_closed(1011, "the credential could not be checked")
    assert.no_leaks(app)
  end)

  it("shows the token that came in the first message", function()
    local client <const> = app:connect "/ws/room"
    client:send { action = "authenticate", payload = { token = "bob" } }
    client:assert_authenticated()
    app:advance(61)
    assert.same({ "bob", "bob", "bob" }, tokens) -- custom is shown it too, the second time
    assert.is_true(client:receive_nothing())
  end)
end)

describe("first_message", function()
  local app, handled

  before_each(function()
    handled = {}
    app = testing.app(function(tide)
      local s <const> = tide.schema
      local say <const> = tide.message("say", s.string())
      local Room <const> = tide.consumer {
        path = "/ws/room",
        authentication_timeout = 10,
        authenticate = tide.auth.first_message(function(request)
          tide.sleep(1)
          return request.token ~= "wrong" and request.token or nil
        end),
      }
      Room:on(say, function(_, message)
        handled[#handled + 1] = message.payload
      end)
      return Room
    end)
  end)

  after_each(function()
    app:close()
  end)

  it("waits for the token, and handles what follows it in order when it counts", function()
    local client <const> = app:connect "/ws/room"
    app:advance(5)
    client:send { action = "authenticate", payload = { token = "ann" } }
    client:send { action = "say", payload = "1" }
    client:send { action = "say", payload = "2" }
    assert.same({}, handled)
    app:advance(1)
    client:assert_authenticated()
    assert.same({ "1", "2" }, handled)
    assert.equal(1, app:user("ann"):count())
  end)

  it("handles nothing of a client whose token is wrong", function()
    local client <const> = app:connect "/ws/room"
    client:send { action = "authenticate", payload = { token = "wrong" } }
    client:send { action = "say", payload = "1" }
    app:advance(1)
    client:assert_authenticated(401)
    client:assert_closed(4401)
    assert.same({}, handled)
  end)

  for name, text in pairs {
    ["another message"] = '{"action":"say","payload":"1"}',
    ["no JSON"] = "hello",
    ["a token that is no text"] = '{"action":"authenticate","payload":{"token":7}}',
    ["no token"] = '{"action":"authenticate"}',
    ["a list"] = "[]",
  } do
    it("refuses " .. name, function()
      local client <const> = app:connect "/ws/room"
      client:send(text)
      assert.equal(
        "The first message must be `authenticate`, with a token",
        client:assert_authenticated(401).payload.data.detail
      )
      client:assert_closed(4401, "Unauthorized")
      assert.same({}, handled)
      assert.no_leaks(app)
    end)
  end

  it("ends with a client that says nothing", function()
    local client <const> = app:connect "/ws/room"
    app:advance(10.1)
    client:assert_authenticated(401)
    client:assert_closed(4408)
    assert.no_leaks(app)
  end)
end)

describe("a path that is a topic", function()
  it("has its clients renew as others do", function()
    local app <close> = testing.app(function(tide)
      local say <const> = tide.message "say"
      local room <const> = tide.topic { pattern = "room:{name}" }
      room:on(say, { output = say }, function()
        return say()
      end)
      return tide.consumer {
        path = "/ws/rooms/{name}",
        topic = room,
        authenticate = function(request)
          return request.token or "ann", { expires_at = tide.now() + 60 }
        end,
      }
    end)
    local client <const> = app:connect "/ws/rooms/tea"
    client:assert_authenticated()
    assert.frame({ action = "subscribed", topic = "room:tea" }, client:receive())
    app:advance(50)
    client:send { action = "authenticate", payload = { token = "ann" } }
    client:assert_authenticated()
    app:advance(50)
    assert.frame({ action = "say", topic = "room:tea" }, client:call { action = "say" })
    app:advance(11)
    client:assert_closed(4401, "expired")
  end)
end)

describe("login attempts", function()
  it("are what shows something wrong, not what shows nothing or is asked again", function()
    local app <close> = testing.app(function(tide)
      return tide.consumer {
        path = "/ws/room",
        authenticate = tide.auth.api_key { keys = { [tide.auth.hash_key "k"] = "ann" } },
      }
    end, { login_attempts = 3 })
    for _ = 1, 10 do
      app:connect("/ws/room"):assert_authenticated(401)
    end
    for _ = 1, 3 do
      app:connect("/ws/room", { headers = { ["x-api-key"] = "guess" } }):assert_authenticated(401)
    end
    local client <const>, refusal <const> =
      app:connect("/ws/room", { headers = { ["x-api-key"] = "k" } })
    assert.is_nil(client)
    assert.equal(429, refusal.status)
  end)
end)

describe("permissions", function()
  it("stand before handlers, topics and names of groups", function()
    local app <close> = testing.app(function(tide)
      local s <const> = tide.schema
      local edit <const>, told <const> = tide.message("edit", s.string()), tide.message "told"
      local said <const> = tide.message "said"
      local is_admin <const> = function(subject)
        return (subject.conn or subject).user == "admin", "Only for admins"
      end
      local room <const> = tide.topic {
        pattern = "room:{name}",
        authorise = tide.auth.any { is_admin, tide.auth.none { tide.auth.is_authenticated } },
        sends = { told },
      }
      room:on(said, { allow = is_admin }, function(sub)
        sub:send(told())
      end)
      local Room <const> = tide.consumer {
        path = "/ws/room",
        authenticate = tide.auth.any {
          function(request)
            return request.query.name
          end,
          tide.auth.anonymous(),
        },
        groups = function(conn)
          return { conn.query.group or "lobby" }
        end,
        authorise_groups = function(conn, name)
          if name ~= "staff" then
            return true
          end
          return is_admin(conn)
        end,
        topics = { room },
        sends = { told },
      }
      Room:on(
        edit,
        { allow = tide.auth.all { tide.auth.is_authenticated, is_admin }, output = told },
        function()
          return told()
        end
      )
      return Room
    end)
    local admin <const> = app:connect("/ws/room", { query = { name = "admin", group = "staff" } })
    local ann <const> = app:connect("/ws/room", { query = { name = "ann" } })
    local nobody <const> = app:connect "/ws/room"
    for _, client in ipairs { admin, ann, nobody } do
      client:assert_authenticated()
    end
    assert.frame({ action = "told" }, admin:call { action = "edit", payload = "x" })
    assert.frame(
      { action = "error", payload = { code = "forbidden", detail = "Only for admins" } },
      ann:call { action = "edit", payload = "x" }
    )
    assert.frame(
      { payload = { code = "forbidden", detail = "Authentication credentials were not provided." } },
      nobody:call { action = "edit", payload = "x" }
    )
    assert.frame({ action = "subscribed" }, admin:call { action = "subscribe", topic = "room:a" })
    assert.frame({ action = "subscribed" }, nobody:call { action = "subscribe", topic = "room:a" })
    assert.frame(
      { action = "error", payload = { reason = "unauthorized", detail = "Only for admins" } },
      ann:call { action = "subscribe", topic = "room:a" }
    )
    assert.frame(
      { payload = { code = "forbidden" } },
      nobody:call { action = "said", topic = "room:a" }
    )
    admin:send { action = "said", topic = "room:a" }
    assert.frame({ action = "told", topic = "room:a" }, admin:receive())
    local eve <const> = app:connect("/ws/room", { query = { name = "eve", group = "staff" } })
    eve:assert_authenticated()
    assert.frame({ payload = { code = "forbidden", detail = "Only for admins" } }, eve:receive())
    eve:assert_closed(4403, "Forbidden")
    assert.equal(1, app:group("staff"):count())
  end)
end)
