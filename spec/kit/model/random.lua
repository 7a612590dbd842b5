--- Numbers that look random and are the same for a seed, whatever else draws some.

---@class model.Random
---@field state integer
local Random <const> = {}
Random.__index = Random

---@param seed integer
---@return model.Random
function Random.new(seed)
  return setmetatable({ state = seed }, Random)
end

--- One of 0 to n - 1: SplitMix64, whose numbers differ much for seeds that differ little.
---@param n integer
---@return integer
function Random:below(n)
  self.state = self.state + 0x9e3779b97f4a7c15
  local bits = self.state
  bits = (bits ~ bits >> 30) * 0xbf58476d1ce4e5b9
  bits = (bits ~ bits >> 27) * 0x94d049bb133111eb
  return ((bits ~ bits >> 31) >> 1) % n
end

---@param low integer
---@param high integer
---@return integer
function Random:between(low, high)
  return low + self:below(high - low + 1)
end

---@param percent integer
---@return boolean
function Random:chance(percent)
  return self:below(100) < percent
end

---@generic T
---@param list T[]
---@return T
function Random:one(list)
  return list[1 + self:below(#list)]
end

--- The same in another order.
---@generic T
---@param list T[]
---@return T[]
function Random:shuffled(list)
  local copy <const> = table.move(list, 1, #list, 1, {})
  for index = #copy, 2, -1 do
    local other <const> = 1 + self:below(index)
    copy[index], copy[other] = copy[other], copy[index]
  end
  return copy
end

local parts <const> =
  { "sea", "Tide", "ü", "波", "😀", " ", "-", "42", '"', "\\", "/", "\n", "é" }

--- A short text, of at most `longest` characters.
---@param longest? integer
---@return string
function Random:text(longest)
  local list <const> = { "t" }
  for index = 2, self:between(1, math.min(longest or 8, 8) // 4) do
    list[index] = self:one(parts)
  end
  return table.concat(list)
end

return Random
