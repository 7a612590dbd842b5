--- The methods of schemas. Each returns a new one; the old one stays as it is.

local declare <const> = require "tidegate.declare"
local fields <const> = require "tidegate.schema_fields"
local node <const> = require "tidegate.schema_node"

local fail <const>, show <const> = declare.fail, declare.show

local Methods <const> = node.methods

---@param self any
---@param method string
local function check_self(self, method)
  if not node.is_node(self) then
    fail(
      "%s is a method of schemas; call it with a colon, as in s.string():%s(...)",
      method,
      method
    )
  end
end

---@param method string
---@param value any
local function check_value(method, value)
  if value == nil then
    fail(':%s needs a value; null is require("cjson").null', method)
  elseif node.is_node(value) then
    fail(":%s: expected a value such as messages have, got %s", method, show(value))
  end
end

--- A list and one item more.
---@param list? any[]
---@param item any
---@return any[]
local function appended(list, item)
  local longer <const> = table.move(list or {}, 1, #(list or {}), 1, {})
  longer[#longer + 1] = item
  return longer
end

-- ---- of every schema ----

function Methods:optional()
  check_self(self, "optional")
  return node.with(self, { is_optional = true })
end

function Methods:nullable()
  check_self(self, "nullable")
  return node.with(self, { is_nullable = true })
end

function Methods:secret()
  check_self(self, "secret")
  return node.with(self, { is_secret = true })
end

function Methods:default(value)
  check_self(self, "default")
  check_value("default", value)
  local name <const> = type(value) == "function" and "default_function" or "default_value"
  local changes <const> = { has_default = true, default_source = declare.position() or "?" }
  changes[name] = value
  return node.with(self, changes, "default_value", "default_function")
end

function Methods:describe(text)
  check_self(self, "describe")
  if not declare.text(text) then
    fail(":describe needs a string that is not empty, got %s", show(text))
  end
  return node.with(self, { description = text })
end

function Methods:example(value)
  check_self(self, "example")
  check_value("example", value)
  local example <const> = { value = value, source = declare.position() or "?" }
  return node.with(self, { examples = appended(self.examples, example) })
end

function Methods:check(check)
  check_self(self, "check")
  if type(check) ~= "function" then
    fail(":check needs a function that returns nothing, or what is wrong, got %s", show(check))
  end
  return node.with(self, { checks = appended(self.checks, check) })
end

function Methods:named(name)
  check_self(self, "named")
  if type(name) ~= "string" or not name:find "^[%w_.-]+$" then
    fail(':named needs a name of letters, digits, "_", "." and "-", got %s', show(name))
  elseif self.name then
    fail(':named: the schema is called "%s" already; name it once', self.name)
  end
  return node.with(self, { name = name, definition = self })
end

function Methods:json_schema(options)
  check_self(self, "json_schema")
  local given <const> = declare.options(":json_schema", options, { camelize = declare.boolean })
  return require("tidegate.json_schema").export(self, given)
end

-- ---- of objects ----

---@param self any
---@param method string
local function check_object(self, method)
  check_self(self, method)
  if self.kind ~= "object" then
    fail(":%s is for objects, and this is %s", method, show(self))
  end
end

--- Raises for a schema with a :check, which may read a field that the new one does not have.
---@param self tidegate.Schema
---@param method string
local function check_unchecked(self, method)
  if self.checks then
    fail(":%s: the object has a :check, which reads its fields; write :check behind it", method)
  end
end

--- The same object with other fields. A name and examples were those of the old one.
---@param self tidegate.Schema
---@param list tidegate.Field[]
---@param is_ordered boolean
---@return tidegate.Schema
local function with_fields(self, list, is_ordered)
  return node.with(
    self,
    { fields = list, is_ordered = is_ordered },
    "name",
    "definition",
    "examples"
  )
end

function Methods:extend(declared)
  check_object(self, "extend")
  local added <const>, is_list <const> = fields.declared(":extend", declared)
  return with_fields(self, fields.merged(self, added, is_list))
end

---@param self tidegate.Schema
---@param method string
---@param ... any names of fields
---@return table<string, boolean> # a set of them
local function named_fields(self, method, ...)
  local names <const>, set <const> = table.pack(...), {}
  local legal <const> = fields.names(self.fields)
  if names.n == 0 then
    fail(':%s needs the names of fields, as in :%s("a", "b")', method, method)
  end
  for index = 1, names.n do
    local name <const> = names[index]
    if type(name) ~= "string" then
      local text <const> = ':%s: names stand side by side, as in :%s("a", "b"), got %s'
      fail(text, method, method, show(name))
    elseif not fields.find(self.fields, name) then
      local text <const> = ':%s: the object has no field "%s"%s (fields: %s)'
      fail(text, method, name, declare.suggest(name, legal), table.concat(legal, ", "))
    end
    set[name] = true
  end
  return set
end

---@param self tidegate.Schema
---@param names table<string, boolean>
---@param is_kept boolean whether those named stay, or the others
---@return tidegate.Schema
local function chosen(self, names, is_kept)
  local list <const> = {}
  for _, field in ipairs(self.fields) do
    if (names[field.name] or false) == is_kept then
      list[#list + 1] = field
    end
  end
  return with_fields(self, list, self.is_ordered)
end

function Methods:pick(...)
  check_object(self, "pick")
  check_unchecked(self, "pick")
  return chosen(self, named_fields(self, "pick", ...), true)
end

function Methods:omit(...)
  check_object(self, "omit")
  check_unchecked(self, "omit")
  return chosen(self, named_fields(self, "omit", ...), false)
end

--- Who sends a part of an object means that part: a default would fill in the rest.
function Methods:partial()
  check_object(self, "partial")
  check_unchecked(self, "partial")
  local list <const> = {}
  for index, field in ipairs(self.fields) do
    local changes <const> = { is_optional = true, has_default = false }
    local schema <const> =
      node.with(field.schema, changes, "default_value", "default_function", "default_source")
    list[index] = { name = field.name, schema = schema }
  end
  return with_fields(self, list, self.is_ordered)
end

declare.public(Methods)

return Methods
