--- Ways to break a value of each kind. Each returns what takes its place, and that may be right
--- after all; nil: this way does not apply.

local arbitrary <const> = require "tidegate.testing.property.arbitrary"
local formats <const> = require "tidegate.testing.property.formats"
local texts <const> = require "tidegate.testing.property.arbitrary.text"
local value_of <const> = require "tidegate.testing.property.value"

local null <const> = value_of.null

--- What is put where nothing is to be.
local absent <const> = {}

---@class tidegate.Breaking
---@field draw tidegate.Choices
---@field is_camel boolean

--- Limits beyond this are not overstepped: it would take too long.
local LONG <const> = 4096

---@param ... any
---@return fun(breaking: tidegate.Breaking): any
local function one_of(...)
  local list <const> = { ... }
  return function(breaking)
    return value_of.copy(breaking.draw:pick(list))
  end
end

--- A value of any kind: mostly of the wrong one.
---@param breaking tidegate.Breaking
---@return any
local function of_other_kind(breaking)
  local index <const> = breaking.draw:below(7)
  if index == 0 then
    return value_of.array {}
  end
  return ({ 1, "x", true, 0.5, {}, null })[index]
end

---@alias tidegate.Breaker fun(own: tidegate.Breaking, schema: tidegate.Schema, value: any): any

---@type table<string, tidegate.Breaker[]>
local ways <const> = {
  any = {},
  null = { of_other_kind },
  boolean = { of_other_kind, one_of("yes", "True", "") },
  literal = { of_other_kind },
  enum = { of_other_kind },
  union = { of_other_kind },
  ref = {},
}

