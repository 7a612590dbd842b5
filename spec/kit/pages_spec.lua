--- What the pages show of reload, with the code replaced under its clients, and of authenticators that ask
--- other servers. What needs no more than frames is played in spec/wire/docs.test.js.

local cjson <const> = require "cjson"
local program <const> = require "spec.support.program"
local testing <const> = require "tidegate.testing"

local function read(path)
  local file <close> = assert(io.open(path))
  return (file:read "a")
end

local function write(path, text)
  local file <close> = assert(io.open(path, "w"))
  file:write(text)
end

--- The folder of the application that a page calls `name`.
local function folder_of(name, page)
  page = page or "docs/reload.md"
  local code <const> = read(page):match("```lua\n%-%- app: " .. name .. "\n(.-)```")
  return program.app { [name .. ".lua"] = assert(code, page .. " has no " .. name) }
end

--- Saves something in the application's file, and has it serve.
local function save(app, folder, name)
  local path <const> = ("%s/%s.lua"):format(folder.path, name)
  write(path, read(path) .. "-- saved\n")
  assert(app:reload())
end

describe("docs/reload.md", function()
  it("has a ticker that goes on, with the count that it has", function()
    local folder <close> = folder_of "ticker"
    local app <close> = testing.app(folder.path)
    local client <const> = app:connect "/ws/ticker"
    app:advance(2)
    save(app, folder, "ticker")
    app:advance(2)
    local counts <const> = {}
    for index = 1, 4 do
      counts[index] = client:receive().payload.count
    end
    assert.same({ 1, 2, 3, 4 }, counts)
  end)

  it("has a cart that gets its new form once", function()
    local folder <close> = folder_of "migrating"
    local path <const> = folder.path .. "/migrating.lua"
    local new <const> = read(path)
    write(
      path,
      (new:gsub("conn.state.version, conn.state.items = 2, {}", 'conn.state.item = "bread"'))
    )
    local app <close> = testing.app(folder.path)
    local client <const> = app:connect "/ws/cart"
    write(path, new)
    assert(app:reload())
    client:send { action = "add", payload = { item = "milk" } }
    assert.frame({ payload = { items = { "bread", "milk" } } }, client:receive())
    save(app, folder, "migrating")
    client:send { action = "add", payload = { item = "tea" } }
    assert.frame({ payload = { items = { "bread", "milk", "tea" } } }, client:receive())
  end)

  it("has a score that outlives the code", function()
    local folder <close> = folder_of "counting"
    local app <close> = testing.app(folder.path)
    local client <const> = app:connect "/ws/counting"
    for score = 1, 3 do
      client:send { action = "point" }
      assert.frame({ action = "points", payload = score }, client:receive())
      save(app, folder, "counting")
    end
  end)
end)

describe("docs/authentication.md", function()
  it("has a backend that says who it is", function()
    local folder <close> = folder_of("backends", "docs/authentication.md")
    local app <close> = testing.app(folder.path)
    local asked <const> = {}
    app:stub_http("http://127.0.0.1:9/me", function(request)
      table.insert(asked, request)
      return { status = 200, body = '{"user_id":7,"name":"Ann"}' }
    end)
    local client <const> = app:connect("/ws/backends", { cookies = { sid = "5", theme = "dark" } })
    client:assert_authenticated()
    assert.equal(1, #asked)
    assert.equal("sid=5", asked[1].headers.cookie)
    assert.equal("/ws/backends", asked[1].headers["x-original-path"])
  end)

  it("has a key set, whose tokens let in", function()
    local folder <close> = folder_of("keyset", "docs/authentication.md")
    local app <close> = testing.app(folder.path)
    local key <const> = { kty = "OKP", crv = "Ed25519", alg = "EdDSA", kid = "now" }
    key.x = "fQluIyUM0LyEfdtxgcmG7ORtdcrKNcoknAerQcwnQK4"
    app:stub_http("https://accounts.example.org/keys", function()
      return { status = 200, body = cjson.encode { keys = { key } } }
    end)
    local token <const> = "eyJhbGciOiJFZERTQSIsInR5cCI6IkpXVCIsImtpZCI6Im5vdyJ9"
      .. ".eyJzdWIiOiJhbm4iLCJhdWQiOiJyb29tcyIsImlzcyI6Imh0dHBzOi8vYWNjb3VudHMuZX"
      .. "hhbXBsZS5vcmciLCJpYXQiOjE3MDAwMDAwMDAsImV4cCI6NDAwMDAwMDAwMH0"
      .. ".opLXgwPOoj7A-z7jDh_kUJV5yTwNIIEKxNYG24l9N08G6SMg78sD0NN-3juBVLS2DKHavl8_f0EudLH2N0LGAA"
    local headers <const> = { authorization = "Bearer " .. token }
    app:connect("/ws/keyset", { headers = headers }):assert_authenticated()
    headers.authorization = headers.authorization:gsub("%.eyJz", ".eyJ0")
    app:connect("/ws/keyset", { headers = headers }):assert_authenticated(401)
  end)
end)

describe("docs/http.md", function()
  it("has a login that opens a connection, and a logout that ends it", function()
    local folder <close> = folder_of("login", "docs/http.md")
    local app <close> = testing.app(folder.path)
    local wrong <const> = { name = "ann", password = "guessed" }
    assert.equal(401, app:request("POST", "/login", { json = wrong }).status)
    local right <const> = { name = "ann", password = "gently" }
    local cookies <const> = app:request("POST", "/login", { json = right }).cookies
    local client <const> = app:connect("/ws/me", { cookies = cookies })
    client:assert_authenticated()
    assert.equal(204, app:request("POST", "/logout", { cookies = cookies }).status)
    client:assert_closed(4401, "logged out")
  end)
end)
