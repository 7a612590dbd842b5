--- Topics: several streams over one connection. A topic is a handle like a consumer's: it handles
--- messages and events, and consumers host it.

local checks <const> = require "tidegate.consumer_options"
local declare <const> = require "tidegate.declare"
local handlers <const> = require "tidegate.handlers"
local host <const> = require "tidegate.host"
local states <const> = require "tidegate.consumer_states"

local fail <const>, show <const> = declare.fail, declare.show

local Topic <const> = {}

--- Bytes of a pattern, and of a name.
local longest <const> = 200

--- What the protocol of topics takes for itself.
local reserved <const> = { subscribe = true, unsubscribe = true }

local TopicMethods <const> = handlers.methods "Topic"
local on <const> = TopicMethods.on

function TopicMethods:on(message_type, options, handler)
  if type(message_type) == "table" and reserved[message_type.action] then
    local text <const> = 'on: "%s" is what a client says to the topic itself; see authorise, '
      .. "on_subscribe and on_unsubscribe"
    fail(text, message_type.action)
  end
  return on(self, message_type, options, handler)
end

---@param self any
---@param method string
---@return string pattern
local function pattern_of(self, method)
  local state <const> = states[self]
  if not state or state.what ~= "tide.topic" then
    fail("call %s with a colon: Topic:%s(...)", method, method)
  end
  return state.declaration.name
end

function TopicMethods:count(name)
  return host.topic_count(pattern_of(self, "count"), name)
end

function TopicMethods:broadcast(name, message)
  return host.topic_broadcast(pattern_of(self, "broadcast"), name, message)
end

function TopicMethods:broadcast_event(name, event)
  return host.topic_broadcast_event(pattern_of(self, "broadcast_event"), name, event)
end

declare.public(TopicMethods)
Topic.methods = TopicMethods

---@param handle table
---@return string
local function shown(handle)
  return ('the topic "%s"'):format(states[handle].declaration.name)
end

local metatable <const> = {
  __name = "tidegate.topic",
  shown = shown,
  __newindex = function(handle, name)
    local text <const> = "%s cannot be changed; give %s to tide.topic as an option"
    fail(text, shown(handle), tostring(name))
  end,
  __index = function(_, key)
    local names <const> = declare.sorted_keys(TopicMethods)
    local text <const> = 'tidegate.topic has no method "%s"%s (methods: %s)'
    return TopicMethods[key]
      or fail(text, tostring(key), declare.suggest(key, names), table.concat(names, ", "))
  end,
}

--- Declares a topic.
---@param options tidegate.TopicOptions
---@return tidegate.Topic
function Topic.topic(options)
  local given <const> = declare.options("tide.topic", options, checks.topic)
  if not given.pattern then
    fail 'tide.topic: needs a pattern, as in pattern = "room:{room_name}"'
  elseif #given.pattern > longest then
    fail("tide.topic: a pattern has at most %d bytes, got %s", longest, show(given.pattern))
  end
  local handle <const>, declaration <const> = handlers.new("tide.topic", metatable, given)
  declaration.name = given.pattern
  declaration.authorise = given.authorise
  declaration.on_subscribe = given.on_subscribe
  declaration.on_unsubscribe = given.on_unsubscribe
  return handle
end

return Topic
