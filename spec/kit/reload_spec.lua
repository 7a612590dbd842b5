--- New code for an application of the test kit: what app:reload takes and answers. What becomes of
--- connections is in reload_life_spec.lua.

local program <const> = require "spec.support.program"
local support <const> = require "spec.support.reload"
local testing <const> = require "tidegate.testing"

local tide <const> = require "tidegate"

local code <const>, say <const> = support.code, support.say

--- What a call raises, with the line of this file that it names.
---@param fn function
---@return string
local function raised(fn, ...)
  local is_fine <const>, text <const> = pcall(fn, ...)
  assert.is_false(is_fine)
  local place <const>, rest <const> = tostring(text):match "^(.-):%d+: (.*)$"
  assert.equal(debug.getinfo(1, "S").short_src, place)
  return rest
end

---@param folder string
---@param name string
---@param text string
local function save(folder, name, text)
  local file <close> = assert(io.open(folder .. "/" .. name, "w"))
  file:write(text)
end

local chat <const> = [[
local tide <const> = require "tidegate"
local words <const> = require "words"
local s <const> = tide.schema
local Say <const> = tide.message("say", { text = s.string { max = 2000 } })
local Said <const> = tide.message("said", { text = s.string(), by = s.string() })
local Chat <const> = tide.consumer { path = "/ws", name = "chat" }
Chat:on(Say, { output = Said }, function(_, message)
  return Said { text = message.payload.text, by = words.version }
end)
return Chat
]]

