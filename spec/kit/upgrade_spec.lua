--- What is decided before there is a connection: an application in this process and the real program answer
--- alike, and as is written here. It needs a built program (TG_BIN).

local testing <const> = require "tidegate.testing"

local here <const> = debug.getinfo(1, "S").source:match "^@(.*)/kit/[^/]*$" or "spec"
local folder <const> = here .. "/support/apps/upgrade"

local forbidden <const> = '403 {"detail":"This origin is not allowed"}'
local failed <const> = '500 {"detail":"Internal Server Error"}'
local gate <const> = "gate.example:8000"

---@param origin string?
---@return table
local function from(origin)
  return { headers = { host = gate }, origin = origin }
end

---@param list string
---@return table
local function offering(list)
  return { subprotocol = list }
end

--- title, path, options, what comes: "101 <subprotocol>", or the status and the body
local cases <const> = {
  { "no page", "/ws/plain", from(nil), "101" },
  { "the same origin", "/ws/plain", from "http://gate.example:8000", "101" },
  { "the same origin in other letters", "/ws/plain", from "HTTP://Gate.Example:8000", "101" },
  { "another scheme", "/ws/plain", from "https://gate.example:8000", forbidden },
  { "another port", "/ws/plain", from "http://gate.example", forbidden },
  { "another host", "/ws/plain", from "http://evil.example:8000", forbidden },
  { "a page that hides its origin", "/ws/plain", from "null", forbidden },
  {
    "two origins",
    "/ws/plain",
    from "http://gate.example:8000, http://gate.example:8000",
    forbidden,
  },
  { "an origin that is declared", "/ws/cousins", from "http://dev.example:5173", "101" },
  { "an origin below one", "/ws/cousins", from "https://a.b.example.org", "101" },
  { "the domain itself", "/ws/cousins", from "https://example.org", forbidden },
  { "its own origin beside those", "/ws/cousins", from "http://gate.example:8000", "101" },
  { "no page, where one is required", "/ws/pages", from(nil), forbidden },
  { "a page, where one is required", "/ws/pages", from "http://gate.example:8000", "101" },
  { "any page, where all are declared", "/ws/all", from "null", "101" },
  {
    "the subprotocol that is liked best",
    "/ws/spoken",
    offering "chat.v1, chat.v2",
    "101 chat.v2",
  },
  { "the only one that is spoken", "/ws/spoken", offering "wamp, chat.v1", "101 chat.v1" },
  { "one that nobody speaks", "/ws/spoken", offering "wamp", "101" },
  { "one where none is declared", "/ws/plain", offering "wamp", "101" },
  {
    "a list that is none",
    "/ws/spoken",
    offering "chat.v1;q=1",
    '400 {"detail":"Sec-WebSocket-Protocol is not a list of names"}',
  },
  {
    "a number in front",
    "/ws/spoken",
    offering "13, chat.v1",
    '400 {"detail":"The first name of Sec-WebSocket-Protocol is a number, or has more than 62 bytes"}',
  },
  {
    "a list that is too long",
    "/ws/spoken",
    offering("chat.v1, " .. ("x"):rep(118)),
    '400 {"detail":"Sec-WebSocket-Protocol has more than 126 bytes"}',
  },
  {
    "a list that is just not",
    "/ws/spoken",
    offering("chat.v1, " .. ("x"):rep(117)),
    "101 chat.v1",
  },
  {
    "who is admitted, by all that the request has",
    "/ws/admitting/member?page=2",
    { headers = { ["X-Key"] = "right" }, cookies = { a = "b" }, subprotocol = "chat.v1" },
    "101 chat.v1",
  },
  { "false", "/ws/admitting/refused", {}, '403 {"detail":"The connection was refused"}' },
  { "a status, a sentence", "/ws/admitting/late", {}, [[503 {"detail":"Come \"later\""}]] },
  { "an origin that admit never sees", "/ws/admitting/raising", from "null", forbidden },
  { "an error", "/ws/admitting/raising", {}, failed, ": boom" },
  { "an error that is meant for clients", "/ws/admitting/declared", {}, failed, "Not you" },
  { "a wait", "/ws/admitting/waiting", {}, failed, "cannot wait inside admit: the client has no" },
  { "nothing", "/ws/admitting/nothing", {}, failed, "admit returned nothing: it returns true, or" },
  {
    "a number",
    "/ws/admitting/number",
    {},
    failed,
    "admit returned a number: it returns true, or",
  },
  { "a status of success", "/ws/admitting/low", {}, failed, "admit returned 200 as a status" },
  { "half a status", "/ws/admitting/half", {}, failed, "admit returned 403.5 as a status" },
  {
    "a table as a detail",
    "/ws/admitting/table",
    {},
    failed,
    "admit returned a table as a detail",
  },
  { "bytes as a detail", "/ws/admitting/bytes", {}, failed, "admit returned a detail that is not" },
  {
    "a header with a line break",
    "/ws/admitting/split",
    {},
    failed,
    "header X-A with a line break",
  },
  {
    "a name with a line break",
    "/ws/admitting/name",
    {},
    failed,
    "a name has letters, digits and",
  },
  {
    "a header of ours",
    "/ws/admitting/own",
    {},
    failed,
    "content-length, which the gateway writes",
  },
  { "headers without end", "/ws/admitting/long", {}, failed, "more than 1024 bytes of headers" },
  {
    "a text as headers",
    "/ws/admitting/list",
    {},
    failed,
    "a string for headers: they are a table",
  },
}

