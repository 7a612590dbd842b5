--- Which files each spec file has run, for whoever wants to run again what a change touches:
---
---     spec PATH passed|failed
---     used PATH                 by that spec file; before the first: by what runs before them all
---
--- A spec file is written down when it has ended, so a run that is killed has said what it knew.

local Trace <const> = {}

---@param test table what the host offers
---@param busted table
---@param output string
---@return fun() finish
function Trace.follow(test, busted, output)
  local file <const> = assert(io.open(output, "w"))
  file:setvbuf "line"
  local failed = false

  local function write_used()
    for _, path in ipairs(test.seen()) do
      file:write("used ", path, "\n")
    end
  end

  ---@param name string
  local function write_spec(name)
    file:write("spec ", test.real_path(name) or name, failed and " failed\n" or " passed\n")
  end

  local function note_failure()
    failed = true
    return nil, true
  end

  busted.subscribe({ "file", "start" }, function()
    write_used()
    failed = false
    return nil, true
  end)
  busted.subscribe({ "file", "end" }, function(element)
    write_spec(element.name)
    write_used()
    return nil, true
  end)
  busted.subscribe({ "error", "file" }, function(element)
    failed = true
    write_spec(element.name)
    return nil, true
  end)
  busted.subscribe({ "error" }, note_failure)
  busted.subscribe({ "failure" }, note_failure)
  return function()
    file:close()
  end
end

---@class tidegate.TracedSpec
---@field path string
---@field has_failed boolean
---@field used string[]

---@param input string
---@return tidegate.TracedSpec[] specs
---@return string[] common what was used by none of them
function Trace.read(input)
  local specs <const>, common <const> = {}, {}
  local file <const> = io.open(input)
  if not file then
    return specs, common
  end
  local used = common
  for line in file:lines() do
    local what <const>, rest <const> = line:match "^(%a+) (.*)$"
    if what == "spec" then
      local path <const>, result <const> = rest:match "^(.*) (%a+)$"
      used = {}
      specs[#specs + 1] = { path = path, has_failed = result == "failed", used = used }
    elseif what == "used" then
      used[#used + 1] = rest
    end
  end
  file:close()
  return specs, common
end

return Trace
