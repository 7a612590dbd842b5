--- tide.auth.jwt: who has a token that somebody trusted has signed.

local callable <const> = require "tidegate.auth.callable"
local checks <const> = require "tidegate.auth.options"
local combine <const> = require "tidegate.auth.combine"
local declare <const> = require "tidegate.declare"
local host <const> = require "tidegate.host"
local jwks <const> = require "tidegate.auth.jwks"
local token <const> = require "tidegate.auth.token"

local what <const> = "tide.auth.jwt"

---@type tidegate.Check
local function texts(value)
  return declare.text(value) or declare.texts(value) and #value > 0, "a string or a list of strings"
end

---@type table<string, tidegate.Check>
local option_checks <const> = {
  keys = function(value)
    return type(value) == "table" and not getmetatable(value), "a key, or a list of keys"
  end,
  jwks = function(value)
    local is_right <const> = type(value) == "string" and value:find "^https?://" ~= nil
    return is_right, 'the URL of a key set, "https://..."'
  end,
  alg = declare.text,
  refresh_seconds = checks.positive,
  timeout = checks.positive,
  audience = texts,
  issuer = texts,
  leeway = declare.seconds,
  required = declare.texts,
  header = function(value)
    return value == false or checks.header(value),
      'the name of a header such as "x-token", or false'
  end,
  cookie = checks.name,
  query = checks.name,
  user = declare.callable,
}

--- What the client reads. Everything else that is wrong is for the log.
local sentences <const> = {
  expired = "The token has expired",
  not_yet_valid = "The token is not valid yet",
  audience = "The token is for somebody else",
}

--- The keys, or what fetches them: both verify.
---@param given table<string, any>
---@return tidegate.Keys source
---@return tidegate.Keys? keys that can sign
local function keys_of(given)
  local crypto <const> = require "tidegate.crypto"
  local where <const> = ("%s: %s"):format(declare.position() or "?", what)
  if not given.keys and not given.jwks then
    declare.fail('%s: needs keys, as in { keys = { alg = "HS256", secret = ... } }, or jwks', what)
  elseif not given.jwks then
    for _, name in ipairs { "refresh_seconds", "timeout", "alg" } do
      if given[name] ~= nil then
        declare.fail('%s: option "%s" is for jwks; a key has its own', what, name)
      end
    end
  end
  local keys <const> = given.keys and crypto.keys(given.keys, where)
  if not given.jwks then
    return keys, keys
  end
  local own <const> = given.keys and (#given.keys > 0 and given.keys or { given.keys }) or {}
  for _, key in ipairs(own) do
    if key.jwks then
      declare.fail("%s: one key set at most: jwks is a URL, and keys has another", what)
    end
  end
  local function make(text)
    local specs <const> = { { jwks = text, alg = given.alg } }
    table.move(own, 1, #own, 2, specs)
    return crypto.keys(specs, where)
  end
  return jwks.new(given.jwks, make, given.refresh_seconds or 3600, given.timeout or 5), keys
end

--- The claims are the user, whose id is their subject.
---@param claims table<string, any>
---@return table<string, any>
local function subject(claims)
  claims.id = claims.sub
  return claims
end

--- Signs, for servers that give out tokens, and for specs.
---@param keys? tidegate.Keys
---@return table<string, function>
local function methods_of(keys)
  local Jwt <const> = {}

  function Jwt.sign(_, claims, options)
    if not keys then
      declare.fail("%s: the keys of jwks can only verify; give keys to sign with", what)
    end
    return keys:sign(claims, options)
  end

  declare.public(Jwt)
  return Jwt
end

---@param options tidegate.JwtOptions
---@return tidegate.Jwt
local function jwt(options)
  local given <const> = checks.read(what, options, option_checks)
  local source <const>, keys <const> = keys_of(given)
  local header <const> = given.header == nil and "authorization" or given.header
  local from <const> = {
    header = header and header:lower() or nil,
    cookie = given.cookie,
    query = given.query,
  }
  local leeway <const>, user_of <const> = given.leeway or 0, given.user or subject
  local verifying <const> = {
    audience = given.audience,
    issuer = given.issuer,
    leeway = leeway,
    required = given.required,
  }
  return callable.new(what, function(request)
    local text <const> = token.find(request, from)
    if not text then
      return combine.refuse_missing()
    end
    verifying.now = host.now()
    local claims <const>, why <const>, detail <const> = source:verify(text, verifying)
    if not claims then
      host.log("debug", "token refused", { why = why, detail = detail or "" })
      return nil, 401, sentences[why] or "The token is not valid"
    end
    local expires_at <const> = claims.exp and claims.exp + leeway
    local user <const> = user_of(claims, request)
    if user == nil or user == false or user == host.null then
      return nil, 401, "The token is not valid"
    end
    return user, { expires_at = expires_at }
  end, { headers = { from.header }, queries = { from.query }, methods = methods_of(keys) })
end

return jwt
