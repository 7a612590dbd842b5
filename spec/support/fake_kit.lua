--- Stands in for the kit's module of C where the Lua of the test kit is looked at alone: a server
--- whose every word the spec decides, over a clock that it moves.

local dkjson <const> = require "dkjson"

local array_mark <const> = { __name = "tidegate.array" }

local Link <const> = {}
Link.__index = Link

--- The server sends something, `seconds` from now.
---@param item table | string a frame of text, or { kind =, ... }
---@param seconds? number
function Link:deliver(item, seconds)
  item = type(item) == "string" and { kind = "text", data = item } or item
  local at <const> = self.core.time + (seconds or 0)
  local index = #self.due + 1
  while index > 1 and self.due[index - 1].at > at do
    index = index - 1
  end
  item.at = at
  table.insert(self.due, index, item)
end

function Link:send(kind, data)
  self.sent[#self.sent + 1] = { kind = kind, data = data }
  if self.core.server.message then
    self.core.server.message(self, data, kind)
  end
end

function Link:take()
  local item <const> = self.due[1]
  return item and item.at <= self.core.time and table.remove(self.due, 1) or nil
end

function Link:wait(seconds)
  local item <const> = self.due[1]
  if item and item.at <= self.core.time + seconds then
    self.core.time = math.max(self.core.time, item.at)
    return true
  end
  self.core.time = self.core.time + seconds
  return false
end

for _, name in ipairs { "close", "drop", "stall", "resume" } do
  Link[name] = function(self, ...)
    self.sent[#self.sent + 1] = { kind = name, ... }
  end
end

local Core <const> = {}
Core.__index = Core

function Core:connect(request)
  self.requests[#self.requests + 1] = request
  if self.server.refuse then
    return nil, table.unpack(self.server.refuse)
  end
  local link <const> = setmetatable({ core = self, due = {}, sent = {}, id = "c1" }, Link)
  link.consumer = self.server.consumer or "chat"
  link.is_text = self.server.is_text
  if self.server.connected then
    self.server.connected(link)
  end
  self.link = link
  return link
end

function Core:now()
  return self.time
end

function Core:advance(seconds)
  self.time = self.time + seconds
end

function Core:decode(text)
  local value <const>, _, problem = dkjson.decode(text, 1, require("cjson").null, nil, array_mark)
  assert(not problem, problem)
  return value
end

function Core:check(consumer, text)
  return (self.server.check or function()
    return true
  end)(consumer, text)
end

function Core:logs()
  return self.lines
end

function Core:metrics()
  return self.server.metrics or ""
end

function Core:tasks()
  return self.server.tasks or {}
end

function Core:run()
  self.runs = (self.runs or 0) + 1
end

function Core:close()
  self.is_closed = true
end

local FakeKit <const> = {}

--- The kit's module, and the core of the application that was opened last in `kit.core`.
---@param server table what the server does: connected, message, check, refuse, consumer
---@return table kit
function FakeKit.new(server)
  local kit <const> = {}
  function kit.open(options)
    kit.options = options
    if server.problems then
      return nil, server.problems
    end
    kit.core = setmetatable({ server = server, time = 0, lines = {}, requests = {} }, Core)
    return kit.core
  end
  return kit
end

return FakeKit
