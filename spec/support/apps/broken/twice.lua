local tide <const> = require "tidegate"

local Twice <const> = tide.consumer { name = "twice", path = "/ws/twice" }

Twice:on(tide.messages.ping, { summary = "First" }, function() end)
Twice:on(tide.messages.ping, { summary = "Second" }, function() end)

return Twice
