--- tide.auth.api_key: who has a long random key. Only hashes of keys are kept, and all of them are
--- compared, so that time tells nothing.

local callable <const> = require "tidegate.auth.callable"
local checks <const> = require "tidegate.auth.options"
local combine <const> = require "tidegate.auth.combine"
local declare <const> = require "tidegate.declare"
local host <const> = require "tidegate.host"
local token <const> = require "tidegate.auth.token"

local what <const> = "tide.auth.api_key"

---@param value any
---@return boolean
local function is_hash(value)
  return type(value) == "string" and value:find "^sha256:%x+$" ~= nil and #value == 71
end

---@type table<string, tidegate.Check>
local option_checks <const> = {
  header = checks.header,
  query = checks.name,
  find = declare.callable,
  keys = function(value)
    local is_right = type(value) == "table" and not getmetatable(value) and next(value) ~= nil
    for hash in pairs(is_right and value or {}) do
      is_right = is_right and is_hash(hash)
    end
    return is_right, "a table of users by the hashes of their keys, what tide.auth.hash_key returns"
  end,
}

--- The user of one among many hashes, looking at all.
---@param users table<string, any>
---@return fun(hash: string): any
local function finder(users)
  local crypto <const> = require "tidegate.crypto"
  local hashes <const> = declare.sorted_keys(users)
  return function(hash)
    local found
    for _, candidate in ipairs(hashes) do
      if crypto.equal(candidate:lower(), hash) then
        found = users[candidate]
      end
    end
    return found
  end
end

---@param options tidegate.ApiKeyOptions
---@return tidegate.Authenticator
local function api_key(options)
  local given <const> = checks.read(what, options, option_checks)
  local crypto <const> = require "tidegate.crypto"
  if (given.keys == nil) == (given.find == nil) then
    declare.fail("%s: needs either keys, a table of users by hashes, or find", what)
  end
  local from <const> = { header = (given.header or "x-api-key"):lower(), query = given.query }
  local find <const> = given.find or finder(given.keys)
  return callable.new(what, function(request)
    local key <const> = token.find(request, from)
    if not key then
      return combine.refuse_missing()
    end
    local user <const> = find(crypto.hash_key(key), request)
    if user == nil or user == false or user == host.null then
      return nil, 401, "The key is not valid"
    end
    return user
  end, { headers = { from.header }, queries = { from.query } })
end

return api_key
