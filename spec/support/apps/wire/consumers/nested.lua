-- Routers inside a router.
local tide <const> = require "tidegate"

local function ponger(name)
  local consumer <const> = tide.consumer { name = name }
  consumer:on(tide.messages.ping, { summary = "Answers a ping" }, function()
    return tide.messages.pong()
  end)
  return consumer
end

return tide.router("/ws/nested", {
  ["/a"] = ponger "nested_a",
  ["/inner"] = tide.router("/deep", { ["/b"] = ponger "nested_b" }),
})
