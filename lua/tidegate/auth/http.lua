--- tide.auth.http: another server knows who it is. It is sent what the client has shown, and its
--- answer is ours: 2xx with the user as a JSON object, or 401, 403, 404. Any other answer, or none,
--- lets nobody in and is an error.

local callable <const> = require "tidegate.auth.callable"
local checks <const> = require "tidegate.auth.options"
local combine <const> = require "tidegate.auth.combine"
local declare <const> = require "tidegate.declare"

local what <const> = "tide.auth.http"

---@type table<string, tidegate.Check>
local option_checks <const> = {
  url = function(value)
    local is_right <const> = type(value) == "string" and value:find "^https?://" ~= nil
    return is_right, 'a URL, "https://..."'
  end,
  method = function(value)
    return value == "GET" or value == "POST", '"GET" or "POST"'
  end,
  headers = checks.names,
  cookies = checks.names,
  timeout = checks.positive,
  user = declare.callable,
}

---@param names? string[]
---@return string[]
local function lowered(names)
  local list <const> = {}
  for index, name in ipairs(names or { "authorization" }) do
    list[index] = name:lower()
  end
  return list
end

--- What of the request goes to the other server; nil when the client has shown nothing of it.
---@param request tidegate.Request
---@param headers string[]
---@param cookies string[]
---@return table<string, string>?
local function forwarded(request, headers, cookies)
  local sent <const> = {}
  for _, name in ipairs(headers) do
    sent[name] = request.headers[name]
  end
  local pairs_of_cookies <const> = {}
  for _, name in ipairs(cookies) do
    local value <const> = request.cookies[name]
    if value then
      table.insert(pairs_of_cookies, name .. "=" .. value)
    end
  end
  if #pairs_of_cookies > 0 then
    sent.cookie = table.concat(pairs_of_cookies, "; ")
  end
  if request.token then
    sent.authorization = "Bearer " .. request.token
  end
  if next(sent) == nil then
    return nil
  end
  sent["x-original-path"] = request.path
  return sent
end

--- The sentence of a refusal, if the other server says one.
---@param response tidegate.HttpResponse
---@return string?
local function detail_of(response)
  local body <const> = response:json()
  local detail <const> = type(body) == "table" and body.detail
  return type(detail) == "string" and utf8.len(detail) and #detail <= 200 and detail or nil
end

local refusals <const> = { [401] = true, [403] = true, [404] = true }

---@param options tidegate.HttpAuthOptions
---@return tidegate.Authenticator
local function authenticator(options)
  local given <const> = checks.read(what, options, option_checks)
  checks.need(what, given, "url", 'url = "https://accounts.example.org/me"')
  local headers <const>, cookies <const> = lowered(given.headers), given.cookies or {}
  return callable.new(what, function(request)
    local http <const> = require "tidegate.http"
    if request.token and request.token:find "%c" then -- no header can hold it
      return nil, 401, "The token is not valid"
    end
    local sent <const> = forwarded(request, headers, cookies)
    if not sent then
      return combine.refuse_missing()
    end
    local response <const>, problem <const> = http.request {
      url = given.url,
      method = given.method or "GET",
      headers = sent,
      timeout = given.timeout or 5,
      redirects = 0,
    }
    if not response then
      error(("%s: %s"):format(given.url, problem), 0)
    elseif refusals[response.status] then
      return nil, response.status, detail_of(response)
    elseif response.status < 200 or response.status > 299 then
      error(("%s answered with the status %d"):format(given.url, response.status), 0)
    end
    local body <const> = response:json()
    if given.user then
      return given.user(body, response)
    elseif type(body) ~= "table" or body[1] ~= nil then
      error(("%s: the answer is no JSON object with a user"):format(given.url), 0)
    end
    return body, { expires_at = math.type(body.expires_at) and body.expires_at or nil }
  end, { headers = headers })
end

return authenticator
