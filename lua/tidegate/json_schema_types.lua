--- Schemas by the "type" of a JSON Schema: what each of the seven may have beside it.

local declare <const> = require "tidegate.declare"
local host <const> = require "tidegate.host"
local keywords <const> = require "tidegate.json_schema_keywords"
local node_of <const> = require "tidegate.schema_node"
local words <const> = require "tidegate.json_schema_words"

local library <const> = node_of.library

---@param reader tidegate.JsonSchemaReader
---@param raw table
---@param pointer string
---@param kind string
---@return table<string, any> # the options of one kind
local function options_of(reader, raw, pointer, kind)
  local options <const> = { coerce = raw["x-tidegate-coerce"] }
  for option, word in pairs(words.options[kind] or {}) do
    local value <const> = raw[word]
    local expected <const> = word == "pattern" and "string"
      or word == "uniqueItems" and "boolean"
      or "number"
    if value ~= nil and type(value) ~= expected then
      reader:fail(pointer .. "/" .. word, "it must be a %s, got %s", expected, declare.show(value))
    end
    options[option] = value
  end
  return options
end

---@type table<string, tidegate.JsonSchemaRead>
local types <const> = {}

function types.null()
  return library.null()
end

function types.boolean(reader, raw, pointer)
  return library.boolean(options_of(reader, raw, pointer, "boolean"))
end

function types.number(reader, raw, pointer)
  return reader:make(pointer, library.number, options_of(reader, raw, pointer, "number"))
end

--- Which way a limit of whole numbers moves when it is none, as in "minimum": 0.5.
local rounded <const> = {
  min = math.ceil,
  max = math.floor,
  exclusive_min = math.floor,
  exclusive_max = math.ceil,
}

function types.integer(reader, raw, pointer)
  local options <const> = options_of(reader, raw, pointer, "integer")
  for option, round in pairs(rounded) do
    local limit <const> = options[option]
    local is_beyond <const> = limit and not (limit >= -0x1p63 and limit < 0x1p63)
    local is_low <const> = option == "min" or option == "exclusive_min"
    if is_beyond and (limit > 0) == is_low then
      local word <const> = words.options.integer[option]
      reader:fail(pointer .. "/" .. word, "whole numbers have 64 bits; write a limit within them")
    elseif limit and is_beyond then
      options[option] = nil
    elseif limit then
      reader.source:check_exact(limit ~= -0x1p63 and limit or 0, pointer)
      options[option] = round(limit)
    end
  end
  return reader:make(pointer, library.integer, options)
end

---@param word any
---@return string? # the name of ours
local function format_of(word)
  for ours, theirs in pairs(words.formats) do
    if word == theirs then
      return ours
    elseif word == ours then
      return nil
    end
  end
  for _, name in ipairs(host.formats) do
    if word == name then
      return name
    end
  end
  return nil
end

---@return string # the formats that are read, as JSON Schema calls them
local function format_names()
  local names <const> = {}
  for index, name in ipairs(host.formats) do
    names[index] = words.formats[name] or name
  end
  return table.concat(names, ", ")
end

function types.string(reader, raw, pointer)
  local options <const> = options_of(reader, raw, pointer, "string")
  options.trim = raw["x-tidegate-trim"]
  options.format = format_of(raw.format)
  if raw.format ~= nil and not options.format then
    local text <const> = "%s is no format that is checked; write one of %s, or a pattern"
    reader:fail(pointer .. "/format", text, declare.show(raw.format), format_names())
  end
  return reader:make(pointer, library.string, options)
end

function types.array(reader, raw, pointer)
  local items <const> = raw.items
  if type(items) == "table" and #items > 0 then
    reader:fail(pointer .. "/items", "a list of schemas is not supported; write one for all items")
  end
  local item <const> = items == nil and library.any() or reader:schema(items, pointer .. "/items")
  local options <const> = options_of(reader, raw, pointer, "array")
  options.coerce = nil
  return reader:make(pointer, library.array, item, options)
