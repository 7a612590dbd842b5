--- Each allocation of the core fails once, the first, the second, and so on until there is no other:
--- while an application is opened, and in a conversation with everything that it has.

local support <const> = require "spec.support.kit"

local kit <const> = support.kit

--- A consumer with a user, groups, events, a topic and a handler that waits.
local function declare(tide)
  local s <const> = tide.schema
  local text <const> = s.object { some_text = s.string { max = 1000 } }
  local Said <const> = tide.group_message("said", text)
  local Say <const>, Notify <const> = tide.message("say", text), tide.event("notify", text)
  local Relayed <const>, Done <const> = tide.event("relayed", text), tide.message("done", text)
  local Room <const> = tide.topic {
    pattern = "room:{name}",
    sends = { Said },
    on_subscribe = function(sub)
      sub:send(Said { some_text = sub.topic })
    end,
    on_unsubscribe = function() end,
  }
  Room:on(Say, function(sub, message)
    sub:broadcast(Said(message.payload))
  end)
  local Chat <const> = tide.consumer {
    path = "/x",
    name = "chat",
    camelize = true,
    send_completion = true,
    topics = { Room },
    sends = { Said },
    subprotocols = { "chat" },
    admit = function(request)
      return request.query.id == "7", 401, "Who?", { ["www-authenticate"] = "Basic" }
    end,
    authenticate = function(request)
      return { id = request.query.id }
    end,
    groups = function()
      return { "all", "some" }
    end,
  }
  Chat:on(Say, { output = Done }, function(conn, message)
    conn:join "late"
    conn:broadcast(Said(message.payload))
    tide.send_event(conn, Notify(message.payload))
    tide.broadcast_event("all", Relayed(message.payload))
    tide.sleep(1)
    return Done(message.payload)
  end)
  Chat:on_event(Notify, { output = Done }, function(_, event)
    return Done(event.payload)
  end)
  Chat:relay(Relayed)
  return Chat
end

--- Two clients talk; nothing that they get is looked at.
---@param app table
local function converse(app)
  local links <const> = {}
  for index = 1, 2 do
    links[index] = app:connect {
      path = "/x",
      query = "id=7",
      headers = { { "sec-websocket-protocol", "chat" }, { "x-forwarded-for", "192.0.2.1" } },
    }
  end
  app:connect { path = "/x", query = "id=8" }
  for _, link in pairs(links) do
    link:send("text", '{"action":"subscribe","topic":"room:a","ref":"r"}')
    link:send("text", '{"action":"say","topic":"room:a","payload":{"someText":"in the room"}}')
    link:send("text", '{"action":"say","payload":{"someText":"' .. ("x"):rep(900) .. '"}}')
    link:send("text", '{"action":"say","payload":{"someText":1}}')
    link:send("text", "nonsense")
  end
  app:advance(5)
  for _, link in pairs(links) do
    link:send("text", '{"action":"unsubscribe","topic":"room:a"}')
    link:close(1000, "")
  end
  app:advance(60)
end

---@param app table
---@param name string
local function gauge(app, name)
  return tonumber(app:metrics():match("\ntidegate_" .. name .. " (%d+)"))
end

local gauges <const> =
  { "connections", "tasks", "groups", "group_memberships", "payload_bytes", "inbox_messages" }

describe("without memory", function()
  it("an application does not open, says so, and opens when there is some", function()
    local failures, n = 0, 0
    repeat
      n = n + 1
      local app <const>, text <const> =
        kit.open { declare = declare, seed = 1, inject = { allocation = n } }
      local left = 0
      if app then
        left = app:inject { allocation = 0 }
        assert(app:connect { path = "/x", query = "id=7" })
        app:close()
      else
        failures = failures + 1
        assert.is_truthy(text:find("not enough memory", 1, true), text)
      end
    until left > 0
    assert.is_true(failures > 10, failures .. " failures")
    collectgarbage()
  end)

  it("a conversation loses what it loses, and the next has everything", function()
    local app <close> = assert(kit.open { declare = declare, seed = 1 })
    converse(app)
    local each <const> = app:published()
    local n = 0
    repeat
      n = n + 1
      app:inject { allocation = n }
      converse(app)
      local left <const> = app:inject { allocation = 0 }
      for _, name in ipairs(gauges) do
        assert.equal(0, gauge(app, name), ("%s, allocation %d"):format(name, n))
      end
    until left > 0
    assert.is_true(n > 50, n .. " allocations")
    local before <const> = app:published()
    converse(app)
    assert.equal(each, app:published() - before)
    assert.equal(each, #app:publications(before))
    local link <const> = app:connect { path = "/x", query = "id=7" }
    link:send("text", '{"action":"subscribe","topic":"room:a"}')
    assert.same({
      'text {"action":"authentication","payload":{"statusCode":200,"statusText":"OK"}}',
      'text {"action":"subscribed","topic":"room:a"}',
      'text {"action":"said","payload":{"someText":"room:a"},"topic":"room:a","is_mine":false,"is_current":false}',
      'text {"action":"complete"}',
    }, support.frames(link))
  end)
end)
