--- Makes a row of choices smaller for as long as it still does what it did: first shorter, then
--- each of its numbers.

local Shrink <const> = {}

---@class tidegate.Shrinking
---@field row integer[] the smallest so far
---@field does fun(row: integer[]): integer[]? the row as it was used, when it still does it
---@field left integer how often `does` may be asked

---@param a integer[]
---@param b integer[]
---@return boolean # shorter, or as long and smaller at the first place that differs
local function is_smaller(a, b)
  if #a ~= #b then
    return #a < #b
  end
  for index = 1, #a do
    if a[index] ~= b[index] then
      return a[index] < b[index]
    end
  end
  return false
end

---@param work tidegate.Shrinking
---@param row integer[]
---@return boolean # it is the smallest now
local function try(work, row)
  if work.left == 0 then
    return false
  end
  work.left = work.left - 1
  local used <const> = work.does(row)
  if not used or not is_smaller(used, work.row) then
    return false
  end
  work.row = used
  return true
end

---@param row integer[]
---@param from integer
---@param count integer
---@return integer[] # without that many from there on
local function without(row, from, count)
  local copy <const> = table.move(row, 1, from - 1, 1, {})
  return table.move(row, from + count, #row, from, copy)
end

---@param row integer[]
---@param index integer
---@param value integer
---@return integer[]
local function with(row, index, value)
  local copy <const> = table.move(row, 1, #row, 1, {})
  copy[index] = value
  return copy
end

--- Takes parts out, large ones first.
---@param work tidegate.Shrinking
local function shorten(work)
  local count = #work.row
  while count >= 1 do
    local from = #work.row - count + 1
    while from >= 1 do
      try(work, without(work.row, from, count))
      from = math.min(from - count, #work.row - count + 1)
    end
    count = count > 8 and count // 2 or count - 1
  end
end

--- Finds the least number that one place may have, as if less were always easier.
---@param work tidegate.Shrinking
---@param index integer
local function lower_one(work, index)
  if work.row[index] == 0 or try(work, with(work.row, index, 0)) then
    return
  end
  local low = 0
  while index <= #work.row and work.row[index] - low > 1 and work.left > 0 do
    local middle <const> = low + (work.row[index] - low) // 2
    if not try(work, with(work.row, index, middle)) then
      low = middle
    end
  end
end

---@param work tidegate.Shrinking
local function lower(work)
  local index = 1
  while index <= #work.row do
    lower_one(work, index)
    index = index + 1
  end
end

--- The smallest row that was found.
---@param row integer[] does it
---@param does fun(row: integer[]): integer[]?
---@param most? integer how often `does` may be asked
---@return integer[]
---@return integer asked
function Shrink.row(row, does, most)
  local work <const> = { row = row, does = does, left = most or 500 }
  local before
  repeat
    before = work.row
    shorten(work)
    lower(work)
  until work.row == before or work.left == 0
  return work.row, (most or 500) - work.left
end

--- The shortest list of items that still does it, all of them tried without.
---@generic T
---@param list T[]
---@param does fun(list: T[]): boolean
---@return T[]
function Shrink.list(list, does)
  local count = #list // 2
  while count >= 1 do
    local from = #list - count + 1
    while from >= 1 do
      local shorter <const> = table.move(list, 1, from - 1, 1, {})
      table.move(list, from + count, #list, from, shorter)
      if #shorter > 0 and does(shorter) then
        list = shorter
      end
      from = math.min(from - count, #list - count + 1)
    end
    count = count // 2
  end
  return list
end

return Shrink
