--- What `require "tidegate"` gives in a spec under `tidegate test`. It declares for the test kit,
--- whose applications take what a spec has declared; and what waits does it in real time, on the
--- program's own loop, unless an application that is being tested calls it.

local WAITING <const> = {
  "after",
  "clock",
  "every",
  "gather",
  "now",
  "queue",
  "race",
  "sleep",
  "spawn",
  "with_timeout",
}
local LIBRARIES <const> = { "http", "log", "process", "tcp" }

---@param own function
---@param kits function
---@param is_own fun(): boolean
---@return function
local function either(own, kits, is_own)
  return function(...)
    if is_own() then
      return own(...)
    end
    return kits(...)
  end
end

--- The same for all functions of a library.
---@param own table
---@param kits table
---@param is_own fun(): boolean
---@return table
local function either_library(own, kits, is_own)
  local joined <const> = {}
  for name, value in pairs(kits) do
    local is_function <const> = type(value) == "function"
    joined[name] = is_function and either(own[name], value, is_own) or value
  end
  return setmetatable(joined, getmetatable(kits))
end

---@param own table the tide of the program
---@param kits table that of the test kit
---@param is_own fun(): boolean whether no application that is being tested runs
---@return table
return function(own, kits, is_own)
  local joined <const> = {}
  for name, value in pairs(kits) do
    joined[name] = value
  end
  for _, name in ipairs(WAITING) do
    joined[name] = either(own[name], kits[name], is_own)
  end
  for _, name in ipairs(LIBRARIES) do
    joined[name] = either_library(own[name], kits[name], is_own)
  end
  return setmetatable(joined, getmetatable(kits))
end
