--- Values of messages as the property help handles them: what is a list, what is equal, names in
--- camel case, how deep one is.

local matchers <const> = require "tidegate.testing.matchers"

local Value <const> = {}

Value.null = matchers.null
Value.is_array = matchers.is_array

--- The mark of a list, by which an empty one is told from an empty object: that of the spec's own
--- `tide.array`.
---@param items any[]
---@return any[]
function Value.array(items)
  return require("tidegate").array(items)
end

---@param value any
---@return "null" | "boolean" | "number" | "string" | "array" | "object"
function Value.kind(value)
  if value == Value.null then
    return "null"
  elseif type(value) == "table" then
    return Value.is_array(value) and "array" or "object"
  end
  return type(value)
end

--- As JSON Schema compares: 1 equals 1.0.
---@param a any
---@param b any
---@return boolean
function Value.equal(a, b)
  if type(a) ~= "table" or type(b) ~= "table" then
    return a == b
  elseif Value.is_array(a) ~= Value.is_array(b) then
    return false
  end
  for key, item in pairs(a) do
    if not Value.equal(item, b[key]) then
      return false
    end
  end
  for key in pairs(b) do
    if a[key] == nil then
      return false
    end
  end
  return true
end

---@param object table<string, any>
---@return string[] # in byte order
function Value.sorted_keys(object)
  local names <const> = {}
  for name in pairs(object) do
    names[#names + 1] = name
  end
  table.sort(names)
  return names
end

--- A copy with lists and objects of its own.
---@param value any
---@return any
function Value.copy(value)
  if type(value) ~= "table" then
    return value
  end
  local copy <const> = {}
  for key, item in pairs(value) do
    copy[key] = Value.copy(item)
  end
  return Value.is_array(value) and Value.array(copy) or copy
end

--- How many lists and objects stand inside each other.
---@param value any
---@return integer
function Value.depth(value)
  local deepest = 0
  if type(value) ~= "table" then
    return 0
  end
  for _, item in pairs(value) do
    deepest = math.max(deepest, Value.depth(item))
  end
  return deepest + 1
end

--- A declared name as clients write it: "user_name" as "userName" in camel case, where each single
--- "_" between two letters or digits joins them.
---@param name string
---@param is_camel boolean
---@return string
function Value.wire_name(name, is_camel)
  if not is_camel then
    return name
  end
  local out <const>, at = {}, 1
  while at <= #name do
    local char <const> = name:sub(at, at)
    local joins <const> = char == "_"
      and at > 1
      and name:find("^[%a%d]", at - 1) ~= nil
      and name:find("^[%a%d]", at + 1) ~= nil
    out[#out + 1] = joins and name:sub(at + 1, at + 1):upper() or char
    at = at + (joins and 2 or 1)
  end
  return table.concat(out)
end

return Value
