--- Run with `tidegate test examples/raw_text`.

local testing <const> = require "tidegate.testing"

describe("plain text", function()
  local app, client

  before_each(function()
    app = testing.app "."
    client = assert(app:connect "/ws/system")
    assert.same({ text = "🔧 System: Connection established!" }, client:receive())
  end)

  after_each(function()
    app:close()
  end)

  it("comes back to who sent it, and to nobody else", function()
    local other <close> = app:connect "/ws/system"
    other:receive()
    client:send "Hello"
    assert.same({ text = "🔧 System Echo: Hello" }, client:receive())
    other:receive_nothing()
  end)

  it("may be anything, JSON and nothing at all included", function()
    for _, text in ipairs { "", "{broken", '{"action":"ping"}', ("ü"):rep(30000) } do
      client:send(text)
      assert.same({ text = "🔧 System Echo: " .. text }, client:receive())
    end
  end)

  it("is told from bytes, which come back as they are", function()
    client:send_binary "\0\1\255"
    assert.same({ binary = "\0\1\255" }, client:receive())
  end)

  it("comes back in the order in which it was sent", function()
    for number = 1, 100 do
      client:send(tostring(number))
    end
    for number = 1, 100 do
      assert.same({ text = "🔧 System Echo: " .. number }, client:receive())
    end
    client:receive_nothing()
  end)
end)
