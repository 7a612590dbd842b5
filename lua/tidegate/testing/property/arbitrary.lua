--- Arbitrary values of a schema, all of them right. What is made for each part of one is noted, so
--- that tidegate.testing.property.broken can put something else in its place.

local model <const> = require "tidegate.testing.property.model"
local numbers <const> = require "tidegate.testing.property.arbitrary.number"
local shape <const> = require "tidegate.testing.property.arbitrary.shape"
local show <const> = require "tidegate.testing.show"
local texts <const> = require "tidegate.testing.property.arbitrary.text"
local value_of <const> = require "tidegate.testing.property.value"

local Arbitrary <const> = {}

---@class tidegate.Making
---@field draw tidegate.Choices
---@field is_camel boolean
---@field places table[] of the value: { schema =, holder =, key = }
---@field open table<tidegate.Schema, integer> how often each reference is
---@field depth integer of lists and objects
---@field deep? tidegate.Schema a reference that is to be opened too often
---@field ignores_checks? boolean

--- From this depth on only what has to be there is made.
local DEEP <const> = 4

local TRIES <const> = 50

--- What is raised where no value was found.
local metatable <const> = {
  __tostring = function(self)
    return self.text
  end,
}

--- Raises that there is no value, with the schema's line.
---@param schema tidegate.Schema
---@param why string
---@param ... any for `why`
local function give_up(schema, why, ...)
  local text <const> = "%s: no value of this s.%s was found: " .. why
  error(setmetatable({ text = text:format(schema.source, schema.kind, ...) }, metatable), 0)
end

---@param raised any
---@return boolean
function Arbitrary.is_given_up(raised)
  return getmetatable(raised) == metatable
end

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

-- ---- what comes to an end ----

---@param making tidegate.Making
---@param schema tidegate.Schema
---@return boolean # this part leads to the reference that is to be opened too often
local function leads_deep(making, schema)
  return making.deep ~= nil and shape.reaches(schema, making.deep, {})
end

--- Whether only what has to be there is to be made: the value is deep enough, or a reference is
--- open as often as it may be.
---@param making tidegate.Making
---@return boolean
local function is_full(making)
  for schema, depth in pairs(making.open) do
    if depth >= schema.max_depth then
      return true
    end
  end
  return making.depth >= DEEP
end

