--- The options of the functions that make schemas: of which type they are, and whether anything can
--- meet them. Each function here returns a copy that a node may keep, whole numbers as integers.

local declare <const> = require "tidegate.declare"
local host <const> = require "tidegate.host"
local node <const> = require "tidegate.schema_node"

local fail <const> = declare.fail

local Options <const> = {}

--- The most that any count of characters, items or entries may be limited to.
local COUNT_MAX <const> = 0xffffffff

---@type tidegate.Check
local function count(value)
  local integer <const> = type(value) == "number" and math.tointeger(value)
  return integer and integer >= 0 and integer <= COUNT_MAX or false, "a whole number, 0 or more"
end

---@type tidegate.Check
local function integer(value)
  return type(value) == "number" and math.tointeger(value) ~= nil, "a whole number"
end

---@type tidegate.Check
function Options.finite(value)
  return type(value) == "number" and value - value == 0, "a number"
end

---@type tidegate.Check
local function positive_integer(value)
  return integer(value) and value > 0, "a whole number above 0"
end

---@type tidegate.Check
local function positive(value)
  return Options.finite(value) and value > 0, "a number above 0"
end

---@type tidegate.Check
local function format(value)
  for _, name in ipairs(host.formats) do
    if name == value then
      return true, ""
    end
  end
  local hint <const> = declare.suggest(value, host.formats):gsub("^; (.+)", " (%1)")
  return false, "one of " .. table.concat(host.formats, ", ") .. hint
end

---@type tidegate.Check
local function anything()
  return true, ""
end

---@type tidegate.Check
local function additional(value)
  return value == "ignore" or value == "allow" or value == "forbid", '"ignore", "allow" or "forbid"'
end

local boolean <const> = declare.boolean

local integer_checks <const> = {
  min = integer,
  max = integer,
  exclusive_min = integer,
  exclusive_max = integer,
  multiple_of = positive_integer,
  coerce = boolean,
}

local number_checks <const> = {
  min = Options.finite,
  max = Options.finite,
  exclusive_min = Options.finite,
  exclusive_max = Options.finite,
  multiple_of = positive,
  coerce = boolean,
}

--- What a string may have beside its format.
local formatted_checks <const> = {
  min = count,
  max = count,
  pattern = declare.text,
  trim = boolean,
  coerce = boolean,
}

local string_checks <const> = { format = format }
for name, check in pairs(formatted_checks) do
  string_checks[name] = check
end

--- Raises for `s.string { optional = true }`.
---@param what string
---@param options any
---@param checks table<string, tidegate.Check>
local function check_methods(what, options, checks)
  for _, name in ipairs(type(options) == "table" and declare.sorted_keys(options) or {}) do
    if not checks[name] and node.methods[name] then
      local text <const> = '%s: "%s" is a method, not an option; write %s(...):%s(...)'
      fail(text, what, name, what, name)
    end
  end
end

---@param what string
---@param options any
---@param checks table<string, tidegate.Check>
---@return table<string, any>
local function taken(what, options, checks)
  check_methods(what, options, checks)
  local copy <const> = {}
  for name, value in pairs(declare.options(what, options, checks)) do
    copy[name] = type(value) == "number" and math.tointeger(value) or value
  end
  if copy.min and copy.max and copy.min > copy.max then
    fail("%s: min (%s) is above max (%s)", what, copy.min, copy.max)
  end
  return copy
end

--- Raises when no number lies between two limits of which at least one is exclusive.
---@param what string
---@param given table<string, any>
---@param low string
---@param high string
---@param gap integer the least by which they have to differ
local function check_between(what, given, low, high, gap)
  local a <const>, b <const> = given[low], given[high]
  if a and b and (a >= b or gap > 1 and b == a + 1) then
    fail("%s: nothing lies between %s (%s) and %s (%s)", what, low, a, high, b)
  end
end

---@param what string
---@param options any
---@param checks table<string, tidegate.Check>
---@param gap integer
---@return table<string, any>
local function ranged(what, options, checks, gap)
  local given <const> = taken(what, options, checks)
  check_between(what, given, "min", "exclusive_max", 1)
  check_between(what, given, "exclusive_min", "max", 1)
  check_between(what, given, "exclusive_min", "exclusive_max", gap)
  return given
end

---@param what string
---@param options any
---@return table<string, any>
function Options.integer(what, options)
  return ranged(what, options, integer_checks, 2)
end

---@param what string
---@param options any
---@return table<string, any>
function Options.number(what, options)
  return ranged(what, options, number_checks, 1)
end

---@param what string
---@param options any
---@param checks table<string, tidegate.Check>
---@return table<string, any>
local function text(what, options, checks)
  local given <const> = taken(what, options, checks)
  local wrong <const> = given.pattern and host.check_pattern(given.pattern)
  if wrong then
    fail('%s: the pattern "%s": %s', what, given.pattern, wrong)
  end
  return given
end

---@param what string
---@param options any
---@return table<string, any>
function Options.string(what, options)
  return text(what, options, string_checks)
end

--- Of a string whose format is given already.
---@param what string
---@param options any
---@return table<string, any>
function Options.formatted(what, options)
  return text(what, options, formatted_checks)
end

---@param checks table<string, tidegate.Check>
---@return fun(what: string, options: any): table<string, any>
local function checked(checks)
  return function(what, options)
    return taken(what, options, checks)
  end
end

Options.boolean = checked { coerce = boolean }
Options.array = checked { min = count, max = count, unique = boolean }
Options.object = checked { additional = additional }
Options.map = checked { min = count, max = count, keys = anything }
Options.ref = checked { max_depth = positive_integer }

return Options
