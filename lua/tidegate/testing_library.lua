--- What `require "tidegate.testing"` gives, over the module of the kit.

local app <const> = require "tidegate.testing_app"
local assertions <const> = require "tidegate.testing_assert"
local matchers <const> = require "tidegate.testing_matchers"
local open <const> = require "tidegate.testing_open"

--- Makes the library. Where luassert is there, it learns the assertions.
---@param kit table the module
---@return tidegate.Testing
return function(kit)
  local testing <const> = {
    a = matchers.a,
    absent = matchers.absent,
    any = matchers.any,
    matching = matchers.matching,
    null = matchers.null,
    satisfying = matchers.satisfying,
  }

  --- Opens an application.
  function testing.app(what, config)
    return (app.new(kit, what, config))
  end

  if pcall(require, "luassert") then
    assertions.install()
  end
  open.watch()
  return testing
end