--- One of several, the one that leads deeper, or what comes to an end.
---@param making tidegate.Making
---@param schemas tidegate.Schema[]
---@return integer
local function choose(making, schemas)
  for index, schema in ipairs(making.deep and schemas or {}) do
    if leads_deep(making, schema) then
      return index
    end
  end
  local ends <const> = shape.lowest(schemas)
  if is_full(making) or making.draw:below(3) == 0 then
    return making.draw:pick(ends)
  end
  return making.draw:below(#schemas) + 1
end

-- ---- each kind ----

local make

--- Makes a part of a value in its place.
---@param making tidegate.Making
---@param schema tidegate.Schema
---@param holder table
---@param key string | integer
local function make_part(making, schema, holder, key)
  making.depth = making.depth + 1
  holder[key] = make(making, schema)
  making.depth = making.depth - 1
  making.places[#making.places + 1] = { schema = schema, holder = holder, key = key }
end

--- A part that leads to the reference is made alone of its holder: nothing else goes as deep.
---@param making tidegate.Making
---@param leads boolean
---@param ... any for make_part
local function make_part_deep(making, leads, ...)
  local deep <const> = making.deep
  making.deep = leads and deep or nil
  make_part(making, ...)
  making.deep = deep
end

---@type table<string, fun(making: tidegate.Making, schema: tidegate.Schema): any>
local kinds <const> = {}

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
    give_up(schema, "widen its limits, or give it an :example(...)")
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
    give_up(
      schema,
      "its pattern, format and lengths were not met in 60 tries; " .. "give it an :example(...)"
    )
  end
  return text
end

function kinds.literal(_, schema)
  return schema.values[1]
end

function kinds.enum(making, schema)
  return making.draw:pick(schema.values)
end

--- Whether there is to be one more item. Each has a number of its own in the row: taking out an
--- item is taking out its part of the row.
---@param making tidegate.Making
---@param schema tidegate.Schema
---@param made integer
---@param wanted integer
---@return boolean
local function has_more(making, schema, made, wanted)
  if made < (schema.min or 0) then
    return true
  elseif making.deep or is_full(making) or made >= (schema.max or math.huge) then
    return false
  end
  return making.draw:note(made < wanted and 1 or 0, 1) == 1
end

--- How many items to make: mostly few, sometimes as many as may be.
---@param making tidegate.Making
---@param schema tidegate.Schema
---@return integer
local function proposed_count(making, schema)
  local min <const>, max <const> = schema.min or 0, schema.max or math.huge
  local draw <const> = making.draw
  if not draw:is_new() then
    return 0
  elseif max <= 8 and draw:roll(4) == 0 then
    return math.tointeger(max)
  end
  return min + draw:roll(4)
end

--- Whether a list has an item already, as they are when they have been trimmed and completed.
---@param making tidegate.Making
---@param schema tidegate.Schema of the items
---@param list any[]
---@param value any
---@return boolean
local function holds(making, schema, list, value)
  local function received(item)
    local walk <const> = { is_camel = making.is_camel, issues = {}, calls = {}, depths = {} }
    return model.walk(walk, schema, item, {})
  end
  local own <const> = received(value)
  for _, item in ipairs(list) do
    if value_of.equal(received(item), own) then
      return true
    end
  end
  return false
end

--- One more item; false: every one that was made is there already.
---@param making tidegate.Making
---@param schema tidegate.Schema
---@param items any[]
---@param is_first boolean
---@return boolean
local function add_item(making, schema, items, is_first)
  for _ = 1, schema.unique and TRIES or 1 do
    local place <const> = #items + 1
    make_part_deep(making, is_first, schema.item, items, place)
    local item <const> = items[place]
    items[place] = nil
    if not schema.unique or not holds(making, schema.item, items, item) then
      items[place] = item
      return true
    end
  end
  return false
end

function kinds.array(making, schema)
  local items <const>, wanted <const> = value_of.array {}, proposed_count(making, schema)
  local is_first = leads_deep(making, schema.item)
  while is_first or has_more(making, schema, #items, wanted) do
    if not add_item(making, schema, items, is_first) then
      break
    end
    is_first = false
  end
  if #items < (schema.min or 0) then
    give_up(schema, "its items are too few to be unique")
  end
  return items
end

---@param making tidegate.Making
---@param schema tidegate.Schema of a map
---@param entries table
---@return string?
local function new_key(making, schema, entries)
  for _ = 1, TRIES do
    local key <const> = schema.keys and make(making, schema.keys) or making.draw:pick(texts.words)
    if entries[key] == nil then
      return key
    end
    local more <const> = not schema.keys and key .. making.draw:below(1000)
    if more and entries[more] == nil then
      return more
    end
  end
  return nil
end

function kinds.map(making, schema)
  local entries <const>, wanted <const> = {}, proposed_count(making, schema)
  local is_first, made = leads_deep(making, schema.value), 0
  while is_first or has_more(making, schema, made, wanted) do
    local key <const> = new_key(making, schema, entries)
    if not key then
      break
    end
    make_part_deep(making, is_first, schema.value, entries, key)
    is_first, made = false, made + 1
  end
  if made < (schema.min or 0) then
    give_up(schema, "its keys are too few")
  end
  return entries
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
  return not is_full(making) and making.draw:below(3) > 0
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
    deepest = deepest or leads_deep(making, field.schema) and field or nil
  end
  for _, field in ipairs(schema.fields) do
    if is_made(making, field, field == deepest) then
      local name <const> = value_of.wire_name(field.name, making.is_camel)
      make_part_deep(making, field == deepest, field.schema, object, name)
    end
  end
  add_undeclared(making, schema, object)
  return object
end

function kinds.union(making, schema)
  return make(making, schema.branches[choose(making, schema.branches)])
end

function kinds.tagged(making, schema)
  local schemas <const> = {}
  for index, variant in ipairs(schema.variants) do
    schemas[index] = variant.schema
  end
  local variant <const> = schema.variants[choose(making, schemas)]
  local object <const> = make(making, variant.schema)
  object[value_of.wire_name(schema.tag, making.is_camel)] = variant.tag
  return object
end

function kinds.ref(making, schema)
  local depth <const> = (making.open[schema] or 0) + 1
  if making.deep == schema and depth > schema.max_depth then
    making.deep = nil
  end
  if shape.height(schema) == math.huge then
    give_up(schema, "it stands in itself without an end; make it :optional() or :nullable()")
  end
  making.open[schema] = depth
  local value <const> = make(making, model.target(schema))
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
  give_up(schema, "its :check refused %d of them; give it an :example(...)", TRIES)
end

function make(making, schema)
  local is_shallow <const> = not leads_deep(making, schema)
  if schema.is_nullable and is_shallow and (is_full(making) or making.draw:once_in(6)) then
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
  local given <const>, root <const> = options or {}, {}
  local making <const> = {
    draw = draw,
    is_camel = given.is_camel or false,
    deep = given.deep,
    ignores_checks = given.ignores_checks,
    places = {},
    open = {},
    depth = -1,
  }
  make_part(making, schema, root, "value")
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
