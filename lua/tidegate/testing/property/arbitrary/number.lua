--- Arbitrary numbers of a schema: the limits themselves and what is next to them first of all.

local Numbers <const> = {}

--- Multiples of the step within whole limits.
---@param schema tidegate.Schema
---@return integer step
---@return integer low the least multiple, counted in steps
---@return integer high
local function whole_range(schema)
  local step <const> = schema.multiple_of or 1
  local min, max = schema.min or math.mininteger, schema.max or math.maxinteger
  if schema.exclusive_min and schema.exclusive_min >= min then
    min = schema.exclusive_min + 1
  end
  if schema.exclusive_max and schema.exclusive_max <= max then
    max = schema.exclusive_max - 1
  end
  local low <const> = min // step + (min % step ~= 0 and 1 or 0)
  return step, low, max // step
end

--- Whole numbers that find mistakes.
local edges <const> = {
  0,
  1,
  -1,
  2,
  10,
  127,
  255,
  65536,
  1 << 31,
  -(1 << 31) - 1,
  1 << 53,
  (1 << 53) + 1,
  -(1 << 53) - 1,
  math.maxinteger,
  math.mininteger,
}

--- Where to go within the limits, all counted in steps: to one of them, to an edge, or somewhere.
---@param draw tidegate.Choices
---@param low integer
---@param high integer
---@param nearest integer to 0
---@param step integer
---@return integer
local function propose(draw, low, high, nearest, step)
  local way <const> = draw:roll(3)
  local wanted
  if way == 0 then
    local far <const> = draw:roll(1 << (4 << draw:roll(4)))
    wanted = draw:roll(2) == 0 and nearest + far or nearest - far
  elseif way == 1 then
    wanted = ({ low, high, low + 1, high - 1 })[draw:roll(4) + 1]
  else
    wanted = edges[draw:roll(#edges) + 1] // step
  end
  return (wanted < low or wanted > high) and nearest or wanted
end

--- A whole number; nil: the limits leave none. It is noted as its way from what is nearest to 0, so
--- that a smaller row is a simpler number.
---@param schema tidegate.Schema
---@param draw tidegate.Choices
---@return integer?
function Numbers.integer(schema, draw)
  local step <const>, low <const>, high <const> = whole_range(schema)
  if low > high then
    return nil
  end
  local nearest <const> = math.max(low, math.min(high, 0))
  local wanted <const> = draw:is_new() and propose(draw, low, high, nearest, step) or nearest
  local is_below <const> = draw:note(wanted < nearest and 1 or 0, low < nearest and 1 or 0) == 1
  if is_below then
    return (nearest - 1 - draw:note(nearest - 1 - wanted, nearest - 1 - low)) * step
  end
  return (nearest + draw:note(wanted - nearest, high - nearest)) * step
end

--- Numbers that a schema of numbers may have, the simplest first.
---@param schema tidegate.Schema
---@return number[]
local function candidates(schema)
  local list <const> = { 0, 1, -1, 0.5, -0.25, 1e-9, 1e300, (1 << 53) + 1, 3.1415926535 }
  for _, name in ipairs { "min", "exclusive_min", "max", "exclusive_max" } do
    local limit <const> = schema[name]
    if limit then
      local step <const> = schema.multiple_of or 1
      table.move(
        { limit, limit + step, limit - step, limit + 0.5, limit - 0.5 },
        1,
        5,
        #list + 1,
        list
      )
      table.move({ limit * (1 + 1e-15), limit * (1 - 1e-15) }, 1, 2, #list + 1, list)
      list[#list + 1] = limit // step * step
      list[#list + 1] = (limit // step + 1) * step
    end
  end
  if schema.min and schema.max then
    list[#list + 1] = schema.min / 2 + schema.max / 2
  end
  local step <const> = schema.multiple_of
  for count = 1, step and 9 or 0 do
    list[#list + 1] = step * count
    list[#list + 1] = -step * count
  end
  return list
end

--- A number; nil: none was found between the limits.
---@param schema tidegate.Schema
---@param draw tidegate.Choices
---@param is_right fun(number: number): boolean
---@return number?
function Numbers.number(schema, draw, is_right)
  local right <const> = {}
  for _, number in ipairs(candidates(schema)) do
    right[#right + 1] = is_right(number) and number or nil
  end
  if draw:below(2) == 1 then
    local number <const> = (draw:below(2000001) - 1000000) / (10 ^ draw:below(5))
    right[1] = is_right(number) and number or right[1]
    return right[1]
  end
  return #right > 0 and draw:pick(right) or nil
end

return Numbers
