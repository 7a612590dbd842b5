--- What a client asks with: path, query, headers, cookies; and how a refusal reads.

local fail <const> = require "tidegate.testing.fail"
local show <const> = require "tidegate.testing.show"

local Request <const> = {}

---@param text any
---@return string
local function encoded(text)
  return (
    tostring(text):gsub("[^%w%-._~]", function(char)
      return ("%%%02X"):format(char:byte())
    end)
  )
end

---@param map table<string, any>
---@return string[]
local function sorted_names(map)
  local names <const> = {}
  for name in pairs(map) do
    if type(name) ~= "string" then
      fail.misuse("app:connect: a name must be a string, got %s", show.value(name, 40))
    end
    names[#names + 1] = name
  end
  table.sort(names)
  return names
end

---@param query string | table<string, any> | nil
---@return string
local function query_text(query)
  if type(query) ~= "table" then
    return query or ""
  end
  local parts <const> = {}
  for _, name in ipairs(sorted_names(query)) do
    parts[#parts + 1] = encoded(name) .. "=" .. encoded(query[name])
  end
  return table.concat(parts, "&")
end

---@param cookies table<string, any>
---@return string
local function cookie_text(cookies)
  local parts <const> = {}
  for _, name in ipairs(sorted_names(cookies)) do
    parts[#parts + 1] = name .. "=" .. tostring(cookies[name])
  end
  return table.concat(parts, "; ")
end

---@class (exact) tidegate.ConnectOptions
---@field cookies? table<string, string>
---@field headers? table<string, string>
---@field origin? string
---@field peer? string the address that the client comes from
---@field query? string | table<string, string | number>
---@field strict? boolean false: frames that the consumer does not declare are received too
---@field subprotocol? string
---@field user? any who the client is: `authenticate` is not asked

local legal <const> = {
  cookies = "table",
  headers = "table",
  origin = "string",
  peer = "string",
  query = "string|table",
  strict = "boolean",
  subprotocol = "string",
  user = "any",
}

---@param given tidegate.ConnectOptions
---@return { [1]: string, [2]: string }[]
local function header_list(given)
  local headers <const> = {}
  for _, name in ipairs(sorted_names(given.headers or {})) do
    headers[#headers + 1] = { name:lower(), tostring(given.headers[name]) }
  end
  if given.cookies then
    headers[#headers + 1] = { "cookie", cookie_text(given.cookies) }
  end
  if given.origin then
    headers[#headers + 1] = { "origin", given.origin }
  end
  if given.subprotocol then
    headers[#headers + 1] = { "sec-websocket-protocol", given.subprotocol }
  end
  return headers
end

--- What a link is opened with, from what a spec gave.
---@param what string "app:connect"
---@param path any "/ws/chat?page=2"
---@param options? tidegate.ConnectOptions
---@return { path: string, query: string, headers: string[][], peer: string?, user: any }
---@return tidegate.ConnectOptions
function Request.read(what, path, options)
  if type(path) ~= "string" or path:sub(1, 1) ~= "/" then
    local text <const> = '%s: expected a path that begins with "/", got %s'
    fail.misuse(text, what, show.value(path, 60))
  end
  local given <const> = fail.options(what, options, legal)
  local before <const>, own_query <const> = path:match "^([^?]*)%??(.*)$"
  local query <const> = query_text(given.query)
  local separator <const> = own_query ~= "" and query ~= "" and "&" or ""
  return {
    path = before,
    query = own_query .. separator .. query,
    headers = header_list(given),
    peer = given.peer,
    user = given.user,
  },
    given
end

---@class (exact) tidegate.RequestOptions
---@field body? string
---@field cookies? table<string, string>
---@field headers? table<string, string>
---@field json? any the body, written as JSON
---@field origin? string
---@field peer? string the address that the client comes from
---@field query? string | table<string, string | number>
---@field timeout? number seconds until the client leaves; default: 60

local legal_of_plain <const> = {
  body = "string",
  cookies = "table",
  headers = "table",
  json = "any",
  origin = "string",
  peer = "string",
  query = "string|table",
  timeout = "number",
}

--- What a plain request is sent with.
---@param what string "app:request"
---@param method any "POST"
---@param path any "/login"
---@param options? tidegate.RequestOptions
---@return table<string, any>
function Request.read_plain(what, method, path, options)
  if type(method) ~= "string" or not method:find "^%u+$" then
    fail.misuse('%s: expected a method such as "POST", got %s', what, show.value(method, 60))
  end
  local given <const> = fail.options(what, options, legal_of_plain)
  if given.json ~= nil and given.body then
    fail.misuse("%s: has body and json: give one of them", what)
  end
  local asked <const> = Request.read(what, path, {
    cookies = given.cookies,
    headers = given.headers,
    origin = given.origin,
    peer = given.peer,
    query = given.query,
  })
  if given.json ~= nil then
    asked.headers[#asked.headers + 1] = { "content-type", "application/json" }
  end
  return {
    method = method,
    path = asked.path,
    query = asked.query,
    headers = asked.headers,
    peer = asked.peer,
    body = given.json ~= nil and show.json(given.json) or given.body or "",
    timeout = given.timeout or 60,
  }
end

---@class tidegate.Response
---@field status integer
---@field body string
---@field json any what the body says, if it is JSON
---@field headers table<string, string> by names in lower case; several with commas between
---@field cookies table<string, string> that it sets

--- What stands in lines, each with its CRLF, by names in lower case.
---@param lines string
---@return table<string, string>
local function headers_of(lines)
  local headers <const> = {}
  for name, value in lines:gmatch "([^:\r\n]+): ?([^\r\n]*)\r\n" do
    local key <const> = name:lower()
    headers[key] = headers[key] and headers[key] .. ", " .. value or value
  end
  return headers
end

--- The names and values that Set-Cookie holds, without their attributes: several are joined by
--- commas, and no attribute but Expires has one in it.
---@param text string
---@return table<string, string>
local function cookies_of(text)
  local cookies <const> = {}
  for name, value in (", " .. text):gmatch ", ([^=;,%s]+)=([^;,]*)" do
    cookies[name] = value
  end
  return cookies
end

--- What a plain request was answered with.
---@param host tidegate.ClientHost
---@param status integer
---@param body string
---@param headers string | table<string, string> lines, or by names in lower case
---@return tidegate.Response
function Request.response(host, status, body, headers)
  local is_json <const>, value <const> = pcall(host.decode, host, body)
  local by_name <const> = type(headers) == "string" and headers_of(headers) or headers
  return {
    status = status,
    body = body,
    json = is_json and value or nil,
    headers = by_name,
    cookies = cookies_of(by_name["set-cookie"] or ""),
  }
end

---@class tidegate.Refusal
---@field status integer
---@field body string
---@field json any what the body says, if it is JSON
---@field headers table<string, string>

local refusal_metatable <const> = {
  __name = "tidegate.refusal",
  __tostring = function(self)
    local text <const> = "the server refused the connection to %s with %s: %s"
    return text:format(self.path, tostring(self.status), show.text(self.body))
  end,
}

--- A connection that was refused before it was one. `assert(app:connect(...))` shows it.
---@param host tidegate.ClientHost
---@param path string
---@param status integer
---@param body? string
---@param headers? table<string, string>
---@return tidegate.Refusal
function Request.refusal(host, path, status, body, headers)
  local is_json <const>, value <const> = pcall(host.decode, host, body or "")
  return setmetatable({
    path = path,
    status = status,
    body = body or "",
    json = is_json and value or nil,
    headers = headers or {},
  }, refusal_metatable)
end

return Request
