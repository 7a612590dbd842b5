-- Echoes what it gets, and makes messages in all the ways that can go wrong.

local tide <const> = require "tidegate"
local types <const> = require "types"
local do_it <const> = tide.message("do", { what = tide.schema.string() })

-- What `do` does, by name.
local deeds <const> = {}

function deeds.defaults()
  local given <const> = { author = { name = "me" }, id = 7 }
  local made <const> = types.made(given)
  assert(given.tags == nil and given.author.rank == nil, "the caller's table was changed")
  assert(made.payload ~= given and made.payload.author ~= given.author)
  local whole <const> = { id = 1, tags = {}, kind = "task", author = { name = "me", rank = 1 } }
  assert(types.made(whole).payload == whole, "a table that lacks nothing was copied")
  return made
end

function deeds.wrong()
  return types.secret { password = "abc" }
end

function deeds.checked_wrong()
  return types.checked { pair = { 2, 3 }, note = "bad" }
end

function deeds.mixed()
  return types.any { 1, 2, name = "x" }
end

function deeds.holes()
  return types.any { [1] = 1, [5] = 2 }
end

function deeds.keys()
  return types.empties { list = {}, map = { [1] = 2, [true] = 3 }, object = {} }
end

function deeds.unchecked()
  return types.plain "longer than five"
end

-- Makes a message on a stack of every height, so that it has to grow at each place in turn.
function deeds.deep()
  local function make(depth)
    local message = depth == 0 and types.made { id = 1, author = { name = "me" } }
      or make(depth - 1)
    return message
  end
  for depth = 1, 190 do
    coroutine.wrap(make)(depth)
  end
  return make(0)
end

function deeds.late()
  local message <const> = types.numbers { big = 1, float = 1 }
  message.payload = { big = "1", float = 1 }
  return message
end

function deeds.event()
  return types.event { text = "hi" }
end

function deeds.shown()
  return types.said(
    tostring(types.secret {
      user_name = "ann",
      password = "topsecret",
      inner = { pin = 1234 },
    })
      .. " | "
      .. tostring(types.served { a = 1, b = 2 })
      .. " | "
      .. tostring(tide.messages.ping())
  )
end

function deeds.shown_broken()
  local message <const> = types.secret { user_name = "ann", password = "topsecret" }
  message.payload = { user_name = "ann", password = 5566, inner = { pin = "topsecret" } }
  local first <const> = tostring(message)
  message.payload = { user_name = print }
  return types.said(first .. " | " .. tostring(message))
end

function deeds.group()
  return types.group { text = "hi" }
end

function deeds.served()
  return types.served { a = 1, b = 2 }
end

function deeds.seen()
  return types.seen(types.take_seen())
end

function deeds.no_branch()
  local message <const> = types.union { value = 1 }
  message.payload = { value = { list = { "x" }, b = 1 } }
  return message
end

function deeds.list_by_hand()
  return types.shapes({ value = { "x" } })
end

function deeds.member_by_hand()
  return types.shapes({ value = { data = { 1, 2 } } })
end

function deeds.holds_itself()
  local node <const> = { name = "x" }
  node.children = { node, node }
  return types.tree(node)
end

function deeds.no_shape()
  return types.shapes({ value = { data = { [3] = 1 } } })
end

function deeds.branches()
  return types.union { value = { list = {}, b = "x" } }
end

function deeds.clash()
  return types.any { { a = tide.array() }, {} }
end

local Plain <const> = tide.consumer { name = "plain", path = "/ws/plain" }
local Camel <const> = tide.consumer { name = "camel", path = "/ws/camel", camelize = true }

local function echo(message_type)
  return function(_, message)
    return message_type(message.payload)
  end
end

for _, name in ipairs {
  "made",
  "made_badly",
  "checked",
  "union",
  "tagged",
  "tree",
  "secret",
  "camel",
  "open",
  "plain",
  "any",
  "numbers",
  "empties",
  "served",
  "keyed",
} do
  for _, consumer in ipairs { Plain, Camel } do
    consumer:on(types[name], { output = types[name] }, echo(types[name]))
  end
end

for _, consumer in ipairs { Plain, Camel } do
  consumer:on(do_it, {}, function(conn, message)
    if message.payload.what == "send_event" then
      conn:send(types.event { text = "hi" })
    end
    return deeds[message.payload.what]()
  end)
end

return { Plain, Camel }
