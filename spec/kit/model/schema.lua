--- What is wrong with a value, as docs/protocol.md words it. A schema is a table whose `kind` names
--- one of the functions below; a value that is right comes back as the handler sees it.

local Json <const> = require "spec.kit.model.json"

local Schema <const> = {}

---@class model.Issue
---@field type string
---@field loc any[]
---@field msg string

---@class model.Walk
---@field issues model.Issue[]
---@field checks fun()[] of the application, for when nothing else is wrong

---@param loc any[]
---@param step string | integer
---@return any[]
local function below(loc, step)
  local path <const> = table.move(loc, 1, #loc, 1, {})
  path[#path + 1] = step
  return path
end

--- `, got 5`: of what is short.
---@param value any
---@return string
function Schema.shown_got(value)
  local kind <const> = Json.kind(value)
  if kind == "string" then
    return #value <= 40 and (", got '%s'"):format(value) or ""
  end
  return kind ~= "object" and kind ~= "list" and ", got " .. Json.write(value) or ""
end

---@param walk model.Walk
---@param type string
---@param loc any[]
---@param msg string
---@param value? any what is shown behind the sentence
local function refuse(walk, type, loc, msg, value)
  local got <const> = value ~= nil and Schema.shown_got(value) or ""
  walk.issues[#walk.issues + 1] = { type = type, loc = loc, msg = msg .. got }
end

---@param limit number
---@param thing string "character"
---@return string
local function counted(limit, thing)
  return ("%d %s%s"):format(limit, thing, limit == 1 and "" or "s")
end

---@param list any[]
---@return string "'a', 'b' or 'c'"
local function choice(list)
  local shown <const> = {}
  for index, item in ipairs(list) do
    shown[index] = type(item) == "string" and ("'%s'"):format(item) or Json.write(item)
  end
  local last <const> = table.remove(shown)
  return #shown == 0 and last or table.concat(shown, ", ") .. " or " .. last
end

local kinds <const> = {}

---@param text string
---@return string
local function trimmed(text)
  return text:match "^%s*(.-)%s*$"
end

--- `samples` of a pattern or a format: what is right of all that the model draws.
function kinds.string(walk, schema, value, loc)
  if Json.kind(value) ~= "string" then
    return refuse(walk, "string_type", loc, "Input should be a valid string", value)
  end
  local text <const> = schema.trim and trimmed(value) or value
  local length <const> = utf8.len(text)
  if schema.min and length < schema.min then
    local limit <const> = counted(schema.min, "character")
    refuse(walk, "string_too_short", loc, "String should have at least " .. limit)
  elseif schema.max and length > schema.max then
    local limit <const> = counted(schema.max, "character")
    refuse(walk, "string_too_long", loc, "String should have at most " .. limit)
  elseif schema.steps and schema.steps[text] then
    refuse(walk, "value_error", loc, "Value error, this takes too many steps to check")
  elseif schema.pattern and not text:find(schema.lua_pattern) then
    local msg <const> = ("String should match pattern '%s'"):format(schema.pattern)
    refuse(walk, "string_pattern_mismatch", loc, msg, value)
  elseif schema.format and not schema.right[text] then
    refuse(walk, schema.format, loc, schema.msg, value)
  elseif schema.check then
    walk.checks[#walk.checks + 1] = function()
      local problem <const> = schema.check(text)
      if problem then
        refuse(walk, "value_error", loc, "Value error, " .. problem)
      end
    end
  end
  return text
end

--- A number out of a text, where the schema lets one through.
local function coerced(schema, value)
  return schema.coerce and Json.kind(value) == "string" and math.tointeger(tonumber(value))
    or schema.coerce and Json.kind(value) == "string" and tonumber(value)
    or value
end

local function check_limits(walk, schema, number, value, loc)
  local limits <const> = {
    {
      "above",
      "greater_than",
      "Input should be greater than %s",
      function(a, b)
        return a > b
      end,
    },
    {
      "min",
      "greater_than_equal",
      "Input should be greater than or equal to %s",
      function(a, b)
        return a >= b
      end,
    },
    {
      "below",
      "less_than",
      "Input should be less than %s",
      function(a, b)
        return a < b
      end,
    },
    {
      "max",
      "less_than_equal",
      "Input should be less than or equal to %s",
      function(a, b)
        return a <= b
      end,
    },
    {
      "step",
      "multiple_of",
      "Input should be a multiple of %s",
      function(a, b)
        return a % b == 0
      end,
    },
  }
  for _, limit in ipairs(limits) do
    local bound <const> = schema[limit[1]]
    if bound and not limit[4](number, bound) then
      refuse(walk, limit[2], loc, limit[3]:format(Json.write(bound)), value)
    end
  end
end

function kinds.integer(walk, schema, value, loc)
  local number <const> = coerced(schema, value)
  if Json.kind(number) == "integer" then
    check_limits(walk, schema, number, value, loc)
  elseif schema.coerce and Json.kind(value) == "string" then
    local msg <const> = "Input should be a valid integer, unable to parse string as an integer"
    refuse(walk, "int_parsing", loc, msg, value)
  else
    refuse(walk, "int_type", loc, "Input should be a valid integer", value)
  end
  return number
end

function kinds.number(walk, schema, value, loc)
  local number <const> = coerced(schema, value)
  if type(number) == "number" then
    check_limits(walk, schema, number, value, loc)
  elseif schema.coerce and Json.kind(value) == "string" then
    local msg <const> = "Input should be a valid number, unable to parse string as a number"
    refuse(walk, "float_parsing", loc, msg, value)
  else
    refuse(walk, "float_type", loc, "Input should be a valid number", value)
  end
  return number
end

function kinds.boolean(walk, schema, value, loc)
  if Json.kind(value) == "boolean" then
    return value
  elseif schema.coerce and Json.kind(value) == "string" then
    if value ~= "true" and value ~= "false" then
      local msg <const> = "Input should be a valid boolean, unable to interpret input"
      refuse(walk, "bool_parsing", loc, msg, value)
    end
    return value == "true"
  end
  refuse(walk, "bool_type", loc, "Input should be a valid boolean", value)
end

function kinds.literal(walk, schema, value, loc)
  if value ~= schema.value then
    refuse(walk, "literal_error", loc, "Input should be " .. choice { schema.value }, value)
  end
  return value
end

function kinds.enum(walk, schema, value, loc)
  for _, one in ipairs(schema.values) do
    if one == value then
      return value
    end
  end
  refuse(walk, "enum", loc, "Input should be " .. choice(schema.values), value)
end

function kinds.null(walk, _, value, loc)
  if value ~= Json.null then
    refuse(walk, "none_required", loc, "Input should be null", value)
  end
  return value
end

function kinds.list(walk, schema, value, loc)
  if Json.kind(value) ~= "list" then
    return refuse(walk, "list_type", loc, "Input should be a valid list", value)
  elseif schema.min and #value < schema.min then
    local limit <const> = counted(schema.min, "item")
    refuse(walk, "too_short", loc, "List should have at least " .. limit)
  elseif schema.max and #value > schema.max then
    local limit <const> = counted(schema.max, "item")
    refuse(walk, "too_long", loc, "List should have at most " .. limit)
  end
  for index, item in ipairs(value) do
    Schema.walk(walk, schema.of, item, below(loc, index - 1))
  end
  for index, item in ipairs(schema.unique and value or {}) do
    for before = 1, index - 1 do
      if value[before] == item then
        local msg <const> = "Item should be unique, but it equals item " .. before - 1
        refuse(walk, "not_unique", below(loc, index - 1), msg)
        break
      end
    end
  end
  return value
end

function kinds.map(walk, schema, value, loc)
  if Json.kind(value) ~= "object" then
    return refuse(walk, "dict_type", loc, "Input should be a valid dictionary", value)
  elseif schema.min and #value < schema.min then
    local limit <const> = counted(schema.min, "item")
    refuse(walk, "too_short", loc, "Dictionary should have at least " .. limit)
  elseif schema.max and #value > schema.max then
    local limit <const> = counted(schema.max, "item")
    refuse(walk, "too_long", loc, "Dictionary should have at most " .. limit)
  end
  for _, member in ipairs(value) do
    Schema.walk(walk, schema.of, member[2], below(loc, member[1]))
  end
  return value
end

local function find_field(schema, name)
  for _, field in ipairs(schema.fields) do
    if (field.wire or field[1]) == name then
      return field
    end
  end
  return nil
end

--- Fields are { name, schema, optional =, default =, wire = "as clients write it" }.
function kinds.object(walk, schema, value, loc)
  if Json.kind(value) ~= "object" then
    return refuse(walk, "model_type", loc, "Input should be a valid object", value)
  end
  local result <const> = {}
  for _, field in ipairs(schema.fields) do
    local name <const> = field.wire or field[1]
    if value:get(name) == nil and not field.optional and field.default == nil then
      refuse(walk, "missing", below(loc, name), "Field required")
    end
    result[field[1]] = field.default
  end
  for _, member in ipairs(value) do
    local field <const> = find_field(schema, member[1])
    if field then
      result[field[1]] = Schema.walk(walk, field[2], member[2], below(loc, member[1]))
    elseif schema.forbids then
      local hint <const> = schema.hints[member[1]]
      local msg <const> = "Extra inputs are not permitted"
        .. (hint and ("; did you mean '%s'?"):format(hint) or "")
      refuse(walk, "extra_forbidden", below(loc, member[1]), msg)
    end
  end
  return result
end

--- `variants` are { tag, object schema }, in the order in which an error names them.
function kinds.tagged(walk, schema, value, loc)
  if Json.kind(value) ~= "object" then
    return refuse(walk, "model_type", loc, "Input should be a valid object", value)
  end
  local tag <const> = value:get(schema.tag)
  local place <const> = below(loc, schema.tag)
  if tag == nil then
    local msg <const> = ("Unable to extract tag using discriminator '%s'"):format(schema.tag)
    return refuse(walk, "union_tag_not_found", place, msg)
  end
  local tags <const> = {}
  for index, variant in ipairs(schema.variants) do
    if variant[1] == tag then
      local result <const> = Schema.walk(walk, variant[2], value, loc)
      if result then
        result[schema.tag] = tag
      end
      return result
    end
    tags[index] = ("'%s'"):format(variant[1])
  end
  local msg <const> = "Input tag '%s' found using '%s' does not match any of the expected tags: %s"
  refuse(walk, "union_tag_invalid", place, msg:format(tag, schema.tag, table.concat(tags, ", ")))
end

--- A comment with replies, which may have replies: `depth` levels of them.
function kinds.thread(walk, schema, value, loc, level)
  level = level or 0
  if level > schema.depth then
    local msg <const> = "Input should be nested at most %s deep"
    return refuse(walk, "recursion_loop", loc, msg:format(counted(schema.depth, "level")))
  end
  for index, reply in ipairs(value:get "replies") do
    kinds.thread(walk, schema, reply, below(below(loc, "replies"), index - 1), level + 1)
  end
  return value
end

--- One value, with what is below it.
---@param walk model.Walk
---@param schema table
---@param value any
---@param loc any[]
---@return any
function Schema.walk(walk, schema, value, loc)
  return kinds[schema.kind](walk, schema, value, loc)
end

--- A payload: what is wrong with it, or what the handler sees.
---@param schema table
---@param value any
---@return model.Issue[] issues
---@return any seen
function Schema.check(schema, value)
  local walk <const> = { issues = {}, checks = {} }
  local seen <const> = Schema.walk(walk, schema, value, { "payload" })
  if #walk.issues == 0 then
    for _, check in ipairs(walk.checks) do
      check()
    end
  end
  return walk.issues, seen
end

return Schema
