--- Logging in and out: plain HTTP, so that a browser keeps the cookie.

local session <const> = require "session"
local tide <const> = require "tidegate"
local users <const> = require "users"
local s <const> = tide.schema

tide.route("POST", "/login", {
  summary = "Begins a session",
  login = true,
  schema = { name = s.string { min = 1, max = 50 }, password = s.string({ max = 200 }):secret() },
}, function(request)
  local user <const> = users.verify(request.payload.name, request.payload.password)
  if not user then
    return 401, { detail = "The name or the password is wrong" }
  end
  return 200, { username = user.username }, { ["set-cookie"] = session:cookie(user.id) }
end)

tide.route("POST", "/logout", {
  summary = "Ends a session, and the user's connections in all browsers",
}, function(request)
  local user <const> = session(request)
  if user then
    tide.user(user.id):close(4401, "logged out")
  end
  return 204, nil, { ["set-cookie"] = session:clear() }
end)

tide.route("GET", "/me", { summary = "Whose session it is" }, function(request)
  local user <const> = session(request)
  if not user then
    return 401, { detail = "Nobody has logged in" }
  end
  return 200, { username = user.username }
end)
