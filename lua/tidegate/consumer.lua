--- Consumers: which paths they serve, which messages they handle and send. A consumer is a handle;
--- what it declares is a plain table that the host reads once, when all modules have been loaded.

local checks <const> = require "tidegate.consumer_options"
local declare <const> = require "tidegate.declare"
local host <const> = require "tidegate.host"
local message <const> = require "tidegate.message"
local states <const> = require "tidegate.consumer_states"

local fail <const>, show <const> = declare.fail, declare.show

local Consumer <const> = {}

-- ---- declaring ----

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

---@param what string
---@param metatable table
---@param given table<string, any>
---@return table handle
---@return tidegate.Declaration
local function new(what, metatable, given)
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
    authenticate = given.authenticate,
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
local function label(state)
  return ("the %s of %s"):format(state.what:match "[^.]+$", state.source)
end

--- Notes that `thing` is declared at `source`; raises when it has been already.
---@param state tidegate.State
---@param thing string 'handler for "ping"'
---@param source string
local function claim(state, thing, source)
  if state.used_at then
    fail("%s was used at %s already; declare its %s before", label(state), state.used_at, thing)
  end
  local first <const> = state.places[thing]
  if first then
    fail("%s has a second %s: at %s and at %s; keep one", label(state), thing, first, source)
  end
  state.places[thing] = source
end

--- What fills each place that only one function may have.
local slots <const> = {
  connected = 'hook "connected"',
  disconnected = 'hook "disconnected"',
  binary = "on_binary",
}

---@param state tidegate.State
---@param slot "connected" | "disconnected" | "binary"
---@param handler function
---@param source string
local function fill(state, slot, handler, source)
  claim(state, slots[slot], source)
  state.declaration[slot] = handler
end

