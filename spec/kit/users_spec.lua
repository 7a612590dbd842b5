--- Who a client is: users that a spec names itself, and what an authenticator says.

local failure <const> = require "spec.support.failure"
local testing <const> = require "tidegate.testing"

local asked, said

--- A room whose members have names.
local function declare(tide)
  local s <const> = tide.schema
  asked = 0
  said = tide.group_message("said", { by = s.any() })
  local say <const>, who <const>, seen <const> =
    tide.message "say", tide.message "who", tide.message("seen", s.any())
  local Room <const> = tide.consumer {
    name = "room",
    path = "/ws/room",
    groups = function(conn)
      return { "all", "of_" .. tostring(type(conn.user) == "table" and conn.user.id or conn.user) }
    end,
    authenticate = function(request)
      asked = asked + 1
      local answer <const> = request.query.answer
      if answer == "raise" then
        error "no answer"
      elseif answer == "late" then
        tide.sleep(3600)
      elseif answer == "forbidden" then
        return nil, 403, "Members only"
      elseif answer == "missing" then
        return nil, 404
      end
      return request.query.name
    end,
    sends = { said },
  }
  Room:on(say, function(conn)
    conn:broadcast(said { by = conn.user })
  end)
  Room:on(who, { output = seen }, function(conn)
    return seen(conn.user)
  end)
  return Room
end

describe("a user", function()
  local app

  before_each(function()
    app = testing.app(declare)
  end)

  after_each(function()
    app:close()
  end)

  it("that a spec names is kept as it is, and the authenticator is not asked", function()
    local client <const> = app:connect("/ws/room", { user = { id = 7, name = "Ann" } })
    client:assert_authenticated()
    assert.frame({ payload = { id = 7, name = "Ann" } }, client:call { action = "who" })
    assert.equal(0, asked)
    assert.equal(1, app:user("7"):count())
    assert.equal(1, app:group("of_7"):count())
    assert.same({ id = 7, name = "Ann" }, app:group("all"):members()[1].user)
  end)

  it("is told which messages are its own, on whatever connection it sent them", function()
    local phone <const> = app:connect("/ws/room", { user = { id = 7 } })
    local desk <const> = app:connect("/ws/room", { user = 7 })
    local other <const> = app:connect("/ws/room", { user = "8" })
    local nobody <const> = app:connect("/ws/room", { user = { name = "without an id" } })
    phone:send { action = "say" }
    assert.frame({ is_mine = true, is_current = true }, (phone:receive_until "said"))
    assert.frame({ is_mine = true, is_current = false }, (desk:receive_until "said"))
    assert.frame({ is_mine = false, is_current = false }, (other:receive_until "said"))
    nobody:send { action = "say" }
    assert.frame({ is_mine = false, is_current = false }, (nobody:receive_until "said"))
    assert.frame({ is_mine = false, is_current = true }, (nobody:receive_until "said"))
  end)

  it("is reached on all connections, and kicked", function()
    local phone <const> = app:connect("/ws/room", { user = 7 })
    local desk <const> = app:connect("/ws/room", { user = 7 })
    assert.equal(2, app:user(7):send(said { by = 0 }))
    assert.frame({ payload = { by = 0 } }, (desk:receive_until "said"))
    assert.equal(2, app:user(7):close(4001, "kicked"))
    phone:assert_closed(4001, "kicked")
    desk:assert_closed(4001, "kicked")
    assert.equal(0, app:user(7):count())
    assert.no_leaks(app)
  end)

  it("whose id raises is nobody, and leaves nothing behind", function()
    local user <const> = setmetatable({}, {
      __index = function()
        error("no id for you", 0)
      end,
    })
    assert.has_error(function()
      app:connect("/ws/room", { user = user })
    end, "no id for you")
    assert.equal(0, app:group("all"):count())
    assert.no_leaks(app)
  end)
end)

describe("an authenticator", function()
  local app

  before_each(function()
    app = testing.app(declare, { authentication_timeout_ms = 5000 })
  end)

  after_each(function()
    app:close()
  end)

  ---@param answer string
  local function connect(answer)
    return app:connect("/ws/room", { query = { answer = answer, name = "ann" } })
  end

  it("is asked when the spec names nobody", function()
    local client <const> = connect "yes"
    assert.exact_frame(
      { action = "authentication", payload = { status_code = 200, status_text = "OK" } },
      client:assert_authenticated()
    )
    assert.frame({ payload = "ann" }, client:call { action = "who" })
    assert.equal(1, asked)
  end)

  for _, row in ipairs {
    { "missing", { status_code = 404, status_text = "Not Found" }, 4404 },
    {
      "forbidden",
      { status_code = 403, status_text = "Forbidden", data = { detail = "Members only" } },
      4403,
    },
    { "raise", { status_code = 500, status_text = "Internal Server Error" }, 1011 },
  } do
    it(("that answers %q sends that and closes with %d"):format(row[1], row[3]), function()
      local client <const> = connect(row[1])
      assert.exact_frame(
        { action = "authentication", payload = row[2] },
        client:assert_authenticated(row[2].status_code)
      )
      client:assert_closed(row[3])
      assert.equal(0, app:group("all"):count())
      assert.no_leaks(app)
    end)
  end

  it("that says no more than no refuses with 401", function()
    local client <const> = app:connect "/ws/room"
    client:assert_authenticated(401)
    client:assert_closed(4401, "Unauthorized")
  end)

  it("that takes too long refuses with 401 and closes with 4408", function()
    local client <const> = connect "late"
    client:send { action = "who" }
    assert.is_true(client:receive_nothing(4.9))
    client:assert_authenticated(401)
    client:assert_closed(4408)
    assert.equal(5, app:now())
  end)

  it("fails a spec that expects another answer", function()
    local client <const> = connect "forbidden"
    local text <const> = failure(function()
      client:assert_authenticated()
    end)
    assert.is_truthy(text:find("this client is not authenticated as expected\n", 1, true), text)
    assert.is_truthy(text:find("Members only", 1, true), text)
  end)
end)
