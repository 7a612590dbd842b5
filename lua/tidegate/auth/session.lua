--- tide.auth.session: who has logged in, in a cookie that the server has signed. The cookie holds
--- the user's id and when it expires, readable by who has it, and nothing else.

local callable <const> = require "tidegate.auth.callable"
local checks <const> = require "tidegate.auth.options"
local combine <const> = require "tidegate.auth.combine"
local declare <const> = require "tidegate.declare"
local host <const> = require "tidegate.host"
local token <const> = require "tidegate.auth.token"

local what <const> = "tide.auth.session"

--- For what a cookie is signed: another sealed text is no session, nor is that of another cookie,
--- which may be for other users.
---@param cookie string its name
---@return string
local function purpose_of(cookie)
  return "session:" .. cookie
end

--- Two weeks.
local usual_age <const> = 1209600

---@param value any
---@return boolean
local function is_secret(value)
  return type(value) == "string" and #value >= 32
end

---@type table<string, tidegate.Check>
local option_checks <const> = {
  cookie = checks.name,
  load = declare.callable,
  max_age_seconds = checks.positive,
  secrets = function(value)
    local is_right <const> = declare.is_list(value, is_secret) and #value > 0
    return is_right, "a list of secrets of 32 bytes or more; the first one signs"
  end,
  path = function(value)
    local is_right <const> = type(value) == "string" and value:find "^/[^;%c]*$" ~= nil
    return is_right, 'a path that begins with "/"'
  end,
  domain = checks.name,
  secure = declare.boolean,
  same_site = function(value)
    local is_right <const> = value == "Lax" or value == "Strict" or value == "None"
    return is_right, '"Lax", "Strict" or "None"'
  end,
}

--- The attributes of the cookie, but for its age.
---@param given table<string, any>
---@return string
local function attributes(given)
  local is_secure = given.secure
  if is_secure == nil then
    is_secure = host.mode == "production"
  end
  local parts <const> = { "Path=" .. (given.path or "/"), "HttpOnly" }
  parts[#parts + 1] = "SameSite=" .. (given.same_site or "Lax")
  parts[#parts + 1] = given.domain and "Domain=" .. given.domain or nil
  parts[#parts + 1] = is_secure and "Secure" or nil
  return table.concat(parts, "; ")
end

---@param user_id any
---@return string
local function text_of(user_id)
  if type(user_id) == "string" and user_id ~= "" or math.type(user_id) == "integer" then
    return tostring(user_id)
  end
  declare.fail(
    "%s: the id of a user is a string or an integer, got %s",
    what,
    declare.show(user_id)
  )
end

--- The methods of one session, by which people log in and out.
---@param given table<string, any>
---@param secrets string[]
---@return table<string, function>
local function methods_of(given, secrets)
  local crypto <const> = require "tidegate.crypto"
  local cookie <const>, tail <const> = given.cookie or "sessionid", attributes(given)
  local max_age <const> = given.max_age_seconds or usual_age
  local Session <const> = {}

  function Session.make(_, user_id)
    local text <const> = text_of(user_id)
    local options <const> = {
      purpose = purpose_of(cookie),
      max_age_seconds = max_age,
      now = host.now(),
    }
    return crypto.seal(text, secrets, options)
  end

  function Session:cookie(user_id)
    return ("%s=%s; Max-Age=%d; %s"):format(cookie, self:make(user_id), max_age // 1, tail)
  end

  function Session.clear()
    return ("%s=; Max-Age=0; %s"):format(cookie, tail)
  end

  declare.public(Session)
  return Session
end

---@param options? tidegate.SessionOptions
---@return tidegate.Session
local function session(options)
  local given <const> = checks.read(what, options, option_checks)
  local crypto <const> = require "tidegate.crypto"
  local where <const> = ("%s: %s"):format(declare.position() or "?", what)
  local secrets <const> = given.secrets or crypto.secrets(where)
  local cookie <const>, load <const> = given.cookie or "sessionid", given.load
  local from <const> = { cookie = cookie }
  return callable.new(what, function(request)
    local text <const> = token.find(request, from)
    if not text then
      return combine.refuse_missing()
    end
    local unsealing <const> = { purpose = purpose_of(cookie), now = host.now() }
    local user_id <const>, expires_at <const> = crypto.unseal(text, secrets, unsealing)
    if not user_id then
      local is_old <const> = expires_at == "expired"
      return nil, 401, is_old and "The session has expired" or "The session is not valid"
    end
    local user = user_id
    if load then
      user = load(user_id, request)
    end
    if user == nil or user == false or user == host.null then
      return nil, 401, "The session is not valid"
    end
    return user, { expires_at = expires_at }
  end, { methods = methods_of(given, secrets) })
end

return session
