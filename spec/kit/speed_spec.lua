--- What specs need not wait for. The bounds are ten times what is promised, for slow and busy machines;
--- bench/kit/run has the figures.

local testing <const> = require "tidegate.testing"

--- CPU seconds of a function.
---@param fn fun()
---@return number
local function cost(fn)
  local began <const> = os.clock()
  fn()
  return os.clock() - began
end

describe("a spec", function()
  it("has a thousand conversations in far less than twenty seconds", function()
    local app <close> = testing.app "consumers"
    local seconds <const> = cost(function()
      for number = 1, 1000 do
        local client <close> = assert(app:connect "/ws/system")
        client:receive()
        for message = 1, 3 do
          local text <const> = number .. " " .. message
          client:send { action = "user_message", payload = { message = text } }
          assert.frame(
            { action = "system_echo", payload = { message = "🔧 System Echo: " .. text } },
            client:receive()
          )
        end
      end
    end)
    assert.is_true(seconds < 20, seconds)
    assert.no_leaks(app)
  end)

  it("waits for no heartbeat: a client that is silent for 30 s costs nothing", function()
    local app <close> = testing.app("consumers", {
      heartbeat_seconds = 20,
      heartbeat_timeout_seconds = 10,
    })
    local stalled <close> = app:connect "/ws/system"
    local alive <close> = app:connect "/ws/system"
    stalled:receive()
    alive:receive()
    stalled:stall()
    assert.is_true(cost(function()
      app:advance(29.9)
      assert.equal(2, app:metric "tidegate_connections")
      app:advance(0.2)
    end) < 1)
    assert.equal(1, app:metric "tidegate_connections")
    assert.equal("ping", alive:frames()[2].kind)
    assert.frame({ action = "pong" }, alive:call { action = "ping" })
  end)

  it("waits for no ticker and no timeout: an hour of them is over at once", function()
    local function declare(tide)
      local s <const> = tide.schema
      local said <const> = tide.message("said", s.string())
      local Clock <const> = tide.consumer { path = "/ws/clock", sends = said }
      function Clock:connected(conn)
        tide.every(600, function()
          conn:send(said "tick")
        end)
      end
      Clock:on(tide.message("ask", s.number()), { output = said }, function(_, message)
        local answer <const>, problem <const> = tide.with_timeout(1800, function()
          tide.sleep(message.payload)
          return "answered"
        end)
        return said(answer or problem)
      end)
      return Clock
    end
    local app <close> = testing.app(declare)
    local client <close> = app:connect "/ws/clock"
    assert.is_true(cost(function()
      client:send { action = "ask", payload = 3600 }
      client:receive_until({ payload = "timeout" }, 3600)
      assert.equal(1800, app:now())
      client:send { action = "ask", payload = 60 }
      client:receive_until({ payload = "answered" }, 3600)
      assert.equal(1860, app:now())
      app:advance(1740)
    end) < 1)
    local ticks = 0
    for _, frame in ipairs(client:frames()) do
      ticks = ticks + (frame.data == '{"action":"said","payload":"tick"}' and 1 or 0)
    end
    assert.equal(6, ticks)
  end)
end)
