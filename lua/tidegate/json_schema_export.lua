--- A schema as JSON Schema: a plain table, in which every list that could be taken for an object
--- carries the mark of tide.array.
---
--- Named schemas and what references lead to are definitions ($defs). Each is written once, from
--- the node that :named was called on; what was added to it since stands beside the reference.

local copied <const> = require "tidegate.json_schema_values"
local declare <const> = require "tidegate.declare"
local node_of <const> = require "tidegate.schema_node"
local words <const> = require "tidegate.json_schema_words"

local fail <const> = declare.fail

local DIALECT <const> = "https://json-schema.org/draft/2020-12/schema"
local DEPTH_MAX <const> = 32 -- what a reference has unless it says otherwise

---@class tidegate.JsonSchemaDefinition
---@field name string? nil: numbered at the end, when all names are known
---@field schema table
---@field references table[] those that lead here; they learn the name at the end

---@class tidegate.JsonSchemaWriter
---@field is_camel boolean
---@field definitions table<tidegate.Schema, tidegate.JsonSchemaDefinition>
---@field order tidegate.JsonSchemaDefinition[] in the order of appearance
---@field by_name table<string, tidegate.Schema>
---@field targets table<function, tidegate.Schema> what references lead to
local Writer <const> = {}
Writer.__index = Writer

---@param name string
---@return string
function Writer:wire_name(name)
  return self.is_camel and words.camel_name(name) or name
end

--- What a reference leads to.
---@param ref tidegate.Schema
---@return tidegate.Schema
function Writer:target(ref)
  local target = self.targets[ref.resolve]
  if not target then
    target = ref.resolve()
    node_of.check(("s.ref (%s): the result of its function"):format(ref.source), target)
    self.targets[ref.resolve] = target
  end
  return target
end

-- ---- kinds ----

---@param kind string
---@param node tidegate.Schema
---@return table
local function worded(kind, node)
  local schema <const> = { type = kind == "map" and "object" or kind }
  for option, word in pairs(words.options[kind] or {}) do
    schema[word] = node[option] or nil
  end
  schema["x-tidegate-coerce"] = node.coerce or nil
  return schema
end

---@type table<string, fun(writer: tidegate.JsonSchemaWriter, node: tidegate.Schema): table>
local kinds <const> = {}

function kinds.any()
  return {}
end

function kinds.null()
  return { type = "null" }
end

for _, kind in ipairs { "boolean", "integer", "number" } do
  kinds[kind] = function(_, node)
    return worded(kind, node)
  end
end

function kinds.string(_, node)
  local schema <const> = worded("string", node)
  schema.format = words.formats[node.format] or node.format
  schema["x-tidegate-trim"] = node.trim or nil
  return schema
end

function kinds.literal(_, node)
  return { const = node.values[1] }
end

