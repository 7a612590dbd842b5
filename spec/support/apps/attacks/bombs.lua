-- Handlers that take memory without end. Each returns a message if it is let live.
local bombs <const> = {}

function bombs.table()
  local all <const> = {}
  for i = 1, math.huge do
    all[i] = { i }
  end
  return all
end

function bombs.string()
  local text = "x"
  while true do
    text = text .. text
  end
end

function bombs.buffer()
  local parts <const> = {}
  for i = 1, 1000 do
    parts[i] = ("x"):rep(100000)
  end
  return #table.concat(parts)
end

function bombs.closures()
  local all <const> = {}
  for i = 1, math.huge do
    all[i] = function()
      return i
    end
  end
  return all
end

function bombs.coroutines()
  local all <const> = {}
  for i = 1, math.huge do
    all[i] = coroutine.create(function() end)
  end
  return all
end

function bombs.swallowed()
  local all <const> = {}
  local is_made, why
  repeat
    is_made, why = pcall(function()
      all[#all + 1] = ("x"):rep(1000000) .. #all
    end)
  until not is_made
  error(why)
end

function bombs.in_tostring()
  error(setmetatable({}, { __tostring = bombs.string }))
end

return bombs
