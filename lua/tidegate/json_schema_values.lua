--- Defaults and examples as a message has them: names as on the wire, and lists with their mark.

local host <const> = require "tidegate.host"

local copies <const> = {}

--- A copy of a value as a message has it: names as on the wire, lists marked.
---@param writer tidegate.JsonSchemaWriter
---@param node tidegate.Schema
---@param value any
---@return any
local function copied(writer, node, value)
  while node.kind == "ref" do
    node = writer:target(node)
  end
  local copy <const> = copies[node.kind]
  return type(value) == "table" and copy and copy(writer, node, value) or value
end

function copies.array(writer, node, value)
  local list <const> = {}
  for index, item in ipairs(value) do
    list[index] = copied(writer, node.item, item)
  end
  return host.array(list)
end

function copies.map(writer, node, value)
  local map <const> = {}
  for key, entry in pairs(value) do
    map[key] = copied(writer, node.value, entry)
  end
  return map
end

function copies.object(writer, node, value)
  local object <const> = {}
  for key, entry in pairs(value) do
    object[key] = entry
  end
  for _, field in ipairs(node.fields) do
    object[field.name] = nil
  end
  for _, field in ipairs(node.fields) do
    local entry <const> = value[field.name]
    if entry ~= nil then
      object[writer:wire_name(field.name)] = copied(writer, field.schema, entry)
    end
  end
  return object
end

function copies.tagged(writer, node, value)
  for _, variant in ipairs(node.variants) do
    if variant.tag == value[node.tag] then
      return copied(writer, variant.schema, value)
    end
  end
  return value
end

return copied
