--- Random numbers and the time, as an application has them.

local tide <const> = require "tidegate"

local Draw <const> = tide.message "draw"
local Drawn <const> = tide.message("drawn", tide.schema.integer())
local Time <const> = tide.message("time", tide.schema.array(tide.schema.number()))

local Random <const> = tide.consumer { path = "/ws/random" }

Random:on(Draw, { output = Drawn }, function()
  return Drawn(math.random(1000000))
end)

Random:on(tide.message "clock", { output = Time }, function()
  return Time { os.time(), tide.now(), os.time { year = 2026, month = 1, day = 1, hour = 12 } }
end)

return Random
