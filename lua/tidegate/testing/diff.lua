--- Where a value differs from what was expected, path by path.
---
--- Partly: an object may have more than was expected of it. Lists are always compared whole: each
--- item in its place, and no other. Items that are objects may have more again.

local matchers <const> = require "tidegate.testing.matchers"
local show <const> = require "tidegate.testing.show"

local Diff <const> = {}

---@class tidegate.Difference
---@field path string "payload.tags[2]"; "" is the value itself
---@field expected string
---@field got string
---@field hint? string

---@class tidegate.Comparison
---@field is_exact boolean
---@field found tidegate.Difference[]

---@param path string
---@param key string | integer
---@return string
local function below(path, key)
  if math.type(key) == "integer" then
    return ("%s[%d]"):format(path, key)
  elseif not key:find "^[%a_][%w_]*$" then
    return ("%s[%q]"):format(path, key)
  end
  return path == "" and key or path .. "." .. key
end

---@param comparison tidegate.Comparison
---@param path string
---@param expected string
---@param got string
---@param hint? string
local function note(comparison, path, expected, got, hint)
  local found <const> = comparison.found
  found[#found + 1] = { path = path, expected = expected, got = got, hint = hint }
end

--- A value of another kind is shown with its kind, so that "3" and 3 are told apart.
---@param expected any
---@param got any
---@return string, string
local function both(expected, got)
  local a <const>, b <const> = matchers.kind(expected), matchers.kind(got)
  local x <const>, y <const> = show.value(expected, 160), show.value(got, 160)
  local is_clear <const> = a == b or got == nil or a == "null" or b == "null"
  if is_clear or a == "integer" and b == "number" or a == "number" and b == "integer" then
    return x, y
  end
  return ("%s (%s)"):format(x, matchers.word(a)), ("%s (%s)"):format(y, matchers.word(b))
end

--- Where two texts begin to differ, when that is hard to see.
---@param expected any
---@param got any
---@return string?
local function text_hint(expected, got)
  if type(expected) ~= "string" or type(got) ~= "string" then
    return nil
  end
  local at = 1
  while at <= #expected and expected:byte(at) == got:byte(at) do
    at = at + 1
  end
  local least <const> = math.min(#expected, #got)
  if expected:lower() == got:lower() and #expected > 0 then
    return "they differ in upper and lower case only"
  elseif expected:match "^%s*(.-)%s*$" == got:match "^%s*(.-)%s*$" then
    return "they differ in white space at their ends only"
  elseif least > 20 and at > 8 then
    while at > 1 and ((expected:byte(at) or 0) & 0xC0) == 0x80 do
      at = at - 1
    end
    local before <const> = got:sub(math.max(1, at - 12), at - 1):gsub("[\128-\255]", ".")
    return ("they are the same up to byte %d, behind %s"):format(at - 1, show.value(before))
  end
  return nil
end

---@param value table
---@return string # "the object there has a, b"
local function names_hint(value)
  local names <const> = {}
  for name in pairs(value) do
    names[#names + 1] = tostring(name)
  end
  table.sort(names)
  if #names == 0 then
    return "the object there is empty"
  end
  return "the object there has " .. show.cut(table.concat(names, ", "), 120)
end

local compare

---@param comparison tidegate.Comparison
local function compare_arrays(comparison, path, expected, got)
  local most <const> = math.max(#expected, #got)
  if #expected ~= #got then
    local words <const> = { "%d items", "1 item" }
    local function counted(list)
      return words[#list == 1 and 2 or 1]:format(#list)
    end
    local text <const> = show.value(got, 120)
    note(comparison, path, counted(expected), ("%s, %s"):format(counted(got), text))
  end
  for index = 1, most do
    if expected[index] ~= nil and got[index] ~= nil then
      compare(comparison, below(path, index), expected[index], got[index])
    end
  end
end

---@param map table
---@return any[]
local function sorted(map)
  local keys <const> = {}
  for key in pairs(map) do
    keys[#keys + 1] = key
  end
  table.sort(keys, function(a, b)
    return tostring(a) < tostring(b)
  end)
  return keys
end

---@param comparison tidegate.Comparison
local function compare_objects(comparison, path, expected, got)
  for _, name in ipairs(sorted(expected)) do
    local value <const>, found <const> = expected[name], got[name]
    local is_absent <const> = found == nil and not matchers.is_matcher(value)
    if is_absent then
      note(comparison, below(path, name), show.value(value, 160), "nothing", names_hint(got))
    else
      compare(comparison, below(path, name), value, found)
    end
  end
  for _, name in ipairs(comparison.is_exact and sorted(got) or {}) do
    if expected[name] == nil then
      note(comparison, below(path, name), "nothing", show.value(got[name], 160))
    end
  end
end

---@param comparison tidegate.Comparison
---@param path string
---@param expected table
---@param got table
local function compare_tables(comparison, path, expected, got)
  local is_list <const>, is_list_got <const> = matchers.is_array(expected), matchers.is_array(got)
  -- {} says neither list nor object: it is the empty one of either, and part of any object.
  if next(expected) == nil and not is_list then
    if is_list_got and #got > 0 then
      note(comparison, path, "an empty list", show.value(got, 160))
    elseif not is_list_got then
      compare_objects(comparison, path, expected, got)
    end
  elseif is_list ~= is_list_got then
    note(comparison, path, both(expected, got))
  elseif is_list then
    compare_arrays(comparison, path, expected, got)
  else
    compare_objects(comparison, path, expected, got)
  end
end

---@param comparison tidegate.Comparison
---@param path string
---@param expected any
---@param got any
function compare(comparison, path, expected, got)
  if matchers.is_matcher(expected) then
    if not matchers.matches(expected, got) then
      note(comparison, path, matchers.shown(expected), show.value(got, 160))
    end
  elseif type(expected) == "table" and type(got) == "table" then
    compare_tables(comparison, path, expected, got)
  elseif expected ~= got then
    local x <const>, y <const> = both(expected, got)
    note(comparison, path, x, y, text_hint(expected, got))
  end
end

--- All differences, in the order of the paths; none: it is as expected.
---@param expected any
---@param got any
---@param is_exact? boolean objects have nothing more than was expected of them
---@return tidegate.Difference[]
function Diff.compare(expected, got, is_exact)
  local comparison <const> = { is_exact = is_exact or false, found = {} }
  compare(comparison, "", expected, got)
  return comparison.found
end

--- Whether `got` is as expected.
---@param expected any
---@param got any
---@param is_exact? boolean
---@return boolean
function Diff.matches(expected, got, is_exact)
  return #Diff.compare(expected, got, is_exact) == 0
end

local most_shown <const> = 6

--- The differences as lines.
---@param differences tidegate.Difference[]
---@return string
function Diff.describe(differences)
  local lines <const> = {}
  for index, difference in ipairs(differences) do
    if index > most_shown then
      lines[#lines + 1] = ("  and %d more"):format(#differences - most_shown)
      break
    end
    lines[#lines + 1] = "  at " .. (difference.path == "" and "the top" or difference.path)
    lines[#lines + 1] = "    expected: " .. difference.expected
    lines[#lines + 1] = "    got:      " .. difference.got
    if difference.hint then
      lines[#lines + 1] = ("    (%s)"):format(difference.hint)
    end
  end
  return table.concat(lines, "\n")
end

return Diff
