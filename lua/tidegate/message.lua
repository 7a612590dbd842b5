--- Message types: an action, and what its payload must look like. Calling one makes a message.
--- There are three roles: what clients and the server send each other, what the members of a group
--- get, and events, which stay in the server.

local declare <const> = require "tidegate.declare"
local host <const> = require "tidegate.host"
local schema <const> = require "tidegate.schema"

local fail <const>, show <const> = declare.fail, declare.show

local Message <const> = {}

---@alias tidegate.Role "message" | "group_message" | "event"

--- The roles of all that were declared, which also tells them from other tables.
---@type table<table, tidegate.Role>
local roles <const> = setmetatable({}, { __mode = "k" })

--- All of them, in the order in which they were declared, for the tools that look over an
--- application. What is declared stays as long as the code.
---@type tidegate.MessageType[]
Message.declared = {}

local role_words <const> = {
  message = "the message type",
  group_message = "the group message",
  event = "the event",
}

local option_checks <const> = {
  serialise = declare.callable,
  description = declare.text,
  summary = declare.text,
}

--- Raises what the host says of a schema that it cannot compile. What is wrong with a default or an
--- example comes with the line of that one.
---@param what string
---@param action string
---@param text string
local function fail_compiling(what, action, text)
  if text:find "^.+:%d+: :%l+: " then
    error(text, 0)
  end
  fail('%s: "%s": %s', what, action, text)
end

--- The members stand behind the type: assigning reaches none of them. The host notes its own in it.
---@param role tidegate.Role
---@param members { action: string, schema: tidegate.Schema?, source: string }
---@return tidegate.MessageType
local function new(role, members)
  local what <const> = "tide." .. role
  local metatable <const> = {
    __name = "tidegate." .. role .. "_type",
    __index = members,
    __newindex = function()
      local text <const> = '%s "%s" cannot be changed; %s declares another'
      fail(text, role_words[role], members.action, what)
    end,
    shown = function()
      return ('%s "%s"'):format(role_words[role], members.action)
    end,
  }
  members.role = role
  local self <const> = setmetatable({}, metatable)
  local is_compiled <const>, make <const> = pcall(host.message_type, self)
  if not is_compiled then
    fail_compiling(what, members.action, tostring(make))
  end
  metatable.__call = make
  roles[self] = role
  Message.declared[#Message.declared + 1] = self
  return self
end

--- Whether a table of fields has options in it that belong behind it.
---@param fields table
---@return string? # the name of one
local function misplaced_option(fields)
  for _, name in ipairs(declare.sorted_keys(option_checks)) do
    local value <const> = fields[name]
    if value ~= nil and option_checks[name](value) then
      return name
    end
  end
  return nil
end

---@param what string
---@param action string
---@param payload any
---@return tidegate.Schema?
local function payload_schema(what, action, payload)
  if payload == nil or schema.is_node(payload) then
    return payload
  elseif type(payload) ~= "table" or getmetatable(payload) then
    local text <const> = '%s: the payload of "%s" must be a schema or a table of fields, got %s'
    fail(text, what, action, show(payload))
  end
  local option <const> = misplaced_option(payload)
  if option then
    local text <const> = '%s: options stand in a third argument: %s("%s", { ... }, { %s = ... })'
    fail(text, what, what, action, option)
  end
  return schema.library.object(payload)
end

--- Makes tide.message, tide.group_message or tide.event. The host compiles the schema at once and
--- gives the function that makes instances.
---@param role tidegate.Role
---@return fun(action: string, payload: any, options: any): tidegate.MessageType
local function declaring(role)
  local what <const> = "tide." .. role
  return function(action, payload, options)
    declare.check_loading(what)
    if not declare.text(action) or not utf8.len(action) then
      local text <const> = "%s: the action must be a string of UTF-8 that is not empty, got %s"
      fail(text, what, show(action))
    end
    local node <const> = payload_schema(what, action, payload)
    local given <const> = declare.options(what, options, option_checks)
    return new(role, {
      action = action,
      schema = node,
      source = declare.position() or "?",
      serialise = given.serialise,
      description = given.description,
      summary = given.summary,
    })
  end
end

Message.message = declaring "message"
Message.group_message = declaring "group_message"
Message.event = declaring "event"

---@param value any
---@return boolean
function Message.is_type(value)
  return roles[value] ~= nil
end

---@param value any
---@return tidegate.Role? # nil for what is no message type
function Message.role(value)
  return roles[value]
end

---@param action string
---@param payload? tidegate.Schema
---@return tidegate.MessageType
local function standard(action, payload)
  return new("message", { action = action, schema = payload, source = "tidegate" })
end

local s <const> = schema.library

--- The messages that tidegate itself knows.
Message.standard = {
  ping = standard "ping",
  pong = standard "pong",
  error = standard("error", s.any()),
  authentication = standard(
    "authentication",
    s.object {
      { "status_code", s.integer() },
      { "status_text", s.string() },
      { "data", s.any():optional() },
    }
  ),
  authenticate = standard(
    "authenticate",
    s.object { token = s.string({ min = 1, max = 65536 }):secret() }
  ),
  complete = standard "complete",
  group_complete = standard "group_complete",
  event_complete = standard "event_complete",
}

return Message
