--- Patterns of strings, read for the test kit: their own syntax becomes a tree, from which texts
--- are made and against which they are compared. Only patterns that the host has accepted come
--- here.

local Pattern <const> = {}

---@class tidegate.PatternNode
---@field kind string "set", "sequence", "choice", "repeat", "look", "start", "end", "word"
---@field [integer] tidegate.PatternNode of a sequence or a choice
---@field ranges? integer[][] of a set
---@field categories? { name: string, is_not: boolean }[] of a set, "Lu"
---@field is_not? boolean of a set and of a look-around: what is not there
---@field node? tidegate.PatternNode
---@field min? integer
---@field max? integer
---@field is_behind? boolean

---@class tidegate.PatternReader
---@field chars integer[]
---@field at integer

local LAST <const> = 0x10FFFF

local digits <const> = { { 0x30, 0x39 } }
local words <const> = { { 0x30, 0x39 }, { 0x41, 0x5A }, { 0x5F, 0x5F }, { 0x61, 0x7A } }
local spaces <const> = {
  { 0x9, 0xD },
  { 0x20, 0x20 },
  { 0xA0, 0xA0 },
  { 0x1680, 0x1680 },
  { 0x2000, 0x200A },
  { 0x2028, 0x2029 },
  { 0x202F, 0x202F },
  { 0x205F, 0x205F },
  { 0x3000, 0x3000 },
  { 0xFEFF, 0xFEFF },
}

