--- Run with `tidegate test examples/chat`.

local testing <const> = require "tidegate.testing"

local function said(content, is_mine, is_current)
  return {
    action = "chat_group",
    payload = { content = content, sender_name = "Anonymous" },
    is_mine = is_mine,
    is_current = is_current,
  }
end

describe("the chat", function()
  local app

  before_each(function()
    app = testing.app "."
  end)

  after_each(function()
    app:close()
  end)

  local function come(name)
    return assert(app:connect("/ws/chat", { query = { name = name } }))
  end

  it("tells each window whose message it is", function()
    local ann <close> = come "Ann"
    local tablet <close> = come "Ann"
    local bob <close> = come "Bob"
    ann:send { action = "chat", payload = { content = "Hello everyone!" } }
    assert.exact_frame(said("Hello everyone!", true, true), ann:receive())
    assert.exact_frame(said("Hello everyone!", true, false), tablet:receive())
    assert.exact_frame(said("Hello everyone!", false, false), bob:receive())
  end)

  it("takes nobody without a name for another without one", function()
    local one <close> = come()
    local two <close> = come ""
    one:send { action = "chat", payload = { content = "Hello" } }
    assert.exact_frame(said("Hello", false, true), one:receive())
    assert.exact_frame(said("Hello", false, false), two:receive())
    local three <close> = come ""
    two:send { action = "chat", payload = { content = "Hi" } }
    assert.exact_frame(said("Hi", false, false), three:receive())
  end)

  it("carries who says so, and when", function()
    local ann <close> = come "Ann"
    local payload <const> =
      { content = "Hi", sender_name = "Alice", timestamp = "2025-05-11T14:30:00Z" }
    ann:send { action = "chat", payload = payload }
    assert.frame({ action = "chat_group", payload = payload }, ann:receive())
  end)

  it("leaves the sender out when the others are meant, and sends one copy to each", function()
    local ann <close> = come "Ann"
    local tablet <close> = come "Ann"
    local bob <close> = come "Bob"
    ann:send { action = "tell_others", payload = { content = "psst" } }
    assert.exact_frame(said("psst", true, false), tablet:receive())
    assert.exact_frame(said("psst", false, false), bob:receive())
    for _, client in ipairs { ann, tablet, bob } do
      client:receive_nothing()
    end
  end)

  it("shows an announcement to everybody", function()
    local ann <close> = come "Ann"
    local bob <close> = come "Bob"
    local notify <const> = app:require("messages").notify
    local receivers <const> = app:broadcast_event(
      "general_announcements",
      notify { content = "Important system message", level = "warning" }
    )
    assert.equal(2, receivers)
    for _, client in ipairs { ann, bob } do
      assert.exact_frame({
        action = "notification",
        payload = { text = "WARNING: Important system message" },
      }, client:receive())
      client:receive_nothing()
    end
  end)

  it("announces for information unless told otherwise", function()
    local ann <close> = come "Ann"
    assert.equal(
      1,
      app:broadcast_event(
        "general_announcements",
        app:require("messages").notify {
          content = "Lunch",
        }
      )
    )
    assert.frame({ payload = { text = "INFO: Lunch" } }, ann:receive())
  end)

  it("says what is wrong with a message", function()
    local ann <close> = come "Ann"
    ann:send { action = "chat", payload = { timestamp = "at noon" } }
    local frame <const> = ann:receive()
    assert.error_at(frame, { "payload", "content" }, "missing")
    assert.error_at(frame, { "payload", "timestamp" }, "datetime_parsing")
  end)

  it("holds nothing when all have gone", function()
    do
      local ann <close> = come "Ann"
      ann:send { action = "chat", payload = { content = "Hello" } }
    end
    assert.no_leaks(app)
  end)

  it("never fails on a message that is right", function()
    testing.fuzz(app, "/ws/chat")
  end)
end)
