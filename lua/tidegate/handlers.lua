--- What consumers, mixins and topics have in common: a declaration, and methods that put handlers
--- into it. Each handle is a table without members; what is known of it stands in consumer_states.

local checks <const> = require "tidegate.consumer_options"
local declare <const> = require "tidegate.declare"
local message <const> = require "tidegate.message"
local states <const> = require "tidegate.consumer_states"

local fail <const>, show <const> = declare.fail, declare.show

local Handlers <const> = {}

-- ---- declarations ----

---@param list? any[]
---@return any[]
local function copied(list)
  list = list or {}
  return table.move(list, 1, #list, 1, {})
end

--- The types that an option names; an event among them is an error.
---@param what string
---@param option string
---@param types? tidegate.AnyMessageType | tidegate.AnyMessageType[]
---@return (tidegate.MessageType | tidegate.GroupMessageType)[]
local function listed(what, option, types)
  local list <const> = message.is_type(types) and { types } or copied(types)
  for _, message_type in ipairs(list) do
    if message.role(message_type) == "event" then
      local text <const> = '%s: option "%s" names %s, which no client is sent; '
        .. "name the message that its handler answers"
      fail(text, what, option, show(message_type))
    end
  end
  return list
end

---@param names? string[]
---@return string[]
local function lowered(names)
  local list <const> = {}
  for index, name in ipairs(names or {}) do
    list[index] = name:lower()
  end
  return list
end

--- Where names of groups come from, one by one: names, and functions that return some.
---@param groups? string | string[] | function
---@return (string | function)[]
local function group_sources(groups)
  return type(groups) == "table" and copied(groups) or { groups }
end

--- Makes a handle of what the options, which have been checked, say.
---@param what string the function that was called, "tide.consumer"
---@param metatable table
---@param given table<string, any>
---@return table handle
---@return tidegate.Declaration
function Handlers.new(what, metatable, given)
  declare.check_loading(what)
  local handle <const>, source <const> = {}, declare.position() or "?"
  local declaration <const> = {
    name = given.name,
    description = given.description,
    tags = copied(given.tags),
    headers = lowered(given.headers),
    sends = listed(what, "sends", given.sends),
    strict_frames = given.strict_frames or false,
    send_completion = given.send_completion or false,
    camelize = given.camelize or false,
    before = given.before,
    groups = group_sources(given.groups),
    origins = copied(given.origins),
    require_origin = given.require_origin or false,
    admit = given.admit,
    subprotocols = copied(given.subprotocols),
    authenticate = given.authenticate,
    migrate = given.migrate,
    send_authentication = false,
    paths = {},
    actions = {},
    events = {},
    topics = {},
    is_text = false,
    source = source,
    object = handle,
  }
  states[handle] = {
    what = what,
    source = source,
    declaration = declaration,
    own_paths = type(given.path) == "string" and { given.path } or copied(given.path),
    places = {},
  }
  return setmetatable(handle, metatable), declaration
end

---@param state tidegate.State
---@return string # "the consumer of consumers/system/init.lua:6"
function Handlers.label(state)
  return ("the %s of %s"):format(state.what:match "[^.]+$", state.source)
end

--- Notes that `thing` is declared at `source`; raises when it has been already.
---@param state tidegate.State
---@param thing string 'handler for "ping"'
---@param source string
local function claim(state, thing, source)
  if not declare.is_loading() then
    local text <const> = "it is too late for the %s of %s: declare it while modules load"
    fail(text, thing, Handlers.label(state))
  end
  if state.used_at then
    local text <const> = "%s was used at %s already; declare its %s before"
    fail(text, Handlers.label(state), state.used_at, thing)
  end
  local first <const> = state.places[thing]
  if first then
    local text <const> = "%s has a second %s: at %s and at %s; keep one"
    fail(text, Handlers.label(state), thing, first, source)
  end
  state.places[thing] = source
end

--- What fills each place that only one function may have.
Handlers.slots = {
  connected = 'hook "connected"',
  disconnected = 'hook "disconnected"',
  reloaded = 'hook "reloaded"',
  binary = "on_binary",
}

---@param state tidegate.State
---@param slot "connected" | "disconnected" | "reloaded" | "binary"
---@param handler function
---@param source string
function Handlers.fill(state, slot, handler, source)
  claim(state, Handlers.slots[slot], source)
  state.declaration[slot] = handler
end

---@param state tidegate.State
---@param action tidegate.Action
function Handlers.add_action(state, action)
  if state.declaration.is_topic then
    local text <const> = "%s is a topic alone, topic = ..., which handles what its clients send: "
      .. 'put the handler for "%s" there'
    fail(text, Handlers.label(state), action.action)
  end
  claim(state, ('handler for "%s"'):format(action.action), action.source)
  local actions <const> = state.declaration.actions
  actions[#actions + 1] = action
end

---@param state tidegate.State
---@param event tidegate.Action
function Handlers.add_event(state, event)
  claim(state, ('handler for the event "%s"'):format(event.action), event.source)
  local events <const> = state.declaration.events
  events[#events + 1] = event
end

-- ---- methods ----

---@param self any
---@param kind string how the user calls such a handle, "Consumer"
---@param method string
---@return tidegate.State
local function check_self(self, kind, method)
  local state <const> = states[self]
  if not state or not state.places then
    fail("call %s with a colon: %s:%s(...)", method, kind, method)
  end
  return state
end
Handlers.check_self = check_self

local refusals <const> = {
  event = "on: %s stays in the server: an event is no message of a client; "
    .. "handle it with on_event, or declare what a client sends with tide.message",
  group_message = "on: %s goes from the server to a group, and no client sends it; "
    .. "declare what a client sends with tide.message",
}

---@param message_type any
local function check_incoming(message_type)
  local role <const> = message.role(message_type)
  if role ~= "message" then
    local text <const> = refusals[role]
      or "on: expected a message type (what tide.message returns), got %s"
    fail(text, show(message_type))
  end
end

--- What a message or an event is handled by; the options may be left out.
---@param method string
---@param message_type any
---@param options any
---@param handler any
---@param known table<string, tidegate.Check>
---@return tidegate.Action
local function handled(method, message_type, options, handler, known)
  if handler == nil and type(options) == "function" then
    options, handler = nil, options
  end
  if type(handler) ~= "function" then
    local text <const> = '%s: the handler of "%s" must be a function, got %s'
    fail(text, method, message_type.action, show(handler))
  end
  local given <const> = declare.options(method, options, known)
  return {
    action = message_type.action,
    type = message_type,
    handler = handler,
    summary = given.summary,
    description = given.description,
    tags = copied(given.tags),
    outputs = listed(method, "output", given.output),
    concurrency = given.concurrency or 1,
    timeout = given.timeout or 0,
    source = declare.position() or "?",
  }
end

---@param method string
---@param event_type any
local function check_event(method, event_type)
  if message.role(event_type) ~= "event" then
    local text <const> = "%s: expected an event (what tide.event returns), got %s"
    fail(text, method, show(event_type))
  end
end

--- What an event that clients get as it is is passed on by.
---@param event_type tidegate.EventType
---@param options any
---@return tidegate.Action
local function relayed(event_type, options)
  local given <const> = declare.options("relay", options, checks.relay)
  return {
    action = event_type.action,
    type = event_type,
    is_relay = true,
    summary = given.summary,
    description = given.description,
    tags = copied(given.tags),
    outputs = {},
    concurrency = 1,
    timeout = 0,
    source = declare.position() or "?",
  }
end

--- The methods that put handlers into what is called `kind` by those who write them.
---@param kind string "Consumer"
---@return table<string, function>
function Handlers.methods(kind)
  local Methods <const> = {}

  function Methods:on(message_type, options, handler)
    local state <const> = check_self(self, kind, "on")
    check_incoming(message_type)
    Handlers.add_action(state, handled("on", message_type, options, handler, checks.handler))
  end

  function Methods:on_event(event_type, options, handler)
    local state <const> = check_self(self, kind, "on_event")
    check_event("on_event", event_type)
    local event <const> = handled("on_event", event_type, options, handler, checks.event_handler)
    Handlers.add_event(state, event)
  end

  function Methods:relay(event_type, options)
    local state <const> = check_self(self, kind, "relay")
    check_event("relay", event_type)
    Handlers.add_event(state, relayed(event_type, options))
  end

  return Methods
end

return Handlers
