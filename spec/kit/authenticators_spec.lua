--- The authenticators of tide.auth: what each takes for a credential, and what it says of others.

local cjson <const> = require "cjson"
local key_pairs <const> = require "spec.support.key_pairs"
local testing <const> = require "tidegate.testing"

local missing <const> = "Authentication credentials were not provided."
local secret <const> = ("s"):rep(32)

--- An application whose one consumer has the authenticator that `make` returns, and whose clients are
--- told who they are.
---@param make fun(tide: table): any
---@param options? table
local function open(make, options)
  return testing.app(function(tide)
    local who <const> = tide.message("who", tide.schema.any())
    local Room <const> = tide.consumer {
      path = "/ws/room",
      authenticate = make(tide),
      sends = { who },
    }
    function Room:connected(conn)
      conn:send(who(conn.user))
    end
    return Room
  end, options)
end

--- Asserts that a client with these options is let in as `user`.
local function let_in(app, options, user)
  local client <const> = app:connect("/ws/room", options)
  client:assert_authenticated()
  assert.same(user, client:receive().payload)
  return client
end

--- Asserts that it is refused.
local function refused(app, options, status, detail)
  local client <const> = app:connect("/ws/room", options)
  local frame <const> = client:assert_authenticated(status)
  assert.equal(detail, frame.payload.data and frame.payload.data.detail)
  client:assert_closed(status == 500 and 1011 or 4000 + status)
end

local function bearer(token)
  return { headers = { authorization = "Bearer " .. token } }
end

describe("tide.auth.session", function()
  local session

  local function make(tide, options)
    options = options or {}
    options.secrets = options.secrets or { secret }
    session = tide.auth.session(options)
    return session
  end

  it("takes the id out of its cookie", function()
    local app <close> = open(make)
    let_in(app, { cookies = { sessionid = session:make(7) } }, "7")
    refused(app, {}, 401, missing)
    refused(app, { cookies = { sessionid = "" } }, 401, missing)
    refused(app, { cookies = { sessionid = "x.y" } }, 401, "The session is not valid")
    refused(app, { cookies = { other = session:make(7) } }, 401, missing)
  end)

  it("makes the headers that log in and out", function()
    local app <close> = open(function(tide)
      return make(
        tide,
        { cookie = "sid", max_age_seconds = 60.5, secure = true, domain = "example.org" }
      )
    end)
    local value <const> = session:cookie("ann"):match "^sid=([%w._-]+); "
    let_in(app, { cookies = { sid = value } }, "ann")
    assert.equal(
      "sid=VALUE; Max-Age=60; Path=/; HttpOnly; SameSite=Lax; Domain=example.org; Secure",
      (session:cookie("ann"):gsub("=[^;]*", "=VALUE", 1))
    )
    assert.equal(
      "sid=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax; Domain=example.org; Secure",
      session:clear()
    )
    assert.has_error(function()
      session:make { id = 7 }
    end)
  end)

  it("ends with the connection open when it expires", function()
    local app <close> = open(function(tide)
      return make(tide, { max_age_seconds = 60 })
    end)
    local cookies <const> = { sessionid = session:make "ann" }
    local client <const> = let_in(app, { cookies = cookies }, "ann")
    app:advance(61)
    client:assert_closed(4401, "expired")
    refused(app, { cookies = cookies }, 401, "The session has expired")
  end)

  it("goes on with the new value that a client sends", function()
    local app <close> = open(function(tide)
      return make(tide, { max_age_seconds = 60 })
    end)
    local client <const> = let_in(app, { cookies = { sessionid = session:make "ann" } }, "ann")
    app:advance(50)
    client:send { action = "authenticate", payload = { token = session:make "ann" } }
    client:assert_authenticated()
    app:advance(50)
    client:send { action = "authenticate", payload = { token = session:make "bob" } }
    client:assert_authenticated(403)
    app:advance(11)
    client:assert_closed(4401, "expired")
  end)

  -- Both were signed alike: user 7 became administrator 7 by another name of the cookie.
  it("takes no session that another cookie is for", function()
    local other
    local app <close> = open(function(tide)
      other = tide.auth.session { cookie = "adminid", secrets = { secret } }
      return make(tide)
    end)
    refused(app, { cookies = { sessionid = other:make(7) } }, 401, "The session is not valid")
    refused(app, { cookies = { adminid = other:make(7) } }, 401, missing)
    let_in(app, { cookies = { sessionid = session:make(7) } }, "7")
  end)

  it("takes what an older secret has signed", function()
    local old
    do
      local app <close> = open(make)
      old = session:make "ann"
      app:close()
    end
    local rotated <close> = open(function(tide)
      return make(tide, { secrets = { ("n"):rep(32), secret } })
    end)
    let_in(rotated, { cookies = { sessionid = old } }, "ann")
    local other <close> = open(function(tide)
      return make(tide, { secrets = { ("n"):rep(32) } })
    end)
    refused(other, { cookies = { sessionid = old } }, 401, "The session is not valid")
  end)

  it("loads the user, who may be gone", function()
    local app <close> = open(function(tide)
      return make(tide, {
        load = function(id, request)
          tide.sleep(1)
          return id ~= "gone" and { id = id, path = request.path } or nil
        end,
      })
    end)
    local client <const> = app:connect("/ws/room", { cookies = { sessionid = session:make "ann" } })
    app:advance(1)
    client:assert_authenticated()
    assert.same({ id = "ann", path = "/ws/room" }, client:receive().payload)
    local gone <const> = app:connect("/ws/room", { cookies = { sessionid = session:make "gone" } })
    app:advance(1)
    gone:assert_authenticated(401)
    gone:assert_closed(4401)
  end)
end)

