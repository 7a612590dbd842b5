-- One action for each kind of schema; a valid payload comes back as the handler saw it.
local tide <const> = require "tidegate"
local s <const> = tide.schema

local valid <const> = tide.message("valid", s.any())

local Schemas <const> = tide.consumer { name = "schemas", path = "/ws/schemas" }

local payloads <const> = {
  string = { value = s.string { min = 2, max = 4 } },
  integer = { value = s.integer { min = -5, max = 5 } },
  number = { value = s.number { min = -0.5, max = 1.5 } },
  boolean = { value = s.boolean() },
  null = { value = s.null() },
  literal = { value = s.literal "a" },
  enum = { value = s.enum { "red", "green" } },
  array = { value = s.array(s.integer(), { min = 1, max = 3 }) },
  tags = { tags = s.array(s.string { max = 20 }) },
  map = { value = s.map(s.integer(), { max = 2 }) },
  object = { value = s.object { inner = s.object { leaf = s.integer() } } },
  optional = { value = s.integer():optional() },
  nullable = { value = s.integer():nullable() },
  default = { value = s.integer():default(7) },
  ignoring = s.object({ value = s.integer() }, { additional = "ignore" }),
  allowing = s.object({ value = s.integer() }, { additional = "allow" }),
  forbidding = s.object({ value = s.integer() }, { additional = "forbid" }),
  many = { a = s.integer(), b = s.string(), c = s.boolean(), d = s.number() },
  ordered = s.object { { "zebra", s.integer() }, { "apple", s.integer() } },
  list = s.array(s.integer()),
}

local actions <const> = {}
for name in pairs(payloads) do
  actions[#actions + 1] = name
end
table.sort(actions)
for _, name in ipairs(actions) do
  Schemas:on(tide.message(name, payloads[name]), { output = valid }, function(_, message)
    return valid(message.payload)
  end)
end

return Schemas
