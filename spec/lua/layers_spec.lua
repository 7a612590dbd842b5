-- Plants trees of sources and reads what scripts/check-layers says about them.

local function write(path, text)
  os.execute(("mkdir -p '%s'"):format(path:match "^(.*)/"))
  local file <close> = assert(io.open(path, "w"))
  file:write(text)
end

describe("the layer check", function()
  local folder

  before_each(function()
    folder = os.tmpname()
    os.remove(folder)
    write(folder .. "/base/buf.h", "#include <stddef.h>\n")
  end)

  after_each(function()
    os.execute(("rm -r '%s'"):format(folder))
  end)

  -- What it says about these files (path = text), and whether it passes them.
  local function check(files)
    for path, text in pairs(files) do
      write(folder .. "/" .. path, text)
    end
    local output <close> = assert(io.popen(("scripts/check-layers '%s' 2>&1"):format(folder)))
    local said = output:read "a"
    return said:gsub(folder .. "/", "", 1), output:close() == true
  end

  local function assert_refused(expected, files)
    local said, passes = check(files)
    assert.is_false(passes)
    assert.equal(expected, said)
  end

  local order <const> = "base <- wire <- core <- {script, net} <- {app, kit}"

  it("passes every layer that includes itself and those below", function()
    local said, passes = check {
      ["base/buf.c"] = '#include "base/buf.h"\n#include <string.h>\n',
      ["wire/json.h"] = '#include "base/buf.h"\n',
      ["core/conn.h"] = '#include "base/buf.h"\n#include "wire/json.h"\n#include "core/loop.h"\n',
      ["script/vm.c"] = '#include <lua.h>\n#include <lauxlib.h>\n#include "core/conn.h"\n',
      ["script/libs/log.c"] = '#include "script/vm.h"\n#include <lua5.4/lualib.h>\n',
      ["net/ws.c"] = '#include "core/conn.h"\n#include <libwebsockets.h>\n#include <uv.h>\n',
      ["app/main.c"] = '#include "net/ws.h"\n#include "script/vm.h"\n#include "app/cli.h"\n',
      ["kit/kit.c"] = '#include <lua.h>\n#include "script/vm.h"\n',
    }
    assert.equal("", said)
    assert.is_true(passes)
  end)

  for file, upper in pairs {
    ["base/a.c"] = "wire/json.h",
    ["wire/a.c"] = "core/conn.h",
    ["core/a.c"] = "net/ws.h",
    ["core/b.h"] = "script/vm.h",
    ["net/a.c"] = "script/vm.h",
    ["script/a.c"] = "net/ws.h",
    ["script/libs/a.c"] = "app/cli.h",
    ["app/a.c"] = "kit/kit.h",
    ["kit/a.c"] = "app/cli.h",
  } do
    it("refuses " .. upper .. " in " .. file, function()
      local layer = file:match "^%a+"
      assert_refused(("%s:3: %s/ may not include %s: %s\n"):format(file, layer, upper, order), {
        [file] = ('#include "base/buf.h"\n\n#include "%s"\n'):format(upper),
      })
    end)
  end

  for _, header in ipairs { "lua.h", "lauxlib.h", "lualib.h", "lua5.4/lua.h" } do
    it("refuses " .. header .. " outside script/ and kit/", function()
      assert_refused(("net/a.c:1: only script/ and kit/ may include %s\n"):format(header), {
        ["net/a.c"] = ("#include <%s>\n"):format(header),
      })
    end)
  end

  for _, header in ipairs { "libwebsockets.h", "uv.h", "hiredis/hiredis.h", "curl/curl.h" } do
    it("refuses " .. header .. " outside net/", function()
      assert_refused(("core/a.c:1: only net/ may include %s\n"):format(header), {
        ["core/a.c"] = ("  #  include <%s>\n"):format(header),
      })
    end)
  end

  it("lets kit/ have the client of net/, and the client no library", function()
    assert_refused("kit/b.c:1: of net/ kit/ may include net/client.h alone\n", {
      ["kit/a.c"] = '#include "net/client.h"\n',
      ["kit/b.c"] = '#include "net/ws.h"\n',
    })
    assert_refused(
      "net/client_io.c:1: the client may not include uv.h: it is in the kit as well\n",
      {
        ["kit/b.c"] = "int b;\n",
        ["net/client_io.c"] = "#include <uv.h>\n",
      }
    )
  end)

  it("passes OpenSSL in wire/crypto and net/tls.c and refuses it everywhere else", function()
    local said, passes = check {
      ["wire/crypto.c"] = "#include <openssl/evp.h>\n",
      ["wire/crypto_key.h"] = "#include <openssl/evp.h>\n",
      ["net/tls.c"] = "#include <openssl/ssl.h>\n",
    }
    assert.equal("", said)
    assert.is_true(passes)
    assert_refused(
      "wire/jwt.c:1: only net/tls.c and wire/crypto may include openssl/evp.h\n",
      { ["wire/jwt.c"] = "#include <openssl/evp.h>\n" }
    )
  end)

  it("passes pcre2.h in wire/pattern.c and refuses it everywhere else", function()
    local said, passes = check { ["wire/pattern.c"] = "#include <pcre2.h>\n" }
    assert.equal("", said)
    assert.is_true(passes)
    assert_refused("wire/a.c:1: only wire/pattern.c may include pcre2.h\n", {
      ["wire/a.c"] = "#include <pcre2.h>\n",
    })
  end)

  it("wants a file's own header before any other", function()
    assert_refused('base/buf.c:1: its own header comes first: "base/buf.h"\n', {
      ["base/buf.c"] = '#include <string.h>\n#include "base/buf.h"\n',
    })
  end)

  it("wants headers named by their layer", function()
    assert_refused('base/a.c:2: include it by its layer: "layer/buf.h"\n', {
      ["base/a.c"] = '/* no path */\n#include "buf.h"\n',
    })
  end)

  it("wants every file in a layer", function()
    local layers <const> = "base, wire, core, script, net, app or kit"
    assert_refused(("util/a.c:1: no such layer: every file is in %s\n"):format(layers), {
      ["util/a.c"] = "int a;\n",
    })
  end)

  it("reports every breach, in the order of the files", function()
    local said = check {
      ["wire/b.c"] = '#include "net/ws.h"\n#include <uv.h>\n',
      ["wire/a.c"] = "#include <lua.h>\n",
    }
    local places = {}
    for place in said:gmatch "wire/%a%.c:%d" do
      table.insert(places, place)
    end
    assert.same({ "wire/a.c:1", "wire/b.c:1", "wire/b.c:2" }, places)
  end)

  it("passes the sources of tidegate", function()
    assert.is_true(os.execute "scripts/check-layers src")
  end)
end)
