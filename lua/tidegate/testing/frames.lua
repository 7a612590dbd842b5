--- What went between a client and the server, as lines with times.

local show <const> = require "tidegate.testing.show"

local Frames <const> = {}

---@class tidegate.SeenFrame
---@field at number seconds of the application's clock
---@field from "server" | "client"
---@field kind "text" | "binary" | "ping" | "close" | "end"
---@field data? string
---@field frame? any what a text frame of messages says
---@field code? integer of a close frame
---@field reason? string

---@param seen tidegate.SeenFrame
---@param limit integer
---@return string
local function content(seen, limit)
  if seen.kind == "text" then
    return show.text(seen.data, limit)
  elseif seen.kind == "binary" then
    return "binary, " .. show.bytes(seen.data)
  elseif seen.kind == "close" then
    local reason <const> = seen.reason and seen.reason ~= "" and show.value(seen.reason)
    local code <const> = seen.code or "without a code"
    return reason and ("close %s %s"):format(code, reason) or ("close %s"):format(code)
  elseif seen.kind == "end" then
    return "the connection ended"
  end
  return seen.kind
end

--- One frame: "  0.250 s  <- {"action":"pong"}".
---@param seen tidegate.SeenFrame
---@param limit? integer bytes of the frame
---@return string
function Frames.line(seen, limit)
  local arrow <const> = seen.from == "server" and "<-" or "->"
  return ("%9.3f s  %s %s"):format(seen.at, arrow, content(seen, limit or 200))
end

--- The last of them, for a failure.
---@param list tidegate.SeenFrame[]
---@param most integer
---@return string
function Frames.lines(list, most)
  local lines <const> = {}
  local first <const> = math.max(1, #list - most + 1)
  if first > 1 then
    lines[1] = ("             (%d earlier ones)"):format(first - 1)
  end
  for index = first, #list do
    lines[#lines + 1] = Frames.line(list[index])
  end
  return table.concat(lines, "\n")
end

local list_metatable <const> = {
  __name = "tidegate.frames",
  __tostring = function(list)
    return Frames.lines(list, #list)
  end,
}

--- A list that `print` and `tostring` show line by line.
---@param list tidegate.SeenFrame[]
---@return tidegate.SeenFrame[]
function Frames.list(list)
  return setmetatable(table.move(list, 1, #list, 1, {}), list_metatable)
end

return Frames
