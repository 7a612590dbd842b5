--- Arbitrary values of a schema, all of them right. What is made for each part of one is noted, so
--- that tidegate.testing.property.broken can put something else in its place.

local items <const> = require "tidegate.testing.property.arbitrary.items"
local making_of <const> = require "tidegate.testing.property.arbitrary.making"
local model <const> = require "tidegate.testing.property.model"
local numbers <const> = require "tidegate.testing.property.arbitrary.number"
local shape <const> = require "tidegate.testing.property.arbitrary.shape"
local show <const> = require "tidegate.testing.show"
local texts <const> = require "tidegate.testing.property.arbitrary.text"
local value_of <const> = require "tidegate.testing.property.value"

local Arbitrary <const> = {}

--- Whether what was raised says that no value was found.
Arbitrary.is_given_up = making_of.is_given_up

--- For a value that the schema's own checks take.
local TRIES <const> = 50

--- Whether the model takes a value, as far as it can tell.
---@param schema tidegate.Schema
---@param value any
---@return boolean
local function is_right(schema, value, is_camel)
  local is_told <const>, issues <const> = pcall(model.issues, schema, value, is_camel)
  if not is_told and issues ~= model.undecided then
    error(issues, 0)
  end
  return is_told and #issues == 0
end

-- ---- each kind ----

local make

---@type table<string, fun(making: tidegate.Making, schema: tidegate.Schema): any>
local kinds <const> = { array = items.array, map = items.map }

local anything <const> = {
  true,
  false,
  0,
  "",
  (1 << 53) + 1,
  -0.5,
  "__proto__",
  "\u{1f600}",
  value_of.null,
}

