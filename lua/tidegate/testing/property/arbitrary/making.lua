--- A value in the making: what is open around the part that comes next, and what has been made.

local shape <const> = require "tidegate.testing.property.arbitrary.shape"

---@class tidegate.Making
---@field make fun(making: tidegate.Making, schema: tidegate.Schema): any a value of any schema
---@field draw tidegate.Choices
---@field is_camel boolean
---@field places table[] of the value: { schema =, holder =, key = }
---@field open table<tidegate.Schema, integer> how often each reference is
---@field depth integer of lists and objects
---@field deep? tidegate.Schema a reference that is to be opened too often
---@field ignores_checks? boolean
local Making <const> = {}
Making.__index = Making

--- From this depth on only what has to be there is made.
local DEEP <const> = 4

---@param make fun(making: tidegate.Making, schema: tidegate.Schema): any
---@param draw tidegate.Choices
---@param options { is_camel: boolean?, deep: tidegate.Schema?, ignores_checks: boolean? }
---@return tidegate.Making
function Making.new(make, draw, options)
  return setmetatable({
    make = make,
    draw = draw,
    is_camel = options.is_camel or false,
    deep = options.deep,
    ignores_checks = options.ignores_checks,
    places = {},
    open = {},
    depth = -1,
  }, Making)
end

-- ---- no value ----

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
function Making.give_up(schema, why, ...)
  local text <const> = "%s: no value of this s.%s was found: " .. why
  error(setmetatable({ text = text:format(schema.source, schema.kind, ...) }, metatable), 0)
end

---@param raised any
---@return boolean
function Making.is_given_up(raised)
  return getmetatable(raised) == metatable
end

-- ---- what comes to an end ----

---@param schema tidegate.Schema
---@return boolean # this part leads to the reference that is to be opened too often
function Making:leads_deep(schema)
  return self.deep ~= nil and shape.reaches(schema, self.deep, {})
end

--- Whether only what has to be there is to be made: the value is deep enough, or a reference is
--- open as often as it may be.
---@return boolean
function Making:is_full()
  for schema, depth in pairs(self.open) do
    if depth >= schema.max_depth then
      return true
    end
  end
  return self.depth >= DEEP
end

--- One of several, the one that leads deeper, or what comes to an end.
---@param schemas tidegate.Schema[]
---@return integer
function Making:choose(schemas)
  for index, schema in ipairs(self.deep and schemas or {}) do
    if self:leads_deep(schema) then
      return index
    end
  end
  local ends <const> = shape.lowest(schemas)
  if self:is_full() or self.draw:below(3) == 0 then
    return self.draw:pick(ends)
  end
  return self.draw:below(#schemas) + 1
end

-- ---- parts ----

--- Makes a part of a value in its place.
---@param schema tidegate.Schema
---@param holder table
---@param key string | integer
function Making:part(schema, holder, key)
  self.depth = self.depth + 1
  holder[key] = self:make(schema)
  self.depth = self.depth - 1
  self.places[#self.places + 1] = { schema = schema, holder = holder, key = key }
end

--- A part that leads to the reference is made alone of its holder: nothing else goes as deep.
---@param leads boolean
---@param ... any for Making:part
function Making:part_deep(leads, ...)
  local deep <const> = self.deep
  self.deep = leads and deep or nil
  self:part(...)
  self.deep = deep
end

return Making
