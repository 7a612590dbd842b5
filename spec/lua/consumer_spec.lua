local fresh <const> = require "spec.support.fresh"
local refused <const> = require "spec.support.refused"

local function nothing() end

describe("tide.consumer", function()
  local tide, host, collect

  before_each(function()
    tide, host = fresh.load()
    collect = require("tidegate.consumer").collect
  end)

  ---@return tidegate.Declaration
  local function declaration_of(consumer)
    local declarations <const> = collect(consumer, "consumers/x.lua")
    assert.equal(1, #declarations)
    return declarations[1]
  end

  ---@return integer # the line that calls it
  local function here()
    return debug.getinfo(2, "l").currentline
  end

  describe("declares", function()
    it("what its options say", function()
      local echo <const> = tide.message "echo"
      local before <const> = function() end
      local authenticate <const> = function() end
      local consumer <const> = tide.consumer {
        name = "chat-1",
        path = "/ws/chat",
        description = "Talks",
        tags = { "a", "b" },
        headers = { "X-Request-Id" },
        sends = echo,
        strict_frames = true,
        camelize = true,
        before = before,
        groups = { "a", "日本" },
        origins = { "https://example.org" },
        require_origin = true,
        admit = authenticate,
        subprotocols = { "chat.v2", "chat.v1" },
        authenticate = authenticate,
        send_authentication = false,
      }
      local declaration <const> = declaration_of(consumer)
      assert.equal("chat-1", declaration.name)
      assert.same({ "/ws/chat" }, declaration.paths)
      assert.equal("Talks", declaration.description)
      assert.same({ "a", "b" }, declaration.tags)
      assert.same({ "x-request-id" }, declaration.headers)
      assert.equal(echo, declaration.sends[1])
      assert.is_true(declaration.strict_frames)
      assert.is_true(declaration.camelize)
      assert.equal(before, declaration.before)
      assert.same({ "a", "日本" }, declaration.groups)
      assert.same({ "https://example.org" }, declaration.origins)
      assert.is_true(declaration.require_origin)
      assert.equal(authenticate, declaration.admit)
      assert.same({ "chat.v2", "chat.v1" }, declaration.subprotocols)
      assert.equal(authenticate, declaration.authenticate)
      assert.is_false(declaration.send_authentication)
      assert.equal(consumer, declaration.object)
      assert.is_false(declaration.is_text)
    end)

    it("nothing that was left out", function()
      local declaration <const> = declaration_of(tide.consumer { path = "/ws/chat" })
      assert.same({}, declaration.tags)
      assert.same({}, declaration.headers)
      assert.same({}, declaration.sends)
      assert.same({}, declaration.actions)
      assert.is_false(declaration.strict_frames)
      assert.is_false(declaration.camelize)
      assert.is_nil(declaration.description)
      assert.is_nil(declaration.connected)
      assert.is_nil(declaration.before)
      assert.same({}, declaration.groups)
      assert.same({}, declaration.origins)
      assert.is_false(declaration.require_origin)
      assert.is_nil(declaration.admit)
      assert.same({}, declaration.subprotocols)
      assert.is_nil(declaration.authenticate)
      assert.is_true(declaration.send_authentication)
    end)

    it("groups as a name, a list or a function, and those of its mixins behind them", function()
      local function first()
        return {}
      end
      local chat <const> = tide.consumer { path = "/ws/chat", groups = first }
      chat:use(tide.mixin { groups = "lobby" })
      chat:use(tide.mixin { groups = { "a", "b" } })
      assert.same({ first, "lobby", "a", "b" }, declaration_of(chat).groups)
    end)

    it("no change to the list of groups that it was given", function()
      local names <const> = { "a" }
      local chat <const> = tide.consumer { path = "/ws/chat", groups = names }
      chat:use(tide.mixin { groups = "b" })
      assert.same({ "a" }, names)
    end)

    it("its place and itself to the host, whether it is returned or not", function()
      local line <const> = here() + 1
      local consumer <const> = tide.consumer { path = "/ws/chat" }
      assert.equal(1, #host.declarations)
      assert.equal(consumer, host.declarations[1].object)
      assert.matches("consumer_spec%.lua:" .. line .. "$", host.declarations[1].source)
    end)

    it("several paths", function()
      local declaration <const> = declaration_of(tide.consumer { path = { "/a", "/b" } })
      assert.same({ "/a", "/b" }, declaration.paths)
    end)

    it("a name taken from its path, parameters aside", function()
      local names <const> = {
        ["/ws/chat"] = "chat",
        ["/ws/rooms/{room_id:uuid}"] = "rooms",
        ["/ws/echo.v2/"] = "echo_v2",
      }
      for path, name in pairs(names) do
        assert.equal(name, declaration_of(tide.consumer { path = path }).name)
      end
    end)
  end)

  describe("refuses", function()
    it("an unknown option, with the name that was probably meant", function()
      refused(
        function()
          tide.consumer { pth = "/ws/chat" }
        end,
        'tide.consumer: unknown option "pth"; did you mean "path"? (options: admit, '
          .. "authenticate, before, camelize, description, groups, headers, migrate, name, origins, path, "
          .. "require_origin, send_authentication, send_completion, sends, strict_frames, subprotocols, "
          .. "tags, topic, topics)"
      )
    end)

    it("to handle what no client sends", function()
      local consumer <const> = tide.consumer { path = "/ws/chat" }
      refused(
        function()
          consumer:on(tide.event "notify", nothing)
        end,
        'on: the event "notify" stays in the server: an event is no message of a client; '
          .. "handle it with on_event, or declare what a client sends with tide.message"
      )
      refused(
        function()
          consumer:on(tide.group_message "chat", nothing)
        end,
        'on: the group message "chat" goes from the server to a group, and no client sends it; '
          .. "declare what a client sends with tide.message"
      )
    end)

    it("to answer with an event, but not with a group message", function()
      local consumer <const>, event <const> = tide.consumer { path = "/ws" }, tide.event "notify"
      local expected <const> = 'names the event "notify", which no client is sent; '
        .. "name the message that its handler answers"
      refused(function()
        consumer:on(tide.messages.ping, { output = { tide.messages.pong, event } }, nothing)
      end, 'on: option "output" ' .. expected)
      refused(function()
        tide.consumer { path = "/ws", sends = event }
      end, 'tide.consumer: option "sends" ' .. expected)
      refused(function()
        tide.mixin { sends = { event } }
      end, 'tide.mixin: option "sends" ' .. expected)
      local group <const> = tide.group_message "chat"
      local fine <const> = tide.consumer { path = "/ws", sends = group }
      assert.equal(group, declaration_of(fine).sends[1])
    end)

    it("options of the wrong type", function()
      local list_of_origins <const> = 'a list of origins, as in { "https://example.org" }'
      local list_of_subprotocols <const> = "a list of different names of 1 to 62 characters, "
        .. 'as in { "chat.v2", "chat.v1" }'
      local names_of_groups <const> = "a list of names of 1 to 200 bytes of UTF-8, "
        .. "or a function that returns one"
      local cases <const> = {
        { { path = "ws" }, '"path" must be a path that begins with "/", or a list of such paths' },
        { { path = {} }, '"path" must be a path that begins with "/", or a list of such paths' },
        { { name = "a b" }, '"name" must be a name of letters, digits, "_" and "-"' },
        { { tags = "a" }, '"tags" must be a list of strings' },
        { { tags = { "a", 3 } }, '"tags" must be a list of strings' },
        {
          { headers = { "a b" } },
          '"headers" must be a list of header names, as in { "x-request-id" }',
        },
        { { strict_frames = 1 }, '"strict_frames" must be true or false' },
        { { before = "x" }, '"before" must be a function' },
        {
          { sends = { "x" } },
          '"sends" must be a message type (what tide.message returns) or a list of them',
        },
        { { description = "" }, '"description" must be a string that is not empty' },
        { { groups = 1 }, '"groups" must be ' .. names_of_groups },
        { { groups = "" }, '"groups" must be ' .. names_of_groups },
        { { groups = { "a", 3 } }, '"groups" must be ' .. names_of_groups },
        { { groups = { "a", ("a"):rep(201) } }, '"groups" must be ' .. names_of_groups },
        { { groups = { "\xff" } }, '"groups" must be ' .. names_of_groups },
        { { origins = "https://example.org" }, '"origins" must be ' .. list_of_origins },
        { { origins = { "" } }, '"origins" must be ' .. list_of_origins },
        { { require_origin = 1 }, '"require_origin" must be true or false' },
        { { admit = 1 }, '"admit" must be a function' },
        { { subprotocols = { "a b" } }, '"subprotocols" must be ' .. list_of_subprotocols },
        { { subprotocols = { "a", "a" } }, '"subprotocols" must be ' .. list_of_subprotocols },
        { { subprotocols = { ("a"):rep(63) } }, '"subprotocols" must be ' .. list_of_subprotocols },
        { { subprotocols = { "1.0" } }, '"subprotocols" must be ' .. list_of_subprotocols },
        { { authenticate = 1 }, '"authenticate" must be a function' },
        { { send_authentication = 1 }, '"send_authentication" must be true or false' },
      }
      for _, case in ipairs(cases) do
        local _, value <const> = next(case[1])
        local shown <const> = type(value) == "table" and "a table"
          or type(value) == "string" and 'the string "' .. value .. '"'
          or "the number 1"
        refused(function()
          tide.consumer(case[1])
        end, "tide.consumer: option " .. case[2] .. ", got " .. shown)
      end
    end)

    it("options that are no table", function()
      refused(function()
        tide.consumer "/ws/chat"
      end, 'tide.consumer: expected a table of options, got the string "/ws/chat"')
    end)
  end)

  describe("on", function()
    it("adds handlers in the order of the calls", function()
      local consumer <const> = tide.consumer { path = "/ws/chat" }
      local ping <const>, chat <const> = tide.messages.ping, tide.message "chat"
      local line <const> = here() + 1
      consumer:on(ping, nothing)
      consumer:on(chat, {
        summary = "Says",
        description = "Says it to all",
        tags = { "talk" },
        output = { ping, chat },
      }, nothing)
      local actions <const> = declaration_of(consumer).actions
      assert.equal("ping", actions[1].action)
      assert.equal(ping, actions[1].type)
      assert.equal(nothing, actions[1].handler)
      assert.same({}, actions[1].outputs)
      assert.matches(":" .. line .. "$", actions[1].source)
      assert.equal("chat", actions[2].action)
      assert.equal("Says", actions[2].summary)
      assert.equal("Says it to all", actions[2].description)
      assert.same({ "talk" }, actions[2].tags)
      assert.equal(ping, actions[2].outputs[1])
      assert.equal(chat, actions[2].outputs[2])
    end)

    it("takes one message type as output", function()
      local consumer <const> = tide.consumer { path = "/ws/chat" }
      consumer:on(tide.messages.ping, { output = tide.messages.pong }, nothing)
      assert.equal(tide.messages.pong, declaration_of(consumer).actions[1].outputs[1])
    end)

    it("refuses a second handler for an action and names both lines", function()
      local consumer <const> = tide.consumer { path = "/ws/chat" }
      local source <const> = host.declarations[1].source
      local file <const>, line <const> = source:match "^(.*):(%d+)$"
      local first <const> = ("%s:%d"):format(file, line + 4)
      consumer:on(tide.messages.ping, nothing)
      local second <const> = ("%s:%d"):format(file, line + 8)
      refused(
        function()
          consumer:on(tide.messages.ping, nothing)
        end,
        ('the consumer of %s has a second handler for "ping": at '):format(source)
          .. ("%s and at %s; keep one"):format(first, second)
      )
    end)

    it("refuses what is no message type and no function", function()
      local consumer <const> = tide.consumer { path = "/ws/chat" }
      refused(function()
        consumer:on("ping", nothing)
      end, 'on: expected a message type (what tide.message returns), got the string "ping"')
      refused(function()
        consumer:on(nil, nothing)
      end, "on: expected a message type (what tide.message returns), got nothing")
      refused(function()
        consumer:on(tide.messages.ping)
      end, 'on: the handler of "ping" must be a function, got nothing')
      refused(function()
        consumer:on(tide.messages.ping, nothing, { summary = "Handle ping requests" })
      end, 'on: the handler of "ping" must be a function, got a table')
      refused(
        function()
          consumer:on(tide.messages.ping, { sumary = "x" }, nothing)
        end,
        'on: unknown option "sumary"; did you mean "summary"? '
          .. "(options: concurrency, description, output, summary, tags, timeout)"
      )
    end)

    it("says that it is called with a colon", function()
      local consumer <const> = tide.consumer { path = "/ws/chat" }
      refused(function()
        consumer.on(tide.messages.ping, nothing)
      end, "call on with a colon: Consumer:on(...)")
    end)
  end)

  describe("hooks", function()
    it("are assigned", function()
      local consumer <const> = tide.consumer { path = "/ws/chat" }
      function consumer.connected() end
      function consumer.disconnected() end
      function consumer.reloaded() end
      local declaration <const> = declaration_of(consumer)
      assert.is_function(declaration.connected)
      assert.is_function(declaration.reloaded)
      assert.equal(consumer.connected, declaration.connected)
      assert.equal(consumer.disconnected, declaration.disconnected)
      assert.equal(consumer.reloaded, declaration.reloaded)
    end)

    it("refuse a name that is none, at the line of the assignment", function()
      local consumer <const> = tide.consumer { path = "/ws/chat" }
      local source <const> = host.declarations[1].source
      refused(
        function()
          function consumer.conected() end
        end,
        ('the consumer of %s has no hook "conected"; did you mean "connected"? '):format(source)
          .. "(hooks: connected, disconnected, reloaded; helpers are locals)"
      )
      refused(
        function()
          consumer.counter = 0
        end,
        ('the consumer of %s has no hook "counter" '):format(source)
          .. "(hooks: connected, disconnected, reloaded; helpers are locals)"
      )
    end)

    it("refuse what is no function", function()
      local consumer <const> = tide.consumer { path = "/ws/chat" }
      refused(function()
        consumer.connected = true
      end, 'the hook "connected" must be a function, got the boolean true')
    end)

    it("are assigned once", function()
      local consumer <const> = tide.consumer { path = "/ws/chat" }
      consumer.connected = nothing
      assert.error_matches(function()
        consumer.connected = nothing
      end, 'has a second hook "connected": at .*:%d+ and at .*:%d+; keep one$')
    end)
  end)

  it("takes one handler of binary messages", function()
    local consumer <const> = tide.consumer { path = "/ws/chat" }
    consumer:on_binary(nothing)
    assert.equal(nothing, declaration_of(consumer).binary)
    assert.error_matches(function()
      consumer:on_binary(nothing)
    end, "has a second on_binary: at .*; keep one$")
    refused(function()
      consumer:on_binary "x"
    end, 'on_binary: the handler must be a function, got the string "x"')
  end)

  describe("use", function()
    it("takes over handlers, hooks, headers and what is sent", function()
      local mixin <const> = tide.mixin { headers = { "X-Trace" }, sends = tide.messages.pong }
      mixin:on(tide.messages.ping, nothing)
      mixin:on_binary(nothing)
      mixin.connected = nothing
      local consumer <const> = tide.consumer { path = "/ws/chat", headers = { "x-a" } }
      consumer:use(mixin)
      local declaration <const> = declaration_of(consumer)
      assert.equal("ping", declaration.actions[1].action)
      assert.equal(nothing, declaration.binary)
      assert.equal(nothing, declaration.connected)
      assert.same({ "x-a", "x-trace" }, declaration.headers)
      assert.equal(tide.messages.pong, declaration.sends[1])
    end)

    it("serves several consumers", function()
      local mixin <const> = tide.mixin()
      mixin:on(tide.messages.ping, nothing)
      for _, path in ipairs { "/a", "/b" } do
        local consumer <const> = tide.consumer { path = path }
        consumer:use(mixin)
        assert.equal(1, #declaration_of(consumer).actions)
      end
    end)

    it("refuses what the consumer has already", function()
      local mixin <const> = tide.mixin()
      mixin:on(tide.messages.ping, nothing)
      local consumer <const> = tide.consumer { path = "/ws/chat" }
      consumer:on(tide.messages.ping, nothing)
      assert.error_matches(function()
        consumer:use(mixin)
      end, 'has a second handler for "ping": at .*:%d+ and at .*:%d+; keep one$')
    end)

    it("is the end of the mixin's declarations", function()
      local mixin <const> = tide.mixin()
      tide.consumer({ path = "/ws/chat" }):use(mixin)
      assert.error_matches(function()
        mixin:on(tide.messages.ping, nothing)
      end, 'the mixin of .* was used at .*:%d+ already; declare its handler for "ping" before$')
    end)

    it("refuses what is no mixin", function()
      local consumer <const> = tide.consumer { path = "/ws/chat" }
      refused(function()
        consumer:use {}
      end, "use: expected a mixin (what tide.mixin returns), got a table")
      refused(function()
        consumer:use(consumer)
      end, "use: expected a mixin (what tide.mixin returns), got a table")
    end)
  end)

  describe("for text", function()
    it("hands frames on, and connections to hooks without the consumer", function()
      local heard <const> = {}
      local consumer <const> = tide.text_consumer {
        path = "/ws/raw",
        receive = nothing,
        connected = function(conn)
          heard.connected = conn
        end,
        disconnected = function(conn, code, reason)
          heard.disconnected = { conn, code, reason }
        end,
        reloaded = function(conn, from_generation)
          heard.reloaded = { conn, from_generation }
        end,
      }
      local declaration <const> = declaration_of(consumer)
      assert.is_true(declaration.is_text)
      assert.equal("raw", declaration.name)
      assert.equal(nothing, declaration.receive)
      declaration.connected(consumer, "conn")
      declaration.disconnected(consumer, "conn", 1001, "bye")
      declaration.reloaded(consumer, "conn", 6)
      assert.same(
        { connected = "conn", disconnected = { "conn", 1001, "bye" }, reloaded = { "conn", 6 } },
        heard
      )
    end)

    it("needs receive", function()
      refused(function()
        tide.text_consumer { path = "/ws/raw" }
      end, "tide.text_consumer: needs receive = function(conn, data, is_binary) ... end")
    end)

    it("refuses options of messages and assigned hooks", function()
      refused(
        function()
          tide.text_consumer { path = "/ws/raw", recieve = nothing }
        end,
        'tide.text_consumer: unknown option "recieve"; did you mean "receive"? '
          .. "(options: admit, authenticate, connected, description, disconnected, groups, headers, migrate, "
          .. "name, origins, path, receive, reloaded, require_origin, subprotocols, tags)"
      )
      local consumer <const> = tide.text_consumer { path = "/ws/raw", receive = nothing }
      assert.error_matches(function()
        consumer.connected = nothing
      end, "cannot be changed; give connected to tide.text_consumer as an option$")
    end)
  end)
end)