--- All characters that are not in `ranges`, which are in order.
---@param ranges integer[][]
---@return integer[][]
local function complement(ranges)
  local list <const>, first = {}, 0
  for _, range in ipairs(ranges) do
    if range[1] > first then
      list[#list + 1] = { first, range[1] - 1 }
    end
    first = range[2] + 1
  end
  if first <= LAST then
    list[#list + 1] = { first, LAST }
  end
  return list
end

local sets <const> = {
  d = digits,
  D = complement(digits),
  w = words,
  W = complement(words),
  s = spaces,
  S = complement(spaces),
}

local controls <const> = { t = 9, n = 10, v = 11, f = 12, r = 13, ["0"] = 0 }

-- ---- characters ----

---@param reader tidegate.PatternReader
---@param text string
---@return boolean # it stood here, and was passed over
local function skip(reader, text)
  for index = 1, #text do
    if reader.chars[reader.at + index - 1] ~= text:byte(index) then
      return false
    end
  end
  reader.at = reader.at + #text
  return true
end

---@param reader tidegate.PatternReader
---@return string? # the character here; "" for what is none of ASCII; nil at the end
local function peek(reader)
  local code <const> = reader.chars[reader.at]
  return code and (code < 0x80 and string.char(code) or "")
end

---@param reader tidegate.PatternReader
---@return integer
local function take(reader)
  reader.at = reader.at + 1
  return reader.chars[reader.at - 1]
end

---@param reader tidegate.PatternReader
---@param count integer
---@return integer
local function take_hex(reader, count)
  local text <const> = {}
  for index = 1, count do
    text[index] = utf8.char(take(reader))
  end
  return tonumber(table.concat(text), 16)
end

--- Behind "\u".
---@param reader tidegate.PatternReader
---@return integer
local function take_unicode(reader)
  if skip(reader, "{") then
    local value = 0
    while not skip(reader, "}") do
      value = value * 16 + take_hex(reader, 1)
    end
    return value
  end
  local high <const> = take_hex(reader, 4)
  if high < 0xD800 or high > 0xDFFF then
    return high
  end
  skip(reader, "\\u")
  return 0x10000 + ((high - 0xD800) << 10) + (take_hex(reader, 4) - 0xDC00)
end

--- Behind the backslash: a character, or a set.
---@param reader tidegate.PatternReader
---@return integer? code
---@return integer[][]? ranges
---@return { name: string, is_not: boolean }? category
local function take_escape(reader)
  local letter <const> = utf8.char(take(reader))
  if sets[letter] then
    return nil, sets[letter]
  elseif letter == "p" or letter == "P" then
    local name = ""
    skip(reader, "{")
    while not skip(reader, "}") do
      name = name .. utf8.char(take(reader))
    end
    return nil, nil, { name = name, is_not = letter == "P" }
  elseif letter == "x" then
    return take_hex(reader, 2)
  elseif letter == "u" then
    return take_unicode(reader)
  elseif letter == "c" then
    return take(reader) & 0x1F
  end
  return controls[letter] or utf8.codepoint(letter)
end

-- ---- sets ----

---@param ranges? integer[][]
---@return tidegate.PatternNode
local function new_set(ranges)
  return { kind = "set", ranges = ranges or {}, categories = {}, is_not = false }
end

---@param set tidegate.PatternNode
---@param ranges? integer[][]
---@param category? table
local function add(set, ranges, category)
  table.move(ranges or {}, 1, #(ranges or {}), #set.ranges + 1, set.ranges)
  set.categories[#set.categories + 1] = category
end

---@param reader tidegate.PatternReader
---@return integer?
---@return integer[][]?
---@return table?
local function take_member(reader)
  if not skip(reader, "\\") then
    return take(reader)
  elseif skip(reader, "b") then
    return 8
  end
  return take_escape(reader)
end

--- Behind "[".
---@param reader tidegate.PatternReader
---@return tidegate.PatternNode
local function take_class(reader)
  local set <const> = new_set()
  set.is_not = skip(reader, "^")
  while not skip(reader, "]") do
    local first <const>, ranges <const>, category <const> = take_member(reader)
    if not first then
      add(set, ranges, category)
    elseif peek(reader) == "-" and reader.chars[reader.at + 1] ~= 0x5D then
      reader.at = reader.at + 1
      add(set, { { first, (take_member(reader)) } })
    else
      add(set, { { first, first } })
    end
  end
  return set
end

-- ---- terms ----

local read_choice

---@param reader tidegate.PatternReader
---@return integer
local function take_count(reader)
  local count = 0
  while (peek(reader) or ""):find "^%d" do
    count = count * 10 + take(reader) - 0x30
  end
  return count
end

---@param reader tidegate.PatternReader
---@return integer? min
---@return integer? max math.huge: without end
local function take_quantifier(reader)
  if skip(reader, "*") then
    return 0, math.huge
  elseif skip(reader, "+") then
    return 1, math.huge
  elseif skip(reader, "?") then
    return 0, 1
  elseif not skip(reader, "{") then
    return nil
  end
  local min <const> = take_count(reader)
  local max = min
  if skip(reader, ",") then
    max = peek(reader) == "}" and math.huge or take_count(reader)
  end
  skip(reader, "}")
  return min, max
end

--- Behind "(".
---@param reader tidegate.PatternReader
---@return tidegate.PatternNode
local function take_group(reader)
  local looks <const> = { ["?="] = {}, ["?!"] = { true }, ["?<="] = { false, true } }
  looks["?<!"] = { true, true }
  for _, opening in ipairs { "?<=", "?<!", "?=", "?!" } do
    if skip(reader, opening) then
      local look <const> = looks[opening]
      local node <const> = read_choice(reader)
      skip(reader, ")")
      return { kind = "look", node = node, is_not = look[1] or false, is_behind = look[2] or false }
    end
  end
  if skip(reader, "?<") then
    while not skip(reader, ">") do
      take(reader)
    end
  else
    skip(reader, "?:")
  end
  local node <const> = read_choice(reader)
  skip(reader, ")")
  return node
end

local assertions <const> = {
  { "^", "start" },
  { "$", "end" },
  { "\\b", "word" },
  { "\\B", "no_word" },
}

---@param reader tidegate.PatternReader
---@return tidegate.PatternNode
local function take_atom(reader)
  if skip(reader, "(") then
    return take_group(reader)
  elseif skip(reader, "[") then
    return take_class(reader)
  elseif skip(reader, ".") then
    return new_set(complement { { 10, 10 }, { 13, 13 }, { 0x2028, 0x2029 } })
  elseif skip(reader, "\\") then
    local code <const>, ranges <const>, category <const> = take_escape(reader)
    local set <const> = new_set()
    add(set, code and { { code, code } } or ranges, category)
    return set
  end
  local code <const> = take(reader)
  return new_set { { code, code } }
end

---@param reader tidegate.PatternReader
---@return tidegate.PatternNode
local function take_term(reader)
  for _, assertion in ipairs(assertions) do
    if skip(reader, assertion[1]) then
      return { kind = assertion[2] }
    end
  end
  local atom <const> = take_atom(reader)
  local min <const>, max <const> = take_quantifier(reader)
  if not min then
    return atom
  end
  skip(reader, "?")
  return { kind = "repeat", node = atom, min = min, max = max }
end

---@param reader tidegate.PatternReader
---@return tidegate.PatternNode
function read_choice(reader)
  local choice <const> = { kind = "choice" }
  repeat
    local sequence <const> = { kind = "sequence" }
    local char = peek(reader)
    while char and char ~= "|" and char ~= ")" do
      sequence[#sequence + 1] = take_term(reader)
      char = peek(reader)
    end
    choice[#choice + 1] = sequence
  until not skip(reader, "|")
  return choice
end

---@type table<string, tidegate.PatternNode>
local known <const> = {}

--- The tree of a pattern that the host has accepted.
---@param source string
---@return tidegate.PatternNode
function Pattern.read(source)
  if not known[source] then
    known[source] = read_choice { chars = { utf8.codepoint(source, 1, -1) }, at = 1 }
  end
  return known[source]
end

return Pattern
