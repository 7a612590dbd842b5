--- A schema read from a JSON Schema: what the export writes, and ordinary spellings of the same.
--- Whatever else stands there is an error that says where, as a JSON pointer.
---
--- A definition is built once. One that contains itself is reached through s.ref, which asks for it
--- later; all that was promised so is built before the reading ends, so that no error comes late.

local declare <const> = require "tidegate.declare"
local host <const> = require "tidegate.host"
local keywords <const> = require "tidegate.json_schema_keywords"
local node_of <const> = require "tidegate.schema_node"
local source_of <const> = require "tidegate.json_schema_source"
local types <const> = require "tidegate.json_schema_types"

local library <const> = node_of.library

---@alias tidegate.JsonSchemaRead
---| fun(reader: tidegate.JsonSchemaReader, raw: table, pointer: string): tidegate.Schema

---@class tidegate.JsonSchemaReader
---@field source tidegate.JsonSchemaSource
---@field built table<string, tidegate.Schema> by pointer
---@field is_building table<string, boolean> by pointer
---@field promised function[]
local Reader <const> = {}
Reader.__index = Reader

---@param pointer string
---@param format string
---@param ... any
function Reader:fail(pointer, format, ...)
  self.source:fail(pointer, format, ...)
end

--- Calls what makes a schema; what it finds wrong is said with the pointer.
---@param pointer string
---@param make function
---@param ... any
---@return tidegate.Schema
function Reader:make(pointer, make, ...)
  local is_made <const>, result <const> = pcall(make, ...)
  if is_made then
    return result
  end
  local position <const> = (declare.position() or "") .. ": "
  local text <const> = tostring(result)
  local is_ours <const> = text:sub(1, #position) == position
  return self:fail(pointer, "%s", is_ours and text:sub(#position + 1) or text)
end

--- A schema that is built later, when all that it needs is there.
---@param build fun(): tidegate.Schema
---@return tidegate.Schema
function Reader:promise(build)
  local node
  local function resolve()
    node = node or build()
    return node
  end
  self.promised[#self.promised + 1] = resolve
  return library.ref(resolve)
end

-- ---- definitions ----

---@param pointer string
---@return tidegate.Schema
function Reader:definition(pointer)
  if not self.built[pointer] then
    self.is_building[pointer] = true
    local raw <const> = self.source:definition(pointer)
    local node = self:schema(raw, pointer)
    local name <const> = self.source:name_of(pointer)
    if name and not node.name then
      node = node:named(name)
    end
    self.built[pointer], self.is_building[pointer] = node, nil
  end
  return self.built[pointer]
end

--- The definition that a reference names; one of an export without a name stays a reference.
---@param raw table
---@param pointer string
---@return tidegate.Schema
function Reader:reference(raw, pointer)
  local target <const> = self.source:target(raw["$ref"], pointer)
  if not self.source:name_of(target) or self.source:is_recursive(target) then
    local node <const> = self:promise(function()
      return self:definition(target)
    end)
    local depth <const> = raw["x-tidegate-max-depth"]
    return depth and self:make(pointer, library.ref, node.resolve, { max_depth = depth }) or node
  end
  return self:definition(target)
end

-- ---- types ----

---@param raw table
---@param pointer string
---@return string[]
function Reader:types(raw, pointer)
  local given <const> = raw.type
  local list <const> = type(given) == "table" and given or { given }
  for _, name in ipairs(list) do
    if not keywords.is_type(name) then
      self:fail(pointer .. "/type", "%s is no type of JSON", declare.show(name))
    end
  end
  if given ~= nil and #list == 0 then
    self:fail(pointer .. "/type", "it names no type; remove it, or name one")
  end
  return list
end

-- ---- one of several ----

--- Some schemas as one, null among them.
---@param nodes tidegate.Schema[]
---@param pointer string
---@return tidegate.Schema
function Reader:joined(nodes, pointer)
  local rest <const> = {}
  for _, node in ipairs(nodes) do
    rest[#rest + 1] = node.kind ~= "null" and node or nil
  end
  if #rest == 0 then
    return library.null()
  end
  local node <const> = #rest > 1 and self:make(pointer, library.union, table.unpack(rest))
    or rest[1]
  return #rest < #nodes and node:nullable() or node
end

---@param raw table
---@param pointer string
---@param word string
---@return any[]
function Reader:list(raw, pointer, word)
  local list <const> = raw[word]
  local is_list <const> = declare.is_list(list, function()
    return true
  end)
  if not is_list or #list == 0 then
    self:fail(pointer .. "/" .. word, "it must be a list of at least one")
  end
  return list
end

---@param values any[]
---@param raw table
---@param pointer string
---@return tidegate.Schema
function Reader:choice(values, raw, pointer)
  local rest <const> = {}
  self.source:check_types(values, raw, pointer)
  for _, value in ipairs(values) do
    if value ~= host.null then
      rest[#rest + 1] = self.source:scalar(value, pointer)
    end
  end
  if #rest == 0 then
    return library.null()
  end
  local node <const> = #rest == 1
      and raw.enum == nil
      and self:make(pointer, library.literal, rest[1])
    or self:make(pointer, library.enum, rest)
  return #rest < #values and node:nullable() or node
end

---@type table<string, tidegate.JsonSchemaRead>
local mains <const> = { ["$ref"] = Reader.reference }

function mains.const(reader, raw, pointer)
  return reader:choice({ raw.const }, raw, pointer)
end

function mains.enum(reader, raw, pointer)
  return reader:choice(reader:list(raw, pointer, "enum"), raw, pointer)
end

function mains.anyOf(reader, raw, pointer)
  local nodes <const> = {}
  for index, branch in ipairs(reader:list(raw, pointer, "anyOf")) do
    nodes[index] = reader:schema(branch, ("%s/anyOf/%d"):format(pointer, index - 1))
  end
  return reader:joined(nodes, pointer)
end

--- A variant is the object itself, never a reference to it.
---@param raw any
---@param pointer string
---@return tidegate.Schema
function Reader:variant(raw, pointer)
  if type(raw) == "table" and raw["$ref"] ~= nil then
    return self:definition(self.source:target(raw["$ref"], pointer))
  end
  return self:schema(raw, pointer)
end

function mains.oneOf(reader, raw, pointer)
  local list <const> = reader:list(raw, pointer, "oneOf")
  local tag <const>, tags <const> = reader.source:tag(raw, pointer)
  local function build()
    local variants <const> = {}
    for index, variant in ipairs(list) do
      local node <const> = reader:variant(variant, ("%s/oneOf/%d"):format(pointer, index - 1))
      for _, value in ipairs(tags[index]) do
        variants[value] = node
      end
    end
    return reader:make(pointer, library.tagged, tag, variants)
  end
  for index, variant in ipairs(list) do
    local place <const> = ("%s/oneOf/%d"):format(pointer, index - 1)
    local reference <const> = variant["$ref"]
    if reference and reader.is_building[reader.source:target(reference, place)] then
      return reader:promise(build)
    end
  end
  return build()
end

function mains.type(reader, raw, pointer)
  local nodes <const> = {}
  for index, name in ipairs(reader:types(raw, pointer)) do
    nodes[index] = types[name](reader, raw, pointer)
  end
  return reader:joined(nodes, pointer)
end

-- ---- every schema ----

---@param node tidegate.Schema
---@param raw table
---@param is_required boolean? a default would make the field one that may be absent
---@return tidegate.Schema
function Reader:annotated(node, raw, is_required)
  if declare.text(raw.description) then
    node = node:describe(raw.description)
  end
  for _, example in ipairs(type(raw.examples) == "table" and raw.examples or {}) do
    node = node:example(self.source.along(node, example))
  end
  if raw.default ~= nil and not is_required then
    node = node:default(self.source.along(node, raw.default))
  end
  return raw["x-tidegate-secret"] == true and node:secret() or node
end

---@param raw any
---@param pointer string
---@param is_required? boolean
---@return tidegate.Schema
function Reader:schema(raw, pointer, is_required)
  if raw == true then
    return library.any()
  elseif type(raw) ~= "table" then
    local text <const> = "expected a schema, which is an object or true, got %s"
    return self:fail(pointer, text, declare.show(raw))
  end
  local word <const>, wrong <const> =
    keywords.misplaced(raw, self:types(raw, pointer), pointer == "#")
  if word then
    self:fail(self.source.join(pointer, word), "%s", wrong)
  end
  local read <const> = mains[keywords.main(raw)]
  local node <const> = read and read(self, raw, pointer) or library.any()
  return self:annotated(node, raw, is_required)
end

---@param given string | table the path of a file, or a decoded schema
---@return tidegate.Schema
return function(given)
  local source <const> = source_of(given)
  local reader <const> =
    setmetatable({ source = source, built = {}, is_building = {}, promised = {} }, Reader)
  local node <const> = reader:definition "#"
  local index = 1
  while reader.promised[index] do
    reader.promised[index]()
    index = index + 1
  end
  return node
end
