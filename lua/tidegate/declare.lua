--- What the declaring modules share: where the user's code stands, and how it is told that an
--- option is wrong. Everything here runs while modules load, never for a message.

local host <const> = require "tidegate.host"

local getinfo <const> = debug.getinfo

--- What the names of our own chunks begin with, whatever carries them: the program or a folder.
local own_prefix <const> = getinfo(1, "S").source:match "^(.*)declare%.lua$"

local Declare <const> = {}

--- The line of the user's code that called into tidegate, "consumers/system/init.lua:8".
---@return string? # nil when there is none: C called
function Declare.position()
  local level = 2
  local info = getinfo(level, "Sl")
  while info do
    if info.currentline > 0 and info.source:sub(1, #own_prefix) ~= own_prefix then
      local file <const> = info.source:match "^@(.*)" or info.short_src
      return file .. ":" .. info.currentline
    end
    level = level + 1
    info = getinfo(level, "Sl")
  end
  return nil
end

--- Raises a sentence at the user's line.
---@param format string
---@param ... any for `format`
function Declare.fail(format, ...)
  local text <const> = format:format(...)
  local position <const> = Declare.position()
  error(position and position .. ": " .. text or text, 0)
end

--- Whether modules load, and something may be declared. Later it would do nothing.
Declare.is_loading = host.is_loading

--- Raises when they do not.
---@param what string the function that declares, "tide.consumer"
function Declare.check_loading(what)
  if not Declare.is_loading() then
    Declare.fail("%s: declared while modules load, not by a handler", what)
  end
end

--- Makes the functions of `functions` keep their caller visible: `return tide.consumer { ... }` is
--- a tail call, which would take the very line away that an error has to name.
---@param functions table<string, any>
function Declare.public(functions)
  for name, value in pairs(functions) do
    if type(value) == "function" then
      functions[name] = host.visible(value)
    end
  end
end

--- A value as an error shows it.
---@param value any
---@return string
function Declare.show(value)
  local kind <const> = type(value)
  if kind == "string" then
    local cut <const> = #value > 40 and value:sub(1, 40) .. "..." or value
    return ('the string "%s"'):format(cut)
  elseif kind == "number" or kind == "boolean" then
    return ("the %s %s"):format(kind, value)
  elseif value == nil then
    return "nothing"
  elseif value == host.null then
    return "null"
  end
  local metatable <const> = getmetatable(value)
  local shown <const> = type(metatable) == "table" and rawget(metatable, "shown")
  return type(shown) == "function" and shown(value) or "a " .. kind
end

--- The keys of a table in an order that does not change from run to run: integers first.
---@param map table<any, any>
---@return any[]
function Declare.sorted_keys(map)
  local keys <const> = {}
  for key in pairs(map) do
    keys[#keys + 1] = key
  end
  table.sort(keys, function(a, b)
    local is_a <const>, is_b <const> = math.type(a) == "integer", math.type(b) == "integer"
    if is_a ~= is_b then
      return is_a
    elseif is_a then
      return a < b
    end
    return tostring(a) < tostring(b)
  end)
  return keys
end

--- How many letters have to be inserted, removed, changed or swapped to make `a` of `b`.
---@param a string
---@param b string
---@return integer
local function distance(a, b)
  local before, row = {}, {}
  for j = 0, #b do
    row[j] = j
  end
  for i = 1, #a do
    local current <const> = { [0] = i }
    for j = 1, #b do
      local is_same <const> = a:byte(i) == b:byte(j)
      local cost = math.min(row[j] + 1, current[j - 1] + 1, row[j - 1] + (is_same and 0 or 1))
      if i > 1 and j > 1 and a:byte(i) == b:byte(j - 1) and a:byte(i - 1) == b:byte(j) then
        cost = math.min(cost, before[j - 2] + 1)
      end
      current[j] = cost
    end
    before, row = row, current
  end
  return row[#b]
end

---@param a string
---@param b string
---@return boolean
local function begins_with(a, b)
  return #b > 2 and a:sub(1, #b) == b
end

--- `; did you mean "path"?` when one of `names` is near enough to be meant, else nothing.
---@param name any
---@param names string[]
---@return string
function Declare.suggest(name, names)
  if type(name) ~= "string" or #name > 40 then
    return ""
  end
  local most <const> = #name > 1 and math.max(1, #name // 3) or 0 -- of one letter nothing is left
  local nearest, least = nil, most + 1
  for _, candidate in ipairs(names) do
    local is_cut <const> = begins_with(name, candidate) or begins_with(candidate, name)
    local changes = distance(name:lower(), candidate)
    changes = is_cut and math.min(changes, 1.5) or changes -- a slip of one letter is nearer
    if changes < least then
      nearest, least = candidate, changes
    end
  end
  return nearest and ('; did you mean "%s"?'):format(nearest) or ""
end

---@alias tidegate.Check fun(value: any): boolean, string # whether it is right, and what is right

--- Checks a table of options: no unknown name, each value as its check says.
---@param what string the function whose options these are, "tide.consumer"
---@param options any
---@param checks table<string, tidegate.Check>
---@return table<string, any> # the options; an empty table when there are none
function Declare.options(what, options, checks)
  if options == nil then
    return {}
  elseif type(options) ~= "table" or getmetatable(options) then
    Declare.fail("%s: expected a table of options, got %s", what, Declare.show(options))
  end
  local names <const> = Declare.sorted_keys(checks)
  for _, name in ipairs(Declare.sorted_keys(options)) do
    local check <const>, value <const> = checks[name], options[name]
    if not check then
      local is_text <const> = type(name) == "string"
      local shown <const> = is_text and '"' .. name .. '"' or "[" .. tostring(name) .. "]"
      local hint <const> = Declare.suggest(name, names)
      local legal <const> = table.concat(names, ", ")
      Declare.fail("%s: unknown option %s%s (options: %s)", what, shown, hint, legal)
    end
    local is_right <const>, expected <const> = check(value)
    if not is_right then
      Declare.fail('%s: option "%s" must be %s, got %s', what, name, expected, Declare.show(value))
    end
  end
  return options
end

--- Whether `value` is a plain list without holes whose items all pass `check`.
---@param value any
---@param check fun(item: any): boolean?
---@return boolean
function Declare.is_list(value, check)
  if type(value) ~= "table" or getmetatable(value) then
    return false
  end
  local count = 0
  for _, item in pairs(value) do
    if not check(item) then
      return false
    end
    count = count + 1
  end
  return count == #value
end

--- Makes reading a name that a table does not have an error that says which it has.
---@generic T: table
---@param what string "tide"
---@param members T
---@return T
function Declare.closed(what, members)
  return setmetatable(members, {
    __index = function(_, name)
      local names <const> = Declare.sorted_keys(members)
      local hint <const>, legal <const> = Declare.suggest(name, names), table.concat(names, ", ")
      Declare.fail('%s has no "%s"%s (it has: %s)', what, name, hint, legal)
    end,
  })
end

---@type tidegate.Check
function Declare.text(value)
  return type(value) == "string" and value ~= "", "a string that is not empty"
end

---@type tidegate.Check
function Declare.texts(value)
  return Declare.is_list(value, Declare.text), "a list of strings"
end

---@type tidegate.Check
function Declare.boolean(value)
  return type(value) == "boolean", "true or false"
end

---@type tidegate.Check
function Declare.seconds(value)
  local is_right <const> = type(value) == "number" and value >= 0 and value <= 3155760000
  return is_right, "seconds, a number from 0 to 3155760000"
end

---@type tidegate.Check
function Declare.callable(value)
  return type(value) == "function", "a function"
end

return Declare
