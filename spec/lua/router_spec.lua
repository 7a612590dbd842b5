local fresh <const> = require "spec.support.fresh"
local refused <const> = require "spec.support.refused"

describe("tide.router", function()
  local tide, host, collect

  before_each(function()
    tide, host = fresh.load()
    collect = require("tidegate.consumer").collect
  end)

  ---@return string # "name: paths" of each consumer, one a line
  local function collected(value)
    local lines <const> = {}
    for index, declaration in ipairs(collect(value, "consumers/x.lua")) do
      lines[index] = declaration.name .. ": " .. table.concat(declaration.paths, " ")
    end
    return table.concat(lines, "\n")
  end

  it("gives the consumer at a key its path", function()
    local system <const>, chat <const> = tide.consumer {}, tide.consumer { name = "talk" }
    local router <const> = tide.router("/ws", { ["/system"] = system, ["/chat/{room}"] = chat })
    assert.equal("talk: /ws/chat/{room}\nsystem: /ws/system", collected(router))
  end)

  it("puts the prefix before the paths of a consumer without a key", function()
    local system <const> = tide.consumer { name = "system", path = { "/system", "/echo" } }
    assert.equal("system: /ws/system /ws/echo", collected(tide.router("/ws", { system })))
  end)

  it("serves text consumers", function()
    local raw <const> = tide.text_consumer { receive = function() end }
    assert.equal("raw: /ws/raw", collected(tide.router("/ws", { ["/raw"] = raw })))
  end)

  it("nests, with and without a key", function()
    local a <const>, b <const> = tide.consumer {}, tide.consumer {}
    local inner <const> = tide.router("/v1", { ["/a"] = a })
    local other <const> = tide.router("/v2", { ["/b"] = b })
    assert.equal(
      "a: /ws/v1/a\nb: /ws/old/v2/b",
      collected(tide.router("/ws", { inner, ["/old"] = other }))
    )
  end)

  it("gives one consumer several paths", function()
    local a <const> = tide.consumer { name = "a" }
    assert.equal("a: /ws/a /ws/b", collected(tide.router("/ws", { ["/a"] = a, ["/b"] = a })))
  end)

  it("declares its consumers, whichever module returns them too", function()
    local a <const> = tide.consumer {}
    local inner <const> = tide.router("/v1", { ["/a"] = a })
    local outer <const> = tide.router("/ws", { inner })
    assert.equal("", collected(a))
    assert.equal("", collected(inner))
    assert.equal("a: /ws/v1/a", collected { outer })
  end)

  describe("refuses", function()
    it("a prefix without a slash in front or with one at its end", function()
      local text <const> = 'tide.router: the prefix must begin with "/" and not end with it, got '
      for _, prefix in ipairs { "ws", "/ws/", "/", "" } do
        refused(function()
          tide.router(prefix, {})
        end, text .. 'the string "' .. prefix .. '"')
      end
    end)

    it("entries that are no table", function()
      refused(function()
        tide.router "/ws"
      end, 'tide.router: expected a table of entries, as in { ["/chat"] = Chat }, got nothing')
    end)

    it("a key that is no path", function()
      local a <const> = tide.consumer {}
      refused(function()
        tide.router("/ws", { a = a })
      end, 'tide.router: a key must be a path that begins with "/", got the string "a"')
    end)

    it("an entry that is neither consumer nor router", function()
      refused(function()
        tide.router("/ws", { ["/a"] = true })
      end, 'tide.router: the entry at "/a" must be a consumer or a router, got the boolean true')
      refused(function()
        tide.router("/ws", { ["/a"] = tide.mixin() })
      end, 'tide.router: the entry at "/a" must be a consumer or a router, got a table')
    end)

    it("a key before a consumer that has a path of its own", function()
      local a <const> = tide.consumer { path = "/a" }
      local text <const> = 'tide.router: the consumer at "/b" has a path of its own, "/a" (%s); '
      refused(function()
        tide.router("/ws", { ["/b"] = a })
      end, text:format(host.declarations[1].source) .. "leave one of them out")
    end)

    it("a consumer with neither", function()
      local a <const> = tide.consumer {}
      local text <const> =
        'tide.router: the consumer of %s has no path; write ["/name"] = before it'
      refused(function()
        tide.router("/ws", { a })
      end, text:format(host.declarations[1].source))
    end)

    it("what stands in another router already", function()
      local a <const> = tide.consumer {}
      local router <const> = tide.router("/ws", { ["/a"] = a })
      assert.error_matches(function()
        tide.router("/other", { ["/a"] = a })
      end, "tide.router: what .*:%d+ made stands in the router of .*:%d+ already; keep it in one$")
      tide.router("/x", { router })
      assert.error_matches(function()
        tide.router("/y", { router })
      end, "stands in the router of .*:%d+ already; keep it in one$")
    end)

    it("a change", function()
      local router <const> = tide.router("/ws", {})
      refused(function()
        router.a = 1
      end, "a router cannot be changed; its entries are declared in tide.router")
    end)
  end)
end)
