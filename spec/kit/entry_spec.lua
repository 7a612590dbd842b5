--- Every way to be let in and to be refused, as a client sees it, over every kind of consumer, in this
--- process and over real sockets alike; and what has run of the application meanwhile. It needs a built
--- program (TG_BIN).
---
--- What other gateways get wrong here: an object whose loading fails lets everybody in (here: 404 or 500); an
--- authenticator that raises ends the connection without a word (the frame with 500); whoever is refused
--- gets 101 and then 1000 (a status of HTTP, or 4401, 4403, 4404, 4408); settings that nobody reads, or
--- that are read once for ever (send_authentication, log_level); a slow function holds up everybody.

local testing <const> = require "tidegate.testing"

local here <const> = debug.getinfo(1, "S").source:match "^@(.*)/kit/[^/]*$" or "spec"
local folder <const> = here .. "/support/apps/entry"

local missing <const> = "Authentication credentials were not provided."
local no_permission <const> = "You do not have permission to perform this action."

--- Up to where a client comes that is stopped there.
local steps <const> = {
  admit = { "admit" },
  authenticate = { "admit", "authenticate" },
  object = { "admit", "authenticate", "object" },
  permissions = { "admit", "authenticate", "object", "permissions" },
}

local texts <const> = {
  [401] = "Unauthorized",
  [403] = "Forbidden",
  [404] = "Not Found",
  [500] = "Internal Server Error",
}

---@class spec.Refused
---@field [1] string what the client is
---@field [2] string its query
---@field status integer in the frame
---@field close? integer else 4000 and the status
---@field reason? string else the text of the status
---@field detail? string
---@field last string the last that was asked
---@field logged? string the end of what the log says
---@field seconds? number that it takes

--- Behind the upgrade: the frame, and then the code of the close.
---@type spec.Refused[]
local refused <const> = {
  { "not logged in", "", status = 401, last = "authenticate" },
  {
    "that has shown no session",
    "who=session",
    status = 401,
    detail = missing,
    last = "authenticate",
  },
  { "nobody's", "who=is_false", status = 401, last = "authenticate" },
  { "null", "who=null", status = 401, last = "authenticate" },
  {
    "somebody with a session that does not count",
    "who=wrong",
    status = 401,
    detail = "The session is not valid",
    last = "authenticate",
  },
  { "banned", "who=banned", status = 403, detail = "Go away", last = "authenticate" },
  { "lost", "who=gone", status = 404, detail = "No such place", last = "authenticate" },
  { "about nothing", "who=ann&object=is_nil", status = 404, last = "object" },
  { "about what is false", "who=ann&object=is_false", status = 404, last = "object" },
  { "about null", "who=ann&object=null", status = 404, last = "object" },
  {
    "without permission",
    "who=ann&may=no",
    status = 403,
    detail = no_permission,
    last = "permissions",
  },
  {
    "without permission for its object",
    "who=ann&may=because",
    status = 403,
    detail = "Not in Tea",
    last = "permissions",
  },
  {
    "neither allowed nor forbidden",
    "who=ann&may=nothing",
    status = 403,
    detail = no_permission,
    last = "permissions",
  },
}

for _, row in ipairs {
  { "whose authenticator raises", "who=raises", "authenticate", ": the database is down" },
  {
    "whose authenticator raises late",
    "who=raises_late",
    "authenticate",
    ": the database is down",
  },
  {
    "whose authenticator raises for clients",
    "who=raises_declared",
    "authenticate",
    "nobody reads",
  },
  { "whose authenticator raises nothing", "who=raises_nil", "authenticate", "nil" },
  { "whose authenticator says nonsense", "who=odd_status", "authenticate", "returned 402 as a" },
  { "whose object raises", "who=ann&object=raises", "object", ": the database is down" },
  { "whose permissions raise", "who=ann&may=raises", "permissions", ": no rules" },
  {
    "whose permissions say nonsense",
    "who=ann&may=odd",
    "permissions",
    "permissions returned a number",
  },
} do
  table.insert(refused, {
    row[1],
    row[2],
    status = 500,
    close = 1011,
    reason = "the consumer could not start",
    last = row[3],
    logged = row[4],
  })
end

for _, row in ipairs {
  { "whose authenticator is late", "who=late", "authenticate" },
  { "whose authenticator does not care", "who=swallowing", "authenticate" },
  { "whose object is late", "who=ann&object=late", "object" },
  { "whose permissions are late", "who=slow&may=late", "permissions" },
} do
  table.insert(refused, {
    row[1],
    row[2],
    status = 401,
    close = 4408,
    reason = "authentication took too long",
    last = row[3],
    seconds = 0.4,
  })
end

--- Before it: an answer of HTTP, and there is no connection.
local not_upgraded <const> = {
  {
    "of a page of another origin",
    "who=ann",
    "http://evil.example",
    403,
    "This origin is not allowed",
    {},
  },
  { "that is not admitted", "who=ann&admit=no", nil, 401, "Log in first", steps.admit },
  {
    "that cannot be admitted",
    "who=ann&admit=raises",
    nil,
    500,
    "Internal Server Error",
    steps.admit,
  },
}

---@class spec.Kind
---@field path string
---@field says? "snake" | "camel" whether and how a frame says how it ended

--- The consumers, each of another kind.
---@type spec.Kind[]
local kinds <const> = {
  { path = "/ws/room", says = "snake" },
  { path = "/ws/camel", says = "camel" },
  { path = "/ws/quiet" },
  { path = "/ws/hall/tea", says = "snake", topic = "hall:tea" },
  { path = "/ws/text", is_text = true },
}

