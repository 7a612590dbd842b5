--- What a client may try with the message `authenticate` once it is in: to become somebody else, to
--- outlive its credential, to guess. How renewing works is in auth_spec.lua.

local testing <const> = require "tidegate.testing"

--- A consumer whose users are made by `user_of(token)`, for 60 seconds; the first token is in the query.
---@param user_of fun(token: string): any
---@param options? table of the consumer
---@param config? table
local function open(user_of, options, config)
  return testing.app(function(tide)
    local s <const> = tide.schema
    local who <const>, told <const> = tide.message "who", tide.message("told", s.any())
    local given <const> = options or {}
    given.path = "/ws/room"
    given.authenticate = tide.auth.any {
      tide.auth.custom(function(request)
        local token <const> = request.token or request.query.token
        if token == "slow" then
          tide.sleep(4)
        end
        local user <const> = token and user_of(token)
        return user, user and { expires_at = tide.now() + 60 } or 401
      end),
      tide.auth.custom(function(request)
        if (request.token or request.query.token) == "slow" then
          return nil, 401
        end
        return nil, 200
      end),
    }
    local Room <const> = tide.consumer(given)
    Room:on(who, { output = told }, function(conn)
      return told(conn.user and conn.user.name or "nobody")
    end)
    return Room
  end, config)
end

---@param app table
---@param token? string
local function come(app, token)
  local client <const> = app:connect("/ws/room", { query = { token = token } })
  client:assert_authenticated()
  return client
end

--- Sends a credential, and asserts what is said to it.
local function renew(client, token, status)
  client:send { action = "authenticate", payload = { token = token } }
  return client:assert_authenticated(status).payload.data
end

--- Only names that begin with "u" are users', and only some of them have an id.
local function user_of(token)
  if token:find "^u" then
    return { id = token:match "^u(%d+)", name = token }
  end
end

local anothers <const> = { detail = "This credential is another user's" }
local nameless <const> = { detail = "Whose this credential is cannot be told: its user has no id" }

describe("a renewal", function()
  -- A user without an id was taken for the same as any other without one, and for nobody: any token of such
  -- a user changed conn.user, and none at all, where nobody is let in too, made a credential last for ever.
  it("of somebody without an id is refused, since it cannot be told who that is", function()
    local app <close> = open(user_of)
    local client <const> = come(app, "uma")
    assert.same(nameless, renew(client, "uwe", 403))
    assert.frame({ payload = "uma" }, client:call { action = "who" })
    assert.same(nameless, renew(client, "uma", 403))
    app:advance(60)
    client:assert_closed(4401, "expired")
  end)

  it("with what counts for nobody's does not make somebody's last longer", function()
    local app <close> = open(user_of)
    for _, name in ipairs { "u1", "uma" } do
      local client <const> = come(app, name)
      assert.same(anothers, renew(client, "rubbish", 403))
      assert.frame({ payload = name }, client:call { action = "who" })
      app:advance(60)
      client:assert_closed(4401, "expired")
    end
  end)

  it("makes nobody somebody", function()
    local app <close> = open(function(token)
      return token == "empty" and { id = "", name = "empty" } or user_of(token)
    end)
    local client <const> = come(app)
    assert.same(anothers, renew(client, "u1", 403))
    assert.same(nameless, renew(client, "uma", 403))
    assert.same(nameless, renew(client, "empty", 403))
    assert.frame({ payload = "nobody" }, client:call { action = "who" })
    assert.equal(0, app:user("1"):count())
  end)

  it("of nobody by nobody changes nothing", function()
    local app <close> = open(user_of)
    local client <const> = come(app)
    renew(client, "rubbish", 200)
    assert.frame({ payload = "nobody" }, client:call { action = "who" })
  end)

  it("that we ask for of somebody without an id is about who came", function()
    local app <close> = open(user_of, { reauthenticate_seconds = 20 })
    local client <const> = come(app, "uma")
    app:advance(300)
    assert.frame({ payload = "uma" }, client:call { action = "who" })
  end)
end)

describe("an expiry", function()
  -- A renewal under way put it off until it was answered, and the next one that waited in the inbox began
  -- before the timer came round again.
  it("is not put off by one renewal behind the other", function()
    local app <close> = open(user_of, { authentication_timeout = 5 })
    local client <const> = come(app, "u1")
    app:advance(58)
    for _ = 1, 10 do
      client:send { action = "authenticate", payload = { token = "slow" } }
    end
    app:advance(4)
    client:assert_authenticated(401)
    client:assert_closed(4401, "expired")
    assert.no_leaks(app)
  end)

  it("still waits for the renewal that was under way", function()
    local app <close> = open(function(token)
      return { id = "1", name = token }
    end, { authentication_timeout = 5 })
    local client <const> = come(app, "u1")
    app:advance(58)
    client:send { action = "authenticate", payload = { token = "slow" } }
    app:advance(10)
    client:assert_authenticated(200)
    assert.frame({ payload = "slow" }, client:call { action = "who" })
  end)
end)

