--- Schemas: what a payload must look like. A node is a constant table that the host compiles into a
--- program of its own when tide.message uses it; nothing here runs for a message.

local declare <const> = require "tidegate.declare"
local host <const> = require "tidegate.host"

local fail <const>, show <const> = declare.fail, declare.show

--- The most that any count of characters, items or entries may be limited to.
local COUNT_MAX <const> = 0xffffffff

--- The functions that make nodes: `tide.schema`.
local Library <const> = {}

--- The methods of nodes. Each returns a new node; the old one stays as it is.
local Methods <const> = {}

local Node <const> = {
  __name = "tidegate.schema",
  __index = Methods,
  __newindex = function(_, name)
    fail('a schema cannot be changed ("%s"); its methods return a new one', name)
  end,
}

---@param value any
---@return boolean
local function is_node(value)
  return getmetatable(value) == Node
end

---@param kind tidegate.Kind
---@param fields? table<string, any>
---@return tidegate.Schema
local function new(kind, fields)
  local node <const> = fields or {}
  node.kind, node.is_optional, node.is_nullable, node.has_default = kind, false, false, false
  return setmetatable(node, Node)
end

---@param node tidegate.Schema
---@param name string
---@param value any
---@return tidegate.Schema
local function with(node, name, value)
  local copy <const> = {}
  for key, old in pairs(node) do
    copy[key] = old
  end
  copy[name] = value
  return setmetatable(copy, Node)
end

-- ---- whether a default or an example fits its schema ----

local accepts

---@param node tidegate.Schema
---@param measure integer | number
---@return boolean
local function is_within(node, measure)
  return (not node.min or measure >= node.min) and (not node.max or measure <= node.max)
end

---@param node tidegate.Schema
---@param value table
---@return boolean
local function accepts_fields(node, value)
  local declared <const> = {}
  for _, field in ipairs(node.fields) do
    declared[field.name] = true
    local given <const> = value[field.name]
    local may_miss <const> = field.schema.is_optional or field.schema.has_default
    if given == nil and not may_miss or given ~= nil and not accepts(field.schema, given) then
      return false
    end
  end
  for name in pairs(value) do
    if type(name) ~= "string" or not declared[name] and node.additional == "forbid" then
      return false
    end
  end
  return true
end

---@param node tidegate.Schema
---@param value table
---@return boolean
local function accepts_entries(node, value)
  local count = 0
  for key, entry in pairs(value) do
    if type(key) ~= "string" or not accepts(node.value, entry) then
      return false
    end
    count = count + 1
  end
  return is_within(node, count)
end

---@param node tidegate.Schema
---@param value any
---@return boolean
local function is_one_of(node, value)
  for _, legal in ipairs(node.values) do
    if value == legal then
      return true
    end
  end
  return false
end

