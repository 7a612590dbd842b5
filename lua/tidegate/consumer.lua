--- Consumers: which paths they serve, which messages they handle and send. A consumer is a handle;
--- what it declares is a plain table that the host reads once, when all modules have been loaded.

local checks <const> = require "tidegate.consumer_options"
local declare <const> = require "tidegate.declare"
local handlers <const> = require "tidegate.handlers"
local host <const> = require "tidegate.host"
local states <const> = require "tidegate.consumer_states"

local fail <const>, show <const> = declare.fail, declare.show
local label <const>, fill <const> = handlers.label, handlers.fill

local Consumer <const> = {}

-- ---- methods ----

--- What a mixin has.
local MixinMethods <const> = handlers.methods "Mixin"

--- What a consumer has.
local ConsumerMethods <const> = handlers.methods "Consumer"

---@param kind string
---@return fun(self: any, handler: any)
local function on_binary(kind)
  return function(self, handler)
    local state <const> = handlers.check_self(self, kind, "on_binary")
    if type(handler) ~= "function" then
      fail("on_binary: the handler must be a function, got %s", show(handler))
    end
    fill(state, "binary", handler, declare.position() or "?")
  end
end
MixinMethods.on_binary = on_binary "Mixin"
ConsumerMethods.on_binary = on_binary "Consumer"

local hook_names <const> = { "connected", "disconnected", "reloaded" }
local is_hook <const> = { connected = true, disconnected = true, reloaded = true }

---@param list any[]
---@param items any[]
local function append(list, items)
  table.move(items, 1, #items, #list + 1, list)
end

function ConsumerMethods:use(mixin)
  local state <const> = handlers.check_self(self, "Consumer", "use")
  local from <const> = states[mixin]
  if not from or from.what ~= "tide.mixin" then
    fail("use: expected a mixin (what tide.mixin returns), got %s", show(mixin))
  end
  for _, action in ipairs(from.declaration.actions) do
    handlers.add_action(state, action)
  end
  for _, event in ipairs(from.declaration.events) do
    handlers.add_event(state, event)
  end
  for _, slot in ipairs { "connected", "disconnected", "reloaded", "binary" } do
    local handler <const> = from.declaration[slot]
    if handler then
      fill(state, slot, handler, from.places[handlers.slots[slot]])
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
  if not is_hook[name] then
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
      if is_hook[key] then
        return states[handle].declaration[key]
      end
      return methods[key] or fail_unknown(name, methods, key)
    end,
  }
end

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
  local handle <const>, declaration <const> =
    handlers.new("tide.consumer", consumer_metatable, given)
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
  return (
    handlers.new(
      "tide.mixin",
      mixin_metatable,
      declare.options("tide.mixin", options, checks.mixin)
    )
  )
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
    handlers.new("tide.text_consumer", text_consumer_metatable, given)
  declaration.is_text = true
  declaration.receive = given.receive
  declaration.connected = without_consumer(given.connected)
  declaration.disconnected = without_consumer(given.disconnected)
  declaration.reloaded = without_consumer(given.reloaded)
  host.declared(declaration)
  return handle
end

Consumer.collect = require "tidegate.collect"

return Consumer
