--- Tasks: what waits without holding anybody up. The host waits and wakes; what is made of tasks
--- stands here.

local declare <const> = require "tidegate.declare"
local host <const> = require "tidegate.host"

local fail <const>, show <const> = declare.fail, declare.show

local Task <const> = {}

---@param what string
---@param value any
local function check_function(what, value)
  if type(value) ~= "function" then
    fail("%s: expected a function, got %s", what, show(value))
  end
end

---@param what string
---@param value any
local function check_seconds(what, value)
  if not declare.seconds(value) then
    fail("%s: the seconds must be a number from 0 to 3155760000, got %s", what, show(value))
  end
end

Task.sleep = host.sleep
Task.now = host.now
Task.clock = host.clock
Task.queue = host.queue

function Task.spawn(fn, ...)
  check_function("tide.spawn", fn)
  return host.spawn(fn, ...)
end

--- Raises the error of a task as it is, or passes its results on.
---@param is_done boolean
---@param ... any
---@return any ...
local function passed(is_done, ...)
  if is_done then
    return ...
  end
  error((...), 0)
end

---@param seconds number
---@param fn function
---@param ... any
local function run_later(seconds, fn, ...)
  host.sleep(seconds)
  return fn(...)
end

function Task.after(seconds, fn, ...)
  check_seconds("tide.after", seconds)
  check_function("tide.after", fn)
  return host.spawn(run_later, seconds, fn, ...)
end

---@param fn function
local function run_as_task(fn)
  local run <close> = host.spawn(fn)
  host.join(run)
end

--- Runs that are due while one still goes on are left out, and those for which max_tasks leaves no
--- room: what comes again and again does not end because others were too many for a while.
---@param seconds number
---@param jitter number
---@param fn function
local function run_again_and_again(seconds, jitter, fn)
  local due = host.clock()
  while true do
    due = math.max(due + seconds, host.clock())
    host.sleep(due - host.clock() + math.random() * jitter)
    local has_run <const>, why <const> = pcall(run_as_task, fn)
    if not has_run then
      host.log("error", "tide.every left out a run", { error = why })
    end
  end
end

function Task.every(seconds, fn, options)
  check_seconds("tide.every", seconds)
  check_function("tide.every", fn)
  if seconds == 0 then
    fail "tide.every: the seconds must be more than 0"
  end
  local given <const> = declare.options("tide.every", options, { jitter = declare.seconds })
  return host.spawn(run_again_and_again, seconds, given.jitter or 0, fn)
end

local group <const> = {
  __close = function(tasks)
    for index = 1, #tasks do
      tasks[index]:cancel()
    end
  end,
}

--- The tasks of a list of functions and tasks; closing it cancels those that still run.
---@param what string
---@param list any
---@return tidegate.Task[]
local function started(what, list)
  if type(list) ~= "table" or #list == 0 then
    fail("%s: expected a list of functions or tasks, got %s", what, show(list))
  end
  for index, item in ipairs(list) do
    if type(item) ~= "function" and not host.is_task(item) then
      fail("%s: item %d must be a function or a task, got %s", what, index, show(item))
    end
  end
  local tasks <const> = setmetatable({}, group)
  for index, item in ipairs(list) do
    tasks[index] = host.is_task(item) and item or host.spawn(item)
  end
  return tasks
end

function Task.gather(list)
  local tasks <close> = started("tide.gather", list)
  local watcher <close> = host.watch(tasks)
  local results <const> = {}
  for index in host.next, watcher do
    results[index] = passed(host.result(tasks[index]))
  end
  return table.unpack(results, 1, #tasks)
end

function Task.race(list)
  local tasks <close> = started("tide.race", list)
  local watcher <close> = host.watch(tasks)
  return passed(host.result(tasks[host.next(watcher)]))
end

function Task.with_timeout(seconds, fn, ...)
  check_seconds("tide.with_timeout", seconds)
  check_function("tide.with_timeout", fn)
  local task <close> = host.spawn(fn, ...)
  task:wait(seconds)
  if task:status() == "running" then
    return nil, "timeout"
  end
  return passed(host.result(task))
end

function Task.on_start(fn)
  check_function("tide.on_start", fn)
  host.on_start(fn)
end

function Task.on_stop(fn)
  check_function("tide.on_stop", fn)
  host.on_stop(fn)
end

return Task
