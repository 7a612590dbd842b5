--- What a person is told whose application does not load: drives the program over folders made here.

local program <const> = require "spec.support.program"

describe("tidegate check", function()
  setup(function()
    assert(program.exists(), program.path .. " is not built (TG_BIN names another)")
  end)

  local header <const> = 'local tide <const> = require "tidegate"\n'

  --- Checks an application; `FOLDER/` in what is printed is taken away.
  ---@param files table<string, string>
  ---@return string output
  ---@return integer status
  local function check(files)
    local app <close> = program.app(files)
    local output <const>, status <const> = program.run("check", app.path)
    local plain <const> = app.path:gsub("%p", "%%%0") .. "/"
    return (output:gsub(plain, "")), status
  end

  --- Checks that an application is refused, and that this stands in what is printed.
  ---@param files table<string, string>
  ---@param ... string
  local function is_refused(files, ...)
    local output <const>, status <const> = check(files)
    assert.equal(1, status, output)
    for _, text in ipairs { ... } do
      assert.is_truthy(output:find(text, 1, true), ("%s\nis not in\n%s"):format(text, output))
    end
  end

  ---@param files table<string, string>
  local function is_accepted(files)
    local output <const>, status <const> = check(files)
    assert.equal(0, status, output)
  end

  describe("refuses an origin that no page can have", function()
    for origin, problem in pairs {
      ["example.org"] = "does not begin with a scheme, as in https://example.org",
      ["https://example.org/"] = "has a path, and an origin has none",
      ["https://a*.example.org"] = 'has a "*" that does not stand for whole labels in front',
      ["https://*.org"] = "is all of a top-level domain",
      ["null"] = "is the origin of every page that hides its own",
    } do
      it(origin, function()
        local text <const> = 'return tide.consumer {\n  path = "/a",\n  origins = { "%s" },\n}\n'
        is_refused(
          { ["a.lua"] = header .. text:format(origin) },
          ('a.lua:2: the origin "%s" %s'):format(origin, problem)
        )
      end)
    end
  end)

  describe("accepts", function()
    it("the served consumers and the examples", function()
      local examples <const> = { "chat", "discussion", "order_form", "raw_text", "topics_hub" }
      local folders <const> = { "consumers", "." }
      for _, name in ipairs(examples) do
        folders[#folders + 1] = "examples/" .. name
      end
      for _, path in ipairs(folders) do
        local output <const>, status <const> = program.run("check", path)
        assert.equal(0, status, path .. ": " .. output)
      end
    end)

    it("consumers in files, in folders and in a folder of their own", function()
      local module <const> = header .. 'return tide.consumer { path = "/ws/a" }\n'
      is_accepted { ["a.lua"] = module }
      is_accepted { ["a/init.lua"] = module }
      is_accepted { ["consumers/a.lua"] = module }
    end)

    it("libraries beside consumers, and modules of tidegate in libraries", function()
      is_accepted {
        ["a.lua"] = header .. 'return tide.consumer { path = require "paths".a }\n',
        ["paths.lua"] = 'return { a = "/ws/a" }\n',
        ["silent.lua"] = "local _ <const> = 1\n",
      }
    end)

    it("a list of consumers", function()
      is_accepted {
        ["a.lua"] = header
          .. 'local a <const>, b <const> = tide.consumer { path = "/a" }, tide.consumer { path = "/b" }\n'
          .. "return { a, b }\n",
      }
    end)

    it("consumers that a router gives their paths, in whatever order the modules come", function()
      local system <const> = header .. 'return tide.consumer { name = "system" }\n'
      local routes <const> = header
        .. 'return tide.router("/ws", { ["/system"] = require "system" })\n'
      is_accepted { ["system.lua"] = system, ["a_routes.lua"] = routes }
      is_accepted { ["system.lua"] = system, ["web.lua"] = routes }
    end)
  end)

  describe("names the line of", function()
    it("an unknown option, in a call that is returned as well", function()
      local text <const> = 'tide.consumer: unknown option "pth"; did you mean "path"?'
      is_refused(
        { ["a.lua"] = header .. '\nlocal a <const> = tide.consumer { pth = "/a" }\nreturn a\n' },
        "a.lua:3: " .. text
      )
      is_refused(
        { ["a.lua"] = header .. '\nreturn tide.consumer { pth = "/a" }\n' },
        "a.lua:3: " .. text
      )
    end)

    it("a misspelt hook", function()
      is_refused({
        ["a.lua"] = header
          .. 'local A <const> = tide.consumer { path = "/a" }\n\n'
          .. "function A:conected() end\n\nreturn A\n",
      }, "a.lua:4: the consumer of ", 'a.lua:2 has no hook "conected"; did you mean "connected"?')
    end)

    it("both handlers of one action", function()
      is_refused(
        {
          ["a.lua"] = header
            .. 'local A <const> = tide.consumer { path = "/a" }\n'
            .. "A:on(tide.messages.ping, function() end)\n"
            .. "A:on(tide.messages.ping, function() end)\n"
            .. "return A\n",
        },
        "a.lua:4: the consumer of ",
        'a.lua:2 has a second handler for "ping": at ',
        "a.lua:3 and at ",
        "a.lua:4; keep one"
      )
    end)

    it("both consumers of one path", function()
      is_refused({
        ["a.lua"] = header .. 'return tide.consumer { path = "/ws/x" }\n',
        ["b.lua"] = header .. '\nreturn tide.consumer { path = "/ws/x" }\n',
      }, "a.lua:2", "b.lua:3", "/ws/x")
    end)

    it("a consumer that is declared and not returned", function()
      is_refused({
        ["a.lua"] = header .. 'return tide.consumer { path = "/ws/x" }\n',
        ["b.lua"] = header .. '\nlocal _ <const> = tide.consumer { path = "/ws/y" }\n',
      }, "b.lua:3")
    end)

    it("a consumer without a path", function()
      is_refused(
        { ["a.lua"] = header .. "return tide.consumer {}\n" },
        'a.lua:2: tide.consumer has no path; give it one, path = "/ws/name", or put it in a router'
      )
    end)

    it("a path that is no pattern", function()
      is_refused(
        { ["a.lua"] = header .. 'return tide.consumer { path = "/ws/{id:float}" }\n' },
        "a.lua:2",
        "/ws/{id:float}"
      )
    end)

    it("a schema of a field that is none", function()
      is_refused(
        {
          ["a.lua"] = header .. 'return tide.message("x", {\n  name = "string",\n})\n',
        },
        'a.lua:3: s.object: field "name": expected a schema, got the string "string"; '
          .. "write s.string(...)"
      )
    end)

    it("an option of a schema that there is not", function()
      is_refused(
        { ["a.lua"] = header .. "\nreturn tide.schema.string { maximum = 3 }\n" },
        'a.lua:3: s.string: unknown option "maximum"; did you mean "max"?'
      )
    end)

    it("a field that an object does not have", function()
      is_refused({
        ["a.lua"] = header
          .. "local user <const> = tide.schema.object { name = tide.schema.string() }\n"
          .. 'return tide.message("user", user:pick "nam")\n',
      }, 'a.lua:3: :pick: the object has no field "nam"; did you mean "name"? (fields: name)')
    end)

    it("who would change a schema or a message type", function()
      is_refused(
        {
          ["a.lua"] = header .. 'local node <const> = tide.schema.any()\nnode.kind = "null"\n',
          ["b.lua"] = header .. 'local chat <const> = tide.message "chat"\n\nchat.action = "x"\n',
        },
        'a.lua:3: a schema cannot be changed ("kind")',
        'b.lua:4: the message type "chat" cannot be changed'
      )
    end)

    it("a handler of an event, and one that answers with an event", function()
      local consumer <const> = header
        .. 'local A <const> = tide.consumer { path = "/a" }\n'
        .. 'local notify <const> = tide.event("notify")\n'
      is_refused(
        {
          ["a.lua"] = consumer .. "A:on(notify, print)\nreturn A\n",
          ["b.lua"] = consumer
            .. "A:on(tide.messages.ping, { output = notify }, print)\nreturn A\n",
        },
        'a.lua:4: on: the event "notify" stays in the server',
        'b.lua:4: on: option "output" names the event "notify"'
      )
    end)

    it("a schema that is nested too deeply", function()
      is_refused({
        ["a.lua"] = header
          .. "local node = tide.schema.any()\n"
          .. "for _ = 1, 300 do\n  node = tide.schema.array(node)\nend\n"
          .. 'return tide.message("deep", node)\n',
      }, 'a.lua:6: tide.message: "deep": ')
    end)

    it("a syntax error", function()
      is_refused({ ["a.lua"] = "local a = = 1\n" }, "a.lua:1:")
    end)

    it("an error of the module's own", function()
      is_refused(
        { ["a.lua"] = 'local a <const> = nil\nerror("no " .. tostring(a))\n' },
        "a.lua:2: no nil"
      )
    end)

    it("a module that is required and not there", function()
      is_refused({ ["a.lua"] = 'require "nowhere"\n' }, "nowhere")
    end)
  end)

  describe("shows", function()
    --- Checks that this, and nothing but what is told of other files, is printed.
    ---@param files table<string, string>
    ---@param expected string
    local function shows(files, expected)
      local output <const>, status <const> = check(files)
      assert.equal(1, status)
      assert.equal(expected, output)
    end

    it("the token where the compiler gave up, which one of several it may be", function()
      shows(
        { ["a.lua"] = "local t <const> = {\n  b = 1, c = 2 b = 3,\n}\nreturn t\n" },
        "a.lua:2: '}' expected (to close '{' at line 1) near 'b'\n"
          .. "     1 | local t <const> = {\n"
          .. ">    2 |   b = 1, c = 2 b = 3,\n"
          .. "       |                ^\n"
          .. "     3 | }\n"
          .. "     4 | return t\n"
          .. "  what to do: what was opened there is not closed; has its end, or a comma, been forgotten?\n"
      )
    end)

    it("the end of a file that ends too early", function()
      shows(
        { ["a.lua"] = "local function f()\n  if f then" },
        "a.lua:2: 'end' expected near <eof>\n"
          .. "     1 | local function f()\n"
          .. ">    2 |   if f then\n"
          .. "       |            ^\n"
          .. "  what to do: a `function`, `if`, `for`, `while` or `do` above has no `end`\n"
      )
    end)

    it("a byte that no name may have, in a line of other letters", function()
      shows(
        { ["a.lua"] = "local s <const> = 'äö', é\n" },
        "a.lua:1: unexpected symbol near '<\\195>'\n"
          .. ">    1 | local s <const> = 'äö', é\n"
          .. "       |                         ^\n"
          .. "  what to do: a value has to stand here: is one missing, or a sign too many?\n"
      )
    end)

    it("who called, through all modules, and tells a module that fails twice once", function()
      shows(
        {
          ["a.lua"] = 'return require "b"\n',
          ["b/c.lua"] = "local function f(user)\n  return user.name.first\nend\nf({})\n",
          ["b/init.lua"] = 'local c <const> = require "b.c"\nreturn c\n',
        },
        "b/c.lua:2: attempt to index a nil value (field 'name')\n"
          .. "     1 | local function f(user)\n"
          .. ">    2 |   return user.name.first\n"
          .. "       |               ^\n"
          .. "     3 | end\n"
          .. "     4 | f({})\n"
          .. "  traceback: b/c.lua:2: in 'f'\n"
          .. "             b/c.lua:4: in the module itself\n"
          .. "             b/init.lua:1: in the module itself\n"
          .. "             a.lua:1: in the module itself\n"
          .. "  what to do: it is nil here: is its name right, and is it set before this line runs?\n"
      )
    end)

    it("what a module that returns nothing is for who requires it", function()
      shows(
        { ["a.lua"] = 'local b <const> = require "lib.b"\nreturn b.c\n', ["lib/b.lua"] = "" },
        "a.lua:2: attempt to index a boolean value (local 'b')\n"
          .. '     1 | local b <const> = require "lib.b"\n'
          .. ">    2 | return b.c\n"
          .. "       |        ^\n"
          .. "  what to do: if `require` gave it: a file that returns nothing counts as true; "
          .. "does it end with `return`?\n"
      )
    end)

    it("an option of a call of several lines where it stands", function()
      local output <const> = check {
        ["a.lua"] = header .. 'return tide.consumer {\n  path = "/a",\n  nam = "x",\n}\n',
      }
      assert.is_truthy(output:find('a.lua:4: tide.consumer: unknown option "nam"', 1, true), output)
      assert.is_truthy(output:find('\n>    4 |   nam = "x",\n       |   ^\n', 1, true), output)
    end)

    it("all the lines that it names", function()
      local output <const> = check {
        ["a.lua"] = header .. 'return tide.consumer { path = "/x" }\n',
        ["b.lua"] = header .. '\nreturn tide.consumer { path = "/x" } -- second\n',
      }
      assert.is_truthy(
        output:find('  a.lua:2:\n     2 | return tide.consumer { path = "/x" }\n', 1, true),
        output
      )
      assert.is_truthy(
        output:find(
          '  b.lua:3:\n     3 | return tide.consumer { path = "/x" } -- second\n',
          1,
          true
        ),
        output
      )
    end)

    it("the line of an object that was raised", function()
      is_refused(
        { ["a.lua"] = "local function f()\n  error { code = 1 }\nend\nf()\n" },
        "a.lua:2: it raised table: 0x",
        ">    2 |   error { code = 1 }\n",
        "traceback: ",
        "a.lua:4: in the module itself"
      )
    end)

    it("no code of a terminal, neither its own nor of a file", function()
      local output <const> = check { ["a.lua"] = "local a = '\27[2J' = 1\n" }
      assert.is_nil(output:find("\27", 1, true))
      assert.is_truthy(output:find("\\u001b[2J", 1, true), output)
    end)

    it("a file whose name Lua shortens", function()
      local folder <const> = ("long_name/"):rep(12)
      local output <const> = check {
        ["consumers/" .. folder .. "x.lua"] = "local a = = 1\n",
        ["consumers/a.lua"] = 'return require "' .. folder:gsub("/", ".") .. 'x"\n',
        ["consumers/" .. ("b"):rep(70) .. ".lua"] = "local a = = 1\n",
      }
      assert.is_truthy(
        output:find("\n>    1 | local a = = 1\n       |           ^\n", 1, true),
        output
      )
    end)
  end)

  it("forgets a module that failed, and only that", function()
    local output <const> = check {
      ["a.lua"] = 'local has <const>, why <const> = pcall(require, "b")\n'
        .. 'local again <const>, same <const> = pcall(require, "b")\n'
        .. "assert(not has and not again and why == same, why)\n"
        .. 'assert(require "c" == require "c")\nerror("as it should")\n',
      ["lib.lua"] = "",
      ["b/x.lua"] = "",
      ["b.lua"] = 'error("b fails", 0)\n',
      ["c.lua"] = "return { 1 }\n",
    }
    assert.is_truthy(output:find("a.lua:5: as it should", 1, true), output)
  end)

  it("tells the errors of all modules at once", function()
    is_refused({
      ["a.lua"] = header .. "tide.consumr {}\n",
      ["b.lua"] = header .. "\ntide.consumer { pth = 1 }\n",
    }, 'a.lua:2: tide has no "consumr"', 'b.lua:3: tide.consumer: unknown option "pth"')
  end)

  it("refuses an application without consumers", function()
    is_refused({ ["a.lua"] = "return {}\n" }, "no consumer")
  end)

  describe("warns", function()
    --- A module with messages "a" and "b" and a consumer, whose code follows.
    local consumer <const> = header
      .. "local s <const> = tide.schema\n"
      .. 'local a <const> = tide.message("a", { text = s.string() })\n'
      .. 'local b <const> = tide.message("b", { text = s.string() })\n'
      .. 'local A <const> = tide.consumer { path = "/a" }\n'

    --- Checks what is said of a consumer's module, and that the application is accepted all the same.
    ---@param code string begins in line 6
    ---@param ... string the warnings, in order
    local function warns(code, ...)
      local output <const>, status <const> =
        check { ["a.lua"] = consumer .. code .. "\nreturn A\n" }
      local lines <const> = {}
      for line in output:gmatch "[^\n]+" do
        lines[#lines + 1] = line:find(" warning: ", 1, true) and line or nil
      end
      assert.equal(0, status, output)
      assert.same({ ... }, lines)
      local count <const> = #lines == 0 and "no warnings"
        or #lines .. (#lines == 1 and " warning" or " warnings")
      assert.is_truthy(output:find(": no errors, " .. count .. "\n", 1, true), output)
    end

    --- One handler of "a" that declares that it answers "b".
    local function handler(code)
      return "A:on(a, { output = b }, " .. code .. ")"
    end

    local silent <const> = 'a.lua:6: warning: the handler of "a" declares that it answers "b", but it '
      .. "returns nothing and does not use its connection"

    it("of a message that nothing handles and nothing sends", function()
      warns(
        "A:on(a, function() end)",
        'a.lua:4: warning: "b" is declared, but no consumer handles it and none names it in output or sends'
      )
      warns "A:on(a, { output = { b } }, function() return b { text = '' } end)"
      warns "A:on(a, function() end)\nA:on(b, function() end)"
    end)

    it("of one that only a mixin handles which nobody uses", function()
      local mixin <const> =
        "local M <const> = tide.mixin()\nM:on(b, function() end)\nA:on(a, function() end)\n"
      warns(
        mixin,
        'a.lua:4: warning: "b" is declared, but no consumer handles it and none names it in output or sends'
      )
      warns(mixin .. "A:use(M)")
    end)

    it("of an event that nobody handles or relays", function()
      local event <const> =
        'local e <const> = tide.event("e", {})\nA:on(a, { output = b }, tide.error)\n'
      warns(
        event .. "tide.on_start(function() tide.broadcast_event('g', e {}) end)",
        'a.lua:6: warning: the event "e" is declared, but no consumer and no topic handles or relays it'
      )
      warns(event .. "A:relay(e)")
      warns(event .. 'A:on_event(tide.event("e", {}), function() end)')
    end)

    it("not of what hooks send and group messages", function()
      local output <const>, status <const> = check {
        ["a.lua"] = header
          .. 'tide.group_message("g", {})\n'
          .. 'return tide.consumer { path = "/a", sends = tide.message("a") }\n',
      }
      assert.equal(0, status)
      assert.is_truthy(output:find("no errors, no warnings", 1, true), output)
    end)

    it("of a handler that can never answer what it declares", function()
      warns(handler "function() end", silent)
      warns(handler "function(conn, message) local _ = message.payload end", silent)
      warns(
        handler "function(_, m)\n  if m.payload.text == '' then return end\n  tide.log.info(m.action)\nend",
        silent
      )
    end)

    it("whatever its strings and comments say", function()
      warns(handler "function(conn)\n  -- return b, conn:send\nend", silent)
      warns(
        handler "function(conn)\n  --[[ return b\n conn ]] tide.log.info 'conn return 1'\nend",
        silent
      )
      warns(handler "function(conn)\n  tide.log.info [==[ conn ]] return 1 ]==]\nend", silent)
      warns(handler "function(conn)\n  tide.log.info '\\' conn return 1'\nend", silent)
    end)

    it("not of one that returns, sends, hands its connection on or broadcasts", function()
      warns(handler 'function() return b { text = "" } end')
      warns(handler "function() return '' and b { text = '' } end")
      warns(handler "function(c)\n  c:send(b { text = '' })\nend")
      warns(
        "local function send(c) c:send(b { text = '' }) end\n" .. handler "function(c) send(c) end"
      )
      warns(handler "function() local _ = function() tide.broadcast('x', b { text = '' }) end end")
      warns(handler "function(...) print(...) end")
    end)

    -- A room that keeps its members was warned of, though it answers all of them.
    it("not of one that calls what may send", function()
      local members <const> = "local members <const> = {}\n"
      warns(
        members .. handler "function() for c in pairs(members) do c:send(b { text = '' }) end end"
      )
      warns(members .. handler "function(_, m) members[1](m) end")
      warns(members .. handler "function(_, m) members.publish(m) end")
      warns("local function tell(m) return m end\n" .. handler "function(_, m) tell(m) end")
      warns(handler "function(_, m) pcall(m.payload) end")
    end)

    it("of one that makes a message and forgets to return it", function()
      warns(handler "function(_, m) b { text = m.payload.text:upper() } end", silent)
      warns(handler "function(_, m)\n  local _ = b({ text = ('x'):rep(3) })\nend")
      warns(handler "function(_, m) local t = string.rep(m.action, 2) b { text = t } end", silent)
    end)
  end)

  it("tells a default and an example that break their schemas, a line each", function()
    local output <const>, status <const> = check {
      ["a.lua"] = header .. 'tide.message("a", {\n  n = tide.schema.integer():default("x"),\n})\n',
      ["b.lua"] = header
        .. 'tide.message("b", {\n  n = tide.schema.string({ max = 1 }):example("xx"),\n})\n',
    }
    assert.equal(1, status, output)
    assert.is_truthy(output:find("a.lua:%d: :default: [^\n]+\n"), output)
    assert.is_truthy(output:find("b.lua:%d: :example: [^\n]+\n"), output)
  end)

  it("gives modules no common globals", function()
    is_refused({
      ["a.lua"] = header .. 'leak = 1\nreturn tide.consumer { path = "/a" }\n',
    }, "a.lua:2: this would make a global of 'leak': write `local leak`; what modules share,")
    is_refused({ ["a.lua"] = "requires 'tidegate'\n" }, "a.lua:1: there is no global 'requires'")
    is_refused(
      { ["a.lua"] = "pront 'x'\n" },
      "a.lua:1: there is no global 'pront'; did you mean 'print'?"
    )
  end)

  it("opens the libraries that are named, and no others", function()
    local function app_with(libraries)
      return {
        ["a.lua"] = header .. 'os.time()\nreturn tide.consumer { path = "/a" }\n',
        ["tidegate.lua"] = ('return { lua_libraries = "%s" }\n'):format(libraries),
      }
    end
    is_accepted(app_with "os")
    is_refused(app_with "string, table", "a.lua:2: there is no global 'os'")
    is_refused(app_with "oss", 'lua_libraries: "oss" is none of coroutine, debug, io,')
  end)
end)
