--- Schemas as types of the language server: objects become classes, the rest is written where it
--- is used. There are two views of a schema. A handler gets every field that has a default; who
--- makes a message may leave it out. Where they differ the second is a class of its own, the draft.

local Schema <const> = {}

---@class tidegate.TypeWriter
---@field blocks string[] the definitions, in the order in which their names were given out
---@field taken table<string, boolean> names that are in use
---@field known table<string, table<any, string>> by view, kind and name: by content
---@field targets table<function, tidegate.Schema> what refs lead to
---@field defaulted table<any, boolean> by content, whether a default stands in it

---@alias tidegate.View "received" | "draft"

---@return tidegate.TypeWriter
function Schema.writer()
  return {
    blocks = {},
    taken = {},
    known = {},
    targets = {},
    defaulted = {},
  }
end

-- ---- texts ----

local keywords <const> = {}
local keyword_list <const> = "and break do else elseif end false for function goto if in local nil "
  .. "not or repeat return then true until while"
for word in keyword_list:gmatch "%a+" do
  keywords[word] = true
end

---@param text string
---@return string
local function quoted(text)
  text = text:gsub('[\\"]', "\\%0"):gsub("%c", function(control)
    return ("\\x%02x"):format(control:byte())
  end)
  return '"' .. text .. '"'
end

--- A part of a class's name.
---@param text any
---@return string
function Schema.segment(text)
  local name <const> = tostring(text):gsub("[^%w_]", "_")
  return name:find "^%d" and "_" .. name or name
end

--- Text as one line, to stand in a comment.
---@param text string
---@return string
function Schema.line(text)
  return (text:gsub("%s+", " "):gsub("^ ", ""):gsub(" $", ""))
end

---@param name string
---@return string # as a field of a class is named
local function field_name(name)
  local is_plain <const> = name:find "^[%a_][%w_]*$" and not keywords[name]
  return is_plain and name or "[" .. quoted(name) .. "]"
end

---@param value string | number | boolean
---@return string
local function literal(value)
  if type(value) == "string" then
    return quoted(value)
  end
  local integer <const> = math.type(value) and math.tointeger(value)
  return math.type(value) and (integer and tostring(integer) or "number") or tostring(value)
end

