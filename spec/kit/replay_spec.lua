--- A crash in production becomes a spec: the real program records, the kit plays it again. It needs a built
--- program (TG_BIN).

local testing <const> = require "tidegate.testing"

local here <const> = debug.getinfo(1, "S").source:match "^@(.*)/kit/[^/]*$" or "spec"
local folder <const> = here .. "/support/apps/record"

--- The application with the handler that fails, and the corrected one.
local function declare(is_corrected)
  return function(tide)
    local s <const> = tide.schema
    local add <const> = tide.message("add", { amount = s.integer() })
    local total <const> = tide.message("total", { total = s.integer() })
    local Sum <const> = tide.consumer { name = "sum", path = "/ws/sum" }
    Sum:on(add, { output = total }, function(conn, message)
      conn.state.total = (conn.state.total or 0) + message.payload.amount
      if conn.state.total == 13 and not is_corrected then
        error "thirteen" -- the line that the replay names
      end
      return total { total = conn.state.total }
    end)
    Sum:on_binary(function() end)
    return Sum
  end
end

local function line_of(text)
  local number = 0
  for line in io.lines(here .. "/kit/replay_spec.lua") do
    number = number + 1
    if line:find(text, 1, true) then
      return number
    end
  end
end

--- Writes a recording by hand.
local function recording(path, lines)
  local file <close> = assert(io.open(path, "wb"))
  file:write '{"type":"recording","format":1,"version":"0","at":"2026-01-01T00:00:00.000Z","folder":"x"}\n'
  for _, line in ipairs(lines) do
    file:write(line, line:sub(-1) == "}" and "\n" or "")
  end
end

local open <const> = '{"type":"open","ms":0,"conn":"a","consumer":"sum","path":"/ws/sum","query":"",'
  .. '"peer":"127.0.0.1:1","headers":[]}'

describe("testing.replay", function()
  local path, app

  before_each(function()
    path = os.tmpname()
    os.remove(path)
  end)

  after_each(function()
    os.remove(path)
    if app then
      app:close()
      app = nil
    end
  end)

  it("makes a spec of a crash: record, replay, correct, replay", function()
    do -- in production
      local server <close> = testing.server(folder, { record_file = path, mode = "production" })
      local other <close> = assert(server:connect "/ws/sum")
      local client <close> = assert(server:connect "/ws/sum")
      other:send { action = "add", payload = { amount = 1 } }
      other:receive()
      for _, amount in ipairs { 6, 7, 1 } do
        client:send { action = "add", payload = { amount = amount } }
        client:receive()
      end
    end

    app = testing.app(folder)
    local _, problem <const> = pcall(testing.replay, app, path)
    local text <const> = tostring(problem)
    assert.matches("made an error", text, 1, true)
    assert.matches("at message 3", text, 1, true)
    assert.matches("/support/apps/record/init.lua:%d+: thirteen", text)
    assert.matches('"amount":7', text, 1, true)
    app:close()

    app = testing.app(declare(true)) -- corrected
    local replay <const> = testing.replay(app, path)
    assert.equal(0, #replay.errors)
    assert.equal(4, replay.messages)
    assert.is_true(replay.is_whole)
    local totals <const> = {}
    for _, frame in ipairs(replay.clients[2]:receive_all()) do
      totals[#totals + 1] = frame.payload.total
    end
    assert.same({ 6, 13, 14 }, totals)
  end)

  it("names the line of the recording and of the handler", function()
    recording(path, {
      open,
      '{"type":"message","ms":10,"conn":"a","text":"{\\"action\\":\\"add\\",\\"payload\\":{\\"amount\\":13}}"}',
    })
    app = testing.app(declare(false))
    local replay <const> = testing.replay(app, path, { strict = false })
    assert.equal(1, #replay.errors)
    local err <const> = replay.errors[1]
    assert.equal(1, err.number)
    assert.equal(3, err.line)
    local line <const> = line_of "-- the line that the replay names"
    assert.matches(("replay_spec.lua:%d: thirteen"):format(line), err.log.fields.error, 1, true)
  end)

  it("lets the recorded time pass on the application's clock", function()
    recording(
      path,
      { open, '{"type":"close","ms":3600000,"conn":"a","code":1000,"reason":"","by":"client"}' }
    )
    app = testing.app(declare(true))
    testing.replay(app, path, { settle = 0 })
    assert.equal(3600, app:now())
    app:close()
    app = testing.app(declare(true))
    testing.replay(app, path, { settle = 0, speed = 10 })
    assert.equal(360, app:now())
  end)

  it("sends binary frames, drops what was dropped, and counts what it cannot play", function()
    recording(path, {
      open,
      '{"type":"message","ms":1,"conn":"a","binary":"AP/+"}',
      '{"type":"message","ms":2,"conn":"a","omitted":"json_invalid","bytes":3}',
      '{"type":"message","ms":2,"conn":"b","text":"{}"}',
      '{"type":"close","ms":3,"conn":"a","code":1006,"reason":"","by":"client"}',
      '{"type":"message","ms":4,"conn":"a","text":"{}"}',
      '{"type":"end","ms":5,"why":"record_max_bytes"}',
      '{"type":"message","ms":', -- cut off
    })
    app = testing.app(declare(true))
    local replay <const> = testing.replay(app, path)
    assert.equal(1, replay.messages)
    assert.equal(1, replay.omitted)
    assert.equal(2, replay.skipped)
    assert.is_false(replay.is_whole)
    assert.equal(1006, app:logs("disconnected")[1].fields.code)
  end)

  it("connects as the spec wants where the recording has a stand-in", function()
    recording(path, { (open:gsub('"headers":%[%]', '"headers":[["cookie","sid=***"]]')) })
    app = testing.app(declare(true))
    local asked
    testing.replay(app, path, {
      connect = function(event)
        asked = event.headers[1][2]
        return { cookies = { sid = "a valid one" } }
      end,
    })
    assert.equal("sid=***", asked)
  end)

  it("refuses a file that is no recording", function()
    local file <const> = assert(io.open(path, "wb"))
    file:write "{}\n"
    file:close()
    app = testing.app(declare(true))
    local _, other <const> = pcall(testing.replay, app, path)
    assert.matches("this is no line of a recording", tostring(other), 1, true)
    local _, missing <const> = pcall(testing.replay, app, "/nowhere/at.all")
    assert.matches("No such file", tostring(missing), 1, true)
  end)
end)
