--- Loads tidegate's Lua modules anew over the stand-in of its host, so that no spec sees what
--- another declared.

local Fresh <const> = {}

---@return table tide, table host
function Fresh.load()
  for name in pairs(package.loaded) do
    if name == "tidegate" or name:find "^tidegate%." then
      package.loaded[name] = nil
    end
  end
  package.loaded["spec.support.host"] = nil
  package.preload["tidegate.host"] = function()
    return require "spec.support.host"
  end
  local tide <const> = require "tidegate"
  return tide, require "tidegate.host"
end

return Fresh
