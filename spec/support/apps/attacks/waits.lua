-- Handlers and tasks that wait, and attack before, while and after they do.
local tide <const> = require "tidegate"

local waits <const> = {}

local function spin()
  while true do
    local _ <const> = 1
  end
end

local function guard()
  return setmetatable({}, { __close = spin })
end

local function sleep_guarded()
  local guarded <close> = guard()
  tide.sleep(3600)
  return guarded
end

function waits.loop_after_a_wait()
  tide.sleep(0.01)
  spin()
end

function waits.loop_in_a_coroutine_that_waited()
  coroutine.wrap(function()
    tide.sleep(0.01)
    spin()
  end)()
end

function waits.swallowing_after_a_wait()
  while true do
    pcall(function()
      pcall(tide.sleep, 0.01)
      spin()
    end)
  end
end

function waits.spawning_in_a_loop()
  while true do
    tide.spawn(tostring, 1)
  end
end

function waits.loop_in_a_task()
  tide.spawn(spin)
end

function waits.task_that_cancels_itself()
  local task
  task = tide.spawn(function()
    task:cancel()
    while true do
      pcall(tide.sleep, 0)
    end
  end)
end

function waits.close_of_a_cancelled_task()
  local task <const> = tide.spawn(sleep_guarded)
  tide.sleep(0.01)
  task:cancel()
end

function waits.close_of_a_cancelled_coroutine()
  local task <const> = tide.spawn(function()
    coroutine.wrap(sleep_guarded)()
  end)
  tide.sleep(0.01)
  task:cancel()
end

function waits.closes_of_many_tasks()
  for _ = 1, 50 do
    tide.spawn(sleep_guarded)
  end
end

function waits.timer_that_arms_itself()
  local function again()
    tide.after(0, again)
  end
  again()
end

function waits.sleeps_without_end()
  tide.spawn(function()
    while true do
      pcall(tide.sleep, 0)
    end
  end)
end

-- Until it is told that there are too many.
function waits.tasks_without_end()
  local count = 0
  while true do
    local is_done <const>, why <const> = pcall(tide.spawn, tide.sleep, 3600)
    if not is_done then
      return { count, why }
    end
    count = count + 1
  end
end

return waits