---@param state tidegate.State
---@param action tidegate.Action
local function add_action(state, action)
  if state.declaration.is_topic then
    local text <const> = "%s is a topic alone, topic = ..., which handles what its clients send: "
      .. 'put the handler for "%s" there'
    fail(text, label(state), action.action)
  end
  claim(state, ('handler for "%s"'):format(action.action), action.source)
  local actions <const> = state.declaration.actions
  actions[#actions + 1] = action
end

---@param state tidegate.State
---@param event tidegate.Action
local function add_event(state, event)
  claim(state, ('handler for the event "%s"'):format(event.action), event.source)
  local events <const> = state.declaration.events
  events[#events + 1] = event
end

---@param self any
---@param method string
---@return tidegate.State
local function check_self(self, method)
  local state <const> = states[self]
  if not state or not state.places then
    fail("call %s with a colon: Consumer:%s(...)", method, method)
  end
  return state
end

-- ---- methods ----

--- What a consumer and a mixin have.
local MixinMethods <const> = {}

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

function MixinMethods:on(message_type, options, handler)
  local state <const> = check_self(self, "on")
  check_incoming(message_type)
  add_action(state, handled("on", message_type, options, handler, checks.handler))
end

---@param method string
---@param event_type any
local function check_event(method, event_type)
  if message.role(event_type) ~= "event" then
    local text <const> = "%s: expected an event (what tide.event returns), got %s"
    fail(text, method, show(event_type))
  end
end

function MixinMethods:on_event(event_type, options, handler)
  local state <const> = check_self(self, "on_event")
  check_event("on_event", event_type)
  add_event(state, handled("on_event", event_type, options, handler, checks.event_handler))
end

function MixinMethods:relay(event_type, options)
  local state <const> = check_self(self, "relay")
  check_event("relay", event_type)
  local given <const> = declare.options("relay", options, checks.relay)
  add_event(state, {
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
  })
end

function MixinMethods:on_binary(handler)
  local state <const> = check_self(self, "on_binary")
  if type(handler) ~= "function" then
    fail("on_binary: the handler must be a function, got %s", show(handler))
  end
  fill(state, "binary", handler, declare.position() or "?")
end

--- What only a consumer has.
local ConsumerMethods <const> = {
  on = MixinMethods.on,
  on_binary = MixinMethods.on_binary,
  on_event = MixinMethods.on_event,
  relay = MixinMethods.relay,
}

local hook_names <const> = { "connected", "disconnected" }

---@param list any[]
---@param items any[]
local function append(list, items)
  table.move(items, 1, #items, #list + 1, list)
end

function ConsumerMethods:use(mixin)
  local state <const> = check_self(self, "use")
  local from <const> = states[mixin]
  if not from or from.what ~= "tide.mixin" then
    fail("use: expected a mixin (what tide.mixin returns), got %s", show(mixin))
  end
  for _, action in ipairs(from.declaration.actions) do
    add_action(state, action)
  end
  for _, event in ipairs(from.declaration.events) do
    add_event(state, event)
  end
  for _, slot in ipairs { "connected", "disconnected", "binary" } do
    local handler <const> = from.declaration[slot]
    if handler then
      fill(state, slot, handler, from.places[slots[slot]])
    end
  end
  append(state.declaration.headers, from.declaration.headers)
  append(state.declaration.sends, from.declaration.sends)
  append(state.declaration.groups, from.declaration.groups)
  from.used_at = from.used_at or declare.position() or "?"
end

---@param handle table
---@param name any
---@param handler any
local function assign(handle, name, handler)
  local state <const> = states[handle]
  if name ~= "connected" and name ~= "disconnected" then
    local legal <const> = table.concat(hook_names, ", ")
    local hint <const> = declare.suggest(name, hook_names)
    local text <const> = '%s has no hook "%s"%s (hooks: %s; helpers are locals)'
    fail(text, label(state), tostring(name), hint, legal)
  elseif type(handler) ~= "function" then
    fail('the hook "%s" must be a function, got %s', name, show(handler))
  end
  fill(state, name, handler, declare.position() or "?")
end

---@param what string "tidegate.consumer"
---@param methods table<string, function>
---@param key any
local function fail_unknown(what, methods, key)
  local names <const> = declare.sorted_keys(methods)
  local text <const> = '%s has no method "%s"%s (methods: %s)'
  fail(text, what, tostring(key), declare.suggest(key, names), table.concat(names, ", "))
end

---@param methods table<string, function>
---@param name string
---@return table
local function metatable(methods, name)
  declare.public(methods)
  return {
    __name = name,
    __newindex = assign,
    __index = function(handle, key)
      if key == "connected" or key == "disconnected" then
        return states[handle].declaration[key]
      end
      return methods[key] or fail_unknown(name, methods, key)
    end,
  }
end

Consumer.new = new
Consumer.methods = ConsumerMethods
Consumer.mixin_methods = MixinMethods

local consumer_metatable <const> = metatable(ConsumerMethods, "tidegate.consumer")
local mixin_metatable <const> = metatable(MixinMethods, "tidegate.mixin")

local text_consumer_metatable <const> = {
  __name = "tidegate.text_consumer",
  __newindex = function(handle, name)
    local text <const> = "%s cannot be changed; give %s to tide.text_consumer as an option"
    fail(text, label(states[handle]), tostring(name))
  end,
}

-- ---- the functions of tide ----

--- Declares a consumer of messages.
---@param options tidegate.ConsumerOptions
---@return tidegate.Consumer
function Consumer.consumer(options)
  local given <const> = declare.options("tide.consumer", options, checks.consumer)
  local handle <const>, declaration <const> = new("tide.consumer", consumer_metatable, given)
  declaration.send_authentication = given.send_authentication ~= false
  if given.topic and given.topics then
    fail 'tide.consumer: has option "topic", a topic alone, and "topics": give one of them'
  end
  declaration.is_topic = given.topic ~= nil
  for index, topic in ipairs(given.topic and { given.topic } or given.topics or {}) do
    declaration.topics[index] = states[topic].declaration
  end
  host.declared(declaration)
  return handle
end

--- Declares handlers and hooks that several consumers share.
---@param options? tidegate.MixinOptions
---@return tidegate.Mixin
function Consumer.mixin(options)
  return (new("tide.mixin", mixin_metatable, declare.options("tide.mixin", options, checks.mixin)))
end

--- A hook of a consumer gets the consumer first; the options of a text consumer have none to name.
---@param hook? fun(conn: tidegate.Conn, ...)
---@return fun(consumer: table, ...)?
local function without_consumer(hook)
  return hook and function(_, ...)
    return hook(...)
  end
end

--- Declares a consumer of frames as they are, without messages.
---@param options tidegate.TextConsumerOptions
---@return tidegate.TextConsumer
function Consumer.text_consumer(options)
  local given <const> = declare.options("tide.text_consumer", options, checks.text_consumer)
  if not given.receive then
    fail "tide.text_consumer: needs receive = function(conn, data, is_binary) ... end"
  end
  local handle <const>, declaration <const> =
    new("tide.text_consumer", text_consumer_metatable, given)
  declaration.is_text = true
  declaration.receive = given.receive
  declaration.connected = without_consumer(given.connected)
  declaration.disconnected = without_consumer(given.disconnected)
  host.declared(declaration)
  return handle
end

Consumer.collect = require "tidegate.collect"

return Consumer
