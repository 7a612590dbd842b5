--- tide.auth.basic: a name and a password in the header `Authorization` (RFC 7617).

local callable <const> = require "tidegate.auth.callable"
local checks <const> = require "tidegate.auth.options"
local combine <const> = require "tidegate.auth.combine"
local declare <const> = require "tidegate.declare"
local host <const> = require "tidegate.host"

local what <const> = "tide.auth.basic"

---@type table<string, tidegate.Check>
local option_checks <const> = { verify = declare.callable }

---@param options tidegate.BasicOptions
---@return tidegate.Authenticator
local function basic(options)
  local given <const> = checks.read(what, options, option_checks)
  checks.need(what, given, "verify", "verify = function(name, password) ... end")
  local crypto <const> = require "tidegate.crypto"
  return callable.new(what, function(request)
    local header <const> = request.headers.authorization or ""
    local encoded <const> = header:match "^[Bb][Aa][Ss][Ii][Cc] +(%S+) *$"
    if not encoded then
      return combine.refuse_missing()
    end
    local text <const> = crypto.from_base64(encoded) or ""
    local name <const>, password <const> = text:match "^([^:%c]*):(%C*)$"
    local user <const> = name and given.verify(name, password, request)
    if user == nil or user == false or user == host.null then
      return nil, 401, "The name or the password is wrong"
    end
    return user
  end)
end

return basic
