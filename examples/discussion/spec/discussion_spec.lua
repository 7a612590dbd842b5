--- Run with `tidegate test examples/discussion`.

local testing <const> = require "tidegate.testing"

local function told(name, text)
  return { action = "notification", payload = { userName = name, messageText = text } }
end

describe("the discussion", function()
  local app

  before_each(function()
    app = testing.app "."
  end)

  after_each(function()
    app:close()
  end)

  -- Somebody in a room, who has been told of the own coming.
  local function come(name, room, word)
    local client <const> =
      assert(app:connect("/ws/discussion/" .. room, { query = { name = name, word = word } }))
    assert.exact_frame(told(name, name .. " has come"), client:receive())
    return client
  end

  it("needs a name", function()
    for _, name in ipairs { "", ("x"):rep(51) } do
      local client <close> = app:connect("/ws/discussion/tides", { query = { name = name } })
      client:assert_closed(4403)
    end
    local nobody <close> = app:connect "/ws/discussion/tides"
    nobody:assert_closed(4403)
  end)

  it("has no room with a name that is too long", function()
    local path <const> = "/ws/discussion/" .. ("x"):rep(101)
    local client <close> = app:connect(path, { query = { name = "Ann" } })
    client:assert_closed(4404)
  end)

  it("tells each person in the room who has come", function()
    local ann <close> = come("Ann", "tides")
    local eve <close> = come("Eve", "moons")
    local bob <close> = come("Bob", "tides")
    assert.exact_frame(told("Ann", "Bob has come"), ann:receive())
    for _, client in ipairs { ann, bob, eve } do
      client:receive_nothing()
    end
  end)

  it("carries a message to the other members, and a reply to its sender", function()
    local ann <close> = come("Ann", "tides")
    local bob <close> = come("Bob", "tides")
    ann:receive() -- Bob has come
    local answer <const> = ann:call { action = "new_message", payload = { content = "Shall we?" } }
    assert.frame({ action = "reply", payload = { content = "Readers: 1", raw = false } }, answer)
    assert.exact_frame({
      action = "member_message",
      payload = { content = "Shall we?", raw = false, authorName = "Ann" },
      is_mine = false,
      is_current = false,
    }, bob:receive())
    ann:receive_nothing()
  end)

  it("keeps what is raw", function()
    local ann <close> = come("Ann", "tides")
    local phone <close> = come("Ann", "tides")
    ann:send { action = "new_message", payload = { content = "<b>", raw = true } }
    assert.frame({
      payload = { content = "<b>", raw = true },
      is_mine = true,
      is_current = false,
    }, phone:receive())
  end)

  it("lets only members write in a private room", function()
    local ann <close> = come("Ann", "private-crew", "tide")
    local eve <close> = come("Eve", "private-crew", "guessed")
    ann:receive() -- Eve has come
    assert.frame({
      action = "error",
      payload = {
        code = "forbidden",
        detail = "Cannot send messages to private rooms without membership",
      },
    }, eve:call { action = "new_message", payload = { content = "Hi" } })
    ann:receive_nothing()
    ann:send { action = "new_message", payload = { content = "Welcome" } }
    assert.frame({ action = "member_message", payload = { content = "Welcome" } }, eve:receive())
  end)

  it("tells people in all rooms what is announced", function()
    local ann <close> = come("Ann", "tides")
    local eve <close> = come("Eve", "private-crew")
    local event <const> = app:require("messages").notify_people { content = "We close at 6" }
    assert.equal(2, app:broadcast_event("discussion", event))
    assert.exact_frame(told("Ann", "We close at 6"), ann:receive())
    assert.exact_frame(told("Eve", "We close at 6"), eve:receive())
  end)

  it("answers a ping", function()
    local ann <close> = come("Ann", "tides")
    assert.frame({ action = "pong" }, ann:call { action = "ping" })
  end)

  it("holds nothing when all have gone", function()
    do
      local ann <close> = come("Ann", "tides")
      ann:send { action = "new_message", payload = { content = "Hello" } }
    end
    assert.no_leaks(app)
  end)

  it("never fails on a message that is right", function()
    testing.fuzz(app, "/ws/discussion/tides", { connect = { query = { name = "Ann" } } })
  end)
end)
