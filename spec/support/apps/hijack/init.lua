--- Consumers that know their user by a cookie, one for pages of its own origin and one, carelessly, for all.

local tide <const> = require "tidegate"

local welcome <const> = tide.message("welcome", { name = tide.schema.string() })

---@param options table
---@return tidegate.Consumer
local function bank(options)
  options.sends = welcome
  options.authenticate = function(request)
    return request.cookies.sid == "secret" and { id = 1, name = "Ann" } or nil
  end
  local Bank <const> = tide.consumer(options)
  function Bank:connected(conn)
    conn:send(welcome { name = conn.user.name })
  end
  return Bank
end

return {
  bank { name = "bank", path = "/ws/bank" },
  bank { name = "careless", path = "/ws/careless", origins = { "*" } },
}
