-- One message type for each thing that a schema can ask of the script layer.

local tide <const> = require "tidegate"
local s <const> = tide.schema

local types <const> = {}

local numbers = 0
local function next_number()
  numbers = numbers + 1
  return numbers
end

types.made = tide.message("made", {
  id = s.integer({ min = 1 }):default(next_number),
  tags = s.array(s.string()):default {},
  kind = s.enum({ "note", "task" }):default "note",
  author = s.object({ name = s.string(), rank = s.integer():default(next_number) }):default {
    name = "nobody",
  },
})

types.made_badly = tide.message("made_badly", {
  id = s.integer({ min = 1 }):default(function()
    return -1
  end),
})

-- What the checks of `checked` were called with, in order.
local seen = {}

local function noting(name, verdict)
  return function(value)
    seen[#seen + 1] = name
    return verdict(value)
  end
end

local even <const> = s.integer():check(noting("even", function(value)
  return value % 2 ~= 0 and "must be even" or nil
end))

types.checked = tide.message(
  "checked",
  s.object({
    pair = s.array(even, { min = 2, max = 2 }):check(noting("pair", function(pair)
      return pair[1] < pair[2]
    end)),
    note = s.string()
      :nullable()
      :optional()
      :check(noting("note", function(text)
        return text == "bad" and "first" or nil
      end))
      :check(noting("note again", function(text)
        return text ~= "bad"
      end)),
    how = s.string():optional():check(function(how)
      if how == "raise" then
        error "the check fell over"
      elseif how == "yield" then
        coroutine.yield()
      elseif how == "number" then
        return 7
      end
    end),
  }):check(noting("whole", function(payload)
    return payload.pair[2] < 100 or "too large"
  end))
)

function types.take_seen()
  local taken <const> = seen
  seen = {}
  return taken
end

types.union = tide.message("union", {
  value = s.union(
    s.integer(),
    s.object { list = s.array(s.integer()), b = s.string() },
    s.object { a = s.map(s.integer()) },
    s.array(s.string())
  ),
})

--- Both of its objects begin alike, and what follows is a list in one of them alone.
types.shapes = tide.message("shapes", {
  value = s.union(
    s.object({ data = s.object({ x = s.integer() }) }),
    s.object({ data = s.array(s.integer()), size = s.integer():default(1) }),
    s.map(s.integer()),
    s.array(s.string())
  ),
})

types.tagged = tide.message(
  "tagged",
  s.tagged("kind", {
    text = s.object { body_text = s.string() },
    image = s.object { width = s.integer(), alt = s.string():default "none" },
  })
)

local tree
tree = s.object({
  name = s.string(),
  children = s.array(s.ref(function()
    return tree
  end, { max_depth = 3 })):default {},
}):named "Tree"

types.tree = tide.message("tree", tree)

types.secret = tide.message("secret", {
  user_name = s.string(),
  password = s.string({ min = 4 }):secret(),
  inner = s.union(s.object { pin = s.integer():secret() }, s.object { open = s.string() })
    :optional(),
})

types.camel = tide.message("camel", {
  user_name = s.string(),
  message_text = s.string():optional(),
  extra_data = s.map(s.integer()):optional(),
  sub_object = s.object({ deep_name = s.string():default "d" }):default { deep_name = "x" },
})

types.open = tide.message("open", s.object({ user_name = s.string() }, { additional = "allow" }))

types.plain = tide.message("plain", s.string { max = 5 })
types.keyed = tide.message("keyed", s.map(s.uuid(), { keys = s.string { pattern = "^[a-z]+$" } }))
types.any = tide.message("any", s.any())
types.numbers = tide.message("numbers", { big = s.integer(), float = s.number() })
types.empties = tide.message("empties", {
  list = s.array(s.integer()),
  map = s.map(s.integer()),
  object = s.object { maybe = s.integer():optional() },
})

types.group = tide.group_message("group", { text = s.string() })
types.event = tide.event("event", { text = s.string() })

types.served = tide.message("served", { b = s.integer(), a = s.integer() }, {
  serialise = function(payload)
    return { a = payload.a, b = payload.b, z_sum = payload.a + payload.b, extra = {} }
  end,
})

-- Text of an error, as somebody who catches it sees it.
types.said = tide.message("said", s.string())
types.seen = tide.message("seen", s.array(s.string()))

return types
