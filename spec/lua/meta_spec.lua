--- The definitions for language servers are Lua files as well: what they define is compared with
--- what there is.

local fresh <const> = require "spec.support.fresh"

---@param name string
local function definitions(name)
  local environment <const> = setmetatable({
    require = function()
      return {}
    end,
  }, { __index = _G })
  return assert(loadfile("lua/tidegate/meta/" .. name .. ".lua", "t", environment))()
end

---@return string # the names of a table in order, but for metamethods
local function names(members)
  local list <const> = {}
  for name in pairs(members) do
    list[#list + 1] = name
  end
  table.sort(list)
  return table.concat(list, " ")
end

describe("the definitions for language servers", function()
  local tide

  before_each(function()
    tide = fresh.load()
  end)

  it("name what tide has", function()
    local defined <const> = definitions "tidegate"
    assert.equal(names(tide), names(defined))
    assert.equal(names(tide.messages), names(defined.messages))
    assert.equal(names(tide.log), names(defined.log))
  end)

  it("name the schemas and their methods", function()
    local library <const>, methods <const> = definitions "schema"
    assert.equal(names(tide.schema), names(library))
    assert.equal(names(require("tidegate.schema").methods), names(methods))
  end)

  it("name the methods of consumers and mixins", function()
    local consumer <const>, mixin <const> = definitions "consumer"
    assert.equal(names(require("tidegate.consumer").methods), names(consumer))
    assert.equal(names(require("tidegate.consumer").mixin_methods), names(mixin))
  end)

  it("name what the modules ask of the host", function()
    local asked <const> = {}
    local modules <const> = "consumer consumer_options declare errors init message router schema "
      .. "schema_fields schema_kinds schema_methods schema_node schema_options"
    for module in modules:gmatch "%S+" do
      local file <close> = assert(io.open("lua/tidegate/" .. module .. ".lua"))
      for name in file:read("a"):gmatch "%f[%w]host%.([%a_]+)" do
        asked[name] = true
      end
    end
    local defined <const> = definitions "host"
    for name in pairs(defined) do
      assert.is_true(asked[name], name .. " is defined and not used")
    end
    for name in pairs(asked) do
      assert.is_true(defined[name] ~= nil or name == "null", name .. " is used and not defined")
    end
  end)
end)
