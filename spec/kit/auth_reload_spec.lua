--- What becomes of who is there when the code is replaced: users, credentials, objects, attempts, and those
--- who are about to be let in.

local support <const> = require "spec.support.reload"
local testing <const> = require "tidegate.testing"

local alive <const> = support.alive

--- What the functions of the rooms have been asked, in order: "object one ann".
local asked

--- A room whose functions note which code they are. `options` take the place of its own.
---@param version string
---@param options? table
local function room(version, options)
  return function(tide)
    local s <const> = tide.schema
    local who <const> = tide.message "who"
    local told <const> = tide.message("told", s.any())
    local function note(what, name)
      asked[#asked + 1] = ("%s %s %s"):format(what, version, name)
    end
    local given <const> = {
      name = "room",
      path = "/ws/room",
      authentication_timeout = 8,
      authenticate = function(request)
        local name <const> = request.token or request.query.name
        note("authenticate", name)
        tide.sleep(tonumber(request.query[request.token and "renewing" or "slow"] or 0))
        local seconds <const> = tonumber(request.query.seconds)
        if name == "wrong" then
          return nil, 401, "Who?"
        end
        return { id = name, roles = { "member", version } },
          seconds and { expires_at = tide.now() + seconds }
      end,
      object = function(conn)
        note("object", conn.user.id)
        -- What is no plain data, and so cannot have been carried over.
        return {
          title = function()
            return version .. " tea"
          end,
        }
      end,
      permissions = function(conn)
        note("permissions", conn.user.id)
        return true
      end,
      groups = "inside",
    }
    for name, value in pairs(options or {}) do
      given[name] = value
    end
    local Room <const> = tide.consumer(given)
    function Room:reloaded(conn)
      note("reloaded", conn.object and conn.object.title() or "without")
    end
    Room:on(who, { output = told }, function(conn)
      return told {
        id = conn.user.id,
        came_by = conn.user.roles[2],
        title = conn.object and conn.object.title(),
        by = version,
      }
    end)
    Room:on(tide.message("nap", s.number()), function(_, message)
      tide.sleep(message.payload)
    end)
    return Room
  end
end

describe("with new code", function()
  local app

  before_each(function()
    asked = {}
    app = testing.app(room "one", { login_attempts = 3, retire_seconds = 60 })
  end)

  after_each(function()
    app:close()
  end)

  ---@param query table
  local function enter(query)
    local client <const> = assert(app:connect("/ws/room", { query = query }))
    client:assert_authenticated()
    asked = {}
    return client
  end

  ---@param client table
  ---@return string # "ann came by one to two tea of two"
  local function who(client)
    local payload <const> = client:call({ action = "who" }).payload
    local text <const> = "%s came by %s to %s of %s"
    return text:format(payload.id, payload.came_by, payload.title, payload.by)
  end

  it("a user stays, and is asked nothing again but what it is about", function()
    local client <const> = enter { name = "ann" }
    assert(app:reload(room "two"))
    assert.same({ "object two ann", "reloaded two two tea" }, asked)
    assert.equal("ann came by one to two tea of two", who(client))
    assert.equal(1, app:user("ann"):count())
    assert.equal(1, app:group("inside"):count())
    assert.is_true(client:receive_nothing())
  end)

  it("a credential ends when it would have, after any number of reloads", function()
    local client <const> = enter { name = "ann", seconds = 60 }
    for _, version in ipairs { "two", "three", "four" } do
      app:advance(15)
      assert(app:reload(room(version)))
    end
    app:advance(14.9)
    assert.equal("ann came by one to four tea of four", who(client))
    app:advance(0.2)
    client:assert_closed(4401, "expired")
    assert.equal("4 serving: 0", alive(app))
    assert.no_leaks(app)
  end)

  it("it is renewed by the new code, and stays the same user's", function()
    local client <const> = enter { name = "ann", seconds = 60 }
    assert(app:reload(room "two"))
    asked = {}
    app:advance(30)
    client:send { action = "authenticate", payload = { token = "ann" } }
    client:assert_authenticated()
    client:send { action = "authenticate", payload = { token = "bob" } }
    client:assert_authenticated(403)
    assert.same({ "authenticate two ann", "authenticate two bob" }, asked)
    assert.equal("ann came by two to two tea of two", who(client))
    app:advance(59.9)
    assert.is_true(client:receive_nothing())
    app:advance(0.2)
    client:assert_closed(4401, "expired")
  end)

  it("a renewal that waits ends in the code that it began in", function()
    local client <const> = enter { name = "ann", seconds = 60 }
    local slow <const> = enter { name = "bob", seconds = 60, renewing = 5 }
    slow:send { action = "authenticate", payload = { token = "bob" } }
    assert(app:reload(room "two"))
    assert.equal("1 retiring: 1, 2 serving: 1", alive(app))
    app:advance(5)
    slow:assert_authenticated()
    assert.equal("2 serving: 2", alive(app))
    assert.equal("bob came by one to two tea of two", who(slow))
    app:advance(56)
    client:assert_closed(4401, "expired")
    assert.is_true(slow:receive_nothing())
    app:advance(5)
    slow:assert_closed(4401, "expired")
    assert.no_leaks(app)
  end)

  it("an expiry does not wait for a handler that keeps its connection in the old code", function()
    local client <const> = enter { name = "ann", seconds = 20 }
    client:send { action = "nap", payload = 100 }
    assert(app:reload(room "two"))
    assert.equal("1 retiring: 1, 2 serving: 0", alive(app))
    app:advance(20.1)
    client:assert_closed(4401, "expired")
    app:advance(100)
    assert.equal("2 serving: 0", alive(app))
    assert.no_leaks(app)
  end)

  for _, row in ipairs {
    { "is gone", function() end, 404, 4404, "Not Found" },
    {
      "cannot be loaded",
      function()
        error "no database"
      end,
      500,
      1011,
      "",
    },
  } do
    it("who is about something that " .. row[1] .. " is sent away", function()
      local client <const> = enter { name = "ann" }
      assert(app:reload(room("two", { object = row[2] })))
      client:assert_authenticated(row[3])
      client:assert_closed(row[4], row[5])
      assert.same({}, asked)
      assert.equal("2 serving: 0", alive(app))
      assert.equal(0, app:group("inside"):count())
      assert.no_leaks(app)
    end)
  end

  it("who talks while its object is loaded is answered when it is there", function()
    local client <const> = enter { name = "ann" }
    local loading
    assert(app:reload(room("two", {
      object = function(conn)
        loading = conn.id
        app:require("tidegate").sleep(3)
        return {
          title = function()
            return "late tea"
          end,
        }
      end,
    })))
    assert.equal(client.id, loading)
    client:send { action = "who" }
    app:advance(2.9)
    assert.is_true(client:receive_nothing())
    app:advance(0.2)
    assert.frame({ payload = { title = "late tea", by = "two" } }, client:receive())
    assert.same({ "reloaded two late tea" }, asked)
  end)

  it("whoever is being let in is let in by the code that it came to", function()
    local client <const> =
      app:connect("/ws/room", { query = { name = "ann", slow = 5, seconds = 60 } })
    client:send { action = "who" }
    assert(app:reload(room "two"))
    assert(app:reload(room "three"))
    assert.equal("1 retiring: 1, 3 serving: 0", alive(app))
    assert.equal(0, app:user("ann"):count())
    app:advance(5)
    client:assert_authenticated()
    assert.equal("3 serving: 1", alive(app))
    assert.frame(
      { payload = { came_by = "one", title = "three tea", by = "three" } },
      client:receive()
    )
    assert.same({
      "authenticate one ann",
      "object one ann",
      "permissions one ann",
      "object three ann",
      "reloaded three three tea",
    }, asked)
    app:advance(61)
    client:assert_closed(4401, "expired")
  end)

  it("whoever is refused meanwhile reaches no code at all", function()
    local client <const> = app:connect("/ws/room", { query = { name = "wrong", slow = 5 } })
    client:send { action = "who" }
    assert(app:reload(room "two"))
    app:advance(5)
    client:assert_authenticated(401)
    client:assert_closed(4401, "Unauthorized")
    assert.same({ "authenticate one wrong" }, asked)
    assert.equal("2 serving: 0", alive(app))
    assert.no_leaks(app)
  end)

  it("who is let in too slowly is refused in the time of the code that it came to", function()
    local client <const> = app:connect("/ws/room", { query = { name = "ann", slow = 20 } })
    assert(app:reload(room("two", { authentication_timeout = 1 })))
    app:advance(7.9)
    assert.is_true(client:receive_nothing())
    app:advance(0.2)
    client:assert_authenticated(401)
    client:assert_closed(4408)
    assert.equal("2 serving: 0", alive(app))
  end)

  it("attempts that failed are still counted", function()
    for _ = 1, 3 do
      app:connect("/ws/room", { query = { name = "wrong" } }):assert_authenticated(401)
      assert(app:reload(room "again"))
    end
    local client <const>, refusal <const> = app:connect("/ws/room", { query = { name = "ann" } })
    assert.is_nil(client)
    assert.equal(429, refusal.status)
  end)

  it("reauthenticate_seconds asks the new code, when it would have asked the old", function()
    local watched <const> = { reauthenticate_seconds = 30 }
    assert(app:reload(room("two", watched)))
    local client <const> = enter { name = "ann" }
    app:advance(20)
    assert(app:reload(room("three", watched)))
    asked = {}
    app:advance(9.9)
    assert.same({}, asked)
    app:advance(0.2)
    assert.same({ "authenticate three ann", "permissions three ann" }, asked)
    local strict <const> = {
      reauthenticate_seconds = 30,
      permissions = function()
        return false, "Not any more"
      end,
    }
    assert(app:reload(room("four", strict)))
    app:advance(29)
    assert.equal("ann came by three to four tea of four", who(client))
    app:advance(2)
    client:assert_authenticated(403)
    client:assert_closed(4403)
    assert.no_leaks(app)
  end)

  it("without an authenticator users stay who they are, as long as they may", function()
    local client <const> = enter { name = "ann", seconds = 60 }
    assert(app:reload(function(tide)
      local who_now <const> = tide.message "who"
      local told <const> = tide.message("told", tide.schema.any())
      local Room <const> = tide.consumer { name = "room", path = "/ws/room" }
      Room:on(who_now, { output = told }, function(conn)
        return told { id = conn.user.id, has_object = conn.object ~= nil }
      end)
      return Room
    end))
    assert.frame({ payload = { id = "ann", has_object = false } }, client:call { action = "who" })
    client:send { action = "authenticate", payload = { token = "ann" } }
    assert.frame({ action = "error" }, client:receive())
    app:advance(61)
    client:assert_closed(4401, "expired")
  end)

  it(
    "a thousand who are being let in, in all states, are let in once and handled in order",
    function()
      local clients <const> = {}
      for index = 1, 1000 do
        clients[index] =
          app:connect("/ws/room", { query = { name = "u" .. index, slow = index % 8 } })
        clients[index]:send { action = "who" }
        clients[index]:send { action = "who" }
      end
      for index = 1, 7 do
        app:advance(1)
        assert(app:reload(room("version " .. index)))
      end
      app:advance(8)
      for index, client in ipairs(clients) do
        client:assert_authenticated()
        for _ = 1, 2 do
          assert.frame({ payload = { id = "u" .. index, came_by = "one" } }, client:receive())
        end
        assert.is_true(client:receive_nothing())
      end
      assert.equal("8 serving: 1000", alive(app))
      local counts <const> = {}
      for _, line in ipairs(asked) do
        local name <const> = line:match "^authenticate one (.*)$"
        if name then
          counts[name] = (counts[name] or 0) + 1
        end
      end
      for index = 1, 1000 do
        assert.equal(1, counts["u" .. index])
      end
    end
  )
end)

describe("without memory", function()
  it("nobody is served without its user, its object or its end", function()
    local n, closed, moved = 0, 0, 0
    repeat
      n = n + 1
      asked = {}
      local app <close> = testing.app(room "one", { login_attempts = 3 })
      local client <const> =
        assert(app:connect("/ws/room", { query = { name = "ann", seconds = 60 } }))
      client:assert_authenticated()
      app:inject { allocation = n }
      local report <const> = app:reload(room "two")
      local left <const> = app:inject { allocation = 0 }
      app:advance(1)
      local place <const> = ("allocation %d"):format(n)
      if app:metric "tidegate_connections" == 0 then
        closed = closed + 1
      else
        local payload <const> = client:call({ action = "who" }).payload
        local version <const> = report and "two" or "one"
        moved = moved + (report and 1 or 0)
        assert.same(
          { id = "ann", came_by = "one", title = version .. " tea", by = version },
          payload,
          place
        )
        assert.equal(1, app:user("ann"):count(), place)
        app:advance(60)
      end
      assert.equal(0, app:metric "tidegate_connections", place)
      app:advance(2000)
      assert.no_leaks(app)
    until left > 0
    assert.is_true(
      n > 20 and moved > 5 and closed > 0,
      ("%d tries, %d moved, %d closed"):format(n, moved, closed)
    )
  end)
end)
