--- `tidegate test --watch`: runs all specs, then again what a change touches, each time in a
--- program of its own, so that nothing is left of the run before. A newer change ends the run under
--- way, whose specs come again.

local trace <const> = require "tidegate.runner.trace"

--- Editors and version control write several files at once: what follows within this time belongs
--- together.
local QUIET_SECONDS <const> = 0.05

local LONGEST_RUN_MS <const> = 86400000

---@class tidegate.Watch
---@field test table what the host offers
---@field root string
---@field options string[] for busted, without files
---@field start fun(arguments: string[]): table waits for a program whose output is ours
---@field flags string[] of our own, for each run
---@field known table<string, table<string, true>> spec file -> what it has run
---@field common table<string, true> what runs before all spec files
---@field failed table<string, true> spec files whose last run failed, or was ended
---@field under_way? string[] the spec files of the run under way; nil for all
---@field trace string where that run writes what it uses
---@field files string[] that were asked for

---@param text string
local function say(text)
  io.stdout:write("watch: ", text, "\n")
  io.stdout:flush()
end

---@param watch tidegate.Watch
---@param path string
---@return string
local function shown(watch, path)
  local is_below <const> = path:sub(1, #watch.root + 1) == watch.root .. "/"
  return is_below and path:sub(#watch.root + 2) or path
end

---@param set table<string, true>
---@return string[]
local function in_order(set)
  local list <const> = {}
  for path in pairs(set) do
    list[#list + 1] = path
  end
  table.sort(list)
  return list
end

---@param watch tidegate.Watch
---@param paths string[]
---@return string
local function shown_list(watch, paths)
  local names <const> = {}
  for index, path in ipairs(paths) do
    names[index] = shown(watch, path)
  end
  return table.concat(names, ", ")
end

--- What the last run wrote down; of a spec file that failed nothing is forgotten: it may not have
--- come to what it needs.
---@param watch tidegate.Watch
local function learn(watch)
  local specs <const>, common <const> = trace.read(watch.trace)
  for _, path in ipairs(common) do
    watch.common[path] = true
  end
  for _, spec in ipairs(specs) do
    local used <const> = spec.has_failed and watch.known[spec.path] or {}
    for _, path in ipairs(spec.used) do
      used[path] = true
    end
    watch.known[spec.path] = used
    watch.failed[spec.path] = spec.has_failed or nil
  end
end

---@param watch tidegate.Watch
---@param specs string[]? all of them when nil
local function run(watch, specs)
  watch.under_way = specs
  for _, path in ipairs(specs or {}) do
    watch.failed[path] = true
  end
  local file <const> = io.open(watch.trace, "w")
  if file then
    file:close()
  end
  local arguments <const> =
    { watch.test.real_path "/proc/self/exe", "test", "--loaded=" .. watch.trace }
  table.move(watch.flags, 1, #watch.flags, #arguments + 1, arguments)
  arguments[#arguments + 1] = "."
  table.move(watch.options, 1, #watch.options, #arguments + 1, arguments)
  table.move(specs or watch.files, 1, #(specs or watch.files), #arguments + 1, arguments)
  local result <const>, problem <const> = watch.start(arguments)
  learn(watch)
  if not result then
    say("the specs could not be run: " .. problem)
  elseif result.signal then
    say(("the run was ended by signal %d"):format(result.signal))
  end
  say "waiting for changes"
end

--- Adds to `wanted` what the change of one file touches. Returns why, or nothing when it touches
--- none; true, when all specs have to be run.
---@param watch tidegate.Watch
---@param path string
---@param wanted table<string, true>
---@param strangers string[] what touches none is added
---@return string? why
---@return boolean? is_all
local function choose(watch, path, wanted, strangers)
  if watch.known[path] and not watch.test.real_path(path) then
    watch.known[path], watch.failed[path] = nil, nil
    return nil
  elseif watch.known[path] or path:find "_spec%.lua$" then
    wanted[path] = true
    return shown(watch, path) .. " has changed"
  elseif watch.common[path] then
    return shown(watch, path) .. " has changed, which all specs use", true
  end
  local count = 0
  for spec, used in pairs(watch.known) do
    if used[path] or watch.failed[spec] then
      wanted[spec] = true
      count = count + 1
    end
  end
  if count > 0 then
    return shown(watch, path) .. " has changed"
  end
  strangers[#strangers + 1] = shown(watch, path)
  return nil
end

---@param strangers string[] what has changed, and no spec has run
local function say_strangers(strangers)
  local first <const>, others <const> = strangers[1], #strangers - 1
  if others == 0 then
    say(first .. " has changed: no spec has run it")
  elseif others > 0 then
    local noun <const> = others == 1 and "another" or others .. " others"
    say(("%s and %s have changed: no spec has run them"):format(first, noun))
  end
end

--- What is to be run after these changes: nil for nothing, an empty list for everything.
---@param watch tidegate.Watch
---@param changes table<string, true>
---@param is_lost boolean
---@return string[]? specs
---@return string? why
local function plan(watch, changes, is_lost)
  if is_lost then
    return {}, "much has changed"
  end
  local wanted <const>, reasons <const>, strangers <const> = {}, {}, {}
  local is_all = false
  for _, path in ipairs(in_order(changes)) do
    local why <const>, wants_all <const> = choose(watch, path, wanted, strangers)
    reasons[#reasons + 1] = why
    is_all = is_all or wants_all or false
  end
  say_strangers(strangers)
  if #reasons == 0 then
    return nil
  end
  return is_all and {} or in_order(wanted), table.concat(reasons, ", ")
end

--- The specs, and those that the run which was ended had still to run.
---@param watch tidegate.Watch
---@param specs string[] empty: all
---@return string[]
local function with_unfinished(watch, specs)
  if #specs == 0 or not watch.under_way then
    return {}
  end
  local wanted <const> = {}
  for _, path in ipairs(specs) do
    wanted[path] = true
  end
  for _, path in ipairs(watch.under_way) do
    wanted[path] = wanted[path] or watch.failed[path]
  end
  return in_order(wanted)
end

--- The path by which a file is known: a folder may be a link to another one.
---@param watch tidegate.Watch
---@param path string
---@return string
local function known_path(watch, path)
  local folder <const>, name <const> = path:match "^(.*)/([^/]*)$"
  local real <const> = (watch.test.real_path(folder) or folder) .. "/" .. name
  return real:sub(1, #watch.root + 1) == watch.root .. "/" and real or path
end

--- Notes a change of a Lua file, or of those that were in a folder that has gone.
---@param watch tidegate.Watch
---@param path string
---@param changes table<string, true>
local function note(watch, path, changes)
  if path:find "%.lua$" then
    changes[known_path(watch, path)] = true
    return
  end
  for spec, used in pairs(watch.known) do
    for _, known in ipairs { { [spec] = true }, used } do
      for file in pairs(known) do
        if file:sub(1, #path + 1) == path .. "/" then
          changes[file] = true
        end
      end
    end
  end
end

--- Waits for changes of Lua files.
---@param watch tidegate.Watch
---@param watcher table
---@return table<string, true> changes
---@return boolean is_lost
local function next_changes(watch, watcher)
  local changes <const> = {}
  local is_lost = false
  repeat
    local is_quiet = next(changes) ~= nil or is_lost
    local paths <const>, has_lost <const> = watcher:next(is_quiet and QUIET_SECONDS or nil)
    for _, path in ipairs(paths or {}) do
      note(watch, path, changes)
    end
    is_lost = is_lost or has_lost or false
    is_quiet = is_quiet and not paths
  until is_quiet
  return changes, is_lost
end

--- Divides what was given to busted into options and files.
---@param test table
---@param given string[]
---@return string[] options
---@return string[] files
local function divide(test, given)
  local options <const>, files <const> = {}, {}
  for _, argument in ipairs(given) do
    local is_file <const> = argument:sub(1, 1) ~= "-" and test.real_path(argument)
    local list <const> = is_file and files or options
    list[#list + 1] = argument
  end
  return options, files
end

---@param test table
---@param options tidegate.TestOptions
return function(test, options)
  local tide <const> = test.require "tidegate"
  local host <const> = test.require "tidegate.host"
  local busted_options <const>, files <const> = divide(test, options.busted)
  local watch <const> = {
    test = test,
    root = test.real_path ".",
    options = busted_options,
    files = files,
    flags = options.coverage and { "--coverage=" .. options.coverage } or {},
    known = {},
    common = {},
    failed = {},
    trace = os.tmpname(),
    start = host.process_run(function(arguments)
      return arguments, nil, nil, nil, LONGEST_RUN_MS, nil, true
    end),
  }
  local _ <close> = setmetatable({}, {
    __close = function()
      os.remove(watch.trace)
    end,
  })
  -- Before the first run: what changes meanwhile is not missed.
  local watcher <close> = assert(test.watch(watch.root))
  say "running all specs"
  local running = tide.spawn(run, watch, nil)
  while true do
    local specs, why <const> = plan(watch, next_changes(watch, watcher))
    if specs then
      if running:status() == "running" then
        running:cancel()
        learn(watch)
        specs = with_unfinished(watch, specs)
      end
      local is_all <const> = #specs == 0
      say(why .. ": running " .. (is_all and "all specs" or shown_list(watch, specs)))
      running = tide.spawn(run, watch, not is_all and specs or nil)
    end
  end
end
