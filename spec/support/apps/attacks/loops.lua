-- Handlers that use CPU time without end, from every place that Lua code can stand in.
local loops <const> = {}

local function spin()
  while true do
    local _ <const> = 1
  end
end

function loops.plain()
  spin()
end

function loops.swallowing()
  while true do
    pcall(spin)
  end
end

function loops.in_close()
  local guard <close> = setmetatable({}, { __close = spin })
  return guard
end

function loops.in_index()
  return setmetatable({}, { __index = spin }).x
end

function loops.in_gsub()
  return (("x"):gsub("x", spin))
end

function loops.swallowing_in_gsub()
  return (("x"):gsub("x", function()
    while true do
      pcall(spin)
    end
  end))
end

function loops.in_sort()
  table.sort({ 1, 2, 3 }, spin)
end

function loops.recursion()
  local function deeper(n)
    return deeper(n + 1) + 1
  end
  while true do
    pcall(deeper, 1)
  end
end

function loops.in_message_handler()
  xpcall(error, spin)
end

function loops.in_message_handler_of_a_loop()
  xpcall(spin, spin)
end

function loops.xpcall_in_sort()
  table.sort({ 1, 2, 3 }, function()
    xpcall(spin, spin)
    return true
  end)
end

function loops.error_in_message_handler()
  while true do
    xpcall(error, error)
  end
end

function loops.pending_close()
  local guard <close> = setmetatable({}, { __close = spin })
  spin()
  return guard
end

function loops.in_resume()
  coroutine.resume(coroutine.create(spin))
  spin()
end

function loops.of_resumes()
  while true do
    coroutine.resume(coroutine.create(spin))
  end
end

function loops.in_wrap()
  coroutine.wrap(spin)()
end

function loops.of_wraps()
  while true do
    pcall(coroutine.wrap(spin))
  end
end

function loops.nested_wraps()
  local function nest(n)
    if n == 0 then
      spin()
    end
    while true do
      pcall(coroutine.wrap(nest), n - 1)
    end
  end
  nest(20)
end

function loops.closing_a_coroutine()
  local co <const> = coroutine.create(function()
    local guard <close> = setmetatable({}, { __close = spin })
    coroutine.yield(guard)
  end)
  coroutine.resume(co)
  coroutine.close(co)
end

function loops.in_iterator()
  for _ in spin do
    local _ <const> = 1
  end
end

function loops.in_load()
  load(spin)
end

function loops.in_tostring()
  error(setmetatable({}, { __tostring = spin }))
end

function loops.in_tostring_of_a_log_field()
  require("tidegate").log.info("x", { a = setmetatable({}, { __tostring = spin }) })
end

return loops
