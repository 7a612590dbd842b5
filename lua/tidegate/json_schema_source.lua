--- A JSON Schema as it was written: where it came from, what its references lead to, and its
--- values, in which lua-cjson has made every number a float, and an empty list a table like others.

local declare <const> = require "tidegate.declare"
local host <const> = require "tidegate.host"

---@class tidegate.JsonSchemaSource
---@field root table
---@field name string the file, or nothing
---@field is_cyclic table<string, boolean> by pointer
local Source <const> = {}
Source.__index = Source

--- Up to here every whole number is a float of its own.
local EXACT_MAX <const> = 0x1p53

---@param pointer string
---@param format string
---@param ... any
function Source:fail(pointer, format, ...)
  declare.fail("s.from_json_schema: %s%s: %s", self.name, pointer, format:format(...))
end

--- A JSON pointer and one step more.
---@param pointer string
---@param key string
---@return string
function Source.join(pointer, key)
  return pointer .. "/" .. key:gsub("~", "~0"):gsub("/", "~1")
end

-- ---- references ----

---@param reference string
---@return string? pointer "#", or "#/$defs/NAME" as Source.join writes it
local function pointer_of(reference)
  if reference == "#" then
    return reference
  end
  local text <const> = reference:gsub("%%(%x%x)", function(digits)
    return string.char(tonumber(digits, 16))
  end)
  local is_definition <const> = text:find "^#/%$defs/[^/]+$" or text:find "^#/definitions/[^/]+$"
  return is_definition and text or nil
end

--- The definition that a pointer of `target` leads to.
---@param pointer string
---@return any raw
---@return string? key its name; nil for the whole document
function Source:definition(pointer)
  if pointer == "#" then
    return self.root, nil
  end
  local place <const>, step <const> = pointer:match "^#/([^/]+)/(.*)$"
  local key <const> = step:gsub("~1", "/"):gsub("~0", "~")
  local definitions <const> = self.root[place]
  return type(definitions) == "table" and definitions[key] or nil, key
end

---@param reference any
---@param pointer string where it stands
---@return string # the pointer that it leads to
function Source:target(reference, pointer)
  local place <const> = pointer .. "/$ref"
  local target <const> = type(reference) == "string" and pointer_of(reference)
  if not target then
    local text <const> = "%s cannot be followed; references lead to # or #/$defs/NAME"
    self:fail(place, text, declare.show(reference))
  elseif self:definition(target) == nil then
    self:fail(place, '"%s" does not exist', reference)
  end
  return target
end

--- The definitions that some part of the document refers to.
---@param raw any
---@param found table<string, boolean>
local function collect(raw, found)
  for key, value in pairs(type(raw) == "table" and raw or {}) do
    if key == "$ref" and type(value) == "string" then
      found[pointer_of(value) or ""] = true
    elseif key ~= "$defs" and key ~= "definitions" then
      collect(value, found)
    end
  end
end