end

--- Names are strings: the type may be left out.
---@param reader tidegate.JsonSchemaReader
---@param raw any
---@param pointer string
---@return tidegate.Schema
local function keys_of(reader, raw, pointer)
  if type(raw) == "table" and not keywords.main(raw) then
    local typed <const> = { type = "string" }
    for word, value in pairs(raw) do
      typed[word] = value
    end
    raw = typed
  end
  return reader:schema(raw, pointer)
end

---@param reader tidegate.JsonSchemaReader
---@param raw table
---@param pointer string
---@return tidegate.Schema
local function map_of(reader, raw, pointer)
  local value <const> = raw.additionalProperties
  local options <const> = options_of(reader, raw, pointer, "map")
  options.coerce = nil
  if raw.propertyNames ~= nil then
    options.keys = keys_of(reader, raw.propertyNames, pointer .. "/propertyNames")
  end
  local entry <const> = value == nil and library.any()
    or reader:schema(value, pointer .. "/additionalProperties")
  return reader:make(pointer, library.map, entry, options)
end

---@param value any
---@return boolean
local function is_string(value)
  return type(value) == "string"
end

---@param reader tidegate.JsonSchemaReader
---@param raw table
---@param pointer string
---@return table<string, boolean>
local function required_of(reader, raw, pointer)
  local place <const>, set <const> = pointer .. "/required", {}
  if not declare.is_list(raw.required or {}, is_string) then
    reader:fail(place, "it must be a list of names")
  end
  for _, name in ipairs(raw.required or {}) do
    if not (raw.properties or {})[name] then
      reader:fail(place, '"%s" is not among the properties; declare it there', name)
    end
    set[name] = true
  end
  return set
end

---@param reader tidegate.JsonSchemaReader
---@param raw table
---@param pointer string
---@return table<string, tidegate.Schema>
local function fields_of(reader, raw, pointer)
  local fields <const>, required <const> = {}, required_of(reader, raw, pointer)
  for _, name in ipairs(declare.sorted_keys(raw.properties)) do
    local place <const> = reader.source.join(pointer .. "/properties", name)
    local node = reader:schema(raw.properties[name], place, required[name])
    if not required[name] and not node.has_default then
      node = node:optional()
    end
    fields[name] = node
  end
  return fields
end

---@param reader tidegate.JsonSchemaReader
---@param raw table
---@param pointer string
---@return string # as s.object has it
local function additional_of(reader, raw, pointer)
  local additional <const> = raw.additionalProperties
  if type(additional) == "table" then
    local text <const> = "a schema is for objects without properties; write true, false or nothing"
    reader:fail(pointer .. "/additionalProperties", text)
  end
  local is_allowed <const> = additional == true or raw["x-tidegate-additional"] == "allow"
  return additional == false and "forbid" or is_allowed and "allow" or "ignore"
end

function types.object(reader, raw, pointer)
  local has_fields <const> = type(raw.properties) == "table" and next(raw.properties) ~= nil
  local additional <const> = raw.additionalProperties
  if raw.properties ~= nil and type(raw.properties) ~= "table" then
    reader:fail(pointer .. "/properties", "it must be an object of schemas by name")
  end
  local is_map <const> = not has_fields and (type(additional) == "table" or additional == true)
  if is_map or raw.properties == nil and additional == nil then
    required_of(reader, raw, pointer)
    return map_of(reader, raw, pointer)
  end
  for _, word in ipairs { "maxProperties", "minProperties", "propertyNames" } do
    if raw[word] ~= nil then
      local text <const> = 'it is for objects without properties; write "required" for what must be'
      reader:fail(pointer .. "/" .. word, text)
    end
  end
  local own <const> = { properties = raw.properties or {}, required = raw.required }
  local options <const> = { additional = additional_of(reader, raw, pointer) }
  return reader:make(pointer, library.object, fields_of(reader, own, pointer), options)
end

return types