--- A union of types, each once.
---@param types string[]
---@return string
local function union(types)
  local list <const>, seen <const> = {}, {}
  for _, text in ipairs(types) do
    if not seen[text] then
      seen[text], list[#list + 1] = true, text
    end
  end
  return table.concat(list, "|")
end

---@param writer tidegate.TypeWriter
---@param wanted string
---@return string # `wanted`, with a number behind it if that is taken
function Schema.unique(writer, wanted)
  local name, count = wanted, 1
  while writer.taken[name] do
    count = count + 1
    name = wanted .. "_" .. count
  end
  writer.taken[name] = true
  return name
end

-- ---- walking ----

---@param writer tidegate.TypeWriter
---@param node tidegate.Schema a ref
---@return tidegate.Schema
local function target_of(writer, node)
  local target <const> = writer.targets[node.resolve] or node.resolve()
  writer.targets[node.resolve] = target
  return target
end

--- What tells a schema from another that only carries the same name: copies share it.
---@param node tidegate.Schema
---@return any
local function content_of(node)
  return node.fields
    or node.variants
    or node.branches
    or node.values
    or node.resolve
    or node.item
    or node.value
    or node.kind
end

---@param writer tidegate.TypeWriter
---@param node tidegate.Schema
---@return tidegate.Schema[]
local function children_of(writer, node)
  local list <const> = { node.item, node.kind == "map" and node.value or nil }
  for _, part in ipairs(node.fields or node.variants or {}) do
    list[#list + 1] = part.schema
  end
  for _, branch in ipairs(node.branches or {}) do
    list[#list + 1] = branch
  end
  list[#list + 1] = node.kind == "ref" and target_of(writer, node) or nil
  return list
end

--- Whether a field with a default stands anywhere in a schema. `under_way` are those above it.
---@param writer tidegate.TypeWriter
---@param node tidegate.Schema
---@param under_way table<any, boolean>
---@return boolean
local function search_defaults(writer, node, under_way)
  local content <const> = content_of(node)
  if type(content) == "string" or under_way[content] then
    return false
  end
  under_way[content] = true
  for _, child in ipairs(children_of(writer, node)) do
    if child.has_default or search_defaults(writer, child, under_way) then
      return true
    end
  end
  return false
end

--- Whether the draft of a schema differs from what is received.
---@param writer tidegate.TypeWriter
---@param node tidegate.Schema
---@return boolean
function Schema.has_draft(writer, node)
  local content <const> = content_of(node)
  local known = writer.defaulted[content]
  if known == nil then
    known = search_defaults(writer, node, {})
    writer.defaulted[content] = type(content) ~= "string" and known or nil
  end
  return known
end

-- ---- classes ----

local type_of

---@param comment? string
---@return string # lines of a comment, each with its newline
local function comment_lines(comment)
  return comment and "--- " .. Schema.line(comment) .. "\n" or ""
end

---@param writer tidegate.TypeWriter
---@param field tidegate.Field
---@param owner string the class
---@param view tidegate.View
---@return string
local function field_line(writer, field, owner, view)
  local node <const> = field.schema
  local may_miss
  if view == "draft" then
    may_miss = node.is_optional or node.has_default
  else
    may_miss = node.is_optional and not node.has_default
  end
  local text <const> = type_of(writer, node, owner .. "." .. Schema.segment(field.name), view)
  local about <const> = node.description and " # " .. Schema.line(node.description) or ""
  return ("---@field %s%s %s%s"):format(field_name(field.name), may_miss and "?" or "", text, about)
end

--- Writes an object as the class `name`, for which `place` is kept among the blocks.
---@param writer tidegate.TypeWriter
---@param node tidegate.Schema
---@param name string
---@param place integer
---@param view tidegate.View
local function write_class(writer, node, name, place, view)
  local is_open <const> = node.additional == "allow"
  local lines <const> = { ("---@class %s%s"):format(is_open and "" or "(exact) ", name) }
  for _, field in ipairs(node.fields) do
    lines[#lines + 1] = field_line(writer, field, name, view)
  end
  lines[#lines + 1] = is_open and "---@field [string] any" or nil
  writer.blocks[place] = comment_lines(node.description) .. table.concat(lines, "\n")
end

--- Gives out a name, and a place among the blocks for its definition.
---@param writer tidegate.TypeWriter
---@param wanted string
---@return string name
---@return integer place
local function reserve(writer, wanted)
  local place <const> = #writer.blocks + 1
  writer.blocks[place] = ""
  return Schema.unique(writer, wanted), place
end

--- What was written already of the schemas of this kind and name.
---@param writer tidegate.TypeWriter
---@param node tidegate.Schema
---@param view tidegate.View
---@return table<any, string>
local function known_like(writer, node, view)
  local key <const> = ("%s %s %s"):format(view, node.kind, node.name or "")
  writer.known[key] = writer.known[key] or {}
  return writer.known[key]
end

local core

--- The name of a schema that has a definition of its own; the first time it is written.
---@param writer tidegate.TypeWriter
---@param node tidegate.Schema
---@param wanted string
---@param view tidegate.View
---@param content any
---@return string
local function defined(writer, node, wanted, view, content)
  local known <const> = known_like(writer, node, view)
  if known[content] then
    return known[content]
  end
  local name <const>, place <const> = reserve(writer, wanted)
  known[content] = name
  if node.kind == "object" then
    write_class(writer, node, name, place, view)
  else
    local text <const> = core(writer, node, name, view)
    writer.blocks[place] = comment_lines(node.description) .. ("---@alias %s %s"):format(name, text)
  end
  return name
end

---@param writer tidegate.TypeWriter
---@param list { schema: tidegate.Schema, tag?: any }[]
---@param path string
---@param view tidegate.View
---@return string
local function alternatives(writer, list, path, view)
  local types <const> = {}
  for index, item in ipairs(list) do
    local last <const> = item.tag == nil and "branch_" .. index or Schema.segment(item.tag)
    types[index] = type_of(writer, item.schema, path .. "." .. last, view)
  end
  return union(types)
end

---@param node tidegate.Schema
---@return string
local function literals(node)
  local types <const> = {}
  for index, value in ipairs(node.values) do
    types[index] = literal(value)
  end
  return union(types)
end

---@type table<string, fun(writer: table, node: table, path: string, view: string): string>
local kinds <const> = {
  null = function()
    return "lightuserdata"
  end,
  literal = function(_, node)
    return literals(node)
  end,
  array = function(writer, node, path, view)
    local item <const> = type_of(writer, node.item, path .. ".item", view)
    return (item:find "|" and "(" .. item .. ")" or item) .. "[]"
  end,
  object = function(writer, node, path, view)
    return defined(writer, node, path, view, node.fields)
  end,
  map = function(writer, node, path, view)
    local key <const> = node.keys and type_of(writer, node.keys, path .. ".key", view) or "string"
    return ("table<%s, %s>"):format(key, type_of(writer, node.value, path .. ".value", view))
  end,
  union = function(writer, node, path, view)
    local list <const> = {}
    for index, branch in ipairs(node.branches) do
      list[index] = { schema = branch }
    end
    return alternatives(writer, list, path, view)
  end,
  tagged = function(writer, node, path, view)
    return alternatives(writer, node.variants, path, view)
  end,
  ref = function(writer, node, path, view)
    local target <const> = target_of(writer, node)
    if target.name or target.kind == "object" then
      return type_of(writer, target, path, view)
    end
    local text <const> = defined(writer, target, path, view, node.resolve)
    return target.is_nullable and text .. "|lightuserdata" or text
  end,
}
kinds.enum = kinds.literal

--- A schema without its name and without null.
function core(writer, node, path, view)
  local write <const> = kinds[node.kind]
  return write and write(writer, node, path, view) or node.kind
end

--- The type of a schema; `path` names the class that it may need.
---@param writer tidegate.TypeWriter
---@param node tidegate.Schema
---@param path string
---@param view tidegate.View
---@return string
function type_of(writer, node, path, view)
  if view == "draft" and not Schema.has_draft(writer, node) then
    view = "received"
  end
  local text
  if node.name then
    local wanted <const> = "app."
      .. node.name:gsub("%-", "_")
      .. (view == "draft" and ".Draft" or "")
    text = defined(writer, node, wanted, view, content_of(node))
  else
    text = core(writer, node, path, view)
  end
  return node.is_nullable and text ~= "any" and union { text, "lightuserdata" } or text
end

Schema.type_of = type_of

--- Defines `name` as a payload: a class of its own if it is an object without a name.
---@param writer tidegate.TypeWriter
---@param node tidegate.Schema
---@param wanted string
---@param view tidegate.View
---@return string name
function Schema.payload(writer, node, wanted, view)
  local name <const>, place <const> = reserve(writer, wanted)
  if node.kind == "object" and not node.name and not node.is_nullable then
    local known <const> = known_like(writer, node, view)
    known[node.fields] = known[node.fields] or name
    write_class(writer, node, name, place, view)
  else
    local path <const> = node.kind == "object" and name .. ".value" or name
    local text <const> = type_of(writer, node, path, view)
    writer.blocks[place] = ("---@alias %s %s"):format(name, text)
  end
  return name
end

return Schema
