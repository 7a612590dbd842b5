--- Arbitrary lists and maps: how many items there are, and which.

local making_of <const> = require "tidegate.testing.property.arbitrary.making"
local model <const> = require "tidegate.testing.property.model"
local texts <const> = require "tidegate.testing.property.arbitrary.text"
local value_of <const> = require "tidegate.testing.property.value"

local Items <const> = {}

--- For an item, or a key, that is not there yet.
local TRIES <const> = 50

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
  elseif making.deep or making:is_full() or made >= (schema.max or math.huge) then
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
    making:part_deep(is_first, schema.item, items, place)
    local item <const> = items[place]
    items[place] = nil
    if not schema.unique or not holds(making, schema.item, items, item) then
      items[place] = item
      return true
    end
  end
  return false
end

---@param making tidegate.Making
---@param schema tidegate.Schema
---@return any[]
function Items.array(making, schema)
  local items <const>, wanted <const> = value_of.array {}, proposed_count(making, schema)
  local is_first = making:leads_deep(schema.item)
  while is_first or has_more(making, schema, #items, wanted) do
    if not add_item(making, schema, items, is_first) then
      break
    end
    is_first = false
  end
  if #items < (schema.min or 0) then
    making_of.give_up(schema, "its items are too few to be unique")
  end
  return items
end

---@param making tidegate.Making
---@param schema tidegate.Schema of a map
---@param entries table
---@return string?
local function new_key(making, schema, entries)
  for _ = 1, TRIES do
    local key <const> = schema.keys and making:make(schema.keys) or making.draw:pick(texts.words)
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

---@param making tidegate.Making
---@param schema tidegate.Schema
---@return table
function Items.map(making, schema)
  local entries <const>, wanted <const> = {}, proposed_count(making, schema)
  local is_first, made = making:leads_deep(schema.value), 0
  while is_first or has_more(making, schema, made, wanted) do
    local key <const> = new_key(making, schema, entries)
    if not key then
      break
    end
    making:part_deep(is_first, schema.value, entries, key)
    is_first, made = false, made + 1
  end
  if made < (schema.min or 0) then
    making_of.give_up(schema, "its keys are too few")
  end
  return entries
end

return Items
