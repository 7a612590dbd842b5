-- What every row of the table of errors in docs/protocol.md is about.
local tide <const> = require "tidegate"
local s <const> = tide.schema

local comment
comment = s.object {
  replies = s.array(s.ref(function()
    return comment
  end, { max_depth = 2 })),
}

local fields <const> = s.object({
  name = s.string { min = 2, max = 20 },
  slug = s.string { pattern = "^[a-z]+$" },
  riddle = s.string { pattern = "^(a+)+$" },
  age = s.integer { min = 18, max = 120 },
  page = s.integer { coerce = true },
  price = s.number { exclusive_min = 0, multiple_of = 0.5 },
  rate = s.number { coerce = true },
  share = s.number { exclusive_max = 1 },
  gift = s.boolean(),
  quiet = s.boolean { coerce = true },
  version = s.literal(2),
  size = s.enum { "small", "large" },
  author = s.object { name = s.string() },
  tags = s.array(s.string(), { min = 1, max = 3, unique = true }),
  scores = s.map(s.integer(), { min = 1, max = 2 }),
  nothing = s.null(),
  color = s.string(),
  email = s.email(),
  host = s.string { format = "hostname" },
  site = s.url(),
  id = s.uuid(),
  day = s.string { format = "date" },
  time = s.string { format = "time" },
  at = s.datetime(),
  ipv4 = s.string { format = "ipv4" },
  ipv6 = s.string { format = "ipv6" },
  room = s.string():check(function(room)
    if room:find "^private%-" then
      return "you are no member of this room"
    end
  end),
  thread = comment,
  post = s.tagged("kind", { text = s.object {}, image = s.object {} }),
}, { additional = "forbid" })

local Errors <const> = tide.consumer { path = "/ws/errors" }

Errors:on(tide.message("say", { content = s.string() }), function() end)
Errors:on(tide.message("fields", fields:partial()), function() end)

return Errors