describe("tide.auth.jwt", function()
  local jwt

  local function make(tide, options)
    options = options or {}
    options.keys = options.keys or { alg = "HS256", secret = secret }
    jwt = tide.auth.jwt(options)
    return jwt
  end

  it("takes the claims out of a token in the header, and nothing out of others", function()
    local app <close> = open(make)
    local token <const> = jwt:sign { sub = "ann", role = "admin" }
    let_in(app, bearer(token), { id = "ann", sub = "ann", role = "admin" })
    refused(app, {}, 401, missing)
    refused(app, { headers = { authorization = "Basic eDp5" } }, 401, missing)
    refused(app, bearer(token .. "x"), 401, "The token is not valid")
    refused(app, bearer "x", 401, "The token is not valid")
    refused(app, { query = { token = token } }, 401, missing)
  end)

  it("looks where it is told to", function()
    local app <close> = open(function(tide)
      return make(tide, { header = "X-Token", cookie = "jwt", query = "token" })
    end)
    local token <const> = jwt:sign { sub = "ann" }
    local user <const> = { id = "ann", sub = "ann" }
    let_in(app, { headers = { ["x-token"] = token } }, user)
    let_in(app, { cookies = { jwt = token } }, user)
    let_in(app, { query = { token = token } }, user)
    refused(app, bearer(token), 401, missing)
  end)

  it("wants audience and issuer, and makes the user as the application likes", function()
    local app <close> = open(function(tide)
      return make(tide, {
        audience = "rooms",
        issuer = "accounts",
        user = function(claims)
          return claims.sub ~= "gone" and claims.sub or nil
        end,
      })
    end)
    let_in(app, bearer(jwt:sign { sub = "ann", aud = "rooms", iss = "accounts" }), "ann")
    refused(
      app,
      bearer(jwt:sign { sub = "ann", aud = "mail", iss = "accounts" }),
      401,
      "The token is for somebody else"
    )
    refused(app, bearer(jwt:sign { sub = "ann", aud = "rooms" }), 401, "The token is not valid")
    refused(
      app,
      bearer(jwt:sign { sub = "gone", aud = "rooms", iss = "accounts" }),
      401,
      "The token is not valid"
    )
  end)

  it("ends with the token, leeway included, and goes on with a new one", function()
    local now
    local app <close> = open(function(tide)
      now = tide.now
      return make(tide, { leeway = 10 })
    end)
    local function token_for(seconds)
      return jwt:sign { sub = "ann", exp = now() // 1 + seconds }
    end
    local client <const> = app:connect("/ws/room", bearer(token_for(60)))
    client:assert_authenticated()
    client:receive()
    app:advance(65)
    client:send { action = "authenticate", payload = { token = token_for(60) } }
    client:assert_authenticated()
    app:advance(68)
    assert.is_true(client:receive_nothing())
    app:advance(3)
    client:assert_closed(4401, "expired")
    refused(app, bearer(token_for(-11)), 401, "The token has expired")
  end)

  it("needs keys, and says which options go with which", function()
    for _, row in ipairs {
      { {}, 'needs keys, as in { keys = { alg = "HS256", secret = ... } }, or jwks' },
      { { keys = "x" }, 'option "keys" must be a key, or a list of keys, got the string "x"' },
      { { jwks = "file.json" }, 'option "jwks" must be the URL of a key set, "https://..."' },
      { { keys = { alg = "HS256", secret = "short" } }, "the secret has 5 bytes" },
      { { keys = { alg = "HS256", secret = secret }, timeout = 3 }, '"timeout" is for jwks' },
      {
        { keys = { jwks = cjson.encode { keys = { key_pairs[1].jwk } } }, jwks = "http://a.test/" },
        "one key set at most",
      },
    } do
      local is_open <const>, problem <const> = pcall(open, function(tide)
        return tide.auth.jwt(row[1])
      end)
      assert.is_false(is_open, row[2])
      local text <const> = tostring(problem)
      assert.truthy(text:find("authenticators_spec.lua:%d+: "), text)
      assert.truthy(text:find(row[2], 1, true), text)
    end
  end)
end)

describe("tide.auth.api_key", function()
  it("knows the users by the hashes of their keys", function()
    local app <close> = open(function(tide)
      return tide.auth.api_key {
        keys = {
          [tide.auth.hash_key "key-of-ann"] = "ann",
          [tide.auth.hash_key "key-of-bob"] = "bob",
        },
        query = "key",
      }
    end)
    let_in(app, { headers = { ["x-api-key"] = "key-of-ann" } }, "ann")
    let_in(app, { query = { key = "key-of-bob" } }, "bob")
    refused(app, {}, 401, missing)
    refused(app, { headers = { ["x-api-key"] = "key-of-eve" } }, 401, "The key is not valid")
  end)

  it("asks the application for the user of a hash", function()
    local app <close> = open(function(tide)
      local known <const> = tide.auth.hash_key "k"
      return tide.auth.api_key {
        header = "X-Key",
        find = function(hash)
          return hash == known and "ann" or nil
        end,
      }
    end)
    let_in(app, { headers = { ["x-key"] = "k" } }, "ann")
    refused(app, { headers = { ["x-key"] = "l" } }, 401, "The key is not valid")
  end)
end)

describe("tide.auth.basic", function()
  it("asks about name and password", function()
    local app <close> = open(function(tide)
      return tide.auth.basic {
        verify = function(name, password)
          return name == "ann" and password == "a:b" and name or nil
        end,
      }
    end)
    let_in(app, { headers = { authorization = "Basic YW5uOmE6Yg==" } }, "ann") -- ann:a:b
    refused(
      app,
      { headers = { authorization = "Basic YW5uOmI=" } },
      401,
      "The name or the password is wrong"
    )
    refused(
      app,
      { headers = { authorization = "Basic YW5u" } },
      401,
      "The name or the password is wrong"
    )
    refused(
      app,
      { headers = { authorization = "Basic %%%" } },
      401,
      "The name or the password is wrong"
    )
    refused(app, { headers = { authorization = "Bearer x" } }, 401, missing)
  end)
end)

describe("tide.auth.http", function()
  local app, requests

  before_each(function()
    requests = {}
    app = open(function(tide)
      return tide.auth.http {
        url = "http://accounts.test/me",
        headers = { "Authorization", "X-Tenant" },
        cookies = { "sid" },
      }
    end)
  end)

  after_each(function()
    app:close()
  end)

  local function answer(response)
    app:stub_http("http://accounts.test/me", function(request)
      requests[#requests + 1] = request
      return response
    end)
  end

  it("shows the other server what was chosen, and takes its user", function()
    answer { status = 200, body = cjson.encode { id = 7, name = "Ann" } }
    let_in(app, {
      headers = { ["x-tenant"] = "t", ["x-other"] = "o" },
      cookies = { sid = "s", theme = "dark" },
    }, { id = 7, name = "Ann" })
    assert.equal("t", requests[1].headers["x-tenant"])
    assert.equal("sid=s", requests[1].headers.cookie)
    assert.equal("/ws/room", requests[1].headers["x-original-path"])
    assert.is_nil(requests[1].headers["x-other"])
    assert.is_nil(requests[1].headers.authorization)
  end)

  it("does not ask about who has shown nothing", function()
    answer { status = 200, body = cjson.encode { id = 7 } }
    refused(app, { headers = { ["x-other"] = "o" } }, 401, missing)
    assert.same({}, requests)
  end)

  -- The request raised, and every such token was an error in the log.
  it("does not ask about a token that no header can hold", function()
    answer { status = 200, body = cjson.encode { id = 7 } }
    local client <const> = let_in(app, bearer "t", { id = 7 })
    for _, token in ipairs { "t\r\nx-tenant: t", "t\0", "t\n" } do
      client:send { action = "authenticate", payload = { token = token } }
      local frame <const> = client:assert_authenticated(401)
      assert.equal("The token is not valid", frame.payload.data.detail)
    end
    assert.equal(1, #requests)
  end)

  for _, row in ipairs {
    { { status = 401, body = cjson.encode { detail = "Who?" } }, 401, "Who?" },
    { { status = 403, body = "no" }, 403 },
    { { status = 404, body = cjson.encode { detail = 7 } }, 404 },
    { { status = 302, headers = { location = "/login" } }, 500 },
    { { status = 500, body = cjson.encode { id = 7 } }, 500 },
    { { status = 200, body = "ann" }, 500 },
    { { status = 200, body = cjson.encode { "ann" } }, 500 },
    { { status = 204, body = "" }, 500 },
    { { error = "connect: refused" }, 500 },
  } do
    it(("makes %s of %s"):format(row[2], row[1].status or row[1].error), function()
      answer(row[1])
      refused(app, bearer "t", row[2], row[3])
    end)
  end
end)

describe("tide.auth.any", function()
  it("lets in whom the first lets in, and gives the refusal that says most", function()
    local app <close> = open(function(tide)
      return tide.auth.any {
        tide.auth.basic {
          verify = function(name)
            return name == "ann" and name or nil
          end,
        },
        tide.auth.api_key { keys = { [tide.auth.hash_key "k"] = "bob" } },
        function(request)
          if request.query.raise then
            error "no answer"
          end
        end,
      }
    end)
    let_in(app, { headers = { authorization = "Basic YW5uOmI=" } }, "ann")
    let_in(app, { headers = { ["x-api-key"] = "k", authorization = "Basic eDp5" } }, "bob")
    refused(app, {}, 401, missing)
    refused(app, { headers = { ["x-api-key"] = "l" } }, 401, "The key is not valid")
    refused(app, { query = { raise = "1" } }, 500)
  end)
end)

describe("a key set that another server publishes", function()
  local signer, other, app, fetched, published

  --- The JWK of a secret is one that a key set must not hold, so these are signed with a key pair.
  local function keys_of(tide)
    return tide.auth.jwt {
      jwks = "http://accounts.test/keys",
      refresh_seconds = 3600,
      user = function(claims)
        return claims.sub
      end,
    }
  end

  setup(function()
    signer, other = key_pairs[1], key_pairs[2]
  end)

  before_each(function()
    fetched, published = 0, { signer.jwk }
    app = open(keys_of)
    app:stub_http("http://accounts.test/keys", function()
      fetched = fetched + 1
      if not published then
        return { error = "connect: refused" }
      end
      return { status = 200, body = cjson.encode { keys = published }, delay = 1 }
    end)
  end)

  after_each(function()
    app:close()
  end)

  it("is fetched once for all who come before there is one", function()
    local clients <const> = {}
    for index = 1, 3 do
      clients[index] = app:connect("/ws/room", bearer(signer.token))
    end
    app:advance(1)
    for _, client in ipairs(clients) do
      client:assert_authenticated()
    end
    assert.equal(1, fetched)
    let_in(app, bearer(signer.token), "ann")
    assert.equal(1, fetched)
  end)

  it("serves while it is fetched anew, and asks about an unknown key once in a while", function()
    app:connect("/ws/room", bearer(signer.token))
    app:advance(1)
    published = { signer.jwk, other.jwk }
    app:advance(5)
    refused(app, bearer(other.token), 401, "The token is not valid")
    assert.equal(1, fetched)
    app:advance(5)
    local client <const> = app:connect("/ws/room", bearer(other.token))
    app:advance(1)
    client:assert_authenticated()
    assert.equal(2, fetched)
    app:advance(3600)
    let_in(app, bearer(signer.token), "ann")
    app:advance(1)
    assert.equal(3, fetched)
  end)

  it("that cannot be fetched is an error, and is tried again later and later", function()
    published = nil
    refused(app, bearer(signer.token), 500)
    refused(app, bearer(signer.token), 500)
    assert.equal(1, fetched)
    app:advance(11)
    refused(app, bearer(signer.token), 500)
    app:advance(11)
    refused(app, bearer(signer.token), 500)
    assert.equal(2, fetched)
    published = { signer.jwk }
    app:advance(10)
    local client <const> = app:connect("/ws/room", bearer(signer.token))
    app:advance(1)
    client:assert_authenticated()
  end)
end)
