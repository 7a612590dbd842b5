--- What consumers declare of events, and what is sent; what C does with both is seen with the program
--- (spec/wire/events.test.js).

local fresh <const> = require "spec.support.fresh"
local refused <const> = require "spec.support.refused"

local function nothing() end

describe("an event", function()
  local tide, host, collect, notify, consumer

  before_each(function()
    tide, host = fresh.load()
    collect = require("tidegate.consumer").collect
    notify = tide.event("notify", { content = tide.schema.string() })
    consumer = tide.consumer { path = "/ws/chat" }
  end)

  ---@return tidegate.Action[]
  local function events_of(handle)
    return collect(handle, "consumers/x.lua")[1].events
  end

  describe("is declared", function()
    it("with a handler and options", function()
      local shown <const> = tide.message "shown"
      consumer:on_event(notify, {
        summary = "Shows it",
        description = "To everybody",
        tags = { "a" },
        output = shown,
        timeout = 2,
      }, nothing)
      local event <const> = events_of(consumer)[1]
      assert.equal("notify", event.action)
      assert.equal(notify, event.type)
      assert.equal(nothing, event.handler)
      assert.equal("Shows it", event.summary)
      assert.equal("To everybody", event.description)
      assert.same({ "a" }, event.tags)
      assert.equal(shown, event.outputs[1])
      assert.equal(2, event.timeout)
      assert.matches("event_spec%.lua:%d+$", event.source)
      assert.is_nil(event.is_relay)
    end)

    it("without options", function()
      consumer:on_event(notify, nothing)
      assert.equal(nothing, events_of(consumer)[1].handler)
    end)

    it("as one that is relayed", function()
      consumer:relay(notify, { summary = "Passes it on" })
      local event <const> = events_of(consumer)[1]
      assert.is_true(event.is_relay)
      assert.is_nil(event.handler)
      assert.equal("Passes it on", event.summary)
    end)

    it("beside a message of the same name", function()
      consumer:on(tide.message "notify", nothing)
      consumer:on_event(notify, nothing)
      local declaration <const> = collect(consumer, "consumers/x.lua")[1]
      assert.equal(1, #declaration.actions)
      assert.equal(1, #declaration.events)
    end)

    it("by a mixin", function()
      local mixin <const> = tide.mixin()
      mixin:on_event(notify, nothing)
      mixin:relay(tide.event "joined")
      consumer:use(mixin)
      local events <const> = events_of(consumer)
      assert.equal("notify", events[1].action)
      assert.equal("joined", events[2].action)
    end)
  end)

  describe("is refused", function()
    it("with a second handler, and both places are named", function()
      consumer:on_event(notify, nothing)
      local is_fine <const>, problem <const> = pcall(function()
        consumer:relay(notify)
      end)
      assert.is_false(is_fine)
      assert.matches(
        'the consumer of .*event_spec%.lua:%d+ has a second handler for the event "notify": '
          .. "at .*event_spec%.lua:%d+ and at .*event_spec%.lua:%d+; keep one",
        problem
      )
    end)

    it("when it is none", function()
      refused(function()
        consumer:on_event(tide.message "chat", nothing)
      end, 'on_event: expected an event (what tide.event returns), got the message type "chat"')
      refused(function()
        consumer:relay "notify"
      end, 'relay: expected an event (what tide.event returns), got the string "notify"')
    end)

    it("without a function", function()
      refused(function()
        consumer:on_event(notify, { summary = "x" })
      end, 'on_event: the handler of "notify" must be a function, got nothing')
    end)

    it("with options that it has not", function()
      refused(
        function()
          consumer:on_event(notify, { concurrency = 2 }, nothing)
        end,
        'on_event: unknown option "concurrency" (options: description, output, summary, tags, timeout)'
      )
      refused(function()
        consumer:relay(notify, { output = tide.message "x" })
      end, 'relay: unknown option "output" (options: description, summary, tags)')
    end)

    it("as what a handler answers", function()
      refused(
        function()
          consumer:on_event(notify, { output = notify }, nothing)
        end,
        'on_event: option "output" names the event "notify", which no client is sent; '
          .. "name the message that its handler answers"
      )
    end)
  end)

  describe("is sent", function()
    it("to a connection", function()
      local event <const> = notify { content = "x" }
      assert.is_true(tide.send_event("a1", event))
      assert.same({ { to = "a1", event = event } }, host.events)
    end)

    it("to groups", function()
      local event <const> = notify { content = "x" }
      tide.broadcast_event("all", event)
      tide.broadcast_event({ "a", "b" }, event)
      assert.same(
        { { groups = "all", event = event }, { groups = { "a", "b" }, event = event } },
        host.events
      )
    end)

    it("to a consumer, by the name that it has", function()
      local event <const> = notify { content = "x" }
      collect(consumer, "consumers/x.lua")
      tide.broadcast_event(consumer, event)
      assert.same({ { consumer = "chat", event = event } }, host.events)
    end)

    it("but not to a consumer that is not served, nor to a mixin", function()
      local is_fine <const>, problem <const> = pcall(function()
        tide.broadcast_event(consumer, notify { content = "x" })
      end)
      assert.is_false(is_fine)
      assert.matches(
        "event_spec%.lua:%d+: tide%.broadcast_event: the consumer of .*event_spec%.lua:%d+ is not "
          .. "served: no entry module returns it",
        problem
      )
      refused(function()
        tide.broadcast_event(tide.mixin(), notify { content = "x" })
      end, "tide.broadcast_event: expected groups or a consumer of messages, got a table")
    end)
  end)

  it("is what send_completion tells of, but not of a text consumer", function()
    assert.is_false(collect(consumer, "consumers/x.lua")[1].send_completion)
    local telling <const> = tide.consumer { path = "/ws/tell", send_completion = true }
    assert.is_true(collect(telling, "consumers/x.lua")[1].send_completion)
    refused(
      function()
        tide.text_consumer { path = "/ws/raw", receive = nothing, send_completion = true }
      end,
      'tide.text_consumer: unknown option "send_completion" (options: admit, authenticate, '
        .. "authentication_timeout, authorise_groups, connected, description, disconnected, grace, groups, "
        .. "headers, migrate, name, object, origins, path, permissions, reauthenticate_seconds, receive, reloaded, "
        .. "require_origin, subprotocols, tags)"
    )
  end)
end)
