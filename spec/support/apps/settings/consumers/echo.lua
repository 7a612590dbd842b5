local tide <const> = require "tidegate"
local s <const> = tide.schema

local any <const> = tide.message("any", s.any())

local Echo <const> = tide.consumer { name = "settings", path = "/ws/echo" }

Echo:on(any, { output = any }, function(_, message)
  return any(message.payload)
end)

return Echo
