--- The shape of schemas, for whoever makes values of them: how deep the smallest value is, and
--- where references stand.

local model <const> = require "tidegate.testing.property.model"

local Shape <const> = {}

--- How many levels the smallest value has; math.huge: it has no end.
---@param schema tidegate.Schema
---@param open table<tidegate.Schema, boolean>
---@return number
local function height(schema, open)
  local kind <const> = schema.kind
  if schema.is_nullable then
    return 0
  elseif kind == "ref" then
    if open[schema] then
      return math.huge
    end
    open[schema] = true
    local found <const> = height(model.target(schema), open)
    open[schema] = nil
    return found
  end
  local least, most = math.huge, 0
  if kind == "union" then
    for _, branch in ipairs(schema.branches) do
      least = math.min(least, height(branch, open))
    end
    return least
  elseif kind == "tagged" then
    for _, variant in ipairs(schema.variants) do
      least = math.min(least, height(variant.schema, open))
    end
    return least
  elseif kind == "object" then
    for _, field in ipairs(schema.fields) do
      local may_miss <const> = field.schema.is_optional or field.schema.has_default
      most = may_miss and most or math.max(most, height(field.schema, open))
    end
  elseif (kind == "array" or kind == "map") and (schema.min or 0) > 0 then
    most = height(schema.item or schema.value, open)
  end
  return most + 1
end

---@type table<tidegate.Schema, number>
local heights <const> = setmetatable({}, { __mode = "k" })

---@param schema tidegate.Schema
---@return number
function Shape.height(schema)
  heights[schema] = heights[schema] or height(schema, {})
  return heights[schema]
end

--- Whether a reference stands somewhere in a schema.
---@param schema tidegate.Schema
---@param wanted tidegate.Schema
---@param seen table<tidegate.Schema, boolean>
---@return boolean
function Shape.reaches(schema, wanted, seen)
  if schema == wanted then
    return true
  elseif seen[schema] then
    return false
  end
  seen[schema] = true
  local parts <const> = { table.unpack(schema.kind == "union" and schema.branches or {}) }
  if schema.kind == "ref" then
    parts[1] = model.target(schema)
  elseif schema.kind == "array" then
    parts[1] = schema.item
  elseif schema.kind == "map" then
    parts[1] = schema.value
  end
  for _, holder in ipairs(schema.kind == "object" and schema.fields or {}) do
    parts[#parts + 1] = holder.schema
  end
  for _, holder in ipairs(schema.kind == "tagged" and schema.variants or {}) do
    parts[#parts + 1] = holder.schema
  end
  for _, part in ipairs(parts) do
    if Shape.reaches(part, wanted, seen) then
      return true
    end
  end
  return false
end

--- Those that come to an end soonest.
---@param schemas tidegate.Schema[]
---@return integer[] # their places
function Shape.lowest(schemas)
  local list, least = {}, math.huge
  for index, schema in ipairs(schemas) do
    local found <const> = Shape.height(schema)
    if found < least then
      list, least = { index }, found
    elseif found == least then
      list[#list + 1] = index
    end
  end
  return list
end

return Shape
