--- Events: what parts of the application tell each other. Consumers declare what they do with them
--- (Consumer:on_event, Consumer:relay); here they are sent.

local declare <const> = require "tidegate.declare"
local host <const> = require "tidegate.host"
local states <const> = require "tidegate.consumer_states"

local fail <const>, show <const> = declare.fail, declare.show

local Event <const> = {}

Event.send_event = host.send_event

--- The name of a consumer, whose connections are meant; nil for groups.
---@param to any
---@return string?
local function consumer_name(to)
  local state <const> = states[to]
  if not state then
    return nil
  elseif state.what ~= "tide.consumer" then
    local text <const> = "tide.broadcast_event: expected groups or a consumer of messages, got %s%s"
    local is_topic <const> = state.what == "tide.topic"
    local hint <const> = is_topic and ": Topic:broadcast_event reaches its subscribers" or ""
    fail(text, show(to), hint)
  elseif not state.collected_by then
    local text <const> = "tide.broadcast_event: the consumer of %s is not served: "
      .. "no entry module returns it"
    fail(text, state.source)
  end
  return state.declaration.name
end

function Event.broadcast_event(to, event)
  local name <const> = to ~= nil and consumer_name(to) or nil
  return host.broadcast_event(not name and to or nil, name, event)
end

return Event
