--- Ten thousand clients who wait for a slow authenticator: what they cost, who notices, how they end.

local testing <const> = require "tidegate.testing"

local COUNT <const> = tonumber(os.getenv "CROWD" or 10000)

--- Bytes of one that waits, of the process altogether: its connection here and its client in the spec. An
--- upper bound with room for other machines and for sanitizers, so that what grows with time is seen.
local BYTES_EACH <const> = 64 * 1024

local handled

local function declare(tide)
  local s <const> = tide.schema
  local say <const>, told <const> =
    tide.message("say", s.string()), tide.message("told", s.string())
  handled = 0
  local Slow <const> = tide.consumer {
    path = "/ws/slow",
    authentication_timeout = 10,
    groups = "inside",
    authenticate = function(request)
      tide.sleep(request.query.seconds and tonumber(request.query.seconds) or 3600)
      return request.query.name
    end,
  }
  Slow:on(say, { output = told }, function(_, message)
    handled = handled + 1
    return told(message.payload)
  end)
  local Quick <const> = tide.consumer { path = "/ws/quick" }
  Quick:on(say, { output = told }, function(_, message)
    return told(message.payload)
  end)
  return { Slow, Quick }
end

--- What this process holds in memory.
---@return integer bytes
local function resident()
  local file <close> = assert(io.open "/proc/self/statm")
  return assert(math.tointeger(file:read("a"):match "^%d+ (%d+)")) * 4096
end

describe("a crowd at a slow authenticator", function()
  local app, clients

  before_each(function()
    clients = {}
    app = testing.app(declare, {
      max_connections = COUNT + 10,
      max_tasks = COUNT + 100,
      login_attempts = 0,
    })
  end)

  after_each(function()
    app:close()
  end)

  ---@param query string
  local function crowd(query)
    for index = 1, COUNT do
      clients[index] = assert(app:connect("/ws/slow" .. query))
    end
  end

  it("has bounded costs, is in nobody's way, and ends by its timeout", function()
    collectgarbage()
    local before <const> = resident()
    crowd ""
    for _, client in ipairs(clients) do
      client:send { action = "say", payload = "let me in" }
    end
    local bytes <const> = (resident() - before) // COUNT
    assert.is_true(bytes < BYTES_EACH, bytes .. " bytes each")
    assert.equal(COUNT, app:metric "tidegate_connections")
    assert.equal(0, app:group("inside"):count())

    local quick <const> = assert(app:connect "/ws/quick")
    app:advance(9.9)
    assert.frame({ payload = "hi" }, quick:call { action = "say", payload = "hi" })
    assert.equal(COUNT + 1, app:metric "tidegate_connections")

    app:advance(0.2)
    for _, client in ipairs(clients) do
      client:assert_authenticated(401)
      client:assert_closed(4408, "authentication took too long")
    end
    assert.equal(0, handled)
    assert.equal(COUNT, app:metric "tidegate_authentication_timeouts_total")
    assert.equal(1, app:metric "tidegate_connections")
    assert.equal(0, app:metric "tidegate_tasks")
    assert.equal(0, app:metric "tidegate_inbox_messages")
    assert.equal(0, app:metric "tidegate_inbox_bytes")
    assert.frame({ payload = "still" }, quick:call { action = "say", payload = "still" })
    quick:close()
    assert.no_leaks(app)
  end)

  it("comes in together when the answers come together", function()
    crowd "?seconds=5&name=ann"
    for _, client in ipairs(clients) do
      client:send { action = "say", payload = "hi" }
    end
    app:advance(5)
    assert.equal(COUNT, handled)
    assert.equal(COUNT, app:group("inside"):count())
    assert.equal(COUNT, app:user("ann"):count())
    for _, client in ipairs(clients) do
      client:assert_authenticated()
      assert.frame({ payload = "hi" }, client:receive())
    end
  end)

  it("leaves nothing when it goes away before it is answered", function()
    crowd ""
    for _, client in ipairs(clients) do
      client:drop()
    end
    app:advance(20)
    assert.equal(0, app:metric "tidegate_authentication_timeouts_total")
    assert.no_leaks(app)
  end)
end)
