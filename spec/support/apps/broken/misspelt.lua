local tide <const> = require "tidegate"

local Misspelt <const> = tide.consumer { name = "misspelt", path = "/ws/misspelt" }

function Misspelt:conected() end

return Misspelt
