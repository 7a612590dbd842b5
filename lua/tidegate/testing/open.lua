--- The applications that specs have open, and what becomes of those that nobody closes: one that
--- was opened in the body of an `it` ends with it; what is left at the end of a spec file is closed
--- then, and the line that opened it is told on standard error.

local Open <const> = {}

---@type tidegate.TestApp[]
local open <const> = {}

--- Whether the body of an `it` is running.
local is_testing = false

---@param app tidegate.TestApp
function Open.add(app)
  app.is_of_one_test = is_testing
  open[#open + 1] = app
end

---@param app tidegate.TestApp
function Open.remove(app)
  for index, candidate in ipairs(open) do
    if candidate == app then
      table.remove(open, index)
      return
    end
  end
end

--- Closes the newest first.
---@param is_due fun(app: tidegate.TestApp): boolean
---@param why string
---@return string[] # the lines that opened them
local function close_all(is_due, why)
  local places <const> = {}
  for index = #open, 1, -1 do
    local app <const> = open[index]
    if app and is_due(app) then
      places[#places + 1] = app.opened_at
      app:close(why)
    end
  end
  return places
end

--- What was left open, by line: "spec/chat_spec.lua:5: ...".
---@param places string[]
---@return string
local function describe(places)
  local counts <const>, order <const> = {}, {}
  for _, place in ipairs(places) do
    order[#order + 1] = not counts[place] and place or nil
    counts[place] = (counts[place] or 0) + 1
  end
  table.sort(order)
  for index, place in ipairs(order) do
    local many <const> = counts[place] > 1
    local text <const> = "%s: testing.app: %s opened here %s never closed; "
      .. "call app:close() in after_each\n"
    local what <const> = many and counts[place] .. " applications" or "the application"
    order[index] = text:format(place, what, many and "were" or "was")
  end
  return table.concat(order)
end

--- At the end of a spec file.
local function end_of_file()
  local places <const> = close_all(function()
    return true
  end, "at the end of the spec file")
  if #places > 0 then
    io.stderr:write("\n" .. describe(places))
  end
end

--- Hears of the beginning and the end of specs from busted, when it is there.
function Open.watch()
  local busted <const> = package.loaded.busted
  local has_events <const>, subscribe <const> = pcall(function()
    return busted.subscribe
  end)
  if not has_events or type(subscribe) ~= "function" then
    return
  end
  subscribe({ "test", "start" }, function()
    is_testing = true
    return nil, true
  end)
  subscribe({ "test", "end" }, function()
    is_testing = false
    close_all(function(app)
      return app.is_of_one_test
    end, "at the end of the `it` that had opened it")
    return nil, true
  end)
  subscribe({ "file", "end" }, function()
    end_of_file()
    return nil, true
  end)
end

return Open
