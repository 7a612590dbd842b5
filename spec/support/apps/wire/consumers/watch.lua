local tide <const> = require "tidegate"
local journal <const> = require "journal"

local fence <const> = tide.message "fence"
local fenced <const> = tide.message "fenced"

local Watch <const> = tide.consumer {
  name = "watch",
  path = "/ws/watch",
  sends = { journal.watching, journal.noted, journal.ended },
}

Watch:on(fence, { output = fenced }, function()
  return fenced()
end)

function Watch:connected(conn)
  journal.watch(conn)
  conn:send(journal.watching())
end

function Watch:disconnected(conn)
  journal.unwatch(conn)
end

return Watch
