--- `testing.arbitrary` and `testing.broken`: values of a schema or messages of a type, one after
--- another, and the smallest one that a specification does not like.

local arbitrary <const> = require "tidegate.testing.property.arbitrary"
local broken <const> = require "tidegate.testing.property.broken"
local choices <const> = require "tidegate.testing.property.choices"
local fail <const> = require "tidegate.testing.fail"
local show <const> = require "tidegate.testing.show"
local shrink <const> = require "tidegate.testing.property.shrink"

local Property <const> = {}

---@class tidegate.Generator
---@field make fun(draw: tidegate.Choices): any, tidegate.Issue? what one row of choices makes
---@field what string "testing.arbitrary"
---@field seed integer
---@field count integer how many were made
---@field row? integer[] of the last one
local Generator <const> = {}

--- What a metatable calls a value, whichever world it is of.
---@param value any
---@return string?
local function name_of(value)
  local metatable <const> = type(value) == "table" and debug.getmetatable(value)
  local name <const> = metatable and rawget(metatable, "__name")
  return type(name) == "string" and name or nil
end

---@param value any
---@return boolean
function Property.is_schema(value)
  return name_of(value) == "tidegate.schema"
end

---@param value any
---@return boolean
function Property.is_type(value)
  local role <const> = (name_of(value) or ""):match "^tidegate%.(.*)_type$"
  return role == "message" or role == "group_message" or role == "event"
end

---@param type_or_schema any
---@return string
local function described(type_or_schema)
  if Property.is_schema(type_or_schema) then
    return ("the s.%s of %s"):format(type_or_schema.kind, type_or_schema.source)
  end
  return ('the message "%s" of %s'):format(type_or_schema.action, type_or_schema.source)
end

---@param type tidegate.AnyMessageType
---@param payload any
---@return table
function Property.message(type, payload)
  return { action = type.action, payload = payload }
end

--- An error of a payload as its client is told.
---@param issue tidegate.Issue
---@return tidegate.Issue
function Property.of_payload(issue)
  return { type = issue.type, loc = { "payload", table.unpack(issue.loc) } }
end

-- ---- what is made ----

---@param what any
---@param is_camel boolean
---@return fun(draw: tidegate.Choices): any
local function making_right(what, is_camel)
  if Property.is_schema(what) then
    return function(draw)
      return (arbitrary.value(what, draw, { is_camel = is_camel }))
    end
  end
  return function(draw)
    return Property.message(what, arbitrary.payload(what.schema, draw, is_camel))
  end
end

---@param what any
---@param is_camel boolean
---@return fun(draw: tidegate.Choices): any, tidegate.Issue?
local function making_wrong(what, is_camel)
  if Property.is_schema(what) then
    return function(draw)
      return broken.value(what, draw, is_camel)
    end
  end
  return function(draw)
    local payload <const>, issue <const> = broken.payload(what.schema, draw, is_camel)
    if issue then
      return Property.message(what, payload), Property.of_payload(issue)
    end
  end
end

-- ---- one after another ----

--- The last value that a row makes, and the row as far as it was used; nothing when it makes none.
---@param self tidegate.Generator
---@param row integer[]
---@return integer[]? row
---@return any value
---@return tidegate.Issue? issue
local function make_again(self, row)
  local draw <const> = choices.again(row)
  local is_made <const>, value <const>, issue <const> = pcall(self.make, draw)
  if is_made and value ~= nil then
    return draw.made, value, issue
  elseif not is_made and not arbitrary.is_given_up(value) then
    error(value, 0)
  end
end

---@param self tidegate.Generator
---@return any value
---@return tidegate.Issue? issue
local function next_value(self)
  self.count = self.count + 1
  local draw <const> = choices.random(choices.derived(self.seed, self.count))
  local is_made <const>, value <const>, issue <const> = pcall(self.make, draw)
  if not is_made then
    if arbitrary.is_given_up(value) then
      fail.misuse("%s: %s", self.what, tostring(value))
    end
    error(value, 0)
  elseif value == nil then
    local text <const> = "%s: nothing was found that is wrong with %s in exactly one way"
    fail.misuse(text, self.what, described(self.of))
  end
  self.row = draw.made
  return value, issue
end

--- The smallest value that `fails` still says yes to, beginning with the last one.
---@param fails fun(value: any, issue: tidegate.Issue?): any
---@return any value
---@return tidegate.Issue? issue
function Generator:shrink(fails)
  if not self.row then
    fail.misuse("%s: shrink is for the last value; make one first", self.what)
  end
  local row <const> = shrink.row(self.row, function(candidate)
    local used <const>, value <const>, issue <const> = make_again(self, candidate)
    return used and fails(value, issue) and used or nil
  end)
  return select(2, make_again(self, row))
end

--- Runs a function for so many values. What it raises for one fails the spec, with the smallest
--- value for which it raises something.
---@param runs integer
---@param property fun(value: any, issue: tidegate.Issue?)
function Generator:each(runs, property)
  for run = 1, runs do
    local value <const>, issue <const> = self()
    local is_fine, problem = pcall(property, value, issue)
    if not is_fine then
      local smallest <const> = self:shrink(function(...)
        local is_right <const>, raised <const> = pcall(property, ...)
        problem = is_right and problem or raised
        return not is_right
      end)
      local text <const> = "value %d of %d (seed %d) is not as it should be; the smallest like it:"
        .. "\n  %s\n  %s"
      fail.spec(text:format(run, runs, self.seed, show.value(smallest, 2000), tostring(problem)))
    end
  end
end

local metatable <const> = {
  __name = "tidegate.generator",
  __index = Generator,
  __call = next_value,
}

local legal <const> = { seed = "number", random = "function", camelize = "boolean" }

---@param what string
---@param of any
---@param options any
---@param making fun(of: any, is_camel: boolean): function
---@return tidegate.Generator
local function new(what, of, options, making)
  if not Property.is_schema(of) and not Property.is_type(of) then
    fail.misuse("%s: expected a schema or a message type, got %s", what, show.value(of, 60))
  end
  local given <const> = fail.options(what, options, legal)
  local seed <const> = given.seed or given.random and given.random(math.maxinteger) or 1
  if not math.tointeger(seed) then
    fail.misuse("%s: the seed must be a whole number, got %s", what, tostring(seed))
  end
  return setmetatable({
    what = what,
    of = of,
    make = making(of, given.camelize or false),
    seed = math.tointeger(seed),
    count = 0,
  }, metatable)
end

--- Values of a schema, or messages of a type, that are right.
---@param of any
---@param options? table
---@return tidegate.Generator
function Property.arbitrary(of, options)
  return new("testing.arbitrary", of, options, making_right)
end

--- Values of a schema, or messages of a type, that are wrong in one way, each with its error.
---@param of any
---@param options? table
---@return tidegate.Generator
function Property.broken(of, options)
  return new("testing.broken", of, options, making_wrong)
end

return Property
