--- JSON text in which keys stand in byte order and whole numbers are exact, so that it can be
--- compared. Lists are tables with items, and those that tide.array has marked.

local host <const> = require "spec.support.host"

local Text = {}

---@param value string
---@return string
local function quoted(value)
  return '"'
    .. value:gsub('[%c"\\]', function(c)
      return ("\\u%04x"):format(c:byte())
    end)
    .. '"'
end

---@param list any[]
---@return string
local function list_text(list)
  local items <const> = {}
  for index, item in ipairs(list) do
    items[index] = Text.of(item)
  end
  return "[" .. table.concat(items, ",") .. "]"
end

---@param object table<string, any>
---@return string
local function object_text(object)
  local members <const> = {}
  for key, value in pairs(object) do
    members[#members + 1] = quoted(key) .. ":" .. Text.of(value)
  end
  table.sort(members)
  return "{" .. table.concat(members, ",") .. "}"
end

---@param value any
---@return string
function Text.of(value)
  if value == host.null then
    return "null"
  elseif type(value) == "table" then
    local is_list <const> = #value > 0 or getmetatable(value) == host.array_mark
    return (is_list and list_text or object_text)(value)
  elseif type(value) == "string" then
    return quoted(value)
  end
  return math.type(value) == "float" and ("%.17g"):format(value) or tostring(value)
end

return Text
