--- The functions that make schemas: `tide.schema`. They check their options at the line of the
--- user. Whether a default or an example fits its schema is checked by C, as messages are, once a
--- message type uses it.

local declare <const> = require "tidegate.declare"
local fields <const> = require "tidegate.schema_fields"
local host <const> = require "tidegate.host"
local node <const> = require "tidegate.schema_node"
local options <const> = require "tidegate.schema_options"

local fail <const>, show <const> = declare.fail, declare.show

local Library <const> = node.library

---@param what string
---@param extra any
local function check_nothing(what, extra)
  if extra ~= nil then
    fail("%s takes no options, got %s", what, show(extra))
  end
end

-- ---- values without parts ----

function Library.any(extra)
  check_nothing("s.any", extra)
  return node.new "any"
end

function Library.null(extra)
  check_nothing("s.null", extra)
  return node.new "null"
end

function Library.boolean(given)
  return node.new("boolean", options.boolean("s.boolean", given))
end

function Library.integer(given)
  return node.new("integer", options.integer("s.integer", given))
end

function Library.number(given)
  return node.new("number", options.number("s.number", given))
end

function Library.string(given)
  return node.new("string", options.string("s.string", given))
end

for _, format in ipairs { "email", "url", "uuid", "datetime" } do
  Library[format] = function(given)
    local own <const> = options.formatted("s." .. format, given)
    own.format = format
    return node.new("string", own)
  end
end

-- ---- choices ----

---@param what string
---@param value any
local function check_choice(what, value)
  local is_right <const> = type(value) == "boolean"
    or type(value) == "string" and utf8.len(value)
    or options.finite(value)
  if not is_right then
    local is_null <const> = value == host.null
    local hint <const> = is_null and "; write s.null(), or :nullable() on another schema" or ""
    fail("%s: expected a string, a number or a boolean, got %s%s", what, show(value), hint)
  end
end

function Library.literal(value, extra)
  check_choice("s.literal", value)
  check_nothing("s.literal", extra)
  return node.new("literal", { values = { value } })
end

---@param first any
---@param extra any
local function check_values(first, extra)
  local is_list <const> = declare.is_list(first, function()
    return true
  end)
  if not is_list or #first == 0 then
    fail('s.enum: expected a list of at least one value, as in s.enum { "a", "b" }')
  end
  check_nothing("s.enum", extra)
end

