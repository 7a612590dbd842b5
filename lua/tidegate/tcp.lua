--- tide.tcp: sockets to other servers, with the methods of LuaSocket's. What was given is checked
--- here, once per connection; connecting and the sockets are of C.

local declare <const> = require "tidegate.declare"
local host <const> = require "tidegate.host"

local CONNECT_SECONDS <const>, DAY_SECONDS <const> = 10, 86400

---@type tidegate.Check
local function seconds(value)
  local is_right <const> = type(value) == "number" and value > 0 and value <= DAY_SECONDS
  return is_right, "a number of seconds, more than 0 and at most a day"
end

---@type tidegate.Check
local function tls(value)
  return type(value) == "boolean" or type(value) == "table", "true, false or a table of options"
end

local options_of_connect <const> = { timeout = seconds, tls = tls }
local options_of_tls <const> = { verify = declare.boolean, ca = declare.text }

--- What connect was given, as C takes it.
---@param address string
---@param port integer
---@param options? tidegate.TcpOptions
---@return string, integer, integer, boolean, boolean, string?
local function prepare(address, port, options)
  if not declare.text(address) or address:find("\0", 1, true) then
    declare.fail("tide.tcp.connect: expected a host, got %s", declare.show(address))
  elseif math.type(port) ~= "integer" or port < 1 or port > 65535 then
    declare.fail("tide.tcp.connect: expected a port from 1 to 65535, got %s", declare.show(port))
  end
  options = declare.options("tide.tcp.connect", options, options_of_connect)
  local given <const> = type(options.tls) == "table" and options.tls or nil
  local trust <const> = declare.options("tide.tcp.connect: tls", given, options_of_tls)
  local timeout_ms <const> = math.ceil((options.timeout or CONNECT_SECONDS) * 1000)
  local is_tls <const>, skips <const> = not not options.tls, trust.verify == false
  return address, port, timeout_ms, is_tls, skips, trust.ca
end

return declare.closed("tide.tcp", { connect = host.tcp_connect(prepare) })
