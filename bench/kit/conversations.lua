--- 1,000 conversations of a spec: connect, three messages, an assertion on each answer, close. With
--- the clients of testing.app and luassert, as people write them. Prints CPU seconds, the least of
--- ROUNDS.

local CONVERSATIONS <const>, ROUNDS <const> = 1000, tonumber(arg[1] or 5)

local assert <const> = require "luassert"
local testing <const> = require "tidegate.testing"

local function converse(app, number)
  local client <const> = assert(app:connect "/ws/system")
  assert.frame({ action = "system_echo" }, client:receive())
  for _ = 1, 2 do
    local payload <const> = { message = "Hello " .. number }
    client:send { action = "user_message", payload = payload, ref = number }
    assert.frame({
      action = "system_echo",
      payload = { message = "🔧 System Echo: Hello " .. number },
      ref = number,
    }, client:receive())
  end
  client:send { action = "ping" }
  assert.frame({ action = "pong" }, client:receive())
  client:close()
end

local least = math.huge
for _ = 1, ROUNDS do
  local app <close> = testing.app "consumers"
  local began <const> = os.clock()
  for number = 1, CONVERSATIONS do
    converse(app, number)
  end
  least = math.min(least, os.clock() - began)
end
print(("%d conversations: %.3f s"):format(CONVERSATIONS, least))
