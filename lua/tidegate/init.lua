--- tidegate: what a consumer is written with. `local tide <const> = require "tidegate"`

local consumer <const> = require "tidegate.consumer"
local declare <const> = require "tidegate.declare"
local errors <const> = require "tidegate.errors"
local event <const> = require "tidegate.event"
local host <const> = require "tidegate.host"
local http <const> = require "tidegate.http"
local message <const> = require "tidegate.message"
local process <const> = require "tidegate.process"
local router <const> = require "tidegate.router"
local schema <const> = require "tidegate.schema"
local task <const> = require "tidegate.task"
local tcp <const> = require "tidegate.tcp"
local topic <const> = require "tidegate.topic"

--- A function that writes lines of `level` to the log.
---@param level "debug" | "info" | "warning" | "error"
---@return fun(text: string, fields?: table<string, any>)
local function logger(level)
  return function(text, fields)
    if not declare.text(text) then
      declare.fail(
        "tide.log.%s: the text must be a string that is not empty, got %s",
        level,
        declare.show(text)
      )
    elseif fields ~= nil and type(fields) ~= "table" then
      declare.fail("tide.log.%s: the fields must be a table, got %s", level, declare.show(fields))
    end
    host.log(level, text, fields)
  end
end

local log <const> = {
  debug = logger "debug",
  info = logger "info",
  warning = logger "warning",
  error = logger "error",
}
declare.public(log)

local tide <const> = {
  schema = schema.library,
  messages = declare.closed("tide.messages", message.standard),
  message = message.message,
  group_message = message.group_message,
  event = message.event,
  consumer = consumer.consumer,
  text_consumer = consumer.text_consumer,
  mixin = consumer.mixin,
  topic = topic.topic,
  router = router.new,
  send_event = event.send_event,
  broadcast_event = event.broadcast_event,
  error = errors.raise,
  array = host.array,
  keep = host.keep,
  broadcast = host.broadcast,
  group = host.group,
  user = host.user,
  log = declare.closed("tide.log", log),
  http = declare.closed("tide.http", http),
  process = process,
  tcp = tcp,
}
for name, value in pairs(task) do
  tide[name] = value
end
declare.public(tide)

return declare.closed("tide", tide)
