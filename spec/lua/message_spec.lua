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

  it("raises what is wrong with a default or an example at the line of that one", function()
    host.message_type = function()
      error('consumers/chat.lua:3: :default: Input should be "a"', 0)
    end
    local is_fine <const>, text <const> = pcall(tide.message, "chat")
    assert.is_false(is_fine)
    assert.equal('consumers/chat.lua:3: :default: Input should be "a"', text)
  end)

  it("makes types that cannot be changed", function()
    local chat <const> = tide.message "chat"
    refused(function()
      chat.summary = "x"
    end, 'the message type "chat" cannot be changed; tide.message declares another')
    refused(function()
      chat.action = "x"
    end, 'the message type "chat" cannot be changed; tide.message declares another')
    assert.equal("chat", chat.action)
  end)

  it("takes what documentation says of a message, and how it is written", function()
    local function serialise(payload)
      return payload
    end
    local chat <const> = tide.message("chat", nil, {
      serialise = serialise,
      summary = "Talk",
      description = "What a person says",
    })
    assert.equal(serialise, chat.serialise)
    assert.equal("Talk", chat.summary)
    assert.equal("What a person says", chat.description)
  end)

  it("refuses options that it does not know, and options among the fields", function()
    refused(
      function()
        tide.message("chat", nil, { serialize = print })
      end,
      'tide.message: unknown option "serialize"; did you mean "serialise"? '
        .. "(options: description, serialise, summary)"
    )
    refused(
      function()
        tide.event("notify", { content = s.string(), summary = "Talk" })
      end,
      "tide.event: options stand in a third argument: "
        .. 'tide.event("notify", { ... }, { summary = ... })'
    )
    refused(function()
      tide.message("chat", nil, { serialise = "json" })
    end, 'tide.message: option "serialise" must be a function, got the string "json"')
  end)

  it("may have a field called summary", function()
    assert.equal("summary", tide.message("x", { summary = s.string() }).schema.fields[1].name)
  end)

  it("knows what tidegate itself sends and handles", function()
    local count = 0
    for name, message_type in pairs(tide.messages) do
      assert.equal(name, message_type.action)
      assert.equal("tidegate", message_type.source)
      assert.equal("message", message_type.role)
      count = count + 1
    end
    assert.equal(8, count)
    assert.is_nil(tide.messages.ping.schema)
    assert.equal("any", tide.messages.error.schema.kind)
    local fields <const> = tide.messages.authentication.schema.fields
    assert.equal("status_code", fields[1].name)
    assert.equal("status_text", fields[2].name)
    assert.equal("data", fields[3].name)
    assert.is_true(fields[3].schema.is_optional)
    refused(
      function()
        local _ = tide.messages.png
      end,
      'tide.messages has no "png"; did you mean "ping"? (it has: authenticate, authentication, complete, error, '
        .. "event_complete, group_complete, ping, pong)"
    )
  end)
end)

describe("the types of messages", function()
  local tide, host

  before_each(function()
    tide, host = fresh.load()
  end)

  it("tell the host their role", function()
    local seen <const> = {}
    host.message_type = function(message_type)
      seen[#seen + 1] = message_type.role .. " " .. message_type.action
      return function() end
    end
    local _ <const> = tide.message "a"
    local _ <const> = tide.group_message "b"
    local _ <const> = tide.event "c"
    assert.same({ "message a", "group_message b", "event c" }, seen)
  end)

  it("make messages, whatever their role", function()
    for _, name in ipairs { "message", "group_message", "event" } do
      local declared <const> = tide[name]("chat", { content = tide.schema.string() })
      assert.same({ action = "chat", payload = { content = "hi" } }, declared { content = "hi" })
    end
  end)

  it("are told apart", function()
    local message <const> = require "tidegate.message"
    local event <const> = tide.event "notify"
    assert.is_true(message.is_type(event))
    assert.equal("event", message.role(event))
    assert.equal("message", message.role(tide.messages.ping))
    assert.is_nil(message.role {})
    assert.is_nil(message.role(nil))
  end)

  it("name themselves in what they refuse", function()
    refused(
      function()
        tide.group_message ""
      end,
      'tide.group_message: the action must be a string of UTF-8 that is not empty, got the string ""'
    )
    local event <const> = tide.event "notify"
    refused(function()
      event.action = "x"
    end, 'the event "notify" cannot be changed; tide.event declares another')
    refused(
      function()
        tide.message("chat", event)
      end,
      'tide.message: the payload of "chat" must be a schema or a table of fields, '
        .. 'got the event "notify"'
    )
  end)
end)
