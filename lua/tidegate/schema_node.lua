--- What a schema is: a node, constant once it is made. Its members stand behind a key that only
--- this module knows, so that nothing can be assigned to a node, not even what it has already.

local declare <const> = require "tidegate.declare"

local fail <const>, show <const> = declare.fail, declare.show

local Node <const> = {}

--- The functions that make nodes, `tide.schema`: tidegate.schema_kinds fills it.
Node.library = {}

--- The methods of nodes; each returns a new one. tidegate.schema_methods fills it.
Node.methods = {}

local members <const> = {}

--- What a node may have, by name. Reading any other name is a mistake of the reader's.
local names <const> = {}

local common_names <const> = "kind source is_optional is_nullable is_secret coerce has_default "
  .. "default_value default_function default_source description name definition examples checks "
local kind_names <const> = "min max exclusive_min exclusive_max multiple_of pattern format trim "
  .. "values item unique fields additional is_ordered value keys branches tag variants "
  .. "resolve max_depth"

for name in (common_names .. kind_names):gmatch "%S+" do
  names[name] = true
end

---@param node tidegate.Schema
---@param name any
---@return any
local function read(node, name)
  local value <const> = rawget(node, members)[name]
  if value ~= nil then
    return value
  end
  local method <const> = Node.methods[name]
  if not method and type(name) == "string" and not names[name] then
    local methods <const> = declare.sorted_keys(Node.methods)
    local hint <const>, legal <const> = declare.suggest(name, methods), table.concat(methods, ", ")
    fail('a schema has no method "%s"%s (methods: %s)', name, hint, legal)
  end
  return method
end

local metatable <const> = {
  __name = "tidegate.schema",
  __index = read,
  __newindex = function(_, name)
    fail('a schema cannot be changed ("%s"); its methods return a new one', name)
  end,
  shown = function(node)
    return "a schema of kind " .. node.kind
  end,
}

---@param value any
---@return boolean
function Node.is_node(value)
  return getmetatable(value) == metatable
end

---@param fields table<string, any>
---@return tidegate.Schema
local function wrapped(fields)
  return setmetatable({ [members] = fields }, metatable)
end

---@param kind tidegate.Kind
---@param fields? table<string, any> becomes the node's own
---@return tidegate.Schema
function Node.new(kind, fields)
  local own <const> = fields or {}
  own.kind, own.source = kind, declare.position() or "?"
  own.is_optional, own.is_nullable, own.is_secret, own.has_default = false, false, false, false
  own.coerce = own.coerce or false
  return wrapped(own)
end

---@param node tidegate.Schema
---@param changes table<string, any>
---@param ... string names of what the new node does not take over
---@return tidegate.Schema
function Node.with(node, changes, ...)
  local copy <const> = {}
  for name, value in next, rawget(node, members) do
    copy[name] = value
  end
  for index = 1, select("#", ...) do
    copy[select(index, ...)] = nil
  end
  for name, value in next, changes do
    copy[name] = value
  end
  return wrapped(copy)
end

--- What the writer may have meant who gave `value` where a schema stands.
---@param value any
---@return string
local function hint(value)
  if type(value) == "string" and rawget(Node.library, value) then
    return ("; write s.%s(...)"):format(value)
  elseif type(value) == "function" then
    return "; call it, as in s.string()"
  elseif type(value) == "table" and Node.is_node(rawget(value, 1)) then
    return "; take the schema out of its braces"
  elseif type(value) == "table" and not getmetatable(value) then
    return "; for an object write s.object { ... }"
  end
  return ""
end

--- Raises unless `value` is a schema.
---@param what string
---@param value any
function Node.check(what, value)
  if not Node.is_node(value) then
    fail("%s: expected a schema, got %s%s", what, show(value), hint(value))
  end
end

return Node