---@type table<tidegate.Kind, fun(node: tidegate.Schema, value: any): boolean>
local accepts_kind <const> = {
  any = function()
    return true
  end,
  null = function(_, value)
    return value == host.null
  end,
  boolean = function(_, value)
    return type(value) == "boolean"
  end,
  integer = function(node, value)
    local integer <const> = type(value) == "number" and math.tointeger(value)
    return integer and is_within(node, integer) or false
  end,
  number = function(node, value)
    return type(value) == "number" and value - value == 0 and is_within(node, value)
  end,
  string = function(node, value)
    local length <const> = type(value) == "string" and utf8.len(value)
    return length and is_within(node, length) or false
  end,
  literal = is_one_of,
  enum = is_one_of,
  array = function(node, value)
    local is_item <const> = function(item)
      return accepts(node.item, item)
    end
    return declare.is_list(value, is_item) and is_within(node, #value)
  end,
  object = function(node, value)
    return type(value) == "table" and accepts_fields(node, value)
  end,
  map = function(node, value)
    return type(value) == "table" and accepts_entries(node, value)
  end,
}

---@param node tidegate.Schema
---@param value any
---@return boolean
function accepts(node, value)
  return node.is_nullable and value == host.null or accepts_kind[node.kind](node, value)
end

--- A scalar as JSON would nearly write it.
---@param value any
---@return string
local function quoted(value)
  return type(value) == "string" and '"' .. value .. '"' or tostring(value)
end

--- What the limits of a kind count, where they are not about the value itself.
local units <const> = { string = " characters", array = " items", map = " entries" }

---@param node tidegate.Schema
---@return string # " of at most 9 characters"
local function limits_in_words(node)
  local unit <const> = units[node.kind] or ""
  if node.min and node.max then
    return (" %s %s to %s%s"):format(unit == "" and "from" or "of", node.min, node.max, unit)
  elseif node.min or node.max then
    return (" of at %s %s%s"):format(node.min and "least" or "most", node.min or node.max, unit)
  end
  return ""
end

--- What a node asks for, in words: "an integer from 1 to 9".
---@param node tidegate.Schema
---@return string
local function expectation(node)
  local words = (node.kind:find "^[aeiou]" and "an " or "a ") .. node.kind
  if node.values then
    local shown <const> = {}
    for index, value in ipairs(node.values) do
      shown[index] = quoted(value)
    end
    words = (#shown > 1 and "one of " or "") .. table.concat(shown, ", ")
  elseif node.kind == "any" or node.kind == "null" then
    words = node.kind == "any" and "any value" or "null"
  end
  return words .. limits_in_words(node) .. (node.is_nullable and " or null" or "")
end

-- ---- methods ----

---@param self any
---@param method string
local function check_self(self, method)
  if not is_node(self) then
    fail(
      "%s is a method of schemas; call it with a colon, as in s.string():%s(...)",
      method,
      method
    )
  end
end

---@param self any
---@param method string
---@param value any
local function check_sample(self, method, value)
  check_self(self, method)
  if value == nil then
    fail(':%s needs a value; null is require("cjson").null', method)
  elseif not accepts(self, value) then
    fail(":%s: the value must be %s, got %s", method, expectation(self), show(value))
  end
end

function Methods:optional()
  check_self(self, "optional")
  return with(self, "is_optional", true)
end

function Methods:nullable()
  check_self(self, "nullable")
  return with(self, "is_nullable", true)
end

function Methods:default(value)
  check_sample(self, "default", value)
  return with(with(self, "has_default", true), "default_value", value)
end

function Methods:describe(text)
  check_self(self, "describe")
  if not declare.text(text) then
    fail(":describe needs a string that is not empty, got %s", show(text))
  end
  return with(self, "description", text)
end

function Methods:example(value)
  check_sample(self, "example", value)
  local examples <const> = table.move(self.examples or {}, 1, #(self.examples or {}), 1, {})
  examples[#examples + 1] = value
  return with(self, "examples", examples)
end

-- ---- options ----

---@type tidegate.Check
local function count(value)
  local integer <const> = type(value) == "number" and math.tointeger(value)
  return integer and integer >= 0 and integer <= COUNT_MAX or false, "a whole number, 0 or more"
end

---@type tidegate.Check
local function integer(value)
  return type(value) == "number" and math.tointeger(value) ~= nil, "a whole number"
end

---@type tidegate.Check
local function finite(value)
  return type(value) == "number" and value - value == 0, "a number"
end

---@param what string
---@param options any
---@param check tidegate.Check for both limits
---@return table<string, any> # a copy, limits that are whole as integers
local function limits(what, options, check)
  local given <const> = declare.options(what, options, { min = check, max = check })
  if given.min and given.max and given.min > given.max then
    fail("%s: min (%s) is above max (%s)", what, given.min, given.max)
  end
  return {
    min = math.tointeger(given.min) or given.min,
    max = math.tointeger(given.max) or given.max,
  }
end

--- Raises unless `value` is a schema, with what the writer may have meant.
---@param what string
---@param value any
local function check_schema(what, value)
  if is_node(value) then
    return
  end
  local hint = ""
  if type(value) == "string" and rawget(Library, value) then
    hint = ("; write s.%s(...)"):format(value)
  elseif type(value) == "function" then
    hint = "; call it, as in s.string()"
  elseif type(value) == "table" then
    hint = "; for an object write s.object { ... }"
  end
  fail("%s: expected a schema, got %s%s", what, show(value), hint)
end

---@param what string
---@param extra any
local function check_nothing(what, extra)
  if extra ~= nil then
    fail("%s takes no options, got %s", what, show(extra))
  end
end

-- ---- constructors ----

function Library.any(extra)
  check_nothing("s.any", extra)
  return new "any"
end

function Library.null(extra)
  check_nothing("s.null", extra)
  return new "null"
end

function Library.boolean(extra)
  check_nothing("s.boolean", extra)
  return new "boolean"
end

function Library.integer(options)
  return new("integer", limits("s.integer", options, integer))
end

function Library.number(options)
  return new("number", limits("s.number", options, finite))
end

function Library.string(options)
  return new("string", limits("s.string", options, count))
end

---@param what string
---@param value any
local function check_choice(what, value)
  local is_right <const> = type(value) == "boolean"
    or type(value) == "string" and utf8.len(value)
    or finite(value)
  if not is_right then
    local is_null <const> = value == host.null
    local hint <const> = is_null and "; write s.null(), or :nullable() on another schema" or ""
    fail("%s: expected a string, a number or a boolean, got %s%s", what, show(value), hint)
  end
end

function Library.literal(value)
  check_choice("s.literal", value)
  return new("literal", { values = { value } })
end

function Library.enum(values)
  local is_list <const> = declare.is_list(values, function()
    return true
  end)
  if not is_list or #values == 0 then
    fail('s.enum: expected a list of at least one value, as in s.enum { "a", "b" }')
  end
  local seen <const> = {}
  for index, value in ipairs(values) do
    check_choice("s.enum: value " .. index, value)
    if seen[value] then
      fail("s.enum: the value %s stands twice; remove one", quoted(value))
    end
    seen[value] = true
  end
  return new("enum", { values = table.move(values, 1, #values, 1, {}) })
end

function Library.array(item, options)
  check_schema("s.array: the item", item)
  local fields <const> = limits("s.array", options, count)
  fields.item = item
  return new("array", fields)
end

function Library.map(value, options)
  check_schema("s.map: the value", value)
  local given <const> = declare.options("s.map", options, { max = count })
  return new("map", { value = value, max = math.tointeger(given.max) })
end

---@param name any
---@param node any
local function check_field(name, node)
  if type(name) ~= "string" or not utf8.len(name) then
    fail("s.object: a field name must be a string of UTF-8, got %s", show(name))
  elseif name == "additional" and type(node) == "string" then
    fail(
      's.object: options stand in a second table: s.object({ ... }, { additional = "%s" })',
      node
    )
  end
  check_schema(('s.object: field "%s"'):format(name), node)
end

---@param declared any[]
---@return tidegate.Field[] # in the order of the list
local function listed_fields(declared)
  local fields <const>, seen <const> = {}, {}
  for key, pair in pairs(declared) do
    if math.type(key) ~= "integer" then
      fail('s.object: "%s" stands beside a list of fields; write { "%s", schema }', key, key)
    elseif type(pair) ~= "table" or getmetatable(pair) or #pair ~= 2 then
      fail('s.object: item %d of the fields must be { "name", schema }, got %s', key, show(pair))
    end
  end
  for index = 1, #declared do
    local pair <const> = declared[index]
    if pair == nil then
      fail("s.object: the list of fields has a hole at %d", index)
    end
    local name <const>, node <const> = pair[1], pair[2]
    check_field(name, node)
    if seen[name] then
      fail('s.object: the field "%s" stands twice; remove one', name)
    end
    seen[name] = true
    fields[#fields + 1] = { name = name, schema = node }
  end
  return fields
end

---@param declared table<string, any>
---@return tidegate.Field[] # in byte order of the names
local function named_fields(declared)
  local fields <const> = {}
  for _, name in ipairs(declare.sorted_keys(declared)) do
    check_field(name, declared[name])
    fields[#fields + 1] = { name = name, schema = declared[name] }
  end
  return fields
end

local object_checks <const> = {
  additional = function(value)
    return value == "ignore" or value == "allow" or value == "forbid",
      '"ignore", "allow" or "forbid"'
  end,
}

function Library.object(declared, options)
  if type(declared) ~= "table" or getmetatable(declared) then
    local text <const> = "s.object: expected fields, as in s.object { name = s.string() }, got %s"
    fail(text, show(declared))
  end
  local given <const> = declare.options("s.object", options, object_checks)
  return new("object", {
    fields = declared[1] ~= nil and listed_fields(declared) or named_fields(declared),
    additional = given.additional or "ignore",
  })
end

declare.public(Methods)
declare.public(Library)

return {
  library = declare.closed("tide.schema", Library),
  methods = Methods,
  is_node = is_node,
}
