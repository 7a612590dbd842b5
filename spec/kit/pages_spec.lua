--- What docs/reload.md shows, with the code replaced under its clients.

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

--- The folder of the application that the page calls `name`.
local function folder_of(name)
  local code <const> = read("docs/reload.md"):match("```lua\n%-%- app: " .. name .. "\n(.-)```")
  return program.app { [name .. ".lua"] = assert(code, "docs/reload.md has no " .. name) }
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
