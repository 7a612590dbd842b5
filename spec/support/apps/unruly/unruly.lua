-- Handlers that do what a gateway has to live through.
local tide <const> = require "tidegate"
local s <const> = tide.schema

local done <const> = tide.message("done", s.any())
local big <const> = tide.message("big", s.map(s.any()))

local Unruly <const> = tide.consumer { name = "unruly", path = "/ws/unruly" }

local tricks <const> = {}

function tricks.finalizer()
  local _ <const>, why <const> = pcall(function()
    setmetatable({}, { __gc = print })
  end)
  return done(why)
end

-- A collector that was stopped by an error half-way through a message would never run again.
function tricks.broken_map(conn)
  local is_sent <const>, why <const> = pcall(conn.send, conn, big { a = print })
  assert(not is_sent)
  return done { why = why, runs = collectgarbage "isrunning" }
end

local kept

function tricks.keep_coroutine()
  kept = coroutine.running()
  return done "kept"
end

function tricks.resume_kept()
  local is_resumed <const>, why <const> = coroutine.resume(kept)
  return done { resumed = is_resumed, why = tostring(why) }
end

function tricks.close_kept()
  local is_closed <const>, why <const> = pcall(coroutine.close, kept)
  return done { closed = is_closed, why = tostring(why) }
end

function tricks.declare_message()
  return tide.message("late", { a = s.integer() }) { a = 1 }
end

function tricks.declare_consumer()
  tide.consumer { name = "late", path = "/ws/late" }
end

function tricks.forge_error()
  error(setmetatable({}, { __name = "tidegate.error" }))
end

function tricks.metatable_of_message()
  local message <const> = done "x"
  local is_set <const> = pcall(setmetatable, message, {})
  return done { seen = getmetatable(message), set = is_set }
end

function tricks.log_that_forgets()
  local fields <const> = {}
  for i = 1, 16 do
    local key = ("key_number_%d"):format(i)
    fields[key] = setmetatable({}, {
      __tostring = function()
        fields[key] = nil
        key = nil
        collectgarbage()
        return "v"
      end,
    })
  end
  tide.log.info("forgetful", fields)
  return done "logged"
end

function tricks.array()
  return done { empty = tide.array(), object = {}, list = tide.array { 1, 2 } }
end

function tricks.array_of_message()
  return done { refused = not pcall(tide.array, done "x") }
end

function tricks.names_for_array()
  return tide.messages.error { list = tide.array { name = 1 } }
end

Unruly:on(tide.message("try", s.string()), { output = done }, function(conn, message)
  return tricks[message.payload](conn)
end)

local Returning <const> = tide.consumer { name = "returning", path = "/ws/returning" }

function Returning:connected()
  return done "lost"
end

local Before <const> = tide.consumer {
  name = "before",
  path = "/ws/before",
  before = function()
    return 42
  end,
}

Before:on(tide.messages.ping, function()
  return tide.messages.pong()
end)

return { Unruly, Returning, Before }
