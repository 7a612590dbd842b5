--- Requests to other servers. What the user gives is checked here; the host sends it, and makes the
--- response.

local declare <const> = require "tidegate.declare"
local host <const> = require "tidegate.host"

local Http <const> = {}

--- The connection is ours: what stands in these could say something else than what is sent.
local ours <const> = {
  connection = true,
  ["content-length"] = true,
  ["keep-alive"] = true,
  te = true,
  trailer = true,
  ["transfer-encoding"] = true,
  upgrade = true,
}

---@param value any
---@param least integer
---@param most integer
---@return boolean
local function is_integer(value, least, most)
  return math.type(value) == "integer" and value >= least and value <= most
end

---@type table<string, tidegate.Check>
local option_checks <const> = {
  headers = function(value)
    return type(value) == "table" and not getmetatable(value), "a table of names and values"
  end,
  body = function(value)
    return type(value) == "string", "a string"
  end,
  json = function()
    return true, "a value"
  end,
  timeout = function(value)
    local is_right <const> = type(value) == "number" and value > 0 and value <= 86400
    return is_right, "seconds, more than 0 and at most 86400"
  end,
  max_bytes = function(value)
    return is_integer(value, 1, math.maxinteger), "a number of bytes, 1 or more"
  end,
  redirects = function(value)
    return is_integer(value, 0, 20), "a whole number from 0 to 20"
  end,
}

---@type table<string, tidegate.Check>
local request_checks <const> = {
  url = declare.text,
  method = function(value)
    local is_name <const> = type(value) == "string" and value:find "^%u+$" ~= nil
    return is_name and value ~= "CONNECT", 'a method in capitals such as "GET"'
  end,
}
for name, check in pairs(option_checks) do
  request_checks[name] = check
end

--- A list of names and values in byte order of the names.
---@param what string the function that was called
---@param headers table<string, string | number>
---@return string[]
local function header_list(what, headers)
  local list <const> = {}
  for _, name in ipairs(declare.sorted_keys(headers)) do
    local value <const> = headers[name]
    if type(name) ~= "string" or not name:find "^[%w!#$%%&'*+.^_`|~-]+$" then
      declare.fail("%s: the name of a header cannot be %s", what, declare.show(name))
    elseif ours[name:lower()] then
      declare.fail('%s: the header "%s" is set by tidegate', what, name)
    elseif type(value) ~= "string" and type(value) ~= "number" then
      declare.fail('%s: the header "%s" must be a string, got %s', what, name, declare.show(value))
    elseif tostring(value):find "[\r\n\0]" then
      declare.fail('%s: the header "%s" has a line break or a zero byte', what, name)
    end
    list[#list + 1] = name
    list[#list + 1] = tostring(value)
  end
  return list
end

---@param list string[]
---@param name string
---@return boolean
local function has_header(list, name)
  for i = 1, #list, 2 do
    if list[i]:lower() == name then
      return true
    end
  end
  return false
end

--- The text that is sent, if any; one of JSON gets its header.
---@param what string
---@param options tidegate.HttpRequest
---@param method string
---@param headers string[]
---@return string?
local function body_of(what, options, method, headers)
  local body = options.body
  if options.json ~= nil then
    if body then
      declare.fail("%s: either body or json", what)
    end
    body = host.json_text(options.json, (declare.position() or "?") .. ": " .. what)
    if not has_header(headers, "content-type") then
      table.move({ "content-type", "application/json" }, 1, 2, #headers + 1, headers)
    end
  end
  if body and method == "HEAD" then
    declare.fail("%s: a HEAD has no body", what)
  end
  local wants_body <const> = method == "POST" or method == "PUT" or method == "PATCH"
  return body or wants_body and "" or nil
end

--- What the host wants to know of a request.
---@param what string
---@param options tidegate.HttpRequest checked
---@return string url, string method, string[] headers, string? body
---@return integer? timeout_ms, integer? max_bytes, integer? redirects
local function parts(what, options)
  local has_body <const> = options.body ~= nil or options.json ~= nil
  local method <const> = options.method or has_body and "POST" or "GET"
  local headers <const> = header_list(what, options.headers or {})
  local body <const> = body_of(what, options, method, headers)
  local timeout_ms <const> = options.timeout and math.ceil(options.timeout * 1000)
  return options.url, method, headers, body, timeout_ms, options.max_bytes, options.redirects
end

Http.request = host.http_function(function(options)
  local what <const> = "tide.http.request"
  local given <const> = declare.options(what, options, request_checks)
  if not given.url then
    declare.fail('%s: needs a URL, as in { url = "https://example.org/" }', what)
  end
  return parts(what, given)
end)

---@param name string
---@param method string
local function shorthand(name, method)
  local what <const> = "tide.http." .. name
  return host.http_function(function(url, options)
    if not declare.text(url) then
      local shown <const> = declare.show(url)
      declare.fail("%s: the URL must be a string that is not empty, got %s", what, shown)
    end
    local request <const> = { url = url, method = method }
    for key, value in pairs(declare.options(what, options, option_checks)) do
      request[key] = value
    end
    return parts(what, request)
  end)
end

Http.get = shorthand("get", "GET")
Http.post = shorthand("post", "POST")

return Http