--- The frame that a client of this kind gets.
---@param kind spec.Kind
---@param status integer
---@param detail? string
---@return table
local function authentication(kind, status, detail)
  local is_camel <const> = kind.says == "camel"
  return {
    action = "authentication",
    payload = {
      [is_camel and "statusCode" or "status_code"] = status,
      [is_camel and "statusText" or "status_text"] = texts[status] or "OK",
      data = detail and { detail = detail } or nil,
    },
  }
end

for name, open in pairs { app = testing.app, server = testing.server } do
  describe("a client, testing." .. name, function()
    local host, journal

    setup(function()
      host = open(folder, { login_attempts = 0 })
    end)

    teardown(function()
      host:close()
    end)

    before_each(function()
      journal = assert(host:connect "/ws/journal")
      journal:call { action = "read" }
    end)

    after_each(function()
      journal:close()
    end)

    --- What has run, as soon as nobody else is connected.
    ---@return table
    local function read()
      local deadline <const> = os.time() + 10
      while host:metric "tidegate_connections" > 1 do
        assert.is_true(os.time() < deadline, "somebody is still connected")
      end
      return journal:call({ action = "read" }).payload
    end

    ---@param kind spec.Kind
    ---@param client table
    local function say_hi(kind, client)
      client:send(kind.is_text and "hi" or { action = "say", payload = "hi" })
    end

    --- The frames of one who is in, up to the answer to what it has said.
    ---@param kind table
    ---@param client table
    ---@param user string
    local function assert_in(kind, client, user)
      if kind.says then
        assert.exact_frame(authentication(kind, 200), client:receive())
      end
      if kind.topic then
        assert.frame({ action = "subscribed", topic = kind.topic }, client:receive())
      end
      local text <const> = "hi of " .. user
      assert.frame(
        kind.is_text and { text = text } or { action = "said", payload = text },
        client:receive()
      )
    end

    for _, kind in ipairs(kinds) do
      for who, user in pairs { ann = "ann", slow = "ann", nobody = "nobody" } do
        it(("comes into %s as %s"):format(kind.path, who), function()
          local client <const> = assert(host:connect(kind.path .. "?who=" .. who))
          say_hi(kind, client)
          assert_in(kind, client, user)
          local inside <const> = journal:call({ action = "read" }).payload
          local expected <const> = table.move(steps.permissions, 1, 4, 1, {})
          expected[5] = "connected"
          expected[#expected + 1] = kind.topic and "authorise"
          expected[#expected + 1] = "say"
          assert.same(expected, inside.steps)
          assert.equal(1, inside.members)
          assert.equal(user == "ann" and 1 or 0, inside.connections)
          client:close()
          assert.same({ steps = { "disconnected" }, members = 0, connections = 0 }, read())
        end)
      end

      for _, row in ipairs(refused) do
        it(("%s is refused by %s"):format(row[1], kind.path), function()
          local logged <const> = #host:logs "handler_failed"
          local client <const> = assert(host:connect(kind.path .. "?" .. row[2]))
          say_hi(kind, client)
          if kind.says then
            local frame <const> = client:receive()
            local detail <const> = row.detail
            assert.exact_frame(authentication(kind, row.status, detail), frame)
          end
          local ending <const> = client:assert_closed(row.close or 4000 + row.status)
          assert.equal(row.reason or texts[row.status], ending.reason)
          assert.is_true(client:receive_nothing())
          assert.same({ steps = steps[row.last], members = 0, connections = 0 }, read())
          local lines <const> = host:logs "handler_failed"
          assert.equal(row.logged and 1 or 0, #lines - logged)
          if row.logged then
            assert.matches(row.logged, lines[#lines].fields.error, 1, true)
          end
        end)
      end

      for _, row in ipairs(not_upgraded) do
        it(("%s is not connected to %s"):format(row[1], kind.path), function()
          local client <const>, refusal <const> =
            host:connect(kind.path .. "?" .. row[2], { origin = row[3] })
          assert.is_nil(client)
          assert.equal(row[4], refusal.status)
          assert.same({ detail = row[5] }, refusal.json)
          assert.same({ steps = row[6], members = 0, connections = 0 }, read())
        end)
      end
    end

    it("needs no object for a path with a parameter", function()
      local client <close> = assert(host:connect "/ws/plain/blue")
      client:assert_authenticated()
      assert.frame({ payload = "hi in blue" }, client:call { action = "say", payload = "hi" })
    end)
  end)
end

describe("a setting", function()
  it("that nobody reads is refused", function()
    local is_open <const>, problem <const> =
      pcall(testing.app, folder, { message_action_key = "type" })
    assert.is_false(is_open)
    assert.matches("message_action_key", tostring(problem), 1, true)
  end)

  it("of the log counts from each start on, not from the first", function()
    for level, count in pairs { info = 1, error = 0 } do
      local app <close> = testing.app(folder, { log_level = level })
      assert(app:connect "/ws/room"):assert_authenticated(401)
      assert.equal(count, #app:logs "authentication_refused", level)
    end
  end)
end)

describe("an authenticator", function()
  it("that computes for ever is stopped, and one that waits holds up nobody", function()
    local server <close> = testing.server(folder, { handler_cpu_ms = 50 })
    local waiting <close> = assert(server:connect "/ws/room?who=late")
    local endless <close> = assert(server:connect "/ws/room?who=endless")
    local client <close> = assert(server:connect "/ws/plain/blue")
    client:assert_authenticated()
    assert.frame({ payload = "hi in blue" }, client:call { action = "say", payload = "hi" })
    endless:assert_authenticated(500)
    endless:assert_closed(1011)
    waiting:assert_authenticated(401)
    waiting:assert_closed(4408)
    assert.frame({ payload = "hi in blue" }, client:call { action = "say", payload = "hi" })
  end)
end)