function kinds.enum(_, node)
  return { enum = table.move(node.values, 1, #node.values, 1, {}) }
end

function kinds.array(writer, node)
  local schema <const> = worded("array", node)
  local items <const> = writer:schema(node.item)
  schema.items = next(items) and items or nil
  return schema
end

function kinds.map(writer, node)
  local schema <const> = worded("map", node)
  local entry <const> = writer:schema(node.value)
  schema.additionalProperties = not next(entry) or entry
  schema.propertyNames = node.keys and writer:schema(node.keys)
  return schema
end

---@param node tidegate.Schema
---@return { name: string, field: tidegate.Field }[] # in byte order of the names on the wire
function Writer:wire_fields(node)
  local list <const>, seen <const> = {}, {}
  for index, field in ipairs(node.fields) do
    local name <const> = self:wire_name(field.name)
    if seen[name] then
      local text <const> = 'the fields "%s" and "%s" of the object (%s) are both "%s" in camel case'
      fail(text, seen[name], field.name, node.source, name)
    end
    seen[name] = field.name
    list[index] = { name = name, field = field }
  end
  table.sort(list, function(a, b)
    return a.name < b.name
  end)
  return list
end

function kinds.object(writer, node)
  local schema <const>, required <const> = { type = "object", properties = {} }, {}
  for _, item in ipairs(writer:wire_fields(node)) do
    local declared <const> = item.field.schema
    schema.properties[item.name] = writer:schema(declared)
    if not declared.is_optional and not declared.has_default then
      required[#required + 1] = item.name
    end
  end
  schema.required = #required > 0 and required or nil
  if node.additional == "forbid" then
    schema.additionalProperties = false
  elseif node.additional == "allow" then
    schema["x-tidegate-additional"] = "allow"
  end
  return schema
end

function kinds.union(writer, node)
  local branches <const> = {}
  for index, branch in ipairs(node.branches) do
    branches[index] = writer:schema(branch)
  end
  return { anyOf = branches }
end

---@param object tidegate.Schema
---@param name string
---@return tidegate.Schema?
local function field_of(object, name)
  for _, field in ipairs(object.fields) do
    if field.name == name then
      return field.schema
    end
  end
  return nil
end

--- Whether an object says itself, in JSON Schema too, that it is the variant of a tag.
---@param object tidegate.Schema
---@param name string
---@param tag any
---@return boolean
local function is_variant(object, name, tag)
  local declared <const> = field_of(object, name)
  return declared ~= nil
    and declared.kind == "literal"
    and declared.values[1] == tag
    and not (declared.is_optional or declared.is_nullable or declared.has_default)
end

---@param name string of the tag's field
---@param variant { tag: any, schema: tidegate.Schema }
---@return table
function Writer:variant(name, variant)
  local object <const> = variant.schema
  if object.name and is_variant(object.definition, name, variant.tag) then
    return self:schema(object)
  end
  local schema <const> = self:inline(object)
  if is_variant(object, name, variant.tag) then
    return schema
  end
  local wire <const>, declared <const> = self:wire_name(name), field_of(object, name)
  schema.properties[wire] = { const = variant.tag, description = declared.description }
  local required <const> = { wire }
  for _, other in ipairs(schema.required or {}) do
    required[#required + 1] = other ~= wire and other or nil
  end
  table.sort(required)
  schema.required = required
  return schema
end

function kinds.tagged(writer, node)
  local variants <const> = {}
  for index, variant in ipairs(node.variants) do
    variants[index] = writer:variant(node.tag, variant)
  end
  return { oneOf = variants, ["x-tidegate-tag"] = writer:wire_name(node.tag) }
end

function kinds.ref(writer, node)
  local target <const> = writer:target(node)
  local definition <const> = target.definition or target
  local schema <const> = writer:used(writer:reference(definition, target.name), target, definition)
  schema["x-tidegate-max-depth"] = node.max_depth ~= DEPTH_MAX and node.max_depth or nil
  return schema
end

-- ---- what every schema may have ----

---@param schema table
---@return table
local function with_null(schema)
  if schema.type == "null" or not next(schema) then
    return schema
  elseif schema.type then
    schema.type = { schema.type, "null" }
    return schema
  elseif schema.anyOf then
    schema.anyOf[#schema.anyOf + 1] = { type = "null" }
    return schema
  end
  return { anyOf = { schema, { type = "null" } } }
end

--- Adds what `node` has and `definition` (which the schema refers to) has not.
---@param schema table
---@param node tidegate.Schema
---@param definition? tidegate.Schema
---@return table schema
function Writer:annotate(schema, node, definition)
  local function added(name)
    local value <const> = node[name]
    return value ~= nil and not (definition and rawequal(definition[name], value)) and value or nil
  end
  schema.description = added "description" or schema.description
  for index, example in ipairs(added "examples" or {}) do
    schema.examples = index > 1 and schema.examples or {}
    schema.examples[index] = copied(self, node, example.value)
  end
  if added "default_function" then
    schema["x-tidegate-default"] = true
  elseif node.default_value ~= nil and added "default_source" then
    schema.default = copied(self, node, node.default_value)
  end
  if added "checks" then
    schema["x-tidegate-check"] = true
  end
  if added "is_secret" then
    schema.writeOnly, schema["x-tidegate-secret"] = true, true
  end
  return schema
end

--- What stands where `node` is used: `schema` is its definition, or a reference to that.
---@param schema table
---@param node tidegate.Schema
---@param definition tidegate.Schema
---@return table
function Writer:used(schema, node, definition)
  if node.is_nullable and not definition.is_nullable then
    schema = with_null(schema)
  end
  return self:annotate(schema, node, definition)
end

---@param node tidegate.Schema
---@return table
function Writer:inline(node)
  local schema = kinds[node.kind](self, node)
  if node.is_nullable then
    schema = with_null(schema)
  end
  return self:annotate(schema, node)
end

---@param node tidegate.Schema
---@return table
function Writer:schema(node)
  if node.name then
    return self:used(self:reference(node.definition, node.name), node, node.definition)
  end
  return self:inline(node)
end

-- ---- definitions ----

---@param definition tidegate.Schema
---@param name? string
---@return tidegate.JsonSchemaDefinition
function Writer:define(definition, name)
  local other <const> = name and self.by_name[name]
  if other then
    local text <const> = 'two schemas are called "%s": those of %s and %s; rename one'
    fail(text, name, other.source, definition.source)
  end
  local entry <const> = { name = name, references = {} }
  self.definitions[definition] = entry
  self.order[#self.order + 1] = entry
  if name then
    self.by_name[name] = definition
  end
  return entry
end

--- Writes a definition once it can be found: it may contain itself.
---@param entry tidegate.JsonSchemaDefinition
---@param definition tidegate.Schema
function Writer:write(entry, definition)
  entry.schema = self:schema(definition)
  entry.schema.title = entry.name
end

---@param definition tidegate.Schema
---@param name? string
---@return table
function Writer:reference(definition, name)
  local found <const> = self.definitions[definition]
  local entry <const> = found or self:define(definition, name)
  local reference <const> = { ["$ref"] = "" }
  entry.references[#entry.references + 1] = reference
  if not found then
    self:write(entry, definition)
  end
  return reference
end

--- Names the definitions that have no name, and tells the references. The whole schema is one only
--- when it contains itself.
---@return table<string, table>? # nil when there are none
function Writer:finish()
  local schemas <const> = {}
  local number = 0
  for _, entry in ipairs(self.order) do
    local name = entry.name
    while not name and #entry.references > 0 do
      number = number + 1
      local free <const> = "Node" .. number
      name = not self.by_name[free] and free or nil
    end
    if #entry.references > 0 then
      schemas[name] = entry.schema
    end
    for _, reference in ipairs(entry.references) do
      reference["$ref"] = "#/$defs/" .. name
    end
  end
  return next(schemas) and schemas or nil
end

---@param node tidegate.Schema
---@param options? { camelize: boolean? }
---@return table
return function(node, options)
  local writer <const> = setmetatable({
    is_camel = options and options.camelize or false,
    definitions = {},
    order = {},
    by_name = {},
    targets = {},
  }, Writer)
  local definition <const> = node.definition or node
  local root <const> = writer:define(definition, node.name)
  writer:write(root, definition)
  local is_inside_itself <const> = #root.references > 0
  local base <const> = is_inside_itself and writer:reference(definition) or root.schema
  local schema <const> = node == definition and base or writer:used(base, node, definition)
  schema["$schema"], schema["$defs"] = DIALECT, writer:finish()
  return schema
end
