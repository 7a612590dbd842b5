--- The session that logging in begins: a cookie that the server has signed.

local tide <const> = require "tidegate"
local users <const> = require "users"

return tide.auth.session { cookie = "sessionid", load = users.find }