describe("reauthenticate_seconds", function()
  it("is not put off by one renewal behind the other", function()
    local banned
    local app <close> = open(function(token)
      return token == "u1" and not banned and { id = "1", name = token } or nil
    end, { authentication_timeout = 5, reauthenticate_seconds = 20 })
    local client <const> = come(app, "u1")
    app:advance(18)
    banned = true
    for _ = 1, 10 do
      client:send { action = "authenticate", payload = { token = "slow" } }
    end
    app:advance(4)
    client:assert_authenticated(401)
    client:assert_authenticated(403)
    client:assert_closed(4403)
    assert.no_leaks(app)
  end)
end)

describe("login attempts", function()
  -- A client that was in could guess as often as it liked.
  it("are limited for a client that renews as for one that comes", function()
    local asked = 0
    local app <close> = open(function(token)
      asked = asked + 1
      return token == "u1" and { id = "1", name = token } or nil
    end, nil, { login_attempts = 3 })
    local client <const> = come(app, "u1")
    for _ = 1, 3 do
      client:send { action = "authenticate", payload = { token = "slow" } }
      app:advance(4)
      client:assert_authenticated(401)
    end
    asked = 0
    assert.same({ detail = "Too many attempts to log in" }, renew(client, "u1", 401))
    assert.equal(0, asked)
    app:advance(20)
    renew(client, "u1", 200)
  end)

  -- A page that came again and again with the cookie of yesterday kept its own user from logging in.
  it("are not made with what was good once", function()
    local session, token
    local secret <const> = ("s"):rep(32)
    local app <close> = testing.app(function(tide)
      session = tide.auth.session { secrets = { secret }, max_age_seconds = 60 }
      token = tide.auth.jwt { keys = { alg = "HS256", secret = secret } }
      tide.route("POST", "/login", { login = true }, function()
        return 204
      end)
      return tide.consumer {
        path = "/ws/room",
        authenticate = tide.auth.any { session, token },
      }
    end, { login_attempts = 3 })
    local cookies <const> = { sessionid = session:make "ann" }
    local bearer <const> = "Bearer " .. token:sign { sub = "ann", exp = app:now() // 1 - 60 }
    app:advance(61)
    for _ = 1, 5 do
      local late <const> = app:connect("/ws/room", { cookies = cookies })
      assert.equal("The session has expired", late:assert_authenticated(401).payload.data.detail)
      local old <const> = app:connect("/ws/room", { headers = { authorization = bearer } })
      assert.equal("The token has expired", old:assert_authenticated(401).payload.data.detail)
    end
    assert.equal(204, app:request("POST", "/login").status)
    for _ = 1, 3 do
      app:connect("/ws/room", { cookies = { sessionid = "s1.YWRh.1.x" } }):assert_authenticated(401)
    end
    assert.equal(429, app:request("POST", "/login").status)
  end)

  -- Each was let try before the first had failed: as many guesses as connections, every few seconds.
  it("tell no more to many at once than to one after the other", function()
    local app <close> = testing.app(function(tide)
      return tide.consumer {
        path = "/ws/room",
        authenticate = function(request)
          tide.sleep(1)
          return request.query.token == "right" and "ann" or nil, 401, "The token is not valid"
        end,
      }
    end, { login_attempts = 3 })
    local clients <const> = {}
    for i = 1, 10 do
      local query <const> = { token = i == 10 and "right" or "wrong" }
      clients[i] = app:connect("/ws/room", { query = query })
    end
    app:advance(1)
    for i, client in ipairs(clients) do
      local detail <const> = client:assert_authenticated(401).payload.data.detail
      assert.equal(i > 3 and "Too many attempts to log in" or "The token is not valid", detail)
      client:assert_closed(4401)
    end
    assert.equal(0, app:user("ann"):count())
    app:advance(20)
    local client <const> = app:connect("/ws/room", { query = { token = "right" } })
    app:advance(1)
    client:assert_authenticated(200)
  end)

  it("are limited for clients that were in before they said anything", function()
    local asked = 0
    local app <close> = testing.app(function(tide)
      return tide.consumer {
        path = "/ws/room",
        authenticate = tide.auth.first_message(function(request)
          asked = asked + 1
          return request.token == "right" and "ann" or nil
        end),
      }
    end, { login_attempts = 3 })
    local clients <const> = {}
    for i = 1, 10 do
      clients[i] = app:connect "/ws/room"
    end
    for i, client in ipairs(clients) do
      client:send { action = "authenticate", payload = { token = i == 10 and "right" or "wrong" } }
      local data <const> = client:assert_authenticated(401).payload.data
      assert.equal(i > 3 and "Too many attempts to log in" or nil, data and data.detail)
      client:assert_closed(4401)
    end
    assert.equal(3, asked)
  end)
end)
