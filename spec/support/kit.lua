--- The C module of the test kit itself, for the specs that look below `tidegate.testing`.

local kit <const> = require "tidegate.testing.kit"

local Kit <const> = { kit = kit }

--- An app of what `declare(tide)` returns.
---@param declare fun(tide: table): any
---@param config? table
---@return table
function Kit.app(declare, config)
  return assert(kit.open { declare = declare, config = config, seed = 7 })
end

--- An app with one consumer at /x that answers `ping` with `ping`.
---@param config? table
---@return table
function Kit.echo(config)
  return Kit.app(function(tide)
    local Ping <const> = tide.message "ping"
    local Echo <const> = tide.consumer { path = "/x", name = "echo" }
    Echo:on(Ping, function()
      return Ping()
    end)
    return Echo
  end, config)
end

--- All that has come, in short: "text <text>", "close <code> <reason>", "end".
---@param link table
---@return string[]
function Kit.frames(link)
  local list <const> = {}
  for frame in
    function()
      return link:take()
    end
  do
    local words <const> = { frame.kind, frame.code or frame.data, frame.reason }
    list[#list + 1] = frame.kind == "end" and "end" or table.concat(words, " "):gsub("%s+$", "")
  end
  return list
end

return Kit
