--- The fields of objects: declared by name, which puts them in byte order, or as a list, which
--- keeps its own; and what :extend makes of two of them.

local declare <const> = require "tidegate.declare"
local node <const> = require "tidegate.schema_node"

local fail <const>, show <const> = declare.fail, declare.show

local Fields <const> = {}

---@param what string
---@param name any
---@param schema any
local function check_field(what, name, schema)
  if type(name) ~= "string" or not utf8.len(name) then
    fail("%s: a field name must be a string of UTF-8, got %s", what, show(name))
  elseif name == "additional" and type(schema) == "string" and what == "s.object" then
    fail(
      's.object: options stand in a second table: s.object({ ... }, { additional = "%s" })',
      schema
    )
  end
  node.check(('%s: field "%s"'):format(what, name), schema)
end

---@param what string
---@param declared any[]
local function check_list(what, declared)
  for key, pair in pairs(declared) do
    if math.type(key) ~= "integer" then
      local text <const> = '%s: "%s" stands beside a list of fields; write { "%s", schema }'
      fail(text, what, key, key)
    elseif type(pair) ~= "table" or getmetatable(pair) or #pair ~= 2 then
      local text <const> = '%s: item %d of the fields must be { "name", schema }, got %s'
      fail(text, what, key, show(pair))
    end
  end
end

---@param what string
---@param declared any[]
---@return tidegate.Field[] # in the order of the list
local function listed(what, declared)
  check_list(what, declared)
  local fields <const>, seen <const> = {}, {}
  for index = 1, #declared do
    local pair <const> = declared[index]
    if pair == nil then
      fail("%s: the list of fields has a hole at %d", what, index)
    end
    local name <const>, schema <const> = pair[1], pair[2]
    check_field(what, name, schema)
    if seen[name] then
      fail('%s: the field "%s" stands twice; remove one', what, name)
    end
    seen[name] = true
    fields[#fields + 1] = { name = name, schema = schema }
  end
  return fields
end

---@param what string
---@param declared table<string, any>
---@return tidegate.Field[] # in byte order of the names
local function named(what, declared)
  local fields <const> = {}
  for _, name in ipairs(declare.sorted_keys(declared)) do
    check_field(what, name, declared[name])
    fields[#fields + 1] = { name = name, schema = declared[name] }
  end
  return fields
end

---@param what string the function that they were given to, "s.object"
---@param declared any
---@return tidegate.Field[]
---@return boolean is_ordered declared as a list
function Fields.declared(what, declared)
  if type(declared) ~= "table" or getmetatable(declared) then
    local example <const> = what == ":extend" and ":extend { name = s.string() }"
      or "s.object { name = s.string() }"
    fail("%s: expected fields, as in %s, got %s", what, example, show(declared))
  end
  local is_ordered <const> = declared[1] ~= nil
  return (is_ordered and listed or named)(what, declared), is_ordered
end

---@param fields tidegate.Field[]
---@param name string
---@return integer? # its place
function Fields.find(fields, name)
  for index, field in ipairs(fields) do
    if field.name == name then
      return index
    end
  end
  return nil
end

---@param fields tidegate.Field[]
---@return string[]
function Fields.names(fields)
  local names <const> = {}
  for index, field in ipairs(fields) do
    names[index] = field.name
  end
  return names
end

--- The fields of an object and others: one of the same name takes the place of the old, the rest
--- follow. When neither was declared as a list, all stand in byte order.
---@param object tidegate.Schema
---@param added tidegate.Field[]
---@param is_list boolean
---@return tidegate.Field[]
---@return boolean is_ordered
function Fields.merged(object, added, is_list)
  local fields <const> = table.move(object.fields, 1, #object.fields, 1, {})
  for _, field in ipairs(added) do
    fields[Fields.find(fields, field.name) or #fields + 1] = field
  end
  local is_ordered <const> = object.is_ordered or is_list
  if not is_ordered then
    table.sort(fields, function(a, b)
      return a.name < b.name
    end)
  end
  return fields, is_ordered
end

return Fields
