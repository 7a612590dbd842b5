--- A message of about 100 bytes and one of about 10 kB, as applications have them.

local tide <const> = require "tidegate"
local s <const> = tide.schema

local small <const> = tide.message("small", {
  content = s.string { min = 1, max = 2000 },
  room = s.string { pattern = "^[a-z][a-z0-9-]*$" },
  priority = s.integer { min = 0, max = 9 },
})

local item <const> = s.object {
  id = s.integer { min = 1 },
  name = s.string { min = 1, max = 80 },
  price = s.number { min = 0 },
  active = s.boolean(),
  tags = s.array(s.string { max = 20 }, { max = 8 }),
  note = s.string { max = 200 }:optional(),
}

local large <const> = tide.message("large", { items = s.array(item, { max = 1000 }) })

return { small = small, large = large }