--- What a client sees, in short.
---@param host table
---@param case table
---@return string
local function seen(host, case)
  local client <close>, refusal <const> = host:connect(case[2], case[3])
  if not client then
    return ("%d %s"):format(refusal.status, refusal.body)
  end
  assert.equal(client.subprotocol, client:receive().payload.more.subprotocol)
  return "101" .. (client.subprotocol and " " .. client.subprotocol or "")
end

--- The last line of the log about an `admit` that failed.
---@param host table
---@return string?
local function last_failure(host)
  local last
  for _, line in ipairs(host:logs()) do
    last = line.event == "admit_failed" and line.fields.error or last
  end
  return last
end

for name, open in pairs { app = testing.app, server = testing.server } do
  describe("before there is a connection, testing." .. name, function()
    local host

    setup(function()
      host = open(folder, { login_attempts = 0 })
    end)

    teardown(function()
      host:close()
    end)

    for _, case in ipairs(cases) do
      it("answers " .. case[1], function()
        assert.equal(case[4], seen(host, case))
        if case[5] then
          assert.matches(case[5], last_failure(host), 1, true)
        end
      end)
    end

    it("sends the headers that admit returns", function()
      local _, late <const> = host:connect "/ws/admitting/late"
      assert.equal("5", late.headers["retry-after"])
      assert.equal("a, b", late.headers["x-many"])
      assert.equal("application/json", late.headers["content-type"])
      local _, stranger <const> = host:connect "/ws/admitting/stranger"
      assert.equal(401, stranger.status)
      assert.equal('Bearer realm="rooms"', stranger.headers["www-authenticate"])
    end)

    it("says which version it speaks", function()
      local headers <const> = { ["sec-websocket-version"] = "8" }
      local _, refusal <const> = host:connect("/ws/plain", { headers = headers })
      assert.equal(426, refusal.status)
      assert.equal("13", refusal.headers["sec-websocket-version"])
    end)
  end)
end

for name, open in pairs { app = testing.app, server = testing.server } do
  describe("behind a proxy, testing." .. name, function()
    ---@param settings table
    ---@param headers table<string, string>
    ---@param origin? string
    ---@return string
    local function peer(settings, headers, origin)
      local host <close> = open(folder, settings)
      headers.host = "example.org"
      local client <close>, refusal <const> = host:connect("/ws/plain", {
        headers = headers,
        origin = origin,
      })
      return client and client:receive().payload.peer or tostring(refusal.status)
    end

    local forwarded <const> = {
      ["X-Forwarded-For"] = "127.0.0.1, 203.0.113.9",
      ["X-Forwarded-Proto"] = "https",
    }

    it("believes nobody by default", function()
      assert.equal("127.0.0.1", peer({}, forwarded))
      assert.equal("403", peer({}, forwarded, "https://example.org"))
    end)

    it("takes client and scheme from one that is trusted", function()
      local settings <const> = { trusted_proxies = "10.0.0.0/8, 127.0.0.0/8" }
      assert.equal("203.0.113.9", peer(settings, forwarded))
      assert.equal("203.0.113.9", peer(settings, forwarded, "https://example.org"))
      assert.equal("403", peer(settings, forwarded, "http://example.org"))
    end)

    it("reads Forwarded where the setting says so", function()
      local settings <const> = { trusted_proxies = "127.0.0.1", forwarded_header = "forwarded" }
      local headers <const> = { Forwarded = 'for="[2001:db8::17]:4711";proto=https' }
      assert.equal("[2001:db8::17]", peer(settings, headers, "https://example.org"))
      assert.equal("127.0.0.1", peer(settings, forwarded))
    end)
  end)
end

describe("logins that fail", function()
  for name, open in pairs { app = testing.app, server = testing.server } do
    it("are limited, testing." .. name, function()
      local host <close> = open(folder, { login_attempts = 3 })
      for _ = 1, 3 do
        local _, refusal <const> = host:connect "/ws/admitting/stranger"
        assert.equal(401, refusal.status)
      end
      local _, refusal <const> = host:connect "/ws/admitting/stranger"
      assert.equal(429, refusal.status)
      assert.equal('{"detail":"Too many attempts to log in"}', refusal.body)
      assert.matches("^%d+$", refusal.headers["retry-after"])
      local client <close> = assert(host:connect "/ws/plain")
      assert.equal("seen", client:receive().action)
    end)
  end

  it("are forgotten in time", function()
    local app <close> = testing.app(folder, { login_attempts = 3 })
    for _ = 1, 4 do
      app:connect "/ws/admitting/stranger"
    end
    local _, limited <const> = app:connect "/ws/admitting/stranger"
    assert.equal("20", limited.headers["retry-after"])
    app:advance(20)
    local _, refused <const> = app:connect "/ws/admitting/stranger"
    assert.equal(401, refused.status)
    local _, again <const> = app:connect "/ws/admitting/stranger"
    assert.equal(429, again.status)
  end)
end)

describe("an admit that does not end", function()
  for _, room in ipairs { "looping", "swallowing" } do
    it("is stopped, and refuses: " .. room, function()
      local server <close> = testing.server(folder, { handler_cpu_ms = 50 })
      local _, refusal <const> = server:connect("/ws/admitting/" .. room)
      assert.equal(500, refusal.status)
      local client <close> = assert(server:connect "/ws/plain")
      assert.equal("seen", client:receive().action)
    end)
  end
end)