--- Next to a limit, on the wrong side.
---@type tidegate.Breaker
local function beyond_limit(breaking, schema)
  local list <const> = {}
  for _, name in ipairs { "min", "exclusive_min", "max", "exclusive_max" } do
    local limit <const> = schema[name]
    local step <const> = schema.multiple_of or 1
    for _, number in
      ipairs(limit and { limit, limit - step, limit + step, limit - 1, limit + 1 } or {})
    do
      list[#list + 1] = number
    end
  end
  return #list > 0 and breaking.draw:pick(list) or nil
end

---@type tidegate.Breaker
local function beside_step(breaking, schema, value)
  local step <const> = schema.multiple_of
  if not step or type(value) ~= "number" then
    return nil
  end
  local off <const> = schema.kind == "integer" and 1 or step / 2
  return breaking.draw:below(2) == 0 and value + off or value - off
end

local no_number <const> = one_of("", "x", "1x", "01", "+1", " 1", "1.", "0x10", "1e999", "nan", "-")
local no_integer <const> = one_of(0.5, -1.25, 1e19, "1.5", "9223372036854775808", 1e300)

ways.integer = { of_other_kind, no_integer, no_number, beyond_limit, beside_step }
ways.number = { of_other_kind, no_number, beyond_limit, beside_step }

-- ---- strings ----

---@type tidegate.Breaker
local function too_short(breaking, schema)
  local min <const> = schema.min or 0
  return min > 0 and texts.of_length(breaking.draw, math.min(min - 1, LONG)) or nil
end

---@type tidegate.Breaker
local function too_long(breaking, schema)
  local max <const> = schema.max or math.huge
  return max < LONG and texts.of_length(breaking.draw, max + 1) or nil
end

--- A text of the right length that is not what it should be, perhaps.
---@type tidegate.Breaker
local function other_text(breaking, schema, value)
  local draw <const> = breaking.draw
  if schema.format and draw:below(2) == 0 then
    return draw:pick(formats.wrong[schema.format])
  elseif type(value) == "string" and draw:below(2) == 0 then
    return draw:pick {
      value .. "!",
      "!" .. value,
      value:upper(),
      value .. "\n",
      value .. "\u{1f600}",
    }
  end
  local length <const> = math.max(schema.min or 0, math.min(schema.max or 8, draw:below(9)))
  return draw:below(2) == 0 and draw:pick(texts.words) or texts.of_length(draw, length)
end

ways.string = { of_other_kind, too_short, too_long, other_text }

--- Nearly a declared value.
---@type tidegate.Breaker
local function other_choice(breaking, schema)
  local value <const> = breaking.draw:pick(schema.values)
  if type(value) == "string" then
    return breaking.draw:pick { value .. "x", value:upper(), value:sub(2), " " .. value }
  elseif type(value) == "number" then
    return breaking.draw:pick { value + 1, -value - 1, tostring(value) }
  end
  return breaking.draw:pick { not value, tostring(value) }
end

table.insert(ways.literal, other_choice)
table.insert(ways.enum, other_choice)

-- ---- lists and maps ----

---@type tidegate.Breaker
local function with_less(breaking, schema, value)
  local min <const> = schema.min or 0
  if min == 0 or type(value) ~= "table" then
    return nil
  elseif schema.kind == "array" then
    return value_of.array(table.move(value, 1, breaking.draw:below(min), 1, {}))
  end
  local fewer <const>, left = {}, breaking.draw:below(min)
  for _, name in ipairs(value_of.sorted_keys(value)) do
    if left > 0 then
      fewer[name], left = value[name], left - 1
    end
  end
  return fewer
end

---@type tidegate.Breaker
local function with_more(breaking, schema, value)
  local max <const> = schema.max or math.huge
  if max > 64 or type(value) ~= "table" then
    return nil
  end
  local wanted <const> = max + 1
  local own <const> = { is_camel = breaking.is_camel }
  local longer <const> = value_of.copy(value)
  if schema.kind == "array" then
    for index = #longer + 1, wanted do
      longer[index] = arbitrary.value(schema.item, breaking.draw, own)
    end
    return longer[1] ~= nil and value_of.array(longer) or nil
  end
  local count = #value_of.sorted_keys(longer)
  for _ = 1, 200 do
    local key <const> = schema.keys and arbitrary.value(schema.keys, breaking.draw)
      or "key" .. breaking.draw:below(1000)
    if count < wanted and longer[key] == nil then
      longer[key] = arbitrary.value(schema.value, breaking.draw, own)
      count = count + 1
    end
  end
  return longer
end

--- One item a second time, where there is room for it.
---@type tidegate.Breaker
local function with_twin(breaking, schema, value)
  if not schema.unique or type(value) ~= "table" or #value == 0 then
    return nil
  end
  local copy <const> = value_of.copy(value)
  local twin <const> = value_of.copy(copy[breaking.draw:below(#copy) + 1])
  local is_full <const> = #copy >= (schema.max or math.huge)
  copy[is_full and #copy or #copy + 1] = twin
  return copy
end

---@type tidegate.Breaker
local function with_other_key(breaking, schema, value)
  if not schema.keys or type(value) ~= "table" then
    return nil
  end
  local copy <const>, names <const> = value_of.copy(value), value_of.sorted_keys(value)
  local kind <const> = schema.keys.kind == "string" and ways.string or { other_choice }
  local key <const> = breaking.draw:pick(kind)(breaking, schema.keys, names[1])
  if type(key) ~= "string" or copy[key] ~= nil then
    return nil
  elseif #names > 0 then
    copy[key], copy[names[1]] = copy[names[1]], nil
  else
    copy[key] = arbitrary.value(schema.value, breaking.draw, { is_camel = breaking.is_camel })
  end
  return copy
end

ways.array = { of_other_kind, with_less, with_more, with_twin }
ways.map = { of_other_kind, with_less, with_more, with_other_key }

-- ---- objects ----

---@type tidegate.Breaker
local function without_field(breaking, schema, value)
  if type(value) ~= "table" or #schema.fields == 0 then
    return nil
  end
  local copy <const> = value_of.copy(value)
  local field <const> = breaking.draw:pick(schema.fields)
  copy[value_of.wire_name(field.name, breaking.is_camel)] = nil
  return copy
end

--- With a field that nobody declares, or one that is nearly declared.
---@type tidegate.Breaker
local function with_extra(breaking, schema, value)
  if schema.additional == "ignore" or type(value) ~= "table" then
    return nil
  end
  local names <const> = { "extra", "__proto__", "a.b", "" }
  for _, field in ipairs(schema.fields) do
    names[#names + 1] = field.name .. "s"
    names[#names + 1] = field.name
  end
  local copy <const>, name <const> = value_of.copy(value), breaking.draw:pick(names)
  if copy[name] ~= nil then
    return nil
  end
  copy[name] = breaking.draw:pick { true, 0, "x" }
  return copy
end

ways.object = { of_other_kind, without_field, with_extra }

---@type tidegate.Breaker
local function other_tag(breaking, schema, value)
  if type(value) ~= "table" then
    return nil
  end
  local copy <const> = value_of.copy(value)
  local name <const> = value_of.wire_name(schema.tag, breaking.is_camel)
  local tag <const> = breaking.draw:pick { "nobody", "", 99, false, null, absent }
  if tag == absent then
    copy[name] = nil
  else
    copy[name] = tag
  end
  return copy
end

ways.tagged = { of_other_kind, other_tag, other_tag }

return ways
