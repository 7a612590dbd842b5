--- Where what is arbitrary comes from: a row of whole numbers, each below a bound. The same row
--- makes the same value, and 0 always makes the simplest one; so a value is made smaller by making
--- its row smaller, and what comes out is right by itself.

---@class tidegate.Choices
---@field made integer[] the row so far
---@field given? integer[] of a row that is made again; behind its end there are zeros
---@field state integer of the random numbers
local Choices <const> = {}
Choices.__index = Choices

--- A row that is longer makes nothing new: everything behind it is the simplest.
local LONGEST <const> = 20000

--- The next of a sequence of 64 random bits (SplitMix64).
---@param state integer
---@return integer state
---@return integer bits
local function mixed(state)
  state = state + 0x9E3779B97F4A7C15
  local bits = (state ~ (state >> 30)) * 0xBF58476D1CE4E5B9
  bits = (bits ~ (bits >> 27)) * 0x94D049BB133111EB
  return state, bits ~ (bits >> 31)
end

--- A row of random numbers.
---@param seed integer
---@return tidegate.Choices
function Choices.random(seed)
  return setmetatable({ made = {}, state = seed }, Choices)
end

--- A row that is known.
---@param given integer[]
---@return tidegate.Choices
function Choices.again(given)
  return setmetatable({ made = {}, given = given, state = 0 }, Choices)
end

--- A number for a row of its own, which is another for each number that it is made of.
---@param seed integer
---@param index integer
---@return integer
function Choices.derived(seed, index)
  local _, bits <const> = mixed(seed ~ index * 0x632BE59BD9B4E019)
  return bits
end

--- Whether nothing is given: what is proposed counts.
---@return boolean
function Choices:is_new()
  return self.given == nil
end

--- A random number that does not stand in the row: what is made of it has to be noted.
---@param count integer 1 or more
---@return integer # from 0 to `count` - 1
function Choices:roll(count)
  local bits
  self.state, bits = mixed(self.state)
  return (bits & math.maxinteger) % count
end

--- Notes a number that somebody proposes; of a row that is given, its own counts.
---@param proposed integer from 0 to `most`
---@param most integer
---@return integer
function Choices:note(proposed, most)
  local index <const> = #self.made + 1
  local value = index <= LONGEST and proposed or 0
  if self.given then
    value = math.min(self.given[index] or 0, most)
  end
  self.made[index] = value
  return value
end

--- A whole number from 0 to `count` - 1.
---@param count integer 1 or more
---@return integer
function Choices:below(count)
  return self:note(self.given and 0 or self:roll(count), count - 1)
end

--- True one time in `count`.
---@param count integer
---@return boolean
function Choices:once_in(count)
  return self:below(count) == count - 1
end

---@generic T
---@param list T[] the simplest first
---@return T
function Choices:pick(list)
  return list[self:below(#list) + 1]
end

return Choices
