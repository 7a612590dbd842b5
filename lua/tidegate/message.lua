--- Message types: an action, and what its payload must look like. Calling one makes a message.

local declare <const> = require "tidegate.declare"
local host <const> = require "tidegate.host"
local schema <const> = require "tidegate.schema"

local Message <const> = {}

--- All that were declared, to tell them from other tables.
local types <const> = setmetatable({}, { __mode = "k" })

---@param action string
---@param payload tidegate.Schema?
---@param source string
---@return tidegate.MessageType
local function new(action, payload, source)
  local self <const> = { action = action, schema = payload, source = source }
  local is_compiled <const>, make <const> = pcall(host.message_type, self)
  if not is_compiled then
    declare.fail('tide.message: "%s": %s', action, tostring(make))
  end
  types[self] = true
  return setmetatable(self, {
    __name = "tidegate.message_type",
    __call = make,
    __newindex = function()
      declare.fail('the message type "%s" cannot be changed; tide.message declares another', action)
    end,
  })
end

--- Declares a message. The host compiles its schema at once and gives the function that makes its
--- instances.
---@param action string chooses the handler
---@param payload? tidegate.Schema | tidegate.Fields fields are short for an object; nil: no payload
---@return tidegate.MessageType
function Message.declare(action, payload)
  if not declare.text(action) or not utf8.len(action) then
    declare.fail(
      "tide.message: the action must be a string of UTF-8 that is not empty, got %s",
      declare.show(action)
    )
  end
  if payload ~= nil and not schema.is_node(payload) then
    if type(payload) ~= "table" or getmetatable(payload) then
      declare.fail(
        'tide.message: the payload of "%s" must be a schema or a table of fields, got %s',
        action,
        declare.show(payload)
      )
    end
    payload = schema.library.object(payload)
  end
  return new(action, payload, declare.position() or "?")
end

---@param value any
---@return boolean
function Message.is_type(value)
  return types[value] ~= nil
end

--- The messages that tidegate itself knows.
Message.standard = {
  ping = new("ping", nil, "tidegate"),
  pong = new("pong", nil, "tidegate"),
  error = new("error", schema.library.any(), "tidegate"),
}

return Message
