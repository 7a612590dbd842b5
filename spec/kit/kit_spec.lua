--- The test kit over the real core: what a spec of an application sees.

local failure <const> = require "spec.support.failure"
local program <const> = require "spec.support.program"
local require_before <const>, path_before <const> = require, package.path

local testing <const> = require "tidegate.testing"

local here <const> = debug.getinfo(1, "S").source:sub(2)

--- The line of this file in which the caller stands.
local function line()
  return debug.getinfo(2, "l").currentline
end

describe("the test kit", function()
  local app

  after_each(function()
    if app then
      app:close()
      app = nil
    end
  end)

  it("leaves the state's own require alone", function()
    assert.equal(require_before, require)
    assert.equal(path_before, package.path)
  end)

  it("is found by plain busted in a folder of the user's, as the manual says", function()
    local manual <const>, page <close> = {}, assert(io.open "docs/testing.md")
    for block in page:read("a"):gmatch "```lua\n(.-)```" do
      manual[block:match "^[^\n]+"] = block
    end
    local root <const> = io.popen("pwd"):read "l"
    local configuration <const>, places <const> =
      manual["return {"]:gsub("/home/ann/tidegate", { ["/home/ann/tidegate"] = root })
    assert.equal(2, places)
    local spec <const> = manual["-- spec/system_spec.lua"]
    local folder <close> =
      program.app { [".busted"] = configuration, ["spec/system_spec.lua"] = spec }
    local command <const> = "ln -s %s/consumers %s && cd %s && busted -o TAP 2>&1"
    local pipe <close> = io.popen(command:format(root, folder.path, folder.path))
    local name <const> = "the system consumer greets, and echoes a message to its sender"
    assert.equal(("ok 1 - %s\n1..1\n"):format(name), pipe:read "a")
  end)

  describe("with a folder", function()
    before_each(function()
      app = testing.app "consumers"
    end)

    it("plays the first spec of the manual", function()
      local client <close> = app:connect "/ws/system"
      assert.exact_frame(
        { action = "system_echo", payload = { message = "🔧 System: Connection established!" } },
        client:receive()
      )
      client:send { action = "user_message", payload = { message = "Hello" } }
      assert.exact_frame(
        { action = "system_echo", payload = { message = "🔧 System Echo: Hello" } },
        client:receive()
      )
      assert.frame({ action = "pong", ref = "k:1" }, client:call { action = "ping" })
      assert.is_true(client:receive_nothing(10))
      client:send { action = "user_message", payload = {} }
      assert.error_at(client:receive(), { "payload", "message" }, "missing")
      assert.equal(10, app:now())
      assert.equal(3, app:metric "tidegate_messages_received_total")
    end)

    it("sends messages of the application's own types", function()
      local messages <const> = app:require "system.messages"
      local client <close> = app:connect "/ws/system"
      client:receive()
      client:send(messages.user_message { message = "typed" })
      assert.frame({ payload = { message = "🔧 System Echo: typed" } }, client:receive())
    end)

    it("gives a spec the modules of the application, to stub their functions", function()
      local notes <close> = testing.app "spec/support/apps/notes"
      local save <const> = stub(notes:require "store", "save").returns(7)
      local client <close> = notes:connect "/ws/notes"
      assert.frame(
        { action = "noted", payload = { id = 7 } },
        client:call { action = "note", payload = { text = "milk" } }
      )
      assert.stub(save).was_called(1)
      assert.stub(save).was_called_with "milk"
    end)

    it("tells of a refused connection", function()
      local client <const>, refusal <const> = app:connect "/ws/nowhere"
      assert.is_nil(client)
      assert.equal(404, refusal.status)
      assert.is_string(refusal.json.detail)
    end)
  end)

  describe("with a consumer of the spec", function()
    local tide <const> = require "tidegate"
    local s <const> = tide.schema
    local ask <const> = tide.message("ask", { how_many = s.integer() })
    local answer <const> =
      tide.message("answer", { how_many = s.integer(), tags = s.array(s.string()) })

    local function consumer(handler, options)
      options = options or {}
      local Chat <const> = tide.consumer {
        name = "chat",
        path = "/ws/chat",
        camelize = options.camelize,
        sends = options.sends,
      }
      Chat:on(ask, { output = options.output }, handler)
      return Chat
    end

    it("sends its messages in the consumer's own naming", function()
      app = testing.app(consumer(function(_, message)
        return answer { how_many = message.payload.how_many + 1, tags = {} }
      end, { output = answer, camelize = true }))
      local client <close> = app:connect "/ws/chat"
      client:send(ask { how_many = 9007199254740993 })
      assert.exact_frame(
        { action = "answer", payload = { howMany = 9007199254740994, tags = tide.array {} } },
        client:receive()
      )
      assert.equal('{"action":"ask","payload":{"howMany":9007199254740993}}', client.seen[1].data)
    end)

    it("fails a spec that receives what is not declared", function()
      app = testing.app(consumer(function()
        return answer { how_many = 1, tags = {} }
      end))
      local client <close> = app:connect "/ws/chat"
      client:send(ask { how_many = 1 })
      local text <const>, place <const> = failure(function()
        client:receive()
      end)
      assert.equal(
        [[the consumer "chat" sent a frame that it does not declare: action "answer"
  the frame: {"action":"answer","payload":{"how_many":1,"tags":[]}}
  declare it in `sends` of the consumer or in the handler's `output`, or connect with { strict = false }]],
        text
      )
      assert.equal(here, place:match "^(.*):%d+$")
      client:send(ask { how_many = 1 })
      local lenient <close> = app:connect("/ws/chat", { strict = false })
      lenient:send(ask { how_many = 1 })
      assert.frame({ action = "answer" }, lenient:receive())
    end)

    it("says where a handler raised that leaves a client waiting", function()
      local raised_at
      app = testing.app(consumer(function(_, message)
        raised_at = line() + 1
        return message.payload.room.name
      end, { output = answer }))
      local client <close> = app:connect "/ws/chat"
      client:send(ask { how_many = 1 })
      local text <const> = failure(function()
        client:receive_until "answer"
      end)
      local expected <const> = ("error handler_failed (ask): %s:%d: "):format(here, raised_at)
        .. "attempt to index a nil value (field 'room')"
      assert.is_truthy(text:find(expected, 1, true), text)
      assert.is_truthy(text:find('^no frame like "answer" came within 1 s\n'), text)
    end)

    it("answers the server's questions", function()
      app = testing.app(consumer(function(conn)
        local answered <const> = conn:call(ask { how_many = 5 }, { timeout = 3 })
        return answer { how_many = answered and answered.how_many or -1, tags = {} }
      end, { output = answer, sends = { ask } }))
      local client <close> = app:connect "/ws/chat"
      client:send(ask { how_many = 1 })
      client:answer(client:receive(), { how_many = 7 })
      assert.frame({ action = "answer", payload = { how_many = 7 } }, client:receive())
      client:send(ask { how_many = 1 })
      client:receive()
      assert.frame({ action = "answer", payload = { how_many = -1 } }, client:receive(5))
      assert.equal(3, app:now())
    end)

    it("tells what is left, and where it waits", function()
      local started_at
      app = testing.app(consumer(function()
        started_at = line() + 1
        tide.spawn(function()
          tide.sleep(3600)
        end)
      end))
      local client <const> = app:connect "/ws/chat"
      assert.is_truthy(failure(function()
        assert.no_leaks(app)
      end):find "1 connection\n    /ws/chat, connected at ")
      client:send(ask { how_many = 1 })
      local text <const> = failure(function()
        assert.no_leaks(app)
      end)
      assert.is_truthy(
        text:find(("1 task\n    started at %s:%d"):format(here, started_at), 1, true),
        text
      )
      client:close()
      assert.no_leaks(app)
    end)
  end)

  describe("with what a function declares", function()
    it("reaches its functions with spies", function()
      local store <const> = { save = function() end }
      app = testing.app(function(tide)
        local note <const> = tide.message("note", { text = tide.schema.string() })
        local Notes <const> = tide.consumer { path = "/ws/notes" }
        Notes:on(note, function(_, message)
          store.save(message.payload.text)
        end)
        return Notes
      end)
      local save <const> = spy.on(store, "save")
      local client <close> = app:connect "/ws/notes"
      client:send { action = "note", payload = { text = "milk" } }
      assert.spy(save).was_called(1)
      assert.spy(save).was_called_with "milk"
      client:receive_nothing()
    end)

    it("serves texts and binary frames", function()
      app = testing.app(function(tide)
        return tide.text_consumer {
          path = "/ws/raw",
          receive = function(conn, data, is_binary)
            if is_binary then
              conn:send_binary(data:reverse())
            else
              conn:send_text("Echo: " .. data)
            end
          end,
        }
      end)
      local client <close> = app:connect "/ws/raw"
      client:send "{hi}"
      client:send_binary "\1\2\3"
      assert.same({ text = "Echo: {hi}" }, client:receive())
      assert.same({ binary = "\3\2\1" }, client:receive())
    end)

    it("waits for half a minute in no time", function()
      app = testing.app(function(tide)
        local tick <const> = tide.message "tick"
        local Clock <const> = tide.consumer { path = "/ws/clock", sends = { tick } }
        function Clock:connected(conn)
          tide.sleep(30)
          conn:send(tick())
        end
        return Clock
      end)
      local client <close> = app:connect "/ws/clock"
      assert.is_true(client:receive_nothing(29))
      assert.frame({ action = "tick" }, client:receive(2))
      assert.equal(30, app:now())
    end)

    it("is closed by its handlers", function()
      app = testing.app(function(tide)
        local Door <const> = tide.consumer { path = "/ws/door" }
        function Door:connected(conn)
          conn:close(4403, "not you")
        end
        return Door
      end)
      local client <close> = app:connect "/ws/door"
      client:assert_closed(4403, "^not")
      assert.is_truthy(failure(function()
        client:receive()
      end):find '^no frame came: the server closed the connection with 4403 "not you"\n')
    end)
  end)
end)
