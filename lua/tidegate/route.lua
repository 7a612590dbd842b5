--- Routes: functions that answer plain HTTP requests, such as logging in and out. What is declared
--- is in the registry at once.

local checks <const> = require "tidegate.consumer_options"
local declare <const> = require "tidegate.declare"
local handlers <const> = require "tidegate.handlers"
local host <const> = require "tidegate.host"
local schema <const> = require "tidegate.schema"

local fail <const>, show <const> = declare.fail, declare.show

local Route <const> = {}

local methods <const> = { "GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS" }

---@param value any
---@return boolean
local function is_schema(value)
  return schema.is_node(value) or type(value) == "table" and not getmetatable(value)
end

---@type tidegate.Check
local function body_schema(value)
  return is_schema(value), "a schema, or a table of fields"
end

---@type tidegate.Check
local function bytes(value)
  local is_right <const> = math.type(value) == "integer" and value >= 1 and value <= 1 << 30
  return is_right, "bytes, an integer from 1 to 1073741824"
end

local options <const> = {
  schema = body_schema,
  output = body_schema,
  summary = declare.text,
  description = declare.text,
  tags = declare.texts,
  headers = checks.consumer.headers,
  origins = checks.consumer.origins,
  login = declare.boolean,
  timeout = checks.handler.timeout,
  max_body_bytes = bytes,
}

---@param method any
local function check_method(method)
  for _, name in ipairs(methods) do
    if name == method then
      return
    end
  end
  if method == "HEAD" then
    fail 'tide.route: HEAD is answered by the route of "GET", without the body'
  end
  local text <const> = "tide.route: the method must be one of %s, got %s"
  fail(text, table.concat(methods, ", "), show(method))
end

---@param value any
---@return tidegate.Schema?
local function as_schema(value)
  if value == nil or schema.is_node(value) then
    return value
  end
  return schema.library.object(value)
end

--- Raises what the host says of a route. What is wrong with a default or an example comes with the
--- line of that one.
---@param text string
local function fail_declaring(text)
  if text:find "^.+:%d+: :%l+: " then
    error(text, 0)
  end
  fail("tide.route: %s", text)
end

--- Declares a route.
---@param method "GET" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS"
---@param path string
---@param given? tidegate.RouteOptions
---@param handler tidegate.RouteHandler
function Route.route(method, path, given, handler)
  declare.check_loading "tide.route"
  check_method(method)
  if type(path) ~= "string" or path:sub(1, 1) ~= "/" then
    fail('tide.route: the path must begin with "/", got %s', show(path))
  elseif handler == nil and type(given) == "function" then
    given, handler = nil, given
  end
  local read <const> = declare.options("tide.route", given, options)
  if type(handler) ~= "function" then
    local text <const> = "tide.route: the handler of %s %s must be a function, got %s"
    fail(text, method, path, show(handler))
  elseif read.schema and (method == "GET" or method == "OPTIONS") then
    fail("tide.route: %s has no body that a schema could be for; read request.query", method)
  end
  local is_declared <const>, why <const> = pcall(host.route, {
    method = method,
    path = path,
    schema = as_schema(read.schema),
    output = as_schema(read.output),
    summary = read.summary,
    description = read.description,
    tags = read.tags or {},
    headers = handlers.lowered(read.headers),
    origins = read.origins or {},
    login = read.login,
    timeout = read.timeout,
    max_body_bytes = read.max_body_bytes,
    source = declare.position() or "?",
    handler = handler,
  })
  if not is_declared then
    fail_declaring(tostring(why))
  end
end

return Route
