local fresh <const> = require "spec.support.fresh"
local program <const> = require "spec.support.program"
local refused <const> = require "spec.support.refused"

describe("tide.topic", function()
  local tide, host, collect

  before_each(function()
    tide, host = fresh.load()
    collect = require("tidegate.consumer").collect
  end)

  it(
    "declares what its options and methods say, for the host to read behind its consumer",
    function()
      local say <const>, said <const> = tide.message "say", tide.message "said"
      local joined <const> = tide.event "joined"
      local function authorise() end
      local room <const> = tide.topic {
        pattern = "room:{name}",
        description = "A room",
        tags = { "rooms" },
        sends = said,
        authorise = authorise,
      }
      room:on(say, { output = said }, function() end)
      room:relay(joined)
      local hub <const> = tide.consumer { path = "/ws/hub", topics = { room } }
      local declared <const> = collect(hub, "hub.lua")[1]
      assert.is_false(declared.is_topic)
      local topic <const> = declared.topics[1]
      assert.equal("room:{name}", topic.name)
      assert.equal("A room", topic.description)
      assert.same({ "rooms" }, topic.tags)
      assert.same({ said }, topic.sends)
      assert.equal(authorise, topic.authorise)
      assert.equal(say, topic.actions[1].type)
      assert.equal(joined, topic.events[1].type)
      assert.is_truthy(topic.source:find "topic_spec%.lua:%d+$")
    end
  )

  it("is a consumer's paths alone with the option topic", function()
    local room <const> = tide.topic { pattern = "room:{name}" }
    local alone <const> = tide.consumer { path = "/ws/{name}", name = "room", topic = room }
    local declared <const> = collect(alone, "x.lua")[1]
    assert.is_true(declared.is_topic)
    assert.equal("room:{name}", declared.topics[1].name)
  end)

  it("asks the host for what it does from anywhere", function()
    local asked <const> = {}
    for _, name in ipairs { "topic_count", "topic_broadcast", "topic_broadcast_event" } do
      host[name] = function(...)
        asked[#asked + 1] = table.concat({ name, ... }, " ")
        return #asked
      end
    end
    local room <const> = tide.topic { pattern = "room:{name}" }
    assert.equal(1, room:count "room:a")
    assert.equal(2, room:broadcast("room:a", "message"))
    assert.equal(3, room:broadcast_event("room:a", "event"))
    assert.same({
      "topic_count room:{name} room:a",
      "topic_broadcast room:{name} room:a message",
      "topic_broadcast_event room:{name} room:a event",
    }, asked)
  end)

  describe("refuses", function()
    it("to have no pattern, or one that is too long", function()
      refused(function()
        tide.topic {}
      end, 'tide.topic: needs a pattern, as in pattern = "room:{room_name}"')
      refused(
        function()
          tide.topic { pattern = ("a"):rep(201) }
        end,
        ('tide.topic: a pattern has at most 200 bytes, got the string "%s..."'):format(
          ("a"):rep(40)
        )
      )
    end)

    it("options that there are not", function()
      refused(
        function()
          tide.topic { patern = "room" }
        end,
        'tide.topic: unknown option "patern"; did you mean "pattern"? (options: authorise, '
          .. "description, on_subscribe, on_unsubscribe, pattern, sends, tags)"
      )
      refused(
        function()
          tide.topic { pattern = "room", authorise = true }
        end,
        'tide.topic: option "authorise" must be a function, or a permission of tide.auth, got the boolean true'
      )
    end)

    it("handlers of what is the topic's own, and two of one action", function()
      local room <const> = tide.topic { pattern = "room" }
      refused(
        function()
          room:on(tide.message "subscribe", function() end)
        end,
        'on: "subscribe" is what a client says to the topic itself; see authorise, on_subscribe '
          .. "and on_unsubscribe"
      )
      local say <const> = tide.message "say"
      room:on(say, function() end)
      local is_fine <const>, text <const> = pcall(function()
        room:on(say, function() end)
      end)
      assert.is_false(is_fine)
      assert.is_truthy(text:find('has a second handler for "say"', 1, true), text)
    end)

    it("names that it does not have", function()
      local room <const> = tide.topic { pattern = "room" }
      refused(
        function()
          room:cuont "room"
        end,
        'tidegate.topic has no method "cuont"; did you mean "count"? (methods: broadcast, '
          .. "broadcast_event, count, on, on_event, relay)"
      )
      refused(function()
        room.connected = function() end
      end, 'the topic "room" cannot be changed; give connected to tide.topic as an option')
    end)

    it("to be hosted as something else", function()
      refused(
        function()
          tide.consumer { path = "/ws/a", topics = { "room:{name}" } }
        end,
        'tide.consumer: option "topics" must be a list of topics (what tide.topic returns), got a table'
      )
      refused(function()
        tide.consumer { path = "/ws/a", topic = tide.consumer { path = "/ws/b" } }
      end, 'tide.consumer: option "topic" must be a topic (what tide.topic returns), got a table')
      local room <const> = tide.topic { pattern = "room" }
      refused(function()
        tide.consumer { path = "/ws/a", topic = room, topics = { room } }
      end, 'tide.consumer: has option "topic", a topic alone, and "topics": give one of them')
    end)

    it("a handler of the consumer's own beside a topic alone", function()
      local alone <const> =
        tide.consumer { path = "/ws/a", topic = tide.topic { pattern = "room" } }
      local is_fine <const>, text <const> = pcall(function()
        alone:on(tide.messages.ping, function() end)
      end)
      assert.is_false(is_fine)
      assert.is_truthy(
        text:find("is a topic alone, topic = ..., which handles what its clients send", 1, true),
        text
      )
    end)
  end)

  describe("with the program", function()
    local header <const> = 'local tide <const> = require "tidegate"\n'

    ---@param command string
    ---@param text string
    ---@return string output
    ---@return integer status
    local function run(command, text)
      local app <close> = program.app { ["a.lua"] = header .. text }
      local output <const>, status <const> = program.run(command, app.path)
      return (output:gsub(app.path:gsub("%p", "%%%0") .. "/", "")), status
    end

    ---@param text string
    ---@param ... string
    local function is_refused(text, ...)
      local output <const>, status <const> = run("check", text)
      assert.equal(1, status, output)
      for _, expected in ipairs { ... } do
        assert.is_truthy(
          output:find(expected, 1, true),
          ("%s\nis not in\n%s"):format(expected, output)
        )
      end
    end

    it("names both topics that one consumer could not tell apart", function()
      is_refused(
        [[local a <const> = tide.topic { pattern = "room:{a}" }
local b <const> = tide.topic { pattern = "room:{b}" }
return tide.consumer { path = "/ws/a", topics = { a, b } }
]],
        'Consumer "a" (a.lua:4) hosts the topics "room:{a}" (a.lua:2) and "room:{b}" (a.lua:3), which are '
          .. "the same to a client: change or remove one."
      )
    end)

    it("names both topics whose subscribers would be one group", function()
      is_refused(
        [[local a <const> = tide.topic { pattern = "room:{name}" }
local b <const> = tide.topic { pattern = "room:{name}" }
return { tide.consumer { path = "/ws/a", topics = { a } }, tide.consumer { path = "/ws/b", topics = { b } } }
]],
        'The topic "room:{name}" is declared twice, at a.lua:2 and at a.lua:3'
      )
    end)

    it("says what is wrong with a pattern, and where it stands", function()
      local function with(pattern)
        return ('return tide.consumer { path = "/ws/a", topics = { tide.topic { pattern = "%s" } } }\n'):format(
          pattern
        )
      end
      is_refused(
        with "room:",
        'a.lua:2: The topic pattern "room:" is wrong at byte 5',
        "a segment is empty"
      )
      is_refused(with "room:{a", "a parameter fills a whole segment, as in room:{name}")
      is_refused(with "room:{a:text}", "the type of a parameter is int, slug, uuid or path")
      is_refused(with "room:{a}:{a}", "this parameter stands here twice")
    end)

    it("says which parameter the path of a topic alone lacks", function()
      is_refused(
        [[local a <const> = tide.topic { pattern = "room:{name}" }
return tide.consumer { path = "/ws/{room}", name = "a", topic = a }
]],
        'a.lua:3: The path "/ws/{room}" has no parameter {name}, which its topic "room:{name}" (a.lua:2) is made of.'
      )
    end)

    it("lists topics and what they handle below their path", function()
      local output <const>, status <const> = run(
        "routes",
        [[local a <const> = tide.topic { pattern = "room:{name}" }
a:on(tide.message "say", function() end)
return tide.consumer { path = "/ws/a", topics = { a } }
]]
      )
      assert.equal(0, status, output)
      assert.equal("/ws/a  a    a.lua:4\n  room:{name}  say  a.lua:2\n", output)
    end)

    it("counts what a topic uses as used", function()
      local output <const> = run(
        "check",
        [[local a <const> = tide.topic { pattern = "room:{name}" }
local said <const> = tide.message "said"
a:on(tide.message "say", { output = said }, function() return said() end)
return tide.consumer { path = "/ws/a", topics = { a } }
]]
      )
      assert.is_truthy(output:find "no warnings", output)
    end)
  end)
end)
