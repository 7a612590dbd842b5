--- The options of consumers, text consumers, mixins and handlers: what each has to be.

local callable <const> = require "tidegate.auth.callable"
local declare <const> = require "tidegate.declare"
local message <const> = require "tidegate.message"
local states <const> = require "tidegate.consumer_states"

local Options <const> = {}

---@type tidegate.Check
local function path(value)
  return type(value) == "string" and value:sub(1, 1) == "/", 'a path that begins with "/"'
end

---@type tidegate.Check
local function paths(value)
  local is_right <const> = path(value) or declare.is_list(value, path) and #value > 0
  return is_right, 'a path that begins with "/", or a list of such paths'
end

---@type tidegate.Check
local function consumer_name(value)
  local is_right <const> = type(value) == "string" and value:find "^[%w_-]+$" ~= nil
  return is_right, 'a name of letters, digits, "_" and "-"'
end

---@param value any
---@return boolean
local function is_header(value)
  return type(value) == "string" and value:find "^[%w!#$%%&'*+.^_`|~-]+$" ~= nil
end

---@type tidegate.Check
local function headers(value)
  return declare.is_list(value, is_header), 'a list of header names, as in { "x-request-id" }'
end

--- What an origin may look like is said where it is read, when all is loaded.
---@type tidegate.Check
local function origins(value)
  return declare.is_list(value, declare.text), 'a list of origins, as in { "https://example.org" }'
end

--- The library in front takes none that is longer, and no number.
---@param value any
---@return boolean
local function is_subprotocol(value)
  return is_header(value) and #value <= 62 and not value:find "^%d[%d.]*$"
end

---@type tidegate.Check
local function subprotocols(value)
  local seen <const> = {}
  local function is_new(name)
    local is_right <const> = is_subprotocol(name) and not seen[name]
    seen[name] = true
    return is_right
  end
  local text <const> =
    'a list of different names of 1 to 62 characters, as in { "chat.v2", "chat.v1" }'
  return declare.is_list(value, is_new), text
end

---@type tidegate.Check
local function message_types(value)
  local is_right <const> = message.is_type(value) or declare.is_list(value, message.is_type)
  return is_right, "a message type (what tide.message returns) or a list of them"
end

---@type tidegate.Check
local function concurrency(value)
  local is_right <const> = math.type(value) == "integer" and value >= 1 and value <= 1000
  return is_right, "an integer from 1 to 1000"
end

---@type tidegate.Check
local function timeout(value)
  return declare.seconds(value) and value > 0, "seconds, a number greater than 0"
end

---@param value any
---@return boolean
local function is_group(value)
  return type(value) == "string" and #value >= 1 and #value <= 200 and utf8.len(value) ~= nil
end

---@type tidegate.Check
local function groups(value)
  local is_right <const> = type(value) == "function"
    or is_group(value)
    or declare.is_list(value, is_group)
  return is_right, "a list of names of 1 to 200 bytes of UTF-8, or a function that returns one"
end

---@type tidegate.Check
local function authenticator(value)
  local usual <const> = "a function, or an authenticator of tide.auth"
  return callable.is(value), callable.expected(value, usual)
end

---@type tidegate.Check
local function permission(value)
  return callable.is(value), callable.expected(value, "a function, or a permission of tide.auth")
end

---@param value any
---@return boolean
local function is_topic(value)
  local state <const> = states[value]
  return state ~= nil and state.what == "tide.topic"
end

---@type tidegate.Check
local function topic(value)
  return is_topic(value), "a topic (what tide.topic returns)"
end

---@type tidegate.Check
local function topics(value)
  return declare.is_list(value, is_topic), "a list of topics (what tide.topic returns)"
end

Options.consumer = {
  name = consumer_name,
  path = paths,
  description = declare.text,
  tags = declare.texts,
  headers = headers,
  sends = message_types,
  strict_frames = declare.boolean,
  send_completion = declare.boolean,
  camelize = declare.boolean,
  before = declare.callable,
  topics = topics,
  topic = topic,
  groups = groups,
  origins = origins,
  require_origin = declare.boolean,
  admit = declare.callable,
  subprotocols = subprotocols,
  send_authentication = declare.boolean,
  migrate = declare.callable,
}

--- Who may come in, and who may stay: the same for consumers of plain text.
local admission <const> = {
  authenticate = authenticator,
  authentication_timeout = timeout,
  object = declare.callable,
  permissions = permission,
  authorise_groups = permission,
  grace = declare.seconds,
  reauthenticate_seconds = timeout,
}
for name, check in pairs(admission) do
  Options.consumer[name] = check
end

--- The handlers of a topic stand behind it, as those of a consumer do.
Options.topic = {
  pattern = declare.text,
  description = declare.text,
  tags = declare.texts,
  sends = message_types,
  authorise = permission,
  on_subscribe = declare.callable,
  on_unsubscribe = declare.callable,
}

Options.text_consumer = {
  name = consumer_name,
  path = paths,
  description = declare.text,
  tags = declare.texts,
  headers = headers,
  groups = groups,
  origins = origins,
  require_origin = declare.boolean,
  admit = declare.callable,
  subprotocols = subprotocols,
  connected = declare.callable,
  receive = declare.callable,
  disconnected = declare.callable,
  migrate = declare.callable,
  reloaded = declare.callable,
}
for name, check in pairs(admission) do
  Options.text_consumer[name] = check
end

Options.mixin = { headers = headers, sends = message_types, groups = groups }

Options.handler = {
  summary = declare.text,
  description = declare.text,
  tags = declare.texts,
  output = message_types,
  allow = permission,
  concurrency = concurrency,
  timeout = timeout,
}

Options.event_handler = {
  summary = declare.text,
  description = declare.text,
  tags = declare.texts,
  output = message_types,
  timeout = timeout,
}

Options.relay = { summary = declare.text, description = declare.text, tags = declare.texts }

return Options
