--- Room chat as its clients meet it. Run with `tidegate test consumers`, or with busted in there.

local testing <const> = require "tidegate.testing"

local function notification(room_name, text)
  return {
    action = "room_notification",
    payload = { message = text, room_name = room_name, status = "PENDING" },
  }
end

local function say(text)
  return { action = "room_chat", payload = { message = text } }
end

describe("a room", function()
  local app

  before_each(function()
    app = testing.app "."
  end)

  after_each(function()
    app:close()
  end)

  it("tells the others who comes, and nobody else", function()
    local ann <close> = app:connect "/ws/room/lobby"
    local eve <close> = app:connect "/ws/room/cellar"
    local bob <close> = app:connect "/ws/room/lobby"
    local came <const> = notification("lobby", "🚪 Someone joined room 'lobby'")
    assert.exact_frame(came, ann:receive())
    for _, client in ipairs { ann, bob, eve } do
      client:receive_nothing()
    end
  end)

  it("carries what one says to all in it, the sender too", function()
    local ann <close> = app:connect "/ws/room/lobby"
    local eve <close> = app:connect "/ws/room/cellar"
    ann:send(say "Hello")
    assert.exact_frame(notification("lobby", "💬 Hello"), ann:receive())
    local bob <close> = app:connect "/ws/room/lobby"
    ann:receive() -- bob has come
    bob:send(say "Hi <b>")
    for _, client in ipairs { ann, bob } do
      assert.exact_frame(notification("lobby", "💬 Hi <b>"), client:receive())
      client:receive_nothing()
    end
    eve:receive_nothing()
  end)

  it("keeps the order in which things were said", function()
    local ann <close> = app:connect "/ws/room/lobby"
    local bob <close> = app:connect "/ws/room/lobby"
    ann:receive()
    for number = 1, 100 do
      ann:send(say(tostring(number)))
    end
    for number = 1, 100 do
      for _, client in ipairs { ann, bob } do
        assert.exact_frame(notification("lobby", "💬 " .. number), client:receive())
      end
    end
  end)

  it("tells the others who goes, in whatever way", function()
    local ann <close> = app:connect "/ws/room/lobby"
    local left <const> = notification("lobby", "👋 Someone left room 'lobby'")
    for _, way in ipairs { "close", "drop" } do
      local bob <close> = app:connect "/ws/room/lobby"
      ann:receive() -- bob has come
      bob[way](bob)
      assert.exact_frame(left, ann:receive())
      ann:receive_nothing()
    end
    assert.equal(1, app:group("room_lobby"):count())
  end)

  it("keeps its name as it is", function()
    local ann <close> = app:connect "/ws/room/caf%C3%A9%20%26%20bar"
    ann:send(say "Hello")
    assert.exact_frame(notification("café & bar", "💬 Hello"), ann:receive())
  end)

  it("refuses a name that is too long", function()
    local ann <close> = app:connect("/ws/room/" .. ("x"):rep(101))
    assert.frame({ action = "error", payload = { code = "room_name_too_long" } }, ann:receive())
    ann:assert_closed(1011)
    local bob <close> = app:connect("/ws/room/" .. ("x"):rep(100))
    bob:receive_nothing()
  end)

  it("refuses to say nothing, or too much", function()
    local ann <close> = app:connect "/ws/room/lobby"
    ann:send(say "")
    assert.error_at(ann:receive(), { "payload", "message" }, "string_too_short")
    ann:send(say(("x"):rep(2001)))
    assert.error_at(ann:receive(), { "payload", "message" }, "string_too_long")
  end)

  it("answers a ping", function()
    local ann <close> = app:connect "/ws/room/lobby"
    assert.frame({ action = "pong" }, ann:call { action = "ping" })
  end)

  it("holds nothing when all have gone", function()
    do
      local ann <close> = app:connect "/ws/room/lobby"
      ann:send(say "Hello")
    end
    assert.no_leaks(app)
  end)

  it("never fails on a message that is right", function()
    testing.fuzz(app, "/ws/room/lobby")
  end)
end)
