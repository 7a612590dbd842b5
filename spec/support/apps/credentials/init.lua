--- Credentials that end: by themselves, because somebody asks again, or because somebody ends them.

local tide <const> = require "tidegate"
local s <const> = tide.schema

local who <const> = tide.message "who"
local told <const> = tide.message("told", s.any())
local ban <const> = tide.message("ban", s.string())
local nap <const> = tide.message("nap", s.number())

--- Names of who is refused from now on.
local banned <const> = {}

--- A token is a name, and perhaps for how many seconds it is good: "ann:0.5".
---@param request tidegate.Request
local function authenticate(request)
  local token <const> = request.token or request.query.token or ""
  local name <const>, seconds <const> = token:match "^(%l+):?([%d.]*)$"
  if not name then
    return nil, 401, "The token is not valid"
  elseif name == "slow" then
    tide.sleep(0.2)
  elseif banned[name] == "raise" then
    error "the accounts are down"
  elseif banned[name] then
    return nil, 403, "Banned"
  end
  local validity <const> = tonumber(seconds) and { expires_at = tide.now() + tonumber(seconds) }
  return { id = name, token = token }, validity
end

---@param options table
---@return tidegate.Consumer
local function door(options)
  options.authenticate = authenticate
  local Door <const> = tide.consumer(options)
  Door:on(who, { output = told }, function(conn)
    return told(conn.user)
  end)
  Door:on(nap, { output = told, timeout = 60 }, function(_, message)
    tide.sleep(message.payload)
    return told "slept"
  end)
  return Door
end

local Desk <const> = tide.consumer { name = "desk", path = "/ws/desk" }
Desk:on(ban, { output = told }, function(_, message)
  local name <const>, how <const> = message.payload:match "^(%l+):?(%l*)$"
  banned[name] = how == "raise" and "raise" or how ~= "lift" or nil
  return told(how == "kick" and tide.user(name):close(4401, "logged out") or 0)
end)

return {
  door { name = "door", path = "/ws/door" },
  door { name = "patient", path = "/ws/patient", grace = 0.5 },
  door { name = "watched", path = "/ws/watched", reauthenticate_seconds = 0.2 },
  door { name = "open", path = "/ws/open", send_authentication = false },
  Desk,
}
