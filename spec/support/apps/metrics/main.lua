--- Handlers that cost time in different ways, for what /metrics says of them.

local tide <const> = require("tidegate")
local s <const> = tide.schema

local done <const> = tide.message("done", s.null())
local quick <const> = tide.message("quick", s.object({ word = s.string() }))
local odd <const> = tide.message('odd "name"\\', s.null())
local busy <const> = tide.message("busy", s.null())
local nap <const> = tide.message("nap", s.null())
local litter <const> = tide.message("litter", s.null())
local hoard <const> = tide.message("hoard", s.null())

local Costs <const> = tide.consumer({ name = "costs", path = "/ws/costs" })

function Costs:connected() end

local function answer()
  return done()
end

Costs:on(quick, answer)
Costs:on(odd, answer)

--- Holds the loop.
Costs:on(busy, function()
  local deadline <const> = os.clock() + 0.02
  while os.clock() < deadline do
  end
  return done()
end)

--- Lets it go.
Costs:on(nap, function()
  tide.sleep(0.05)
  return done()
end)

--- Leaves garbage, less than would begin a collection.
Costs:on(litter, function()
  local last
  for i = 1, 4000 do
    last = { last, tostring(i) }
  end
  return done()
end)

--- Keeps much, so that a collection is long.
local hoarded <const> = {}
Costs:on(hoard, function()
  for i = 1, 40000 do
    hoarded[#hoarded + 1] = { i }
  end
  return done()
end)

local Text <const> = tide.text_consumer({
  name = "text",
  path = "/ws/text",
  receive = function(conn, data)
    conn:send_text(data)
  end,
})

return { Costs, Text }
