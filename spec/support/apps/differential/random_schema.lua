-- Schemas made by chance, the same at each start. Most can be met by some value; each keyword of
-- JSON Schema that tidegate writes occurs in many of them.
local tide <const> = require "tidegate"
local s <const> = tide.schema

local Random <const> = {}

local DEPTH_MAX <const> = 3

local function chance(percent)
  return math.random(100) <= percent
end

local function pick(list)
  return list[math.random(#list)]
end

-- Some of `options`, each with the same chance.
local function some(options, percent)
  local chosen <const> = {}
  for _, option in ipairs(options) do
    if chance(percent) then
      chosen[option[1]] = option[2]
    end
  end
  return chosen
end

-- ---- scalars ----

local function range(unit)
  local low <const> = math.random(-40, 40)
  local high <const> = low + math.random(16, 60)
  local options <const> = some({ { chance(60) and "min" or "exclusive_min", low * unit } }, 70)
  for name, limit in pairs(some({ { chance(60) and "max" or "exclusive_max", high * unit } }, 70)) do
    options[name] = limit
  end
  return options
end

local makers <const> = {}

function makers.integer()
  local options <const> = range(1)
  options.multiple_of = chance(40) and math.random(2, 7) or nil
  return s.integer(options)
end

function makers.number()
  local options <const> = range(pick { 1, 0.5, 0.25 })
  options.multiple_of = chance(40) and pick { 0.1, 0.01, 0.25, 1.5, 2 } or nil
  return s.number(options)
end

-- spec/support/random_values.js knows texts for each of these.
local patterns <const> = {
  "^[a-z]+$",
  "^[a-z][a-z0-9_]*$",
  "[0-9]{2,4}",
  "^(?:red|green|blue)$",
  "^\\d{3}-\\d{4}$",
  "^\\p{Lu}\\p{L}*$",
  "a.c",
  "^\\w+@\\w+$",
  "^(?!x).*$",
  "^[^ ]*$",
}
local formats <const> =
  { "email", "url", "uuid", "date", "time", "datetime", "hostname", "ipv4", "ipv6" }

local number_of_formats = 0

function makers.string()
  local kind <const> = math.random(100)
  if kind <= 50 then
    number_of_formats = number_of_formats + 1 -- each as often as the others
    return s.string { format = formats[number_of_formats % #formats + 1] }
  elseif kind <= 70 then
    return s.string { pattern = pick(patterns) }
  end
  local min <const> = math.random(0, 3)
  return s.string(some({ { "min", min }, { "max", min + math.random(0, 8) } }, 75))
end

function makers.boolean()
  return s.boolean()
end

function makers.null()
  return s.null()
end

function makers.any()
  return s.any()
end

local scalars <const> = { "a", "b", "a b", "", "1", "ä", "🔧", 0, 1, -3, 2.5, 1e3, true, false }

function makers.literal()
  return s.literal(pick(scalars))
end

function makers.enum()
  local values <const>, first <const> = {}, math.random(#scalars)
  for offset = 0, math.random(0, 5) do
    values[#values + 1] = scalars[(first + offset * 3) % #scalars + 1]
  end
  return s.enum(values)
end

-- ---- what has parts ----

-- How many arrays of unique items are around: equal are items that a handler sees as equal, so there
-- nothing is dropped and nothing filled in (what it does with those has its own case in the spec).
local unique_depth = 0

local function additional()
  return pick(
    unique_depth > 0 and { "allow", "forbid" } or { "ignore", "allow", "forbid", "forbid" }
  )
end

-- A schema, of a kind without parts where it stands deep.
local function part(depth)
  local flat <const> =
    { "integer", "number", "string", "string", "boolean", "literal", "enum", "any" }
  local deep <const> = { "array", "object", "object", "map", "union", "tagged", "recursive" }
  local kind <const> = depth < DEPTH_MAX and chance(45) and pick(deep) or pick(flat)
  local node <const> = makers[kind](depth + 1)
  return chance(12) and node:nullable() or node
end

function makers.array(depth)
  local min <const> = math.random(0, 2)
  local options <const> = some({ { "min", min }, { "max", min + math.random(1, 3) } }, 60)
  options.unique = chance(40) or nil
  unique_depth = unique_depth + (options.unique and 1 or 0)
  local item <const> = part(depth)
  unique_depth = unique_depth - (options.unique and 1 or 0)
  return s.array(item, options)
end

-- Not the empty name: ajv forgets that it is required. Not "constructor": ajv takes it for that of
-- an item when it looks for equal ones.
local names <const> =
  { "id", "user_name", "text", "a b", "größe", '"', "a/b", "hasOwnProperty", "length", "0", "~1" }

-- A field may be absent, or not.
local function field(depth)
  local node <const> = part(depth)
  local kind <const> = math.random(100)
  if kind <= 35 then
    return node:optional()
  elseif kind <= 45 and node.kind == "any" and unique_depth == 0 then
    return node:default "made"
  end
  return node
end

local function fields(depth)
  local chosen <const>, first <const> = {}, math.random(#names)
  for offset = 0, math.random(0, 3) do
    chosen[names[(first + offset * 2) % #names + 1]] = field(depth)
  end
  return chosen
end

function makers.object(depth)
  return s.object(fields(depth), { additional = additional() })
end

function makers.map(depth)
  local min <const> = math.random(0, 2)
  local options <const> = some({ { "min", min }, { "max", min + math.random(1, 3) } }, 60)
  options.keys = chance(50)
      and pick {
        s.string { pattern = pick(patterns) },
        s.string { min = 1, max = 4 },
        s.enum { "a", "b", "c", "d" },
      }
    or nil
  return s.map(part(depth), options)
end

function makers.union(depth)
  local branches <const> = { part(depth), part(depth), chance(40) and part(depth) or nil }
  return s.union(table.unpack(branches))
end

function makers.tagged(depth)
  local tags <const> = pick { { "text", "image", "sound" }, { 1, 2, 3 }, { true, false } }
  local variants <const> = {}
  for index = 1, math.random(2, #tags) do
    variants[tags[index]] = s.object(fields(depth), { additional = additional() })
  end
  return s.tagged(pick { "kind", "type" }, variants)
end

local number_of_names = 0

function makers.recursive(depth)
  local node
  local own <const> = fields(depth)
  if chance(50) then
    own.next = s.ref(function()
      return node
    end)
    own.next = chance(50) and own.next:optional() or own.next:nullable()
  else
    own.children = s.array(
      s.ref(function()
        return node
      end),
      { max = 3 }
    )
  end
  node = s.object(own, { additional = additional() })
  if chance(50) then
    number_of_names = number_of_names + 1
    node = node:named("Name" .. number_of_names)
  end
  return node
end

local roots <const> = {
  "integer",
  "number",
  "string",
  "array",
  "object",
  "map",
  "union",
  "tagged",
  "recursive",
  "enum",
  "string",
  "array",
  "object",
  "map",
  "union",
  "tagged",
  "recursive",
  "literal",
  "null",
  "boolean",
} -- stylua: ignore

-- `count` schemas.
function Random.schemas(seed, count)
  math.randomseed(seed)
  local list <const> = {}
  for index = 1, count do
    list[index] = makers[roots[index % #roots + 1]](0)
  end
  return list
end

return Random
