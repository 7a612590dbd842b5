--- Run with `tidegate test examples/accounts`.

local testing <const> = require "tidegate.testing"

describe("accounts", function()
  local app

  before_each(function()
    app = testing.app "."
  end)

  after_each(function()
    app:close()
  end)

  local function log_in(name, password)
    return app:request("POST", "/login", { json = { name = name, password = password } })
  end

  --- A client with the session of whoever has logged in.
  local function come(path, name, password)
    local answer <const> = log_in(name, password)
    return assert(app:connect(path, { cookies = { sessionid = answer.cookies.sessionid } }))
  end

  local function welcomed(client)
    assert.frame(
      { action = "authentication", payload = { status_code = 200, status_text = "OK" } },
      client:receive()
    )
  end

  it("let in who knows the password, with a cookie that no script reads", function()
    local answer <const> = log_in("ann", "gently")
    assert.equal(200, answer.status)
    assert.same({ username = "Ann" }, answer.json)
    assert.matches("; HttpOnly; SameSite=Lax", answer.headers["set-cookie"], 1, true)
    assert.equal("no-store", answer.headers["cache-control"])
  end)

  it("refuse a wrong password and an unknown name alike", function()
    for _, name in ipairs { "ann", "nobody" } do
      local answer <const> = log_in(name, "wrong")
      assert.equal(401, answer.status)
      assert.same({ detail = "The name or the password is wrong" }, answer.json)
      assert.is_nil(answer.headers["set-cookie"])
    end
  end)

  it("hear nobody who tries password after password", function()
    app:close()
    app = testing.app(".", { login_attempts = 2 })
    for _ = 1, 2 do
      assert.equal(401, log_in("ann", "wrong").status)
    end
    local answer <const> = log_in("ann", "gently")
    assert.equal(429, answer.status)
    assert.equal("30", answer.headers["retry-after"])
    app:advance(30)
    assert.equal(200, log_in("ann", "gently").status)
  end)

  it("take the form of a page too", function()
    local answer <const> = app:request("POST", "/login", {
      headers = { ["content-type"] = "application/x-www-form-urlencoded" },
      body = "name=Bob&password=breeze",
    })
    assert.same({ username = "Bob" }, answer.json)
  end)

  it("say what is missing in a login", function()
    local answer <const> = app:request("POST", "/login", { json = { name = "ann" } })
    assert.equal(422, answer.status)
    assert.same({
      detail = { { type = "missing", loc = { "payload", "password" }, msg = "Field required" } },
    }, answer.json)
  end)

  it("log nobody in for a page of another site", function()
    local answer <const> = app:request("POST", "/login", {
      json = { name = "ann", password = "gently" },
      origin = "https://elsewhere.example",
    })
    assert.equal(403, answer.status)
    assert.same({ detail = "This origin is not allowed" }, answer.json)
  end)

  it("know whose session it is until the logout", function()
    local cookies <const> = log_in("ann", "gently").cookies
    assert.same({ username = "Ann" }, app:request("GET", "/me", { cookies = cookies }).json)
    local farewell <const> = app:request("POST", "/logout", { cookies = cookies })
    assert.equal(204, farewell.status)
    assert.equal("", farewell.cookies.sessionid)
    assert.equal(401, app:request("GET", "/me", { cookies = farewell.cookies }).status)
  end)

  it("echo for who has logged in, and close for who has not", function()
    local ann <close> = come("/ws/echo/", "ann", "gently")
    welcomed(ann)
    ann:send { action = "echo", payload = "Hello!" }
    assert.frame({ action = "echo", payload = "Echo: Hello!" }, ann:receive())
    local nobody <close> = assert(app:connect "/ws/echo/")
    assert.frame({ action = "authentication", payload = { status_code = 401 } }, nobody:receive())
    nobody:assert_closed(4401)
  end)

  it("say who says something in a room", function()
    local ann <close> = come("/ws/chat/lobby/", "ann", "gently")
    local bob <close> = come("/ws/chat/lobby/", "bob", "breeze")
    local other <close> = come("/ws/chat/attic/", "bob", "breeze")
    for _, client in ipairs { ann, bob, other } do
      welcomed(client)
    end
    ann:send { action = "echo", payload = "hi" }
    assert.frame({ action = "echo", payload = "Ann: hi", is_mine = true }, ann:receive())
    assert.frame({ action = "echo", payload = "Ann: hi", is_mine = false }, bob:receive())
    other:receive_nothing()
  end)

  it("close all connections of who logs out, and nobody else's", function()
    local cookies <const> = log_in("ann", "gently").cookies
    local echo <close> = assert(app:connect("/ws/echo/", { cookies = cookies }))
    local chat <close> = assert(app:connect("/ws/chat/lobby/", { cookies = cookies }))
    local elsewhere <close> = come("/ws/echo/", "ann", "gently")
    local bob <close> = come("/ws/chat/lobby/", "bob", "breeze")
    for _, client in ipairs { echo, chat, elsewhere, bob } do
      welcomed(client)
    end
    assert.equal(204, app:request("POST", "/logout", { cookies = cookies }).status)
    for _, client in ipairs { echo, chat, elsewhere } do
      client:assert_closed(4401, "logged out")
    end
    bob:receive_nothing()
  end)

  it("log out whoever has no session too", function()
    assert.equal(204, app:request("POST", "/logout").status)
  end)
end)
