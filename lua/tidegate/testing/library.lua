--- What `require "tidegate.testing"` gives, over the module of the kit.

local app <const> = require "tidegate.testing.app"
local assertions <const> = require "tidegate.testing.assert"
local fuzz <const> = require "tidegate.testing.fuzz"
local matchers <const> = require "tidegate.testing.matchers"
local open <const> = require "tidegate.testing.open"
local property <const> = require "tidegate.testing.property"
local replay <const> = require "tidegate.testing.replay"
local server <const> = require "tidegate.testing.server"

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

  --- Starts the real program.
  function testing.server(folder, config)
    return (server.new(kit, folder, config))
  end

  --- Plays a recording.
  function testing.replay(target, path, options)
    return (replay.replay(kit, target, path, options))
  end

  --- Makes messages that are right.
  function testing.arbitrary(of, options)
    return property.arbitrary(of, options)
  end

  --- Makes messages that are wrong, with their errors.
  function testing.broken(of, options)
    return property.broken(of, options)
  end

  --- Holds arbitrary conversations.
  function testing.fuzz(target, path, options)
    return fuzz.fuzz(target, path, options)
  end

  if pcall(require, "luassert") then
    assertions.install()
  end
  open.watch()
  return testing
end
