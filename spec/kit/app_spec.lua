--- Applications under test, over a stand-in of the kit's module: what is asked of it, and how the
--- answers reach a spec. What the module does is seen in the other specs of this folder.

local failure <const> = require "spec.support.failure"
local fake_kit <const> = require "spec.support.fake_kit"

local here <const> = debug.getinfo(1, "S").source:sub(2)

describe("testing.app", function()
  local server, kit, testing, app

  before_each(function()
    server = {}
    kit = fake_kit.new(server)
    testing = require "tidegate.testing.library"(kit)
    app = testing.app("consumers", { max_connections = 5, seed = 7, strict = true })
  end)

  after_each(function()
    app:close()
  end)

  it("opens a folder, a consumer, several or what a function declares", function()
    assert.same({ folder = "consumers", config = { max_connections = 5 }, seed = 7 }, kit.options)
    local consumer <const> = setmetatable({}, { __name = "tidegate.consumer" })
    local function declare() end
    for field, case in pairs {
      consumers = { { consumer, { consumer } }, { { consumer, consumer }, { consumer, consumer } } },
      declare = { { declare, declare } },
    } do
      for _, pair in ipairs(case) do
        local opened <close> = testing.app(pair[1])
        assert.equal("table", type(opened))
        assert.same({ [field] = pair[2], config = {} }, kit.options)
      end
    end
    assert.equal(
      "testing.app: expected a folder, a consumer, a list of consumers or a function, got 7",
      failure(function()
        testing.app(7)
      end)
    )
  end)

  it("shows everything that keeps an application from loading", function()
    server.problems = 'a.lua:3: tide has no "consumr"\nb.lua:1: unexpected symbol'
    local text <const>, place <const> = failure(function()
      testing.app "broken"
    end)
    assert.equal(
      'the application "broken" does not load:\n'
        .. 'a.lua:3: tide has no "consumr"\nb.lua:1: unexpected symbol',
      text
    )
    assert.equal(here, place:match "^(.*):%d+$")
  end)

  it("connects with what a browser would send", function()
    local client <close> = app:connect("/ws/chat?page=2", {
      query = { name = "Ann & Bob", n = 3 },
      headers = { ["X-Request-Id"] = "7" },
      cookies = { session = "abc", theme = "dark" },
      origin = "https://example.org",
      subprotocol = "chat.v1",
      peer = "192.0.2.7",
      user = { id = 5 },
    })
    assert.equal("/ws/chat?page=2", client.path)
    assert.same({
      path = "/ws/chat",
      query = "page=2&n=3&name=Ann%20%26%20Bob",
      headers = {
        { "x-request-id", "7" },
        { "cookie", "session=abc; theme=dark" },
        { "origin", "https://example.org" },
        { "sec-websocket-protocol", "chat.v1" },
      },
      peer = "192.0.2.7",
      user = { id = 5 },
    }, kit.core.requests[1])
  end)

  it("refuses options that there are not", function()
    assert.equal(
      'app:connect: unknown option "header" (options: cookies, headers, origin, peer, query, strict, '
        .. "subprotocol, user)",
      failure(function()
        app:connect("/ws", { header = {} })
      end)
    )
    assert.equal(
      'app:connect: option "query" must be a string or a table, got a number',
      failure(function()
        app:connect("/ws", { query = 3 })
      end)
    )
    assert.equal(
      'app:connect: expected a path that begins with "/", got "ws"',
      failure(function()
        app:connect "ws"
      end)
    )
  end)

  it("tells how a connection was refused", function()
    server.refuse = { 404, '{"detail":"Not found"}', { ["content-type"] = "application/json" } }
    local client <const>, refusal <const> = app:connect "/ws/nowhere"
    assert.is_nil(client)
    assert.equal(404, refusal.status)
    assert.equal('{"detail":"Not found"}', refusal.body)
    assert.equal("Not found", refusal.json.detail)
    assert.equal("application/json", refusal.headers["content-type"])
    local is_fine <const>, raised <const> = pcall(function()
      return assert(app:connect "/ws/nowhere")
    end)
    assert.is_false(is_fine)
    assert.equal(
      'the server refused the connection to /ws/nowhere with 404: {"detail":"Not found"}',
      tostring(raised)
    )
  end)

  it("reads metrics by name and labels", function()
    server.metrics = [[
# HELP tidegate_messages_received_total Messages.
# TYPE tidegate_messages_received_total counter
tidegate_messages_received_total 3
tidegate_handled_total{consumer="chat",action="a"} 2
tidegate_handled_total{consumer="chat",action="say \"b\""} 5
tidegate_handler_seconds_bucket{le="+Inf"} 1
tidegate_seconds 0.25
]]
    assert.equal(3, app:metrics().tidegate_messages_received_total)
    assert.equal(7, app:metrics().tidegate_handled_total)
    assert.equal(0.25, app:metric "tidegate_seconds")
    assert.equal(7, app:metric("tidegate_handled_total", { consumer = "chat" }))
    assert.equal(5, app:metric("tidegate_handled_total", { action = 'say "b"' }))
    assert.equal(0, app:metric("tidegate_handled_total", { action = "c" }))
    assert.equal(
      'app:metric: there is no metric "tidegate_handeld_total"',
      failure(function()
        app:metric "tidegate_handeld_total"
      end)
    )
  end)

  it("lists the log, and shows it as a text", function()
    kit.core.lines = {
      { level = "info", event = "connected", at = 0, fields = { conn = "c1", path = "/ws" } },
      {
        level = "error",
        event = "task_failed",
        at = 1,
        fields = { source = "a.lua:3", error = "oh" },
      },
    }
    assert.equal(2, #app:logs())
    assert.equal("a.lua:3", app:logs("task_failed")[1].fields.source)
    assert.equal(
      "    0.000 s  info connected path=/ws\n    1.000 s  error task_failed: a.lua:3: oh",
      tostring(app:logs())
    )
  end)

  it("tells what it still holds, and where that comes from", function()
    server.metrics = "tidegate_connections 0\ntidegate_tasks 2\ntidegate_outbox_bytes 0\n"
    server.tasks = { "started at ticker.lua:3", "started at ticker.lua:3" }
    local other <close> = testing.app "consumers"
    assert.no_leaks(other)
    local client <const> = other:connect "/ws/chat?page=2"
    assert.is_not_nil(client)
    server.metrics = "tidegate_connections 1\ntidegate_tasks 5\ntidegate_outbox_bytes 32\n"
    server.tasks = {
      "started at ticker.lua:3",
      "waiting at chat.lua:9",
      "started at ticker.lua:3",
      "started at a.lua:1",
      "waiting at chat.lua:9",
    }
    local text <const> = failure(function()
      assert.no_leaks(other)
    end)
    assert.equal(
      [[The application holds more than when it was opened:
  1 connection
    /ws/chat?page=2, connected at spec/kit/app_spec.lua:N
  3 tasks
    2 waiting at chat.lua:9
    started at a.lua:1
  32 bytes in outboxes]],
      (text:gsub("app_spec%.lua:%d+", "app_spec.lua:N"))
    )
    assert.equal(2, kit.core.runs)
    assert.equal(
      "assert.no_leaks cannot be negated",
      failure(function()
        assert.is_not.no_leaks(other)
      end)
    )
    assert.equal(
      "assert.no_leaks(app): expected what testing.app returns, got nothing",
      failure(function()
        assert.no_leaks(nil)
      end)
    )
  end)

  it("is closed once, and says so when it is used then", function()
    app:close()
    assert.is_true(kit.core.is_closed)
    app:close()
    local text <const> = failure(function()
      app:connect "/ws/chat"
    end)
    assert.is_truthy(
      text:find(
        "^this application, opened at spec/kit/app_spec.lua:%d+, was closed at spec/kit/app_spec.lua:%d+$"
      ),
      text
    )
  end)
end)

describe("an application that nobody closes", function()
  local files = {}

  --- What busted says of a spec file, run by itself.
  local function run(body)
    local path <const> = os.tmpname() .. "_spec.lua"
    files[#files + 1] = path
    local file <close> = assert(io.open(path, "w"))
    file:write(
      'local kit = require("spec.support.fake_kit").new {}\n'
        .. 'local testing = require "tidegate.testing.library"(kit)\n'
        .. body
    )
    file:flush()
    local command <const> =
      "lua5.4 /usr/bin/busted --ignore-lua --lpath='./lua/?.lua' -o TAP '%s' 2>&1"
    local pipe <close> = assert(io.popen(command:format(path)))
    return (pipe:read("a"):gsub(path:gsub("%p", "%%%0"), "x_spec.lua"))
  end

  after_each(function()
    for _, path in ipairs(files) do
      os.remove(path)
      os.remove((path:gsub("_spec%.lua$", "")))
    end
    files = {}
  end)

  it("ends with the `it` that opened it, without a word", function()
    assert.equal(
      "ok 1 - opens\nok 2 - sees\n1..2\n",
      run [[
local app
it("opens", function() app = testing.app "a" end)
it("sees", function()
  assert.is_true(kit.core.is_closed)
  local is_fine, text = pcall(app.connect, app, "/ws")
  assert.is_truthy(tostring(text):find("was closed at the end of the `it` that had opened it"), text)
end)
]]
    )
  end)

  it("ends with the file, which says so", function()
    local output <const> = run [[
before_each(function() testing.app "a" end)
it("one", function() end)
it("two", function() end)
]]
    assert.is_truthy(
      output:find(
        "x_spec.lua:3: testing.app: 2 applications opened here were never closed; call app:close() in after_each\n",
        1,
        true
      ),
      output
    )
  end)

  it("is not told of where it was closed", function()
    assert.equal(
      "ok 1 - one\n1..1\n",
      run [[
local app
before_each(function() app = testing.app "a" end)
after_each(function() app:close() end)
it("one", function() end)
]]
    )
  end)
end)
