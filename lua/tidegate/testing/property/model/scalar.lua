--- The scalars in the model of schemas: null, booleans, numbers, strings and declared values.

local formats <const> = require "tidegate.testing.property.formats"
local pattern <const> = require "tidegate.testing.property.pattern.match"
local show <const> = require "tidegate.testing.show"
local value_of <const> = require "tidegate.testing.property.value"

local null <const> = value_of.null

local Scalars <const> = {}

--- What is raised where nobody can tell here whether a text is right.
Scalars.undecided = setmetatable({}, {
  __tostring = function()
    return "whether this text fits its pattern or format cannot be told here"
  end,
})

---@param answer boolean?
---@return boolean
local function decided(answer)
  if answer == nil then
    error(Scalars.undecided, 0)
  end
  return answer
end

---@param walk tidegate.ModelWalk
---@param kind string
---@param loc any[]
---@param step? string | integer
function Scalars.refuse(walk, kind, loc, step)
  local copy <const> = table.move(loc, 1, #loc, 1, {})
  copy[#copy + 1] = step
  walk.issues[#walk.issues + 1] = { type = kind, loc = copy }
end

local refuse <const> = Scalars.refuse

--- The type of the error of each format.
local format_errors <const> = {
  email = "value_error",
  hostname = "value_error",
  url = "url_parsing",
  uuid = "uuid_parsing",
  date = "date_parsing",
  time = "time_parsing",
  datetime = "datetime_parsing",
  ipv4 = "ip_v4_address",
  ipv6 = "ip_v6_address",
}

--- Looks at one value of each kind; returns it as a handler gets it.
---@type table<string, function>
Scalars.kinds = {}

local kinds <const> = Scalars.kinds

function kinds.any(_, _, value)
  return value
end

function kinds.null(walk, _, value, loc)
  if value ~= null then
    refuse(walk, "none_required", loc)
  end
  return value
end

function kinds.boolean(walk, schema, value, loc)
  if type(value) == "boolean" then
    return value
  elseif not schema.coerce or type(value) ~= "string" then
    refuse(walk, "bool_type", loc)
  elseif value == "true" or value == "false" then
    return value == "true"
  else
    refuse(walk, "bool_parsing", loc)
  end
  return value
end

--- The number that a text is in JSON.
---@param text string
---@return number?
local function parsed(text)
  local whole <const>, rest <const> = text:match "^(%-?%d+)(.*)$"
  if not whole or whole:find "^%-?0%d" then
    return nil
  end
  local power <const> = rest:gsub("^%.%d+", "", 1)
  if power ~= "" and not power:find "^[eE][+-]?%d+$" then
    return nil
  end
  local number <const> = tonumber(text)
  return number and number - number == 0 and number or nil
end

--- Of two limits on one side the narrower counts.
---@param walk tidegate.ModelWalk
---@param schema tidegate.Schema
---@param number number
---@param loc any[]
local function check_limits(walk, schema, number, loc)
  local above <const>, below_it <const> = schema.exclusive_min, schema.exclusive_max
  if above and (not schema.min or above >= schema.min) then
    if number <= above then
      refuse(walk, "greater_than", loc)
    end
  elseif schema.min and number < schema.min then
    refuse(walk, "greater_than_equal", loc)
  end
  if below_it and (not schema.max or below_it <= schema.max) then
    if number >= below_it then
      refuse(walk, "less_than", loc)
    end
  elseif schema.max and number > schema.max then
    refuse(walk, "less_than_equal", loc)
  end
end

function kinds.integer(walk, schema, value, loc)
  local is_text <const> = schema.coerce and type(value) == "string"
  local number <const> = is_text and parsed(value) or value
  local whole <const> = type(number) == "number" and math.tointeger(number)
  if not whole then
    refuse(walk, is_text and "int_parsing" or "int_type", loc)
    return value
  end
  check_limits(walk, schema, whole, loc)
  if schema.multiple_of and whole % schema.multiple_of ~= 0 then
    refuse(walk, "multiple_of", loc)
  end
  return whole
end

--- Whether a number is so many times a step. Of a step that is no fraction of two the quotient is
--- rounded; where it is whole only nearly, nobody can tell.
---@param number number
---@param step number
---@return boolean?
local function is_multiple(number, step)
  if step * 0x1p16 % 1 == 0 then
    return math.fmod(number, step + 0.0) == 0
  end
  local quotient <const> = number / step
  local off <const> = math.abs(quotient - math.floor(quotient + 0.5))
  if off == 0 then
    return true
  elseif off > 1e-9 * math.max(1, math.abs(quotient)) then
    return false
  end
  return nil
end

function kinds.number(walk, schema, value, loc)
  local is_text <const> = schema.coerce and type(value) == "string"
  local number = is_text and parsed(value) or value
  if type(number) ~= "number" then
    refuse(walk, is_text and "float_parsing" or "float_type", loc)
    return value
  end
  number = number + 0.0
  check_limits(walk, schema, number, loc)
  if schema.multiple_of and not decided(is_multiple(number, schema.multiple_of)) then
    refuse(walk, "multiple_of", loc)
  end
  return number
end

--- What `trim` takes off, beside what %s of Lua knows (PropList.txt, White_Space).
local spaces <const> = {}
for _, code in ipairs { 0x85, 0xA0, 0x1680, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000 } do
  spaces[#spaces + 1] = utf8.char(code)
end
for code = 0x2000, 0x200A do
  spaces[#spaces + 1] = utf8.char(code)
end

---@param text string
---@return string
local function trimmed(text)
  local before
  repeat
    before = text
    text = text:gsub("^[ \t-\r]+", ""):gsub("[ \t-\r]+$", "")
    for _, space in ipairs(spaces) do
      if text:sub(1, #space) == space then
        text = text:sub(#space + 1)
      end
      if text:sub(-#space) == space then
        text = text:sub(1, -#space - 1)
      end
    end
  until text == before
  return text
end

function kinds.string(walk, schema, value, loc)
  local is_scalar <const> = type(value) == "number" or type(value) == "boolean"
  local text = schema.coerce and is_scalar and show.json(value) or value
  if type(text) ~= "string" then
    refuse(walk, "string_type", loc)
    return value
  end
  text = schema.trim and trimmed(text) or text
  local length <const> = utf8.len(text)
  if length < (schema.min or 0) then
    refuse(walk, "string_too_short", loc)
  elseif length > (schema.max or math.huge) then
    refuse(walk, "string_too_long", loc)
  elseif schema.pattern and not decided(pattern.matches(schema.pattern, text)) then
    refuse(walk, "string_pattern_mismatch", loc)
  elseif schema.format and not decided(formats.matches(schema.format, text)) then
    refuse(walk, format_errors[schema.format], loc)
  end
  return text
end

---@param kind string
---@return function
local function choosing(kind)
  return function(walk, schema, value, loc)
    for _, declared in ipairs(schema.values) do
      if declared == value then
        return declared
      end
    end
    refuse(walk, kind, loc)
    return value
  end
end

kinds.literal = choosing "literal_error"
kinds.enum = choosing "enum"

return Scalars