function kinds.any(making)
  local index <const> = making.draw:below(#anything + 3)
  if index < #anything then
    return anything[index + 1]
  elseif index == #anything then
    return value_of.array {}
  elseif index == #anything + 1 then
    return {}
  end
  return { ["__proto__"] = value_of.array { 1, { ["a.b"] = "\u{6f22}" } } }
end

function kinds.null()
  return value_of.null
end

function kinds.boolean(making, schema)
  local value <const> = making.draw:below(2) == 1
  return schema.coerce and making.draw:once_in(4) and tostring(value) or value
end

---@param making tidegate.Making
---@param schema tidegate.Schema
---@param number? number
---@return number | string
local function number_or_text(making, schema, number)
  if not number then
    making_of.give_up(schema, "widen its limits, or give it an :example(...)")
  end
  return schema.coerce and making.draw:once_in(4) and show.json(number) or number
end

function kinds.integer(making, schema)
  return number_or_text(making, schema, numbers.integer(schema, making.draw))
end

function kinds.number(making, schema)
  local number <const> = numbers.number(schema, making.draw, function(candidate)
    return is_right(schema, candidate)
  end)
  local example <const> = (schema.examples or {})[1]
  return number_or_text(making, schema, number or example and example.value)
end

--- The schema without what is not the text's own.
---@param schema tidegate.Schema
---@return fun(value: any): boolean
local function own_judge(schema)
  return function(value)
    local walk <const> = { is_camel = false, issues = {}, calls = {}, depths = {} }
    local is_told <const>, problem <const> = pcall(model.walk, walk, schema, value, {})
    if not is_told and problem ~= model.undecided then
      error(problem, 0)
    end
    return is_told and #walk.issues == 0
  end
end

function kinds.string(making, schema)
  local text <const> = texts.text(schema, making.draw, own_judge(schema))
  if text == nil then
    local why <const> = "its pattern, format and lengths were not met in 60 tries; "
    making_of.give_up(schema, why .. "give it an :example(...)")
  end
  return text
end

function kinds.literal(_, schema)
  return schema.values[1]
end

function kinds.enum(making, schema)
  return making.draw:pick(schema.values)
end

---@param making tidegate.Making
---@param field tidegate.Field
---@param is_deepest boolean
---@return boolean
local function is_made(making, field, is_deepest)
  local node <const> = field.schema
  if not node.is_optional and not node.has_default or is_deepest then
    return true
  end
  return not making:is_full() and making.draw:below(3) > 0
end

--- Names that nobody declares.
local undeclared <const> = { "extra", "__proto__", "a.b", "", "\u{e9}" }

---@param making tidegate.Making
---@param schema tidegate.Schema
---@param object table
local function add_undeclared(making, schema, object)
  if schema.additional == "forbid" or not making.draw:once_in(6) then
    return
  end
  local name <const> = making.draw:pick(undeclared)
  for _, field in ipairs(schema.fields) do
    if field.name == name or value_of.wire_name(field.name, making.is_camel) == name then
      return
    end
  end
  object[name] = kinds.any(making)
end

function kinds.object(making, schema)
  local object <const>, deepest = {}, nil
  for _, field in ipairs(making.deep and schema.fields or {}) do
    deepest = deepest or making:leads_deep(field.schema) and field or nil
  end
  for _, field in ipairs(schema.fields) do
    if is_made(making, field, field == deepest) then
      local name <const> = value_of.wire_name(field.name, making.is_camel)
      making:part_deep(field == deepest, field.schema, object, name)
    end
  end
  add_undeclared(making, schema, object)
  return object
end

function kinds.union(making, schema)
  return making:make(schema.branches[making:choose(schema.branches)])
end

function kinds.tagged(making, schema)
  local schemas <const> = {}
  for index, variant in ipairs(schema.variants) do
    schemas[index] = variant.schema
  end
  local variant <const> = schema.variants[making:choose(schemas)]
  local object <const> = making:make(variant.schema)
  object[value_of.wire_name(schema.tag, making.is_camel)] = variant.tag
  return object
end

function kinds.ref(making, schema)
  local depth <const> = (making.open[schema] or 0) + 1
  if making.deep == schema and depth > schema.max_depth then
    making.deep = nil
  end
  if shape.height(schema) == math.huge then
    local why <const> = "it stands in itself without an end; make it :optional() or :nullable()"
    making_of.give_up(schema, why)
  end
  making.open[schema] = depth
  local value <const> = making:make(model.target(schema))
  making.open[schema] = depth - 1
  return value
end

-- ---- every value ----

--- A value that the schema's own checks take.
---@param making tidegate.Making
---@param schema tidegate.Schema
---@return any
local function make_checked(making, schema)
  for _ = 1, TRIES do
    local value <const> = kinds[schema.kind](making, schema)
    if is_right(schema, value, making.is_camel) then
      return value
    end
  end
  for _, example in ipairs(schema.examples or {}) do
    if is_right(schema, example.value, making.is_camel) then
      return value_of.copy(example.value)
    end
  end
  making_of.give_up(schema, "its :check refused %d of them; give it an :example(...)", TRIES)
end

function make(making, schema)
  local is_shallow <const> = not making:leads_deep(schema)
  if schema.is_nullable and is_shallow and (making:is_full() or making.draw:once_in(6)) then
    return value_of.null
  elseif schema.checks and not making.ignores_checks then
    return make_checked(making, schema)
  end
  return kinds[schema.kind](making, schema)
end

--- A value, and the places of all that is in it. Raises a sentence when none was found.
---@param schema tidegate.Schema
---@param draw tidegate.Choices
---@param options? { is_camel: boolean?, deep: tidegate.Schema?, ignores_checks: boolean? }
---@return any
---@return { schema: tidegate.Schema, holder: table, key: any }[] # the value itself is at `value`
function Arbitrary.value(schema, draw, options)
  local root <const> = {}
  local making <const> = making_of.new(make, draw, options or {})
  making:part(schema, root, "value")
  return root.value, making.places
end

--- A payload, nil where none is sent.
---@param schema? tidegate.Schema
---@param draw tidegate.Choices
---@param is_camel boolean
---@return any
function Arbitrary.payload(schema, draw, is_camel)
  if not schema then
    return nil
  elseif (schema.is_optional or schema.has_default) and draw:below(3) == 0 then
    return nil
  end
  return (Arbitrary.value(schema, draw, { is_camel = is_camel }))
end

return Arbitrary