function Library.enum(values, extra)
  check_values(values, extra)
  local seen <const> = {}
  for index, value in ipairs(values) do
    check_choice("s.enum: value " .. index, value)
    if seen[value] then
      fail("s.enum: %s stands twice; remove one", show(value))
    end
    seen[value] = true
  end
  return node.new("enum", { values = table.move(values, 1, #values, 1, {}) })
end

-- ---- values with parts ----

function Library.array(item, given)
  node.check("s.array: the item", item)
  local own <const> = options.array("s.array", given)
  own.item = item
  return node.new("array", own)
end

function Library.object(declared, given)
  local listed <const>, is_ordered <const> = fields.declared("s.object", declared)
  local own <const> = options.object("s.object", given)
  own.fields, own.is_ordered = listed, is_ordered
  own.additional = own.additional or "ignore"
  return node.new("object", own)
end

--- What a schema of keys cannot have: a key is looked up as it is, and is never made.
local key_flags <const> = {
  { "coerce", "coerce" },
  { "trim", "trim" },
  { "has_default", ":default" },
  { "checks", ":check" },
  { "is_secret", ":secret" },
  { "is_optional", ":optional" },
  { "is_nullable", ":nullable" },
}

---@param keys any
local function check_keys(keys)
  node.check("s.map: the keys", keys)
  if keys.kind ~= "string" and not keys.values then
    fail("s.map: the keys must be of s.string, s.enum or s.literal, got %s", show(keys))
  end
  for _, value in ipairs(keys.values or {}) do
    if type(value) ~= "string" then
      fail("s.map: the keys of a message are strings, and %s is none", show(value))
    end
  end
  for _, flag in ipairs(key_flags) do
    if keys[flag[1]] then
      fail("s.map: the schema of the keys has %s, which means nothing there", flag[2])
    end
  end
end

function Library.map(value, given)
  node.check("s.map: the value", value)
  if node.is_node(given) then
    fail "s.map: takes the schema of the values; that of the keys is an option, { keys = ... }"
  end
  local own <const> = options.map("s.map", given)
  if own.keys ~= nil then
    check_keys(own.keys)
  end
  own.value = value
  return node.new("map", own)
end

-- ---- one of several ----

function Library.union(...)
  local count <const> = select("#", ...)
  local branches <const> = { ... }
  if type(branches[1]) == "table" and not getmetatable(branches[1]) then
    fail "s.union: its schemas stand side by side, as in s.union(s.integer(), s.string())"
  elseif count < 2 then
    fail("s.union: needs at least two schemas, got %d", count)
  end
  for index = 1, count do
    node.check("s.union: schema " .. index, branches[index])
  end
  return node.new("union", { branches = branches })
end

---@param tag any
---@return string # the tag as an error shows it
local function shown_tag(tag)
  return type(tag) == "string" and '"' .. tag .. '"' or tostring(tag)
end

---@param name string
---@param tag any
---@param variant any
local function check_variant(name, tag, variant)
  local is_tag <const> = type(tag) == "string" and utf8.len(tag)
    or math.type(tag) == "integer"
    or type(tag) == "boolean"
  if not is_tag then
    fail("s.tagged: a tag must be a string, a whole number or a boolean, got %s", show(tag))
  end
  local what <const> = "s.tagged: the variant " .. shown_tag(tag)
  node.check(what, variant)
  if variant.kind ~= "object" then
    fail("%s must be an object, got %s; wrap it in s.object { ... }", what, show(variant))
  elseif variant.is_nullable then
    fail("%s is nullable; write :nullable() behind s.tagged(...)", what)
  end
  local place <const> = fields.find(variant.fields, name)
  local declared <const> = place and variant.fields[place].schema
  local has_tag = not declared
  for _, value in ipairs(declared and declared.values or {}) do
    has_tag = has_tag or value == tag
  end
  if not has_tag then
    local text <const> = '%s declares the tag "%s" itself: it must be s.literal(%s), or left out'
    fail(text, what, name, shown_tag(tag))
  end
end

--- A variant with the field of its tag.
---@param name string
---@param tag string | integer | boolean
---@param variant tidegate.Schema
---@return tidegate.Schema
local function with_tag(name, tag, variant)
  if fields.find(variant.fields, name) then
    return variant
  end
  local added <const> = { { name = name, schema = Library.literal(tag) } }
  local merged <const> = fields.merged(variant, added, false)
  return node.with(variant, { fields = merged })
end

---@param variants table<any, any>
---@return any[] # its keys, in byte order of their text
local function sorted_tags(variants)
  local tags <const> = declare.sorted_keys(variants)
  table.sort(tags, function(a, b)
    local text_a <const>, text_b <const> = tostring(a), tostring(b)
    return text_a < text_b or text_a == text_b and type(a) < type(b)
  end)
  return tags
end

function Library.tagged(name, variants, extra)
  if not declare.text(name) or not utf8.len(name) then
    fail(
      's.tagged: the first argument names the field of the tag, as in "kind", got %s',
      show(name)
    )
  elseif type(variants) ~= "table" or getmetatable(variants) or next(variants) == nil then
    local text <const> =
      "s.tagged: expected variants by tag, as in { text = s.object { ... } }, got %s"
    fail(text, type(variants) == "table" and not next(variants) and "none" or show(variants))
  end
  check_nothing("s.tagged", extra)
  local list <const> = {}
  for index, tag in ipairs(sorted_tags(variants)) do
    check_variant(name, tag, variants[tag])
    list[index] = { tag = tag, schema = with_tag(name, tag, variants[tag]) }
  end
  return node.new("tagged", { tag = name, variants = list })
end

-- ---- schemas from elsewhere ----

function Library.ref(resolve, given)
  if type(resolve) ~= "function" then
    local text <const> = "s.ref: expected a function that returns a schema, "
      .. "as in s.ref(function() return Node end), got %s"
    fail(text, show(resolve))
  end
  local own <const> = options.ref("s.ref", given)
  own.resolve, own.max_depth = resolve, own.max_depth or 32
  return node.new("ref", own)
end

--- A path as the user's file means it: from its own folder.
---@param path string
---@return string
local function resolved(path)
  local folder <const> = (declare.position() or ""):match "^(.*/)"
  return path:sub(1, 1) == "/" and path or (folder or "") .. path
end

function Library.from_json_schema(source)
  if type(source) ~= "table" and not declare.text(source) then
    fail("s.from_json_schema: expected the path of a file or a table, got %s", show(source))
  end
  local from <const> = type(source) == "string" and resolved(source) or source
  return require("tidegate.json_schema").import(from)
end

declare.public(Library)

return Library