--- Whether a definition contains itself.
---@param pointer string
---@return boolean
function Source:is_recursive(pointer)
  if self.is_cyclic[pointer] == nil then
    local seen <const>, waiting <const> = {}, { pointer }
    while #waiting > 0 do
      local found <const> = {}
      local current <const> = table.remove(waiting)
      collect(current ~= "" and self:definition(current), found)
      for other in pairs(found) do
        waiting[#waiting + 1] = not seen[other] and other or nil
        seen[other] = true
      end
    end
    self.is_cyclic[pointer] = seen[pointer] or false
  end
  return self.is_cyclic[pointer]
end

--- What a definition is to be called: its key, or the title of the whole document. The numbered
--- names of an export are none.
---@param pointer string
---@return string?
function Source:name_of(pointer)
  local _, key <const> = self:definition(pointer)
  if key then
    return not key:find "^Node%d+$" and key:gsub("[^%w_.-]", "_") or nil
  end
  local title <const> = self.root.title
  local is_name <const> = type(title) == "string" and title:find "^[%w_.-]+$"
  local is_free <const> = is_name
    and self:definition("#/$defs/" .. title) == nil
    and self:definition("#/definitions/" .. title) == nil
  return is_free and title or nil
end

-- ---- values ----

--- A scalar as it was meant: 3 and not 3.0.
---@param value any
---@return any
local function exact(value)
  return type(value) == "number" and math.tointeger(value) or value
end

--- Raises for a whole number that a float may have changed.
---@param value any
---@param pointer string
function Source:check_exact(value, pointer)
  if math.type(value) == "float" and math.abs(value) > EXACT_MAX then
    local text <const> = "whole numbers above 2^53 are not read exactly; leave it out, "
      .. "or declare the schema in Lua"
    self:fail(pointer, text)
  end
end

---@param value any
---@param pointer string
---@return any
function Source:scalar(value, pointer)
  self:check_exact(value, pointer)
  return exact(value)
end

local copies <const> = {}

--- A copy of a value as scripts would write it: whole numbers are integers, and where the schema
--- has a list there is one.
---@param node? tidegate.Schema
---@param value any
---@return any
function Source.along(node, value)
  if type(value) ~= "table" then
    return exact(value)
  elseif node and copies[node.kind] then
    return copies[node.kind](node, value)
  end
  local copy <const> = {}
  for key, entry in pairs(value) do
    copy[key] = Source.along(nil, entry)
  end
  return copy
end

function copies.array(node, value)
  local list <const> = {}
  for index, item in ipairs(value) do
    list[index] = Source.along(node.item, item)
  end
  return host.array(list)
end

function copies.map(node, value)
  local map <const> = {}
  for key, entry in pairs(value) do
    map[key] = Source.along(node.value, entry)
  end
  return map
end

function copies.object(node, value)
  local object <const> = Source.along(nil, value)
  for _, field in ipairs(node.fields) do
    object[field.name] = Source.along(field.schema, value[field.name])
  end
  return object
end

---@type table<string, fun(value: any): boolean>
local is_of_type <const> = {
  null = function(value)
    return value == host.null
  end,
  integer = function(value)
    return type(value) == "number" and math.tointeger(value) ~= nil
  end,
}

--- Raises when `type` stands beside values that are not of it.
---@param values any[]
---@param raw table
---@param pointer string
function Source:check_types(values, raw, pointer)
  local types <const> = type(raw.type) == "table" and raw.type or { raw.type }
  for _, value in ipairs(values) do
    local is_right = #types == 0
    for _, name in ipairs(types) do
      local check <const> = is_of_type[name]
      is_right = is_right or check and check(value) or type(value) == name
    end
    if not is_right then
      local text <const> = "%s is not of the type that stands beside it; remove one of the two"
      self:fail(pointer, text, declare.show(value))
    end
  end
end

-- ---- the tags of oneOf ----

---@param raw any
---@param name string
---@return any[]? # the values that a required field is limited to
local function tags_of(raw, name)
  local properties <const> = raw.properties
  local field <const> = type(properties) == "table" and properties[name]
  local is_required = false
  for _, other in ipairs(type(raw.required) == "table" and raw.required or {}) do
    is_required = is_required or other == name
  end
  if not is_required or type(field) ~= "table" then
    return nil
  end
  local values <const> = field.const ~= nil and { field.const } or field.enum
  local tags <const> = {}
  for index, value in ipairs(type(values) == "table" and values or {}) do
    tags[index] = exact(value)
  end
  return #tags > 0 and tags or nil
end

--- The tags of each variant, when the field `name` tells them apart.
---@param variants table[]
---@param name string
---@return any[][]?
local function told_apart(variants, name)
  local tags <const>, seen <const> = {}, {}
  for index, variant in ipairs(variants) do
    tags[index] = tags_of(variant, name)
    for _, tag in ipairs(tags[index] or { host.null }) do
      local is_tag <const> = type(tag) == "string"
        or type(tag) == "boolean"
        or math.type(tag) == "integer"
      if not is_tag or seen[tag] then
        return nil
      end
      seen[tag] = true
    end
  end
  return tags
end

---@param raw table
---@param variants table[]
---@return string[] # the fields that may be the tag
local function candidates(raw, variants)
  local discriminator <const> = raw.discriminator
  local named <const> = raw["x-tidegate-tag"]
    or type(discriminator) == "table" and discriminator.propertyName
  if type(named) == "string" then
    return { named }
  end
  local properties <const> = variants[1].properties
  return type(properties) == "table" and declare.sorted_keys(properties) or {}
end

--- The field that tells the schemas of a oneOf apart, and its values in each of them.
---@param raw table
---@param pointer string
---@return string name
---@return any[][] tags
function Source:tag(raw, pointer)
  local variants <const> = {}
  for index, variant in ipairs(raw.oneOf) do
    local place <const> = ("%s/oneOf/%d"):format(pointer, index - 1)
    local reference <const> = type(variant) == "table" and variant["$ref"]
    local target <const> = reference and self:definition(self:target(reference, place)) or variant
    variants[index] = type(target) == "table" and target or {}
  end
  for _, name in ipairs(candidates(raw, variants)) do
    local tags <const> = told_apart(variants, name)
    if tags then
      return name, tags
    end
  end
  local text <const> = "no field tells its schemas apart; give each, as an object, a required "
    .. "field with a const of its own, or write anyOf"
  return self:fail(pointer .. "/oneOf", text)
end

-- ---- where it comes from ----

---@param path string
---@return any
local function read(path)
  local cjson <const> = require("cjson").new()
  cjson.decode_invalid_numbers(false)
  local file <close>, why <const> = io.open(path, "r")
  if not file then
    declare.fail("s.from_json_schema: cannot read the file: %s", why)
  end
  local text <const> = file:read "a" or ""
  local is_read <const>, result <const> = pcall(cjson.decode, text)
  if not is_read or not utf8.len(text) then
    local what <const> = is_read and "it is not UTF-8" or tostring(result)
    declare.fail("s.from_json_schema: %s is no JSON: %s", path, what)
  end
  return result
end

---@param given string | table the path of a file, or a decoded schema
---@return tidegate.JsonSchemaSource
return function(given)
  local is_path <const> = type(given) == "string"
  local root <const> = is_path and read(given) or given
  local self <const> =
    setmetatable({ root = root, name = is_path and given or "", is_cyclic = {} }, Source)
  if type(root) ~= "table" then
    self:fail("#", "expected a schema, which is an object, got %s", declare.show(root))
  end
  return self
end
