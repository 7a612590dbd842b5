--- Groups and events in the test kit: what an application publishes, and what a spec sends into it.

local failure <const> = require "spec.support.failure"
local testing <const> = require "tidegate.testing"

local chat, said, notify

--- A room that tells everybody what one says; events become messages.
local function declare(tide)
  local s <const> = tide.schema
  chat = tide.message("chat", { text = s.string() })
  said = tide.group_message("said", { text = s.string() })
  notify = tide.event("notify", { level = s.string() })
  local notice <const> = tide.message("notice", { level = s.string() })
  local Room <const> = tide.consumer {
    name = "room",
    path = "/ws/room/{name}",
    send_completion = true,
    groups = function(conn)
      return { "room_" .. conn.params.name }
    end,
    sends = { said },
  }
  Room:on(chat, function(conn, message)
    conn:broadcast(said { text = message.payload.text })
    tide.broadcast_event(Room, notify { level = "loud" })
  end)
  Room:on_event(notify, { output = notice }, function(_, event)
    return notice { level = event.payload.level }
  end)
  return Room
end

describe("an application with groups", function()
  local app, ann, bob

  before_each(function()
    app = testing.app(declare)
    ann = assert(app:connect "/ws/room/blue")
    bob = assert(app:connect "/ws/room/blue")
  end)

  after_each(function()
    app:close()
  end)

  it("tells the whole room, and each when all is said", function()
    ann:send { action = "chat", payload = { text = "hi" } }
    local to_ann <const> = ann:receive_all { wait_group = true }
    local to_bob <const> = bob:receive_all { wait_group = true }
    assert.frame({ action = "said", payload = { text = "hi" }, is_current = true }, to_ann[1])
    assert.equal(1, #to_bob)
    assert.frame({ action = "said", payload = { text = "hi" }, is_current = false }, to_bob[1])
    assert.frame({ action = "notice" }, bob:receive())
  end)

  it("is told things by a spec", function()
    assert.equal(2, app:broadcast("room_blue", said { text = "all" }))
    assert.frame({ action = "said", payload = { text = "all" } }, bob:receive())
    assert.equal(2, app:broadcast_event("room_blue", notify { level = "low" }))
    assert.frame({ action = "notice", payload = { level = "low" } }, (bob:receive_until "notice"))
    assert.is_true(app:send_event(ann.id, notify { level = "one" }))
    assert.frame(
      { payload = { level = "one" } },
      (ann:receive_until { payload = { level = "one" } })
    )
    assert.equal(2, app:group("room_blue"):count())
    assert.equal(0, app:user("nobody"):count())
  end)

  it("names the line of the spec that tells it what is none", function()
    local line <const> = debug.getinfo(1, "l").currentline
    local calls <const> = {
      function()
        app:broadcast("room_blue", { action = "said" })
      end,
      function()
        app:send_event(ann.id, said { text = "no event" })
      end,
      function()
        app:broadcast_event("room_blue", "notify")
      end,
      function()
        app:group(7)
      end,
      function()
        app:user {}
      end,
    }
    for index, call in ipairs(calls) do
      local text <const>, place <const> = failure(call)
      assert.equal(("spec/kit/groups_spec.lua:%d"):format(line + 3 * index), place, text)
      assert.is_truthy(text:find "^tide%.", text)
    end
  end)

  it("is asserted to have broadcast", function()
    assert.is_not.broadcast(app, "room_blue", { action = "said" })
    ann:send { action = "chat", payload = { text = "hi" } }
    assert.broadcast(app, "room_blue", { action = "said", payload = { text = "hi" } })
    assert.equal(
      [[Expected a broadcast to "room_red" like {"action":"said"}.
What was broadcast:
  to room_blue: {"action":"said","payload":{"text":"hi"}}]],
      failure(function()
        assert.broadcast(app, "room_red", { action = "said" })
      end)
    )
    assert.equal(
      [[Expected no broadcast to "room_blue" like {"action":"said"}.
There is:
  to room_blue: {"action":"said","payload":{"text":"hi"}}]],
      failure(function()
        assert.is_not.broadcast(app, "room_blue", { action = "said" })
      end)
    )
  end)

  it("keeps broadcasts back while they are captured", function()
    local captured <const> = app:capture_broadcasts(function()
      ann:send { action = "chat", payload = { text = "hi" } }
    end)
    assert.equal(1, #captured)
    assert.frame({ action = "said", payload = { text = "hi" } }, captured[1].frame)
    assert.same({ "room_blue" }, captured[1].groups)
    assert.equal(ann.id, captured[1].sender)
    assert.equal(0, captured[1].receivers)
    assert.frame({ action = "notice" }, bob:receive())
    ann:send { action = "chat", payload = { text = "again" } }
    assert.frame({ action = "said", payload = { text = "again" } }, (bob:receive_until "said"))
  end)

  it("delivers them when it is told to", function()
    local captured <const> = app:capture_broadcasts(function()
      ann:send { action = "chat", payload = { text = "hi" } }
    end, { deliver = true })
    assert.equal(2, captured[1].receivers)
    assert.frame({ action = "said" }, bob:receive())
  end)

  it("captures events", function()
    local captured <const> = app:capture_events(function()
      ann:send { action = "chat", payload = { text = "hi" } }
    end)
    assert.equal(1, #captured)
    assert.frame({ action = "notify", payload = { level = "loud" } }, captured[1].frame)
    assert.equal("room", captured[1].consumer)
    assert.frame({ action = "said" }, bob:receive())
    assert.frame({ action = "group_complete" }, bob:receive())
    assert.is_true(bob:receive_nothing())
  end)

  it("delivers again when what was captured has failed", function()
    assert.has_error(function()
      app:capture_broadcasts(function()
        error("oh", 0)
      end)
    end, "oh")
    assert.equal(2, app:broadcast("room_blue", said { text = "all" }))
  end)

  it("goes on when the channel layer is down", function()
    app:inject { layer = "down" }
    local count <const>, problem <const> = app:broadcast("room_blue", said { text = "lost" })
    assert.is_nil(count)
    assert.is_string(problem)
    app:inject { layer = false }
    assert.equal(2, app:broadcast("room_blue", said { text = "all" }))
    assert.frame({ payload = { text = "all" } }, bob:receive())
    assert.is_truthy(failure(function()
      app:inject { layer = "up" }
    end):find('app:inject: layer is "down", or false when it works again', 1, true))
  end)

  it("leaves nothing behind", function()
    ann:send { action = "chat", payload = { text = "hi" } }
    ann:close()
    bob:drop()
    assert.no_leaks(app)
  end)
end)