describe("app:reload of a folder", function()
  local folder, app, client

  before_each(function()
    folder = program.app {
      ["consumers/chat.lua"] = chat,
      ["words.lua"] = "return { version = 'one' }",
    }
    app = testing.app(folder.path)
    client = app:connect "/ws"
    assert.equal("hello by one", say(client, "hello"))
  end)

  after_each(function()
    app:close()
    getmetatable(folder).__close(folder)
  end)

  it("serves what lies on disk now, on the same connections", function()
    save(folder.path, "words.lua", "return { version = 'two' }")
    assert.equal("hello by one", say(client, "hello"))
    local report <const> = assert(app:reload())
    assert.equal("hello by two", say(client, "hello"))
    assert.same({
      generation = 2,
      text = "1 module",
      modules = { folder.path .. "/words.lua" },
      added = {},
      removed = {},
      stricter = {},
      for_new_connections = {},
    }, report)
    assert.equal("reloaded generation 2: 1 module", tostring(report))
    assert.equal("two", app:require("words").version)
  end)

  it("says what has changed for clients", function()
    local changed <const> = chat
      :gsub("2000", "200")
      :gsub('"/ws"', '"/ws/chat"')
      :gsub('name = "chat" }', '%0\nlocal Edit <const> = tide.message "chat.edit"', 1)
      :gsub("return Chat", "Chat:on(Edit, function() end)\n%0")
    save(folder.path, "consumers/chat.lua", changed)
    save(
      folder.path,
      "consumers/lobby.lua",
      [[
      return require("tidegate").consumer { path = "/ws/lobby", name = "lobby" }
    ]]
    )
    local report = assert(app:reload())
    table.sort(report.added)
    assert.same({
      generation = 2,
      text = "2 modules, +1 consumer (lobby), +1 route (/ws/chat), -1 route (/ws), "
        .. "+1 action (chat.edit), stricter in 1 place\n"
        .. "  say payload.text: max was 2000, is 200\n"
        .. "  chat: a changed path applies to new connections",
      modules = {
        folder.path .. "/consumers/chat.lua",
        folder.path .. "/consumers/lobby.lua",
      },
      added = { "action chat.edit", "consumer lobby", "route /ws/chat" },
      removed = { "route /ws" },
      stricter = { "say payload.text: max was 2000, is 200" },
      for_new_connections = { "chat: a changed path applies to new connections" },
    }, report)
    os.remove(folder.path .. "/consumers/lobby.lua")
    save(folder.path, "consumers/chat.lua", chat)
    report = assert(app:reload())
    table.sort(report.removed)
    assert.same({ "action chat.edit", "consumer lobby", "route /ws/chat" }, report.removed)
  end)

  it("changes nothing when the code does not load, and says why", function()
    save(folder.path, "words.lua", "return { version = 'two' ")
    local report <const>, problems <const> = app:reload()
    assert.is_nil(report)
    assert.equal("failed", problems.outcome)
    assert.equal(1, #problems)
    assert.equal(folder.path .. "/words.lua", problems[1].file)
    assert.equal(1, problems[1].line)
    assert.equal("'}' expected near <eof>", problems[1].message)
    assert.truthy(tostring(problems):find("^the new code does not load:\n"))
    assert.truthy(tostring(problems):find("words.lua:1: '}' expected near <eof>", 1, true))
    assert.equal("hello by one", say(client, "hello"))
    assert.equal("1 serving: 1", support.alive(app))
    assert.equal(1, app:metric "tidegate_reloads_failed_total")

    save(folder.path, "words.lua", "return { version = 'mended' }")
    assert.equal(2, assert(app:reload()).generation)
    assert.equal("hello by mended", say(client, "hello"))
  end)

  it("takes another folder, or a function, and goes on with that", function()
    local other <close> = program.app {
      ["consumers/chat.lua"] = chat,
      ["words.lua"] = "return { version = 'other' }",
    }
    assert(app:reload(other.path))
    assert.equal("hello by other", say(client, "hello"))
    save(folder.path, "words.lua", "return { version = 'nobody asks' }")
    save(other.path, "words.lua", "return { version = 'another' }")
    assert(app:reload())
    assert.equal("hello by another", say(client, "hello"))
    assert(app:reload(code "function"))
    assert.equal("hello 1 by function", say(client, "hello"))
    assert(app:reload())
    assert.equal("hello 2 by function", say(client, "hello"))
  end)

  it("goes on with what served when another does not load", function()
    assert.is_nil((app:reload(folder.path .. "/nowhere")))
    assert.is_nil((app:reload(function() end)))
    assert(app:reload())
    assert.equal("hello by one", say(client, "hello"))
  end)
end)

describe("app:reload of a function", function()
  it("calls it anew, or another", function()
    local calls = 0
    local app <close> = testing.app(function(of)
      calls = calls + 1
      return code("call " .. calls)(of)
    end)
    local client <close> = app:connect "/ws"
    assert.equal("a 1 by call 1", say(client, "a"))
    local report <const> = assert(app:reload())
    assert.equal("nothing declared has changed", report.text)
    assert.equal("b 2 by call 2", say(client, "b"))
    assert(app:reload(code "another"))
    assert.equal("c 3 by another", say(client, "c"))
    assert.equal(2, calls)
  end)

  it("tells what it raises, and what it does not return", function()
    local app <close> = testing.app(code "one")
    local line <const> = debug.getinfo(1, "l").currentline + 2
    local _, problems <const> = app:reload(function()
      error "broken"
    end)
    assert.same(
      { debug.getinfo(1, "S").short_src, line, "broken" },
      { problems[1].file, problems[1].line, problems[1].message }
    )
    _, problems[1] = app:reload(function() end)
    assert.truthy(tostring(problems[1]):find("no consumer was found", 1, true))
  end)

  it("lets spies of the spec reach the code", function()
    local heard <const> = spy.new(function() end)
    local function declare(of)
      return code("one", function(Chat)
        function Chat:connected()
          heard "connected"
        end
        function Chat:reloaded(_, from)
          heard("reloaded", from)
        end
      end)(of)
    end
    local app <close> = testing.app(declare)
    local client <close> = app:connect "/ws"
    assert.spy(heard).was_called(1)
    assert(app:reload())
    assert.spy(heard).was_called(2)
    assert.spy(heard).was_called_with("reloaded", 1)
    assert(client)
  end)
end)

--- Adds `step` each time; the manual shows what is done with it.
---@param step integer
local function counting(step)
  return function(of)
    local Add <const>, Count <const> = of.message "add", of.message("count", of.schema.integer())
    local Counter <const> = of.consumer { path = "/ws/count", send_authentication = false }
    Counter:on(Add, { output = Count }, function(conn)
      conn.state.count = (conn.state.count or 0) + step
      return Count(conn.state.count)
    end)
    return Counter
  end
end

describe("the example of the manual", function()
  it("goes on counting in new code", function()
    local app <close> = testing.app(counting(1))
    local client <close> = app:connect "/ws/count"
    assert.frame({ action = "count", payload = 1 }, client:call { action = "add" })
    local report <const> = assert(app:reload(counting(10)))
    assert.equal(2, report.generation)
    assert.frame({ action = "count", payload = 11 }, client:call { action = "add" })
  end)

  it("stands there", function()
    local file <close> = assert(io.open "docs/testing.md")
    local here <close> = assert(io.open(debug.getinfo(1, "S").source:sub(2)))
    local source <const> = here:read("a"):match '\n  (it%("goes on counting.-\n  end%))\n'
    assert.truthy(file:read("a"):find(source:gsub("\n  ", "\n"), 1, true), source)
  end)
end)

describe("app:reload of consumers that the spec declares itself", function()
  local Hello <const> = tide.message "hello"
  local Greeter <const> = tide.consumer { path = "/ws", name = "chat" }
  Greeter:on(Hello, { output = Hello }, function()
    return Hello()
  end)

  it("wants a function or a folder, since they exist once", function()
    local app <close> = testing.app(Greeter)
    local text <const> = "consumers that a spec declared itself exist once: hand over a "
      .. "function(tide) that declares them anew, or a folder"
    assert.equal(text, raised(app.reload, app))
    assert.equal(text, raised(app.reload, app, { Greeter }))
    local client <close> = app:connect "/ws"
    assert.frame({ action = "hello" }, client:call(Hello()))
    assert(app:reload(code "two"))
    assert.equal("a 1 by two", say(client, "a"))
  end)

  it("gives them back when nothing of theirs is left", function()
    for _ = 1, 3 do
      local app <close> = testing.app(Greeter)
      local client <close> = app:connect "/ws"
      assert.frame({ action = "hello" }, client:call(Hello()))
      assert(app:reload(code "two"))
      do
        local other <close> = testing.app(Greeter)
        local second <close> = other:connect "/ws"
        assert.frame({ action = "hello" }, second:call(Hello()))
        assert.equal("1 serving: 1", support.alive(other))
      end
      assert.equal("a 1 by two", say(client, "a"))
    end
    local Late <const> = tide.message "late" -- which is refused while an app runs them
    assert(Late)
  end)
end)

describe("app:reload", function()
  it("is the spec's: what the app calls cannot ask for it", function()
    local app
    app = testing.app(code("one", function(Chat, of)
      Chat:on(of.message "again", function()
        app:reload()
      end)
    end))
    local client <close> = app:connect "/ws"
    client:send { action = "again" }
    assert.truthy(
      tostring(app:logs "handler_failed"):find("the app is running: what it calls", 1, true)
    )
    app:close()
  end)

  it("wants an app that is open, and something to load", function()
    local app <const> = testing.app(code "one")
    assert.equal(
      "app:reload: expected a folder, a consumer, a list of consumers or a function, got 7",
      raised(app.reload, app, 7)
    )
    app:close()
    local function closed(name)
      local text <const> = raised(app[name], app)
      assert.truthy(text:find "^this application, opened at .* was closed at ")
    end
    closed "reload"
    closed "generations"
  end)

  it("has each line of the log name a generation", function()
    local app <close> = testing.app(code "one")
    local client <close> = app:connect "/ws"
    assert(app:reload())
    say(client, "a")
    app:reload(function()
      error "broken"
    end)
    local lines <const> = {}
    for index, line in ipairs(app:logs()) do
      lines[index] = ("%s %d"):format(line.event, line.fields.generation)
    end
    assert.same({ "connected 1", "reloaded 2", "generation_ended 1", "reload_failed 2" }, lines)
    assert.equal(2, app:metric "tidegate_generation")
  end)

  it("leaves the clock and the stubs of the app as they were", function()
    local function declare(of)
      return code("any", function(Chat)
        local Ask <const>, Told <const> = of.message "ask", of.message("told", of.schema.any())
        Chat:on(Ask, { output = Told }, function()
          local answer <const> = assert(of.http.get "http://127.0.0.1/x")
          return Told { answer.body, of.now() }
        end)
      end)(of)
    end
    local app <close> = testing.app(declare)
    app:stub_http("http://127.0.0.1/x", { status = 200, body = "stubbed" })
    app:advance(100)
    local client <close> = app:connect "/ws"
    local before <const> = client:call({ action = "ask" }).payload
    assert(app:reload())
    assert.same(before, client:call({ action = "ask" }).payload)
    assert.equal("stubbed", before[1])
  end)
end)
