--- Texts that a pattern matches, made from the pattern's own syntax. A look-ahead and a word
--- boundary are left to luck: what does not fit is found out afterwards.

local match <const> = require "tidegate.testing.property.pattern.match"
local pattern <const> = require "tidegate.testing.property.pattern"

local Make <const> = {}

--- Characters to take where a set has them: what people write, and what they forget.
local usual <const> = {
  0x61,
  0x30,
  0x41,
  0x5F,
  0x2D,
  0x2E,
  0x20,
  0x21,
  0x7A,
  0x39,
  0x5A,
  0xE9,
  0x6F22,
  0x1F600,
}

---@param code integer
---@return boolean
local function is_character(code)
  return code < 0xD800 or code > 0xDFFF
end

---@param set tidegate.PatternNode
---@return integer[]
local function members(set)
  local list <const> = {}
  for _, code in ipairs(usual) do
    local is_told <const>, is_in <const> = pcall(match.has, set, code)
    list[#list + 1] = is_told and is_in and code or nil
  end
  for _, range in ipairs(set.is_not and {} or set.ranges) do
    list[#list + 1] = is_character(range[1]) and range[1] or nil
    list[#list + 1] = is_character(range[2]) and range[2] or nil
  end
  return list
end

local make

---@type table<string, fun(node: table, draw: tidegate.Choices, out: string[])>
local kinds <const> = {}

function kinds.set(node, draw, out)
  node.members = node.members or members(node)
  if #node.members > 0 then
    out[#out + 1] = utf8.char(draw:pick(node.members))
  end
end

function kinds.choice(node, draw, out)
  make(draw:pick(node), draw, out)
end

function kinds.sequence(node, draw, out)
  for _, term in ipairs(node) do
    make(term, draw, out)
  end
end

kinds["repeat"] = function(node, draw, out)
  local span <const> = math.min(node.max, node.min + 3) - node.min
  for _ = 1, node.min + draw:below(math.tointeger(span) + 1) do
    make(node.node, draw, out)
  end
end

--- What has to stand before a place may be made there, as long as nothing else is.
function kinds.look(node, draw, out)
  if node.is_behind and not node.is_not and draw:below(2) == 1 then
    make(node.node, draw, out)
  end
end

function make(node, draw, out)
  local maker <const> = kinds[node.kind]
  if maker then
    maker(node, draw, out)
  end
end

--- A text that is made like the pattern, which it need not match yet.
---@param source string
---@param draw tidegate.Choices
---@return string
function Make.text(source, draw)
  local out <const> = {}
  make(pattern.read(source), draw, out)
  return table.concat(out)
end

return Make
