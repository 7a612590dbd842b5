local fresh <const> = require "spec.support.fresh"
local refused <const> = require "spec.support.refused"

describe("tide.message", function()
  local tide, host, s

  before_each(function()
    tide, host = fresh.load()
    s = tide.schema
  end)

  it("makes a type that knows its action, its schema and where it was declared", function()
    local payload <const> = s.object { content = s.string() }
    local chat <const> = tide.message("chat", payload)
    assert.equal("chat", chat.action)
    assert.equal(payload, chat.schema)
    assert.matches("spec/lua/message_spec%.lua:%d+$", chat.source)
  end)

  it("takes a table of fields for an object", function()
    local chat <const> = tide.message("chat", { content = s.string() })
    assert.equal("object", chat.schema.kind)
    assert.equal("content", chat.schema.fields[1].name)
  end)

  it("needs no payload", function()
    assert.is_nil(tide.message("leave").schema)
  end)

  it("makes messages with the function that the host gave for the type", function()
    local chat <const> = tide.message("chat", { content = s.string() })
    assert.same({ action = "chat", payload = { content = "hi" } }, chat { content = "hi" })
    assert.same({ action = "pong" }, tide.messages.pong())
  end)

  it("refuses an action that is no name", function()
    refused(function()
      tide.message ""
    end, 'tide.message: the action must be a string of UTF-8 that is not empty, got the string ""')
    refused(
      function()
        tide.message "\xff"
      end,
      'tide.message: the action must be a string of UTF-8 that is not empty, got the string "\xff"'
    )
    refused(function()
      tide.message { action = "chat" }
    end, "tide.message: the action must be a string of UTF-8 that is not empty, got a table")
  end)

  it("refuses a payload that is no schema", function()
    refused(
      function()
        tide.message("chat", "string")
      end,
      'tide.message: the payload of "chat" must be a schema or a table of fields, '
        .. 'got the string "string"'
    )
  end)

  it("names the line of the type when the host cannot compile it", function()
    host.message_type = function()
      error("a schema is nested deeper than 200 levels", 0)
    end
    refused(function()
      tide.message "deep"
    end, 'tide.message: "deep": a schema is nested deeper than 200 levels')
  end)

  it("makes types that cannot be changed", function()
    local chat <const> = tide.message "chat"
    refused(function()
      chat.summary = "x"
    end, 'the message type "chat" cannot be changed; tide.message declares another')
  end)

  it("knows ping, pong and error", function()
    for _, name in ipairs { "ping", "pong", "error" } do
      assert.equal(name, tide.messages[name].action)
      assert.equal("tidegate", tide.messages[name].source)
    end
    assert.is_nil(tide.messages.ping.schema)
    assert.equal("any", tide.messages.error.schema.kind)
    refused(
      function()
        local _ = tide.messages.png
      end,
      'tide.messages has no "png"; did you mean "ping"? (it has: authentication, complete, error, '
        .. "event_complete, group_complete, ping, pong)"
    )
  end)
end)
