--- Whether a text matches a pattern, said without asking the host: a matcher that goes back, with
--- bounded steps. What it cannot tell (a category of Unicode of a rare character, too many steps)
--- it says: `nil`.

local pattern <const> = require "tidegate.testing.property.pattern"

local Match <const> = {}

local MOST_STEPS <const> = 20000

--- What is raised where nobody can tell.
local undecided <const> = {}

--- The general categories of the characters that the kit itself uses.
---@param code integer
---@return string
local function category_of(code)
  if code < 0x20 or code == 0x7F then
    return "Cc"
  elseif code == 0x20 then
    return "Zs"
  elseif code >= 0x30 and code <= 0x39 then
    return "Nd"
  elseif code >= 0x41 and code <= 0x5A then
    return "Lu"
  elseif code >= 0x61 and code <= 0x7A or code == 0xE9 then
    return "Ll"
  elseif code == 0x6F22 then
    return "Lo"
  elseif code == 0x1F600 then
    return "So"
  elseif code == 0x5F then
    return "Pc"
  elseif code == 0x2D then
    return "Pd"
  elseif code == 0x2E or code == 0x21 then
    return "Po"
  end
  error(undecided, 0)
end

---@param wanted string "L", "Lu", "LC"
---@param code integer
---@return boolean
local function is_in_category(wanted, code)
  local found <const> = category_of(code)
  if wanted == "LC" then
    return found == "Lu" or found == "Ll" or found == "Lt"
  end
  return found:sub(1, #wanted) == wanted
end

---@param set tidegate.PatternNode
---@param code integer
---@return boolean
function Match.has(set, code)
  local is_in = false
  for _, range in ipairs(set.ranges) do
    is_in = is_in or code >= range[1] and code <= range[2]
  end
  for _, category in ipairs(set.categories) do
    is_in = is_in or is_in_category(category.name, code) ~= category.is_not
  end
  return is_in ~= set.is_not
end

---@param code? integer
---@return boolean
local function is_word(code)
  if not code or code >= 0x80 then
    return false
  end
  return string.char(code):find "^[%w_]$" ~= nil
end

---@class tidegate.Matching
---@field chars integer[]
---@field steps integer

local run

--- Each of these goes on with `next`, which gets where the text goes on.
---@type table<string, function>
local kinds <const> = {}

function kinds.set(work, node, at, next)
  local code <const> = work.chars[at]
  return code ~= nil and Match.has(node, code) and next(at + 1)
end

kinds["start"] = function(_, _, at, next)
  return at == 1 and next(at)
end

kinds["end"] = function(work, _, at, next)
  return at == #work.chars + 1 and next(at)
end

function kinds.word(work, _, at, next)
  return is_word(work.chars[at - 1]) ~= is_word(work.chars[at]) and next(at)
end

function kinds.no_word(work, _, at, next)
  return is_word(work.chars[at - 1]) == is_word(work.chars[at]) and next(at)
end

function kinds.choice(work, node, at, next)
  for _, sequence in ipairs(node) do
    if run(work, sequence, at, next) then
      return true
    end
  end
  return false
end

function kinds.sequence(work, node, at, next)
  local function from(index, here)
    local term <const> = node[index]
    if not term then
      return next(here)
    end
    return run(work, term, here, function(after)
      return from(index + 1, after)
    end)
  end
  return from(1, at)
end

kinds["repeat"] = function(work, node, at, next)
  local function more(count, here)
    local goes_on <const> = count < node.max
      and run(work, node.node, here, function(after)
        return (after > here or count < node.min) and more(count + 1, after)
      end)
    return goes_on or count >= node.min and next(here)
  end
  return more(0, at)
end

function kinds.look(work, node, at, next)
  local is_there = false
  if node.is_behind then
    for from = at, 1, -1 do
      is_there = is_there
        or run(work, node.node, from, function(after)
          return after == at
        end)
    end
  else
    is_there = run(work, node.node, at, function()
      return true
    end)
  end
  return is_there ~= node.is_not and next(at)
end

function run(work, node, at, next)
  work.steps = work.steps + 1
  if work.steps > MOST_STEPS then
    error(undecided, 0)
  end
  return kinds[node.kind](work, node, at, next)
end

--- Whether the pattern is found in the text; nil: this cannot be told here.
---@param source string
---@param text string valid UTF-8
---@return boolean?
function Match.matches(source, text)
  local work <const> = { chars = { utf8.codepoint(text, 1, -1) }, steps = 0 }
  local tree <const> = pattern.read(source)
  local is_told <const>, answer <const> = pcall(function()
    for at = 1, #work.chars + 1 do
      local is_found <const> = run(work, tree, at, function()
        return true
      end)
      if is_found then
        return true
      end
    end
    return false
  end)
  if is_told then
    return answer
  end
  return nil
end

return Match
