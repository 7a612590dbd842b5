--- What one client says, all get.

local tide <const> = require "tidegate"
local s <const> = tide.schema

local line <const> = tide.message("m", { t = s.string { max = 1000 } })

local All <const> = tide.consumer { path = "/ws/all", groups = { "all" } }

All:on(line, function(conn, message)
  conn:broadcast(line(message.payload))
end)

return All
