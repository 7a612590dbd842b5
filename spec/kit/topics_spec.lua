--- Topics and completion in the test kit, over the real core.

local failure <const> = require "spec.support.failure"
local testing <const> = require "tidegate.testing"

local Room, posted, notify

--- Rooms over one connection; "room:private" is for nobody.
local function declare(tide)
  local s <const> = tide.schema
  local text <const> = s.object { text = s.string { max = 10 } }
  local echo <const>, echoed <const> = tide.message("echo", text), tide.message("echoed", text)
  local post <const>, odd <const> = tide.message("post", text), tide.message "odd"
  local notice <const> = tide.message("notice", text)
  posted = tide.group_message("posted", text)
  notify = tide.event("notify", text)
  Room = tide.topic {
    pattern = "room:{name}",
    sends = { posted },
    authorise = function(sub)
      return sub.params.name ~= "private"
    end,
  }
  Room:on(echo, { output = echoed }, function(_, message)
    return echoed(message.payload)
  end)
  Room:on(post, function(sub, message)
    sub:broadcast(posted(message.payload))
  end)
  Room:on(odd, function(sub)
    sub:send(notice { text = "declared" })
  end)
  Room:on_event(notify, { output = notice }, function(_, event)
    return notice(event.payload)
  end)
  local Quiet <const> = tide.topic { pattern = "quiet:{name}" }
  Quiet:on(odd, function(sub)
    sub:send(notice { text = "undeclared" })
  end)
  return tide.consumer {
    name = "hub",
    path = "/ws/hub",
    topics = { Room, Quiet },
    send_completion = true,
  }
end

describe("an application with topics", function()
  local app, ann, bob

  before_each(function()
    app = testing.app(declare)
    ann, bob = app:connect "/ws/hub", app:connect "/ws/hub"
  end)

  after_each(function()
    app:close()
  end)

  it("is subscribed to and left with one call each", function()
    assert.frame({ action = "subscribed", topic = "room:a" }, ann:subscribe "room:a")
    assert.equal(1, app:topic(Room):count { name = "a" })
    assert.exact_frame(
      { action = "echoed", payload = { text = "hi" }, topic = "room:a", ref = 1 },
      ann:call { action = "echo", payload = { text = "hi" }, topic = "room:a", ref = 1 }
    )
    assert.frame({ action = "unsubscribed", topic = "room:a" }, ann:unsubscribe "room:a")
    assert.equal(0, app:topic(Room):count "room:a")
    assert.frame({ action = "unsubscribed" }, ann:unsubscribe "room:a")
  end)

  it("says why it refuses", function()
    local function reason(frame)
      assert.equal("error", frame.action)
      return frame.payload.reason
    end
    assert.equal("unauthorized", reason(ann:subscribe "room:private"))
    assert.equal("unknown_topic", reason(ann:subscribe "attic"))
    local echo <const> = { action = "echo", payload = { text = "hi" }, topic = "room:a" }
    assert.equal("not_subscribed", reason(ann:call(echo)))
    ann:subscribe "room:a"
    echo.payload = {}
    local frame <const> = ann:call(echo)
    assert.error_at(frame, { "payload", "text" }, "missing")
    assert.equal("room:a", frame.topic)
  end)

  it("reaches the subscribers of a name, and no group", function()
    ann:subscribe "room:a"
    bob:subscribe "room:b"
    assert.equal(1, app:topic(Room):broadcast({ name = "a" }, posted { text = "hi" }))
    assert.frame({ action = "posted", topic = "room:a" }, (ann:receive_until "posted"))
    assert.equal(0, app:broadcast("room:a", posted { text = "hi" }))
    bob:subscribe "room:a"
    bob:send { action = "post", payload = { text = "all" }, topic = "room:a" }
    assert.frame({ topic = "room:a", is_current = false }, (ann:receive_until "posted"))
    assert.frame({ topic = "room:a", is_current = true }, (bob:receive_until "posted"))
    assert.broadcast(app, "room:a", { action = "posted", payload = { text = "all" } })
    assert.equal(1, app:topic(Room):broadcast_event("room:b", notify { text = "soon" }))
    assert.frame(
      { action = "notice", topic = "room:b", payload = { text = "soon" } },
      (bob:receive_until "notice")
    )
    assert.is_truthy(failure(function()
      app:topic "room:a"
    end):find("app:topic: expected what tide.topic returned", 1, true))
    local text <const>, place <const> = failure(function()
      app:topic(Room):count {}
    end)
    assert.is_truthy(text:find "^Topic:count: ")
    assert.is_truthy(place:find "^spec/kit/topics_spec%.lua:")
  end)

  it("fails a spec that receives what the topic does not declare", function()
    ann:subscribe "room:a"
    ann:send { action = "odd", topic = "room:a" }
    assert.frame({ action = "notice" }, (ann:receive_until "notice"))
    bob:subscribe "quiet:a"
    bob:send { action = "odd", topic = "quiet:a" }
    assert.is_truthy(failure(function()
      bob:receive_until "notice"
    end):find 'the consumer "hub" sent a frame that it does not declare: action "notice"')
  end)

  it(
    "ends everything that a client asks with one `complete`, and each event with its own",
    function()
      ann:send { action = "subscribe", topic = "room:a", ref = "r" }
      ann:send { action = "echo", payload = { text = "hi" }, topic = "room:a", ref = 2 }
      ann:send { action = "post", payload = { text = "hi" }, topic = "room:a" }
      ann:send '{"action":'
      app:topic(Room):broadcast_event({ name = "a" }, notify { text = "n" })
      local got <const> = {}
      for _, frame in ipairs(ann:frames()) do
        local parsed <const> = app:decode(frame.data)
        got[#got + 1] = ("%s %s"):format(parsed.action, parsed.ref or "-")
      end
      assert.same({
        "subscribed r",
        "complete r",
        "echoed 2",
        "complete 2",
        "posted -",
        "group_complete -",
        "complete -",
        "error -",
        "complete -",
        "notice -",
        "event_complete -",
      }, got)
    end
  )

  it("is waited for until the group has been told", function()
    ann:subscribe "room:a"
    ann:send { action = "post", payload = { text = "hi" }, topic = "room:a" }
    local all <const> = ann:receive_all { wait_group = true }
    assert.equal(1, #all)
    assert.frame({ action = "posted" }, all[1])
    assert.is_true(ann:receive_nothing())
    assert.equal(0, app:now())
  end)

  it("leaves nothing behind, however its clients go", function()
    ann:subscribe "room:a"
    bob:subscribe "room:a"
    ann:close()
    bob:drop()
    assert.no_leaks(app)
    assert.equal(0, app:topic(Room):count "room:a")
  end)
end)
