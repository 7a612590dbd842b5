--- tide.auth.any, all and none: several authenticators or permissions as one. `any` is for both,
--- since both answer with something that is true, or with nothing and a reason.

local callable <const> = require "tidegate.auth.callable"
local declare <const> = require "tidegate.declare"
local host <const> = require "tidegate.host"

local Combine <const> = {}

--- What an authenticator says of a client that has shown nothing at all.
Combine.missing = "Authentication credentials were not provided."

--- Refuses a client that has shown nothing.
---@return nil user
---@return integer status
---@return string detail
function Combine.refuse_missing()
  return nil, 401, Combine.missing
end

---@param answer any a user, or what a permission said
---@param status any
---@return boolean
local function is_yes(answer, status)
  return answer ~= nil and answer ~= false and answer ~= host.null or status == 200
end

--- Whether a refusal says more than that there was nothing to look at.
---@param status any of an authenticator; the sentence of a permission
---@param detail any
---@return boolean
local function says_something(status, detail)
  return status ~= nil and not (status == 401 and detail == Combine.missing)
end

function Combine.any(list)
  local what <const> = "tide.auth.any"
  local members <const>, reads <const> =
    callable.members(what, list, "authenticators or permissions")
  return callable.new(what, function(...)
    local status, detail
    for _, member in ipairs(members) do
      local answer <const>, second <const>, third <const> = member(...)
      if is_yes(answer, second) then
        return answer, second, third
      elseif
        status == nil or not says_something(status, detail) and says_something(second, third)
      then
        status, detail = second, third
      end
    end
    return nil, status, detail
  end, reads)
end

--- What a permission said; anything but true, false and nothing is a mistake.
---@param what string
---@param index integer
---@param answer any
---@param detail any
---@return boolean
---@return any detail
local function checked(what, index, answer, detail)
  if answer ~= nil and type(answer) ~= "boolean" then
    local text <const> = "%s: permission %d returned %s: it returns true, or false and a sentence"
    error(text:format(what, index, declare.show(answer)), 0)
  end
  return answer == true, detail
end

function Combine.all(list)
  local what <const> = "tide.auth.all"
  local members <const> = callable.members(what, list, "permissions")
  return callable.new(what, function(...)
    for index, member in ipairs(members) do
      local is_allowed <const>, detail <const> = checked(what, index, member(...))
      if not is_allowed then
        return false, detail
      end
    end
    return true
  end)
end

function Combine.none(list)
  local what <const> = "tide.auth.none"
  local members <const> = callable.members(what, list, "permissions")
  return callable.new(what, function(...)
    for index, member in ipairs(members) do
      if checked(what, index, member(...)) then
        return false
      end
    end
    return true
  end)
end

--- The permission of those who are somebody, of connections and of subscriptions.
Combine.is_authenticated = callable.new("tide.auth.is_authenticated", function(subject)
  local conn <const> = subject.conn or subject
  return conn.user ~= nil, Combine.missing
end)

return Combine
