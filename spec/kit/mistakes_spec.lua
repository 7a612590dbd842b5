--- What somebody reads who gets groups, events and topics wrong: what, at which of their lines, and
--- what to do about it.

local testing <const> = require "tidegate.testing"

local here <const> = debug.getinfo(1, "S").short_src

describe("a mistake with", function()
  local app, tide, message, event, Topic, Consumer, on_go, on_subscribe, on_groups

  --- Runs `fn` in a handler, and returns what it raised, without the place that is this file.
  local function raised(fn)
    local is_right, text
    on_go = function(conn)
      is_right, text = pcall(fn, conn)
    end
    local client <close> = assert(app:connect("/ws/room", { strict = false }))
    client:send { action = "go" }
    assert.is_false(is_right)
    local line <const>, rest <const> = text:match("^" .. here:gsub("%p", "%%%0") .. ":(%d+): (.*)$")
    local info <const> = debug.getinfo(fn, "S")
    assert(line, "raised elsewhere: " .. text)
    assert.is_true(tonumber(line) >= info.linedefined and tonumber(line) <= info.lastlinedefined)
    return rest
  end

  --- The same with a subscription.
  local function raised_with_subscription(fn)
    local is_right, text
    on_subscribe = function(sub)
      is_right, text = pcall(fn, sub)
    end
    local client <close> = assert(app:connect("/ws/room", { strict = false }))
    client:subscribe "room:a"
    assert.is_false(is_right)
    return (text:gsub("^" .. here:gsub("%p", "%%%0") .. ":%d+: ", ""))
  end

  before_each(function()
    app = testing.app(function(library)
      tide = library
      local s <const> = tide.schema
      message = tide.message("note", { text = s.string() }) { text = "hi" }
      event = tide.event("told", { text = s.string() }) { text = "hi" }
      Topic = tide.topic {
        pattern = "room:{name}",
        on_subscribe = function(sub)
          return on_subscribe(sub)
        end,
      }
      Consumer = tide.consumer {
        path = "/ws/room",
        topics = { Topic },
        groups = function(conn)
          return on_groups and on_groups(conn) or {}
        end,
      }
      Consumer:on(tide.message "go", function(conn)
        on_go(conn)
      end)
      return Consumer
    end)
    on_groups = nil
  end)

  after_each(function()
    app:close()
  end)

  it("a name that is left out says that there is none", function()
    assert.equal(
      "conn:join: the name of a group is a string, got nothing",
      raised(function(conn)
        conn:join()
      end)
    )
    assert.equal(
      "tide.group: the name of a group is a string, got nothing",
      raised(function()
        tide.group()
      end)
    )
  end)

  it("a consumer or a topic where groups are meant is told how it is reached", function()
    local hint <const> = "%s: groups are a name or a list of names, got %s"
    assert.equal(
      hint:format("tide.broadcast", "a tidegate.consumer"),
      raised(function()
        tide.broadcast(Consumer, message)
      end)
    )
    assert.equal(
      hint:format("tide.broadcast", "a tidegate.topic: Topic:broadcast reaches its subscribers"),
      raised(function()
        tide.broadcast(Topic, message)
      end)
    )
    assert.equal(
      hint:format("conn:broadcast", "a tidegate.consumer"),
      raised(function(conn)
        conn:broadcast(message, { groups = Consumer })
      end)
    )
    assert.equal(
      "tide.broadcast_event: expected groups or a consumer of messages, got the topic "
        .. '"room:{name}": Topic:broadcast_event reaches its subscribers',
      raised(function()
        tide.broadcast_event(Topic, event)
      end)
    )
  end)

  it("options that are none are told for what they are", function()
    assert.equal(
      'conn:broadcast: expected a table of options, as in { groups = "name" }, got a string',
      raised(function(conn)
        conn:broadcast(message, "everybody")
      end)
    )
    assert.equal(
      "tide.broadcast: expected a table of options, as in { exclude = conn }, got a string",
      raised(function()
        tide.broadcast("everybody", message, "me")
      end)
    )
    assert.equal(
      "sub:broadcast: expected a table of options, as in { exclude_current = true }, got a string",
      raised_with_subscription(function(sub)
        sub:broadcast(message, "everybody")
      end)
    )
    assert.equal(
      "sub:broadcast: unknown option 'groups' (options: exclude_current)",
      raised_with_subscription(function(sub)
        sub:broadcast(message, { groups = "a" })
      end)
    )
    assert.equal(
      "conn:broadcast: unknown option 'group' (options: exclude_current, groups)",
      raised(function(conn)
        conn:broadcast(message, { group = "a" })
      end)
    )
    assert.equal(
      "conn:broadcast: exclude_current is true or false, got a number",
      raised(function(conn)
        conn:broadcast(message, { exclude_current = 1 })
      end)
    )
  end)

  it("a dot for a colon shows the call", function()
    assert.equal(
      "count is called with a colon: tide.group(name):count()",
      raised(function()
        tide.group("a").count()
      end)
    )
    assert.equal(
      "close is called with a colon: tide.user(id):close()",
      raised(function()
        tide.user("a").close(4001)
      end)
    )
    assert.equal(
      "call on with a colon: Topic:on(...)",
      raised(function()
        Topic.on(message, function() end)
      end)
    )
    assert.equal(
      "call on with a colon: Consumer:on(...)",
      raised(function()
        Consumer.on(message, function() end)
      end)
    )
  end)

  it("the parameters of a topic names the one that is missing, or wrong", function()
    assert.equal(
      "Topic:broadcast: the topic 'room:{name}' needs 'name', a string or an integer, got nothing",
      raised(function()
        Topic:broadcast({}, message)
      end)
    )
    assert.equal(
      "Topic:count: the topic 'room:{name}' needs 'name', a string or an integer, got a boolean",
      raised(function()
        Topic:count { name = true }
      end)
    )
    assert.equal(
      "Topic:count: 'name' of the topic 'room:{name}' has no colon in it, got 'a:b'",
      raised(function()
        Topic:count { name = "a:b" }
      end)
    )
  end)

  it("what authorise and the hooks of a topic return is told with the topic's place", function()
    local function error_of(options)
      local place
      local other <close> = testing.app(function(library)
        place = here .. ":" .. debug.getinfo(1, "l").currentline + 1
        local Room <const> = library.topic(options(library))
        return library.consumer { path = "/ws/room", topics = { Room } }
      end)
      local client <close> = assert(other:connect("/ws/room", { strict = false }))
      client:subscribe "room:a"
      client:unsubscribe "room:a"
      local fields <const> = other:logs("handler_failed")[1].fields
      assert.equal(place, fields.source)
      return (fields.error:gsub(place:gsub("%p", "%%%0"), "PLACE", 1))
    end
    assert.equal(
      "PLACE: authorise returned a number: it returns true, or false and a sentence",
      error_of(function()
        return {
          pattern = "room:{name}",
          authorise = function()
            return 1
          end,
        }
      end)
    )
    assert.equal(
      "PLACE: authorise returned a number as a detail: it is a sentence",
      error_of(function()
        return {
          pattern = "room:{name}",
          authorise = function()
            return false, 1
          end,
        }
      end)
    )
    assert.equal(
      "PLACE: on_unsubscribe returned a message: only handlers of messages reply, "
        .. "a hook sends with sub:send",
      error_of(function(library)
        local late <const> = library.message "late"
        return {
          pattern = "room:{name}",
          on_unsubscribe = function()
            return late()
          end,
        }
      end)
    )
  end)

  it("names that have no camel case is found at load, in whatever a topic has", function()
    local clash <const> = 'has no names in camel case, which consumer "room"'
    for _, put in ipairs {
      function(library, Room, fields)
        Room:relay(library.event("told", fields))
      end,
      function(library, Room, fields)
        local message_type <const> = library.message("note", fields)
        Room:on_event(library.event "told", { output = message_type }, function() end)
      end,
      function(library, Room, fields)
        Room:on(library.message("note", fields), function() end)
      end,
    } do
      local is_right <const>, text <const> = pcall(testing.app, function(library)
        local Room <const> = library.topic { pattern = "room:{name}" }
        local s <const> = library.schema
        put(library, Room, { user_name = s.string(), userName = s.string() })
        return library.consumer { path = "/ws/room", topics = { Room }, camelize = true }
      end)
      assert.is_false(is_right)
      assert.matches(clash:gsub('"', "'"), text, 1, true)
    end
  end)

  it(
    "an event where a message is meant, and the other way round, names the right function",
    function()
      assert.equal(
        "Topic:broadcast: the event 'told' is not for clients: Topic:broadcast_event tells it to consumers",
        raised(function()
          Topic:broadcast("room:a", event)
        end)
      )
      assert.equal(
        "Topic:broadcast_event: 'note' is a message for clients, and no event: tide.event declares one",
        raised(function()
          Topic:broadcast_event("room:a", message)
        end)
      )
      assert.equal(
        "Topic:broadcast_event: an event is expected (what tide.event returned, called with its payload), "
          .. "got a string",
        raised(function()
          Topic:broadcast_event("room:a", "told")
        end)
      )
    end
  )

  it("a declaration that comes too late says so, instead of doing nothing", function()
    local late <const> = "%s: declared while modules load, not by a handler"
    for what, declare in pairs {
      ["tide.consumer"] = function()
        return tide.consumer { path = "/ws/late" }
      end,
      ["tide.text_consumer"] = function()
        return tide.text_consumer { path = "/ws/late", receive = print }
      end,
      ["tide.mixin"] = function()
        return tide.mixin()
      end,
      ["tide.topic"] = function()
        return tide.topic { pattern = "late" }
      end,
      ["tide.router"] = function()
        return tide.router("/late", {})
      end,
      ["tide.on_start"] = function()
        return tide.on_start(print)
      end,
    } do
      assert.equal(late:format(what), raised(declare))
    end
    local too_late <const> = "^it is too late for the %s of .+:%%d+: declare it while modules load$"
    for what, declare in pairs {
      ['handler for "ping" of the consumer'] = function()
        Consumer:on(tide.messages.ping, print)
      end,
      ['handler for "ping" of the topic'] = function()
        Topic:on(tide.messages.ping, print)
      end,
      ['hook "connected" of the consumer'] = function()
        function Consumer.connected() end
      end,
    } do
      assert.matches(too_late:format(what), raised(declare))
    end
  end)

  it("a topic that is put into a router is shown what gives it a path", function()
    local is_right <const>, text <const> = pcall(testing.app, function(library)
      local Room <const> = library.topic { pattern = "room:{name}" }
      return library.router("/ws", { ["/room"] = Room })
    end)
    assert.is_false(is_right)
    assert.matches(
      'the entry at "/room" must be a consumer or a router, got the topic "room:{name}"; '
        .. "tide.consumer { topic = ... } gives it a path",
      text,
      1,
      true
    )
  end)

  it("what `groups` returns is found when it is no list", function()
    on_groups = function()
      return { room = "a" }
    end
    local client <const> = assert(app:connect("/ws/room", { strict = false }))
    client:assert_closed(1011)
    assert.matches(
      "groups returned a table with other keys: it returns a list of names",
      app:logs("handler_failed")[1].fields.error
    )
  end)
end)
