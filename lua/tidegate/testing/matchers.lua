--- What may stand in an expected value where the value itself is not known: a pattern, a type, any
--- value at all. The matchers of luassert (`match.is_string()`) may stand there too.

local Matchers <const> = {}

---@class tidegate.Matcher
---@field matches fun(value: any): boolean # of an absent value: nil
---@field shown string how it stands in a text, "a string"

---@type table
local metatable <const> = {
  __name = "tidegate.matcher",
  __tostring = function(self)
    return "<" .. self.shown .. ">"
  end,
}

--- The null of messages.
Matchers.null = require("cjson").null

local null <const> = Matchers.null

---@param shown string
---@param matches fun(value: any): boolean?
---@return tidegate.Matcher
local function new(shown, matches)
  return setmetatable({ shown = shown, matches = matches }, metatable)
end

---@param value any
---@return boolean
local function is_ours(value)
  return type(value) == "table" and debug.getmetatable(value) == metatable
end

--- Whether `value` is a matcher, and not an expected value itself.
---@param value any
---@return boolean
function Matchers.is_matcher(value)
  if is_ours(value) then
    return true
  end
  local luassert <const> = package.loaded["luassert.match"]
  return luassert ~= nil and luassert.is_matcher(value)
end

---@param matcher any
---@param value any
---@return boolean
function Matchers.matches(matcher, value)
  if is_ours(matcher) then
    return matcher.matches(value) and true or false
  end
  return value ~= nil and matcher(value) -- one of luassert
end

---@param matcher any
---@return string # without brackets: "a string"
function Matchers.shown(matcher)
  if is_ours(matcher) then
    return matcher.shown
  end
  return "match." .. tostring(matcher.name)
end

--- Whether a table is a list: it has items, or is marked as one. Values of messages have no other
--- metatable than this mark.
---@param value table
---@return boolean
function Matchers.is_array(value)
  return value[1] ~= nil or debug.getmetatable(value) ~= nil
end

---@alias tidegate.ValueKind
---| "string" | "number" | "integer" | "boolean" | "null" | "array" | "object"

--- The kind of a value as JSON names it; whole numbers are integers.
---@param value any
---@return tidegate.ValueKind | type
function Matchers.kind(value)
  if value == null then
    return "null"
  end
  local kind <const> = type(value)
  if kind == "table" then
    return Matchers.is_array(value) and "array" or "object"
  elseif kind == "number" then
    return math.tointeger(value) and "integer" or "number"
  end
  return kind
end

local words <const> = {
  string = "a string",
  number = "a number",
  integer = "an integer",
  boolean = "a boolean",
  null = "null",
  array = "an array",
  object = "an object",
}

--- "a string", of a kind.
---@param kind string
---@return string
function Matchers.word(kind)
  return words[kind] or kind == "nil" and "nothing" or "a " .. kind
end

--- Matches every value, null too; an absent one it does not match.
Matchers.any = new("anything", function(value)
  return value ~= nil
end)

--- Matches where there is nothing: `{ payload = { secret = testing.absent } }`.
Matchers.absent = new("nothing", function(value)
  return value == nil
end)

--- Matches values of a kind: `testing.a "string"`. A "number" may be an integer.
---@param kind tidegate.ValueKind
---@return tidegate.Matcher
function Matchers.a(kind)
  if not words[kind] then
    local legal <const> = "string, number, integer, boolean, null, array, object"
    error(("testing.a: there is no kind %q (kinds: %s)"):format(tostring(kind), legal), 2)
  end
  return new(words[kind], function(value)
    local found <const> = Matchers.kind(value)
    if kind == "object" and found == "array" then
      return next(value) == nil and debug.getmetatable(value) == nil
    end
    return found == kind or kind == "number" and found == "integer"
  end)
end

--- Matches strings in which Lua's pattern is found.
---@param pattern string
---@return tidegate.Matcher
function Matchers.matching(pattern)
  if type(pattern) ~= "string" or not pcall(string.find, "", pattern) then
    error("testing.matching: expected a pattern of Lua, got " .. tostring(pattern), 2)
  end
  return new(("a string that matches %q"):format(pattern), function(value)
    return type(value) == "string" and value:find(pattern) ~= nil
  end)
end

--- Matches what a function says yes to; the sentence stands in failures.
---@param sentence string "an even number"
---@param matches fun(value: any): boolean
---@return tidegate.Matcher
function Matchers.satisfying(sentence, matches)
  if type(sentence) ~= "string" or type(matches) ~= "function" then
    error(
      "testing.satisfying: expected a sentence and a function, as in "
        .. 'testing.satisfying("an even number", function(value) return value % 2 == 0 end)',
      2
    )
  end
  return new(sentence, function(value)
    return value ~= nil and matches(value)
  end)
end

return Matchers
