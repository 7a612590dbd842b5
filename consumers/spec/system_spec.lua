--- Run with `tidegate test consumers`.

local testing <const> = require "tidegate.testing"

local LONGEST <const> = 2000

local function echo(text)
  return { action = "system_echo", payload = { message = "🔧 System" .. text } }
end

describe("the system consumer", function()
  local app, client

  before_each(function()
    app = testing.app "."
    client = assert(app:connect "/ws/system")
  end)

  after_each(function()
    app:close()
  end)

  --- Says something, and returns what comes back.
  local function say(text)
    client:receive_until "system_echo"
    return client:call { action = "user_message", payload = { message = text } }
  end

  it("greets, and says nothing more by itself", function()
    assert.exact_frame(echo ": Connection established!", client:receive())
    client:receive_nothing(3600)
  end)

  it("echoes a message to its sender alone", function()
    local other <close> = app:connect "/ws/system"
    other:receive()
    assert.frame(echo " Echo: Hello", say "Hello")
    other:receive_nothing()
  end)

  it("answers a ping, with the ref that it has", function()
    client:receive()
    client:send { action = "ping", ref = 7 }
    assert.exact_frame({ action = "pong", ref = 7 }, client:receive())
  end)

  it("takes messages of up to 2000 characters, however many bytes they are", function()
    assert.frame(echo(" Echo: " .. ("😀"):rep(LONGEST)), say(("😀"):rep(LONGEST)))
  end)

  it("refuses a longer one, and goes on", function()
    assert.error_at(say(("x"):rep(LONGEST + 1)), { "payload", "message" }, "string_too_long")
    assert.frame({ action = "pong" }, client:call { action = "ping" })
  end)

  it("tells what is wrong with a message, and where", function()
    client:receive()
    for text, expected in pairs {
      ['{"action":"user_message"}'] = { { "payload" }, "missing" },
      ['{"action":"user_message","payload":{}}'] = { { "payload", "message" }, "missing" },
      ['{"action":"user_message","payload":{"message":5}}'] = {
        { "payload", "message" },
        "string_type",
      },
      ['{"action":"system_echo","payload":{"message":""}}'] = { { "action" }, "union_tag_invalid" },
      ["{"] = { {}, "json_invalid" },
    } do
      client:send(text)
      assert.error_at(client:receive(), expected[1], expected[2])
    end
  end)

  it("keeps nothing of a client that has left", function()
    client:drop()
    assert.no_leaks(app)
  end)

  it("never fails on a message that is right", function()
    testing.fuzz(app, "/ws/system")
  end)
end)
