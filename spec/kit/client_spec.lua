--- What a client of the test kit sends and receives, and what it says when it waits in vain: over a
--- server whose every word these specs decide.

local fake_kit <const> = require "spec.support.fake_kit"
local failure <const> = require "spec.support.failure"

local here <const> = debug.getinfo(1, "S").source:sub(2)

describe("a client", function()
  local server, kit, client, link
  local apps = {}

  before_each(function()
    server = {}
    kit = fake_kit.new(server)
  end)

  after_each(function()
    for _, app in ipairs(apps) do
      app:close()
    end
    apps = {}
  end)

  --- Connects; `path` and `options` as for app:connect.
  local function connect(options)
    local app <const> = require "tidegate.testing.library"(kit).app "consumers"
    apps[#apps + 1] = app
    client = app:connect("/ws/chat", options)
    link = kit.core.link
    return client
  end

  local function fails_here(fails)
    local text <const>, place <const> = failure(fails)
    local info <const> = debug.getinfo(fails, "S")
    local line <const> = tonumber(place:match "^.*:(%d+)$")
    assert.equal(here, place:match "^(.*):%d+$")
    assert.is_true(line >= info.linedefined and line <= info.lastlinedefined, place)
    return text
  end

  describe("receives", function()
    it("frames in their order", function()
      server.connected = function(to)
        to:deliver '{"action":"a"}'
        to:deliver '{"action":"b"}'
      end
      connect()
      assert.frame({ action = "a" }, client:receive())
      assert.frame({ action = "b" }, client:receive())
      assert.equal(0, kit.core.time)
    end)

    it("what takes its time, and moves the clock no further", function()
      connect()
      link:deliver('{"action":"late"}', 0.75)
      assert.frame({ action = "late" }, client:receive())
      assert.equal(0.75, kit.core.time)
    end)

    it("binary frames and texts as tables", function()
      connect()
      link:deliver { kind = "binary", data = "\1\2" }
      assert.same({ binary = "\1\2" }, client:receive())
      link:deliver "no JSON"
      assert.same({ text = "no JSON" }, client:receive())
      server.is_text = true
      connect()
      link:deliver '{"action":"a"}'
      assert.same({ text = '{"action":"a"}' }, client:receive())
    end)

    it("no pings", function()
      connect()
      link:deliver { kind = "ping", data = "" }
      link:deliver('{"action":"a"}', 0.5)
      assert.frame({ action = "a" }, client:receive())
      assert.equal("ping", client:frames()[1].kind)
    end)

    it("what it waits for, and tells what came before", function()
      connect()
      link:deliver '{"action":"a"}'
      link:deliver('{"action":"b","payload":1}', 0.5)
      link:deliver('{"action":"b","payload":2}', 0.75)
      local frame <const>, before <const> = client:receive_until { payload = 2 }
      assert.frame({ action = "b", payload = 2 }, frame)
      assert.equal(2, #before)
      assert.frame({ action = "a" }, before[1])
      assert.frame({ payload = 1 }, before[2])
      link:deliver '{"action":"c"}'
      assert.frame({ action = "c" }, (client:receive_until "c"))
    end)

    it("nothing, where nothing is there", function()
      connect()
      assert.is_true(client:receive_nothing())
      assert.equal(0, kit.core.time)
      link:deliver('{"action":"late"}', 3)
      assert.is_true(client:receive_nothing(2))
      assert.equal(2, kit.core.time)
      assert.frame({ action = "late" }, client:receive())
    end)
  end)

  describe("receives all", function()
    before_each(function()
      connect()
    end)

    it("up to `complete`, which is left out", function()
      client:send { action = "a" }
      link:deliver '{"action":"a"}'
      link:deliver '{"action":"b"}'
      link:deliver '{"action":"complete"}'
      link:deliver '{"action":"c"}'
      local all <const> = client:receive_all()
      assert.equal(2, #all)
      assert.frame({ action = "b" }, all[2])
      assert.equal(0, kit.core.time)
      assert.frame({ action = "c" }, client:receive())
    end)

    it("and the group's message too, before or behind", function()
      for _, order in ipairs { { "group_complete", "complete" }, { "complete", "group_complete" } } do
        client:send { action = "a" }
        link:deliver '{"action":"first"}'
        link:deliver(('{"action":"%s"}'):format(order[1]))
        link:deliver '{"action":"second"}'
        link:deliver(('{"action":"%s"}'):format(order[2]))
        assert.equal(2, #client:receive_all { wait_group = true })
        assert.is_true(client:receive_nothing())
      end
    end)

    it("of a group of which it is a silent member", function()
      link:deliver '{"action":"news"}'
      link:deliver '{"action":"group_complete"}'
      link:deliver '{"action":"more"}'
      assert.equal(1, #client:receive_all { wait_group = true })
    end)

    it("until nothing more comes", function()
      link:deliver('{"action":"a"}', 0.5)
      link:deliver('{"action":"b"}', 1)
      link:deliver('{"action":"c"}', 9)
      assert.equal(2, #client:receive_all { timeout = 2 })
      assert.equal(3, kit.core.time)
    end)

    it("until the connection ends", function()
      link:deliver '{"action":"a"}'
      link:deliver { kind = "close", code = 1000 }
      assert.equal(1, #client:receive_all())
      assert.equal(0, kit.core.time)
    end)
  end)

  describe("sends", function()
    before_each(function()
      connect()
    end)

    it("tables as JSON, exactly", function()
      client:send {
        action = "a",
        payload = { n = 9007199254740993, list = { 1.5, true }, text = 'ü"\n' },
      }
      assert.equal(
        [[{"action":"a","payload":{"list":[1.5,true],"n":9007199254740993,"text":"ü\"\n"}}]],
        link.sent[1].data
      )
    end)

    it("strings as they are, and bytes", function()
      client:send "{broken"
      client:send_binary "\0\1"
      assert.same(
        { { kind = "text", data = "{broken" }, { kind = "binary", data = "\0\1" } },
        link.sent
      )
    end)

    it("nothing that is no message", function()
      assert.equal(
        "client:send: expected a table, a message or a string, got 3",
        fails_here(function()
          client:send(3)
        end)
      )
      assert.equal(
        "client:send: payload.f is a function, which JSON cannot say",
        fails_here(function()
          client:send { action = "a", payload = { f = print } }
        end)
      )
      assert.same({}, link.sent)
    end)

    it("nothing when it has left", function()
      client:close(1001, "bye")
      client:close()
      assert.same({ { kind = "close", 1001, "bye" } }, link.sent)
      assert.equal(
        "this client has left: client:close was called before",
        fails_here(function()
          client:send { action = "a" }
        end)
      )
    end)
  end)

  describe("calls", function()
    it("and gets what carries its ref, leaving the others", function()
      server.message = function(to, text)
        to:deliver '{"action":"news"}'
        to:deliver(('{"action":"answer","ref":%s}'):format(text:match '"ref":(".-")'))
        to:deliver(('{"action":"complete","ref":%s}'):format(text:match '"ref":(".-")'))
        to:deliver '{"action":"later"}'
      end
      connect()
      assert.frame({ action = "answer", ref = "k:1" }, client:call { action = "ask" })
      assert.equal('{"action":"ask","ref":"k:1"}', link.sent[1].data)
      assert.frame({ action = "news" }, client:receive())
      assert.frame({ action = "later" }, client:receive())
      assert.is_true(client:receive_nothing())
    end)

    it("with the ref that the message has", function()
      server.message = function(to)
        to:deliver '{"action":"error","payload":[],"ref":7}'
      end
      connect()
      assert.frame({ action = "error", ref = 7 }, client:call { action = "ask", ref = 7 })
      assert.frame({ action = "error" }, client:call '{"action":"ask","ref":7}')
      assert.equal('{"action":"ask","ref":7}', link.sent[2].data)
    end)

    it("and gets `complete` when there is no other answer", function()
      server.message = function(to)
        to:deliver '{"action":"complete","ref":"k:1"}'
      end
      connect()
      assert.frame({ action = "complete" }, client:call { action = "ask" })
    end)

    it("for a topic", function()
      server.message = function(to, text)
        to:deliver((text:gsub("subscribe", "subscribed")))
      end
      connect()
      assert.exact_frame(
        { action = "subscribed", topic = "room:a", ref = "1" },
        client:subscribe("room:a", "1")
      )
      assert.frame({ action = "unsubscribed", topic = "room:a" }, client:unsubscribe "room:a")
    end)

    it("and answers the server's questions", function()
      connect()
      link:deliver '{"action":"sure","payload":"Really?","ref":"s:1"}'
      client:answer(client:receive(), { yes = true })
      assert.equal('{"action":"sure","payload":{"yes":true},"ref":"s:1"}', link.sent[1].data)
      assert.equal(
        'client:answer: this frame asks nothing, it has no ref: {"action":"a"}',
        fails_here(function()
          client:answer({ action = "a" }, true)
        end)
      )
    end)
  end)

  describe("says why it waits in vain:", function()
    it("nothing came", function()
      connect()
      client:send { action = "ask" }
      link:deliver('{"action":"news"}', 0.25)
      client:receive()
      assert.equal(
        [[no frame came within 2 s
  the client of /ws/chat (consumer "chat"); the clock stands at 2.250 s
  what went over its connection (-> to the server, <- from it):
    0.000 s  -> {"action":"ask"}
    0.250 s  <- {"action":"news"}]],
        fails_here(function()
          client:receive(2)
        end)
      )
    end)

    it("a handler raised", function()
      connect()
      kit.core.lines = {
        { level = "info", event = "connected", at = 0, fields = { conn = "c1" } },
        {
          level = "error",
          event = "handler_failed",
          at = 0,
          fields = { conn = "c2", error = "of another" },
        },
        {
          level = "error",
          event = "handler_failed",
          at = 0.5,
          fields = {
            conn = "c1",
            consumer = "chat",
            action = "ask",
            source = "consumers/chat.lua:12",
            error = "consumers/chat.lua:12: attempt to index a nil value (local 'room')",
            traceback = "consumers/chat.lua:12: attempt to index a nil value (local 'room')\nstack traceback:\n"
              .. "\t[C]: in ?\n\tconsumers/chat.lua:12: in upvalue 'greet'\n\tconsumers/chat.lua:30: in function <x>",
          },
        },
        {
          level = "warning",
          event = "script",
          at = 0.5,
          fields = { text = "no rooms", room = "blue" },
        },
      }
      assert.equal(
        [[no frame like "answer" came within 1 s
  the client of /ws/chat (consumer "chat"); the clock stands at 1.000 s
  nothing went over its connection
  what the log says:
    0.500 s  error handler_failed (ask): consumers/chat.lua:12: attempt to index a nil value (local 'room')
               consumers/chat.lua:12: in upvalue 'greet'
               consumers/chat.lua:30: in function <x>
    0.500 s  warning: no rooms room=blue]],
        fails_here(function()
          client:receive_until "answer"
        end)
      )
    end)

    it("the server closed", function()
      connect()
      link:deliver({ kind = "close", code = 1011, reason = "oh" }, 0.125)
      assert.equal(
        [[no frame came: the server closed the connection with 1011 "oh"
  the client of /ws/chat (consumer "chat"); the clock stands at 0.125 s
  what went over its connection (-> to the server, <- from it):
    0.125 s  <- close 1011 "oh"]],
        fails_here(function()
          client:receive()
        end)
      )
    end)

    it("it has left itself", function()
      connect()
      client:close()
      assert.is_truthy(fails_here(function()
        client:receive()
      end):find "^no frame came: this client had left %(client:close%)\n")
    end)

    it("something came where nothing was to come", function()
      connect()
      link:deliver '{"action":"news"}'
      assert.is_truthy(fails_here(function()
        client:receive_nothing()
      end):find '^nothing was to come, and this frame came: {"action":"news"}\n')
    end)

    it("it was answered long before it spoke, in that order", function()
      connect()
      link:deliver '{"action":"first"}'
      client:send { action = "a" }
      local text <const> = fails_here(function()
        client:receive_until "b"
      end)
      assert.is_truthy(text:find('<%- {"action":"first"}.*%-> {"action":"a"}'), text)
    end)

    it("it has stopped reading", function()
      connect()
      client:stall()
      local told <const> =
        'the client of /ws/chat (consumer "chat"), which has stopped reading; the'
      local fails <const> = function()
        client:assert_closed()
      end
      assert.is_truthy(fails_here(fails):find(told, 1, true))
      client:resume()
      assert.is_nil(fails_here(fails):find("stopped reading", 1, true))
    end)

    it("no answer had its ref", function()
      connect()
      link:deliver '{"action":"news","ref":"k:9"}'
      local text <const> = fails_here(function()
        client:call { action = "ask" }
      end)
      assert.is_truthy(text:find '^no answer with ref "k:1" came within 1 s\n')
      assert.is_truthy(text:find('<- {"action":"news","ref":"k:9"}', 1, true))
    end)
  end)

  describe("takes only what its consumer declares:", function()
    it("an undeclared frame fails the spec", function()
      server.check = function(consumer, text)
        assert.equal("chat", consumer)
        assert.equal('{"action":"secret"}', text)
        return nil, "undeclared"
      end
      connect()
      link:deliver '{"action":"secret"}'
      assert.equal(
        [[the consumer "chat" sent a frame that it does not declare: action "secret"
  the frame: {"action":"secret"}
  declare it in `sends` of the consumer or in the handler's `output`, or connect with { strict = false }]],
        fails_here(function()
          client:receive()
        end)
      )
    end)

    it("so does one that is not as declared", function()
      server.check = function()
        return nil,
          {
            {
              loc = { "payload", "n" },
              type = "int_type",
              msg = "Input should be a valid integer",
            },
          }
      end
      connect()
      link:deliver '{"action":"a","payload":{"n":"x"}}'
      assert.equal(
        [[the consumer "chat" sent a frame that is not what it declares:
    at payload.n: Input should be a valid integer (int_type)
  the frame: {"action":"a","payload":{"n":"x"}}
  correct what the handler sends, or the declaration of the message]],
        fails_here(function()
          client:receive()
        end)
      )
    end)

    it("unless it was told not to", function()
      server.check = function()
        return nil, "undeclared"
      end
      connect { strict = false }
      link:deliver '{"action":"secret"}'
      assert.frame({ action = "secret" }, client:receive())
    end)
  end)

  describe("sees the end:", function()
    before_each(function()
      connect()
    end)

    it("with a code and a reason", function()
      link:deliver '{"action":"bye"}'
      link:deliver({ kind = "close", code = 4401, reason = "expired" }, 0.5)
      local ending <const> = client:assert_closed(4401, "^exp")
      assert.equal(0.5, ending.at)
      assert.frame({ action = "bye" }, client:receive())
    end)

    it("not as expected", function()
      link:deliver { kind = "close", code = 1011, reason = "" }
      assert.is_truthy(
        fails_here(function()
          client:assert_closed(4401)
        end):find "^the connection was to be closed with 4401, and the server closed the connection with 1011\n"
      )
      assert.is_truthy(
        fails_here(function()
          client:assert_closed(1011, "expired")
        end):find '^the close was to have a reason like "expired", and the server closed the connection with 1011\n'
      )
    end)

    it("not at all", function()
      assert.is_truthy(fails_here(function()
        client:assert_closed(1000)
      end):find "^the connection is still open after 1 s\n")
    end)
  end)

  it("is authenticated", function()
    connect()
    link:deliver '{"action":"authentication","payload":{"status_code":200,"status_text":"OK"}}'
    client:assert_authenticated()
    link:deliver '{"action":"authentication","payload":{"status_code":403,"status_text":"Forbidden"}}'
    assert.equal(
      [[this client is not authenticated as expected
  at payload.status_code
    expected: 200
    got:      403
  the frame: {"action":"authentication","payload":{"status_code":403,"status_text":"Forbidden"}}]],
      fails_here(function()
        client:assert_authenticated()
      end)
    )
  end)

  it("closes at the end of its scope", function()
    do
      local scoped <close> = connect()
      assert.is_not_nil(scoped)
    end
    assert.same({ { kind = "close", 1000, "" } }, link.sent)
  end)

  it("shows what came, with times", function()
    connect()
    link:deliver '{"action":"a"}'
    client:receive()
    client:send { action = "b" }
    link:deliver({ kind = "binary", data = "\0\255" }, 12.5)
    link:deliver({ kind = "end" }, 13)
    client:receive(20)
    pcall(client.receive, client)
    assert.equal(
      [[    0.000 s  <- {"action":"a"}
   12.500 s  <- binary, 2 bytes: 00 ff
   13.000 s  <- the connection ended]],
      tostring(client:frames())
    )
    assert.equal(12.5, client:frames()[2].at)
    assert.equal("a", client:frames()[1].frame.action)
  end)
end)
