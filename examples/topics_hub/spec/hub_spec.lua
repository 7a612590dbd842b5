--- Run with `tidegate test examples/topics_hub`.

local testing <const> = require "tidegate.testing"

local function posted(room_name, text, is_current)
  return {
    action = "posted",
    payload = { message = text, room_name = room_name },
    topic = "room:" .. room_name,
    is_mine = false,
    is_current = is_current,
  }
end

local function post(room_name, text)
  return { action = "post", topic = "room:" .. room_name, payload = { message = text } }
end

local function present(user, connections)
  return {
    action = "present",
    payload = { user = user, connections = connections },
    topic = "presence:" .. user,
  }
end

describe("the topics hub", function()
  local app, ann, bob

  before_each(function()
    app = testing.app "."
    ann = assert(app:connect "/ws/topics")
    bob = assert(app:connect "/ws/topics")
  end)

  after_each(function()
    app:close()
  end)

  it("carries what is posted to the subscribers of that room, the sender too", function()
    ann:subscribe "room:lobby"
    ann:subscribe "room:kitchen"
    bob:subscribe "room:lobby"
    ann:send(post("lobby", "Hello"))
    assert.exact_frame(posted("lobby", "Hello", true), ann:receive())
    assert.exact_frame(posted("lobby", "Hello", false), bob:receive())
    ann:send(post("kitchen", "Tea?"))
    assert.exact_frame(posted("kitchen", "Tea?", true), ann:receive())
    bob:receive_nothing()
  end)

  it("echoes to the sender alone", function()
    ann:subscribe "room:lobby"
    bob:subscribe "room:lobby"
    ann:send { action = "echo", topic = "room:lobby", payload = { message = "me" } }
    assert.exact_frame(
      { action = "echo", topic = "room:lobby", payload = { message = "me" } },
      ann:receive()
    )
    bob:receive_nothing()
  end)

  it("takes a message that comes right behind the subscription", function()
    ann:send { action = "subscribe", topic = "room:lobby" }
    ann:send(post("lobby", "Hello"))
    assert.frame({ action = "subscribed", topic = "room:lobby" }, ann:receive())
    assert.exact_frame(posted("lobby", "Hello", true), ann:receive())
  end)

  it("refuses with a reason", function()
    for topic, reason in pairs { ["room:private"] = "unauthorized", elsewhere = "unknown_topic" } do
      assert.frame(
        { action = "error", topic = topic, payload = { reason = reason } },
        ann:subscribe(topic)
      )
    end
    assert.frame({
      action = "error",
      topic = "room:lobby",
      payload = { reason = "not_subscribed" },
    }, ann:call(post("lobby", "Hello")))
  end)

  it("is silent after it was left", function()
    ann:subscribe "room:lobby"
    bob:subscribe "room:lobby"
    bob:unsubscribe "room:lobby"
    ann:send(post("lobby", "Hello"))
    ann:receive()
    bob:receive_nothing()
  end)

  it("tells how many watch a user, as they come and go", function()
    ann:subscribe "presence:ann"
    assert.exact_frame(present("ann", 1), ann:receive())
    bob:subscribe "presence:ann"
    assert.exact_frame(present("ann", 2), ann:receive())
    assert.exact_frame(present("ann", 2), bob:receive())
    bob:drop()
    assert.exact_frame(present("ann", 1), ann:receive())
  end)

  it("tells a room by an event, on the path of one room too", function()
    bob:subscribe "room:lobby"
    local alone <close> = app:connect "/ws/topics/room/lobby"
    assert.frame({ action = "subscribed", topic = "room:lobby" }, alone:receive())
    local announcement <const> = { room_name = "lobby", message = "We close at 6" }
    ann:send { action = "announce", payload = announcement }
    for _, client in ipairs { bob, alone } do
      assert.frame({
        action = "room_event",
        payload = { message = "We close at 6" },
        topic = "room:lobby",
      }, client:receive())
    end
    ann:receive_nothing()
  end)

  it("answers a ping", function()
    assert.frame({ action = "pong" }, ann:call { action = "ping" })
  end)

  it("never fails on a message that is right", function()
    testing.fuzz(app, "/ws/topics")
  end)
end)
