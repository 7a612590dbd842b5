local fresh <const> = require "spec.support.fresh"

local function nothing() end

describe("what a module returned", function()
  local tide, host, collect

  before_each(function()
    tide, host = fresh.load()
    collect = require("tidegate.consumer").collect
  end)

  it("comes alone or in a list", function()
    local a <const>, b <const> = tide.consumer { path = "/a" }, tide.consumer { path = "/b" }
    local declarations <const> = collect({ a, b }, "consumers/x.lua")
    assert.equal(a, declarations[1].object)
    assert.equal(b, declarations[2].object)
    assert.equal(2, #declarations)
  end)

  it("is absent from a library", function()
    for _, value in ipairs { true, "text", 3, nothing, {}, { 1, 2 }, { a = 1 } } do
      assert.same({}, collect(value, "consumers/x.lua"))
    end
    assert.same({}, collect(nil, "consumers/x.lua"))
    assert.same({}, collect(tide.mixin(), "consumers/x.lua"))
    assert.same({}, collect({ tide.message "chat" }, "consumers/x.lua"))
  end)

  it("is handed out once, whichever modules return it", function()
    local a <const> = tide.consumer { path = "/a" }
    assert.equal(1, #collect(a, "consumers/a.lua"))
    assert.equal(0, #collect({ a }, "consumers/all.lua"))
    local twice <const> = tide.consumer { path = "/b" }
    assert.equal(1, #collect({ twice, twice }, "consumers/b.lua"))
    assert.same({ "/b" }, host.declarations[2].paths)
  end)

  ---@param value any
  ---@param expected string
  local function is_not_collected(value, expected)
    local is_fine <const>, text <const> = pcall(collect, value, "consumers/x.lua")
    assert.is_false(is_fine)
    assert.equal(expected, text)
  end

  it("refuses strangers in its list", function()
    local a <const> = tide.consumer { path = "/a" }
    local text <const> =
      "consumers/x.lua: its list of consumers holds %s; return consumers and routers only"
    is_not_collected({ a, "b" }, text:format 'the string "b" at 2')
    is_not_collected({ a, extra = a }, text:format "a table at extra")
  end)

  it("needs a path and a name", function()
    local pathless <const>, nameless <const> = tide.consumer {}, tide.consumer { path = "/{id}" }
    local one <const>, two <const> = host.declarations[1].source, host.declarations[2].source
    local path <const> =
      ': tide.consumer has no path; give it one, path = "/ws/name", or put it in a router'
    local name <const> =
      ': tide.consumer needs a name, name = "...", since its path has none to take'
    is_not_collected(pathless, one .. path)
    is_not_collected(nameless, two .. name)
  end)
end)
