--- Schemas on which hostile messages could spend memory or time.
local tide <const> = require "tidegate"
local s <const> = tide.schema

local Hostile <const> = tide.consumer { path = "/ws/hostile" }

-- Each item is tried as the first kind of list, down to its last leaf, and then as the second.
local tree
tree = s.union(
  s.array(s.ref(function()
    return tree
  end, { max_depth = 500 })),
  s.array(s.ref(function()
    return tree
  end, { max_depth = 500 })),
  s.literal "leaf"
)

local payloads <const> = {
  any = s.any(),
  text = s.string(),
  short = s.string { max = 10 },
  bomb = s.string { pattern = "^([a-z]+)+$" },
  bombs = s.array(s.string { pattern = "^(([a-z]+)*)*$" }),
  forbidding = s.object({ known = s.integer() }, { additional = "forbid" }),
  counted = s.map(s.integer(), { max = 1000 }),
  unique = s.array(s.any(), { unique = true }),
  tree = tree,
}

local names <const> = {}
for name in pairs(payloads) do
  names[#names + 1] = name
end
table.sort(names)

local taken <const> = tide.message("taken", s.string())

for _, name in ipairs(names) do
  Hostile:on(tide.message(name, payloads[name]), { output = taken }, function()
    return taken(name)
  end)
end

return Hostile
