--- tide.auth: who clients are, and what they may.

local api_key <const> = require "tidegate.auth.api_key"
local basic <const> = require "tidegate.auth.basic"
local callable <const> = require "tidegate.auth.callable"
local combine <const> = require "tidegate.auth.combine"
local declare <const> = require "tidegate.declare"
local host <const> = require "tidegate.host"
local http <const> = require "tidegate.auth.http"
local jwt <const> = require "tidegate.auth.jwt"
local session <const> = require "tidegate.auth.session"

local Auth <const> = {
  api_key = api_key,
  basic = basic,
  http = http,
  jwt = jwt,
  session = session,
  any = combine.any,
  all = combine.all,
  none = combine.none,
  is_authenticated = combine.is_authenticated,
}

--- A function as an authenticator.
---@param authenticate tidegate.Authenticate
---@return tidegate.Authenticator
function Auth.custom(authenticate)
  if type(authenticate) ~= "function" then
    local shown <const> = declare.show(authenticate)
    declare.fail("tide.auth.custom: expected function(request) ... end, got %s", shown)
  end
  return callable.new("tide.auth.custom", authenticate)
end

--- Lets in whoever comes, as nobody.
---@return tidegate.Authenticator
function Auth.anonymous()
  return callable.new("tide.auth.anonymous", function()
    return nil, 200
  end)
end

--- Waits for a token in the client's first message, for clients that can set no header, and asks
--- `inner` about it.
---@param inner tidegate.Authenticate
---@return tidegate.Authenticator
function Auth.first_message(inner)
  local what <const> = "tide.auth.first_message"
  if not callable.is(inner) then
    local shown <const> = declare.show(inner)
    declare.fail("%s: expected the authenticator that looks at the token, got %s", what, shown)
  end
  return callable.new(what, function(request)
    local why
    if not request.token then
      request.token, why = host.first_token()
    end
    if not request.token then
      return nil, 401, why or "The first message must be `authenticate`, with a token"
    end
    return inner(request)
  end, callable.reads(inner))
end

--- How an API key is kept.
---@param key string
---@return string
function Auth.hash_key(key)
  return require("tidegate.crypto").hash_key(key)
end

--- How a password is kept.
---@param password string
---@return string
function Auth.hash_password(password)
  return require("tidegate.crypto").hash_password(password)
end

--- Whether a password, or a key, is what a hash was made of.
---@param secret string
---@param hash string
---@return boolean
function Auth.check(secret, hash)
  return require("tidegate.crypto").check(secret, hash)
end

declare.public(Auth)
for _, name in ipairs {
  "all",
  "anonymous",
  "any",
  "api_key",
  "basic",
  "custom",
  "first_message",
  "http",
  "jwt",
  "none",
  "session",
} do
  callable.add_maker("tide.auth." .. name, Auth[name])
end

return declare.closed("tide.auth", Auth)
