--- Stands in for the half of the script layer that is written in C, where plain Lua loads the
--- declaring modules: it notes what it is told, and makes messages that say of which type they are.
--- It checks and serialises nothing; what C makes of declarations is seen with the program.

local Host <const> = {
  mode = "development",
  null = require("cjson").null,
  formats = { "email", "url", "uuid", "date", "time", "datetime", "hostname", "ipv4", "ipv6" },
  declarations = {}, -- in the order in which they were made
  lines = {}, -- of the log
}

function Host.declared(declaration)
  table.insert(Host.declarations, declaration)
end

function Host.log(level, text, fields)
  table.insert(Host.lines, { level = level, text = text, fields = fields })
end

--- Knows one pattern that is none.
function Host.check_pattern(pattern)
  return pattern == "(" and "a group is not closed; write \\( for the character" or nil
end

function Host.message_type(type_table)
  return function(_, payload)
    return { action = type_table.action, payload = payload }
  end
end

--- In C these make functions that wait; here they answer with what C would have been given.
function Host.tcp_connect(prepare)
  return prepare
end
Host.process_run = Host.tcp_connect

function Host.process_environment()
  return { "HOME=/home/ann", "PATH=/bin" }
end

function Host.is_loading()
  return true
end

--- In C a function that calls `declare`, so that a tail call leaves its caller on the stack. Lua
--- cannot do that: specs of declarations name the result before they return it.
function Host.visible(declare)
  return declare
end

--- In C a function that sends what `prepare` returns; here what would be sent is seen.
function Host.http_function(prepare)
  return prepare
end

function Host.json_text(value)
  return require("cjson").encode(value)
end

--- The mark that tells an empty list from an empty object.
Host.array_mark = { __name = "tidegate.array" }

function Host.array(items)
  return setmetatable(items or {}, Host.array_mark)
end

--- What waits has a host that wakes it only in the program.
local function needs_the_program()
  error("only the program waits", 2)
end

--- What was sent, in order: whom to, and the event.
Host.events = {}

function Host.send_event(to, event)
  table.insert(Host.events, { to = to, event = event })
  return true
end

function Host.broadcast_event(groups, consumer, event)
  table.insert(Host.events, { groups = groups, consumer = consumer, event = event })
  return 0
end

for _, name in ipairs { "broadcast", "group", "user" } do
  Host[name] = function()
    error("only the program has connections", 2)
  end
end

--- What is kept is kept by the program alone.
function Host.keep(name, initial)
  return { name = name, initial = initial }
end

for _, name in ipairs { "sleep", "spawn", "join", "result", "watch", "next", "queue" } do
  Host[name] = needs_the_program
end

Host.now, Host.clock = os.time, os.clock
Host.starts, Host.stops = {}, {} -- hooks of an application's life

function Host.on_start(fn)
  table.insert(Host.starts, fn)
end

function Host.on_stop(fn)
  table.insert(Host.stops, fn)
end

function Host.is_task()
  return false
end

return Host
