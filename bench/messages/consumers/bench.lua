local tide <const> = require "tidegate"
local types <const> = require "types"

local Bench <const> = tide.consumer { path = "/ws/bench" }

Bench:on(types.small, { output = types.small }, function(_, message)
  return types.small(message.payload)
end)

Bench:on(types.large, { output = types.large }, function(_, message)
  return types.large(message.payload)
end)

return Bench
