--- Handlers that wait, each in another way. Most messages name a deed; what it says is answered as `said`.

local tide <const> = require "tidegate"
local s <const> = tide.schema

local said <const> = tide.message("said", s.any())
local deed <const> =
  tide.message("do", s.object { what = s.string(), seconds = s.number():optional() })
local nap <const> = tide.message("nap", s.object { n = s.integer(), seconds = s.number() })
local together <const> =
  tide.message("together", s.object { n = s.integer(), seconds = s.number() })
local hurried <const> = tide.message("hurried", s.object { seconds = s.number() })
local ask <const> =
  tide.message("ask", s.object { question = s.string(), timeout = s.number():optional() })
local question <const> = tide.message("question", s.object { text = s.string() })
local checked <const> = tide.message(
  "checked",
  s.object { word = s.string():check(function()
    tide.sleep(0)
  end) }
)

--- A <close> variable whose end is a line of the log.
local function witness(text)
  return setmetatable({}, {
    __close = function()
      tide.log.info(text)
    end,
  })
end

local started <const> = {}
local while_loading <const> = { pcall(tide.sleep, 0) }
tide.spawn(function()
  started[#started + 1] = "spawned"
end)
tide.on_start(function()
  started[#started + 1] = "on_start"
  tide.sleep(0.01)
  started[#started + 1] = "on_start goes on"
end)
tide.on_stop(function(reason)
  tide.sleep(0.01)
  tide.log.info("on_stop has waited", { reason = reason })
end)

local function after(seconds, value)
  return function()
    tide.sleep(seconds)
    return value
  end
end

local function fails(text)
  return function()
    local _ <close> = witness("unwound " .. text)
    tide.sleep(0.01)
    error(text)
  end
end

local function lingers(text)
  return function()
    local _ <close> = witness("unwound " .. text)
    tide.sleep(60)
  end
end

local deeds <const> = {}

function deeds.loading()
  return tostring(while_loading[2])
end

function deeds.started()
  tide.sleep(0.05)
  return table.concat(started, ", ")
end

function deeds.results()
  local task <const> = tide.spawn(function(a, b)
    tide.sleep(0)
    return a + b, "second"
  end, 1, 2)
  local before <const> = task:status()
  local sum <const>, second <const> = task:wait()
  return { before, sum, second, task:status(), select("#", task:wait()) }
end

function deeds.failure()
  local task <const> = tide.spawn(fails "a task failed")
  local result <const>, problem <const> = task:wait()
  return { tostring(result), problem, task:status() }
end

function deeds.cancelled()
  local task <const> = tide.spawn(lingers "by cancel")
  tide.sleep(0)
  task:cancel()
  local result <const>, problem <const> = task:wait()
  return { tostring(result), problem, task:status() }
end

function deeds.itself()
  local task
  task = tide.spawn(function()
    return select(2, pcall(task.wait, task))
  end)
  return task:wait()
end

function deeds.crossing()
  tide.spawn(fails "nobody waits for this")
  return "spawned"
end

function deeds.gather()
  return { tide.gather { after(0.02, "slow"), after(0.01, "fast"), tide.spawn(after(0, "task")) } }
end

function deeds.gather_fails()
  local _, problem <const> = pcall(tide.gather, { lingers "the rest", fails "one of them failed" })
  return problem
end

function deeds.race()
  return tide.race { lingers "the loser", after(0.01, "winner") }
end

function deeds.timeout()
  return {
    select(2, tide.with_timeout(0.01, lingers "too slow")),
    tide.with_timeout(5, after(0, "in time")),
  }
end

function deeds.timeout_fails()
  return select(2, pcall(tide.with_timeout, 5, fails "inside the time"))
end

function deeds.queue()
  local queue <const>, got <const> = tide.queue(2), {}
  tide.spawn(function()
    for i = 1, 6 do
      queue:put(i)
    end
    queue:close()
  end)
  for value in queue do
    got[#got + 1] = value
    tide.sleep(0)
  end
  local _, closed <const> = queue:put(7)
  return { got = got, closed = closed, length = #queue }
end

function deeds.queue_words()
  local queue <const> = tide.queue(1)
  local empty <const> = select(2, queue:try_get())
  queue:put "a"
  local full <const>, late <const> = select(2, queue:try_put "b"), select(2, queue:put("b", 0.01))
  return { empty, full, late, queue:get(), select(2, queue:get(0.01)) }
end

--- A getter that was woken and is cancelled before it could take: the next one takes.
function deeds.queue_passes_on()
  local queue <const>, got <const> = tide.queue(1), {}
  local first <const> = tide.spawn(function()
    got[#got + 1] = "first " .. queue:get()
  end)
  local second <const> = tide.spawn(function()
    got[#got + 1] = "second " .. queue:get()
  end)
  tide.sleep(0)
  queue:put "value"
  first:cancel()
  second:wait()
  return got
end

function deeds.coroutine()
  local produce <const> = coroutine.wrap(function()
    for i = 1, 3 do
      tide.sleep(0.001)
      coroutine.yield(i)
    end
  end)
  return { produce(), produce(), produce() }
end

function deeds.coroutine_status()
  local inner <const> = coroutine.create(function()
    tide.sleep(0.02)
    return "done"
  end)
  local seen <const> = {}
  tide.spawn(function()
    seen[1] = coroutine.status(inner)
    seen[2] = select(2, coroutine.resume(inner))
    seen[3] = select(2, pcall(coroutine.close, inner))
  end)
  local _, result <const> = coroutine.resume(inner)
  return { result, coroutine.status(inner), table.unpack(seen) }
end

function deeds.everywhere()
  local seen <const> = {}
  local object <const> = setmetatable({}, {
    __index = function(_, key)
      tide.sleep(0)
      return "index " .. key
    end,
    __add = function(_, n)
      tide.sleep(0)
      return "add " .. n
    end,
    __close = function()
      tide.sleep(0)
      seen[#seen + 1] = "close"
    end,
  })
  do
    local closed <close> = object
    seen[#seen + 1] = closed.x
    seen[#seen + 1] = closed + 1
  end
  local function iterator(_, i)
    tide.sleep(0)
    return i < 2 and i + 1 or nil
  end
  for i in iterator, nil, 0 do
    seen[#seen + 1] = "iterator " .. i
  end
  seen[#seen + 1] = select(
    2,
    pcall(function()
      tide.sleep(0)
      error("pcall", 0)
    end)
  )
  seen[#seen + 1] = select(
    2,
    xpcall(function()
      tide.sleep(0)
      error("xpcall", 0)
    end, function(text)
      return text
    end)
  )
  return seen
end

local function nowhere(what)
  return function()
    return select(2, pcall(what))
  end
end

deeds.in_sort = nowhere(function()
  table.sort({ 2, 1 }, function()
    tide.sleep(0)
  end)
end)
deeds.in_gsub = nowhere(function()
  ("x"):gsub("x", function()
    tide.sleep(0)
  end)
end)
deeds.in_tostring = nowhere(function()
  tostring(setmetatable({}, {
    __tostring = function()
      tide.sleep(0)
    end,
  }))
end)
deeds.in_load = nowhere(function()
  local _, problem <const> = load(function()
    tide.sleep(0)
  end)
  error(problem, 0)
end)
deeds.in_coroutine_in_sort = nowhere(function()
  table.sort(
    { 2, 1 },
    coroutine.wrap(function()
      tide.sleep(0)
    end)
  )
end)

function deeds.in_handler()
  return select(
    2,
    xpcall(error, function()
      return select(2, pcall(tide.sleep, 0))
    end, "x")
  )
end

function deeds.in_close()
  local problem
  local task <const> = tide.spawn(function()
    local _ <close> = setmetatable({}, {
      __close = function()
        problem = select(2, pcall(tide.sleep, 0))
      end,
    })
    tide.sleep(60)
  end)
  tide.sleep(0)
  task:cancel()
  task:wait()
  return problem
end

--- pcall does not hold a cancellation back: the next wait raises again.
function deeds.stubborn()
  local task
  local tries <const> = {}
  task = tide.spawn(function()
    task:cancel()
    tries[1] = select(2, pcall(tide.sleep, 0))
    tries[2] = select(2, pcall(tide.sleep, 0))
  end)
  tide.sleep(0)
  tide.sleep(0)
  return tries
end

function deeds.after_and_every()
  local seen <const> = {}
  tide.after(0.01, function(value)
    seen[#seen + 1] = value
  end, "after")
  local ticks = 0
  local every <const> = tide.every(0.01, function()
    ticks = ticks + 1
    error "a run that fails does not end the rest"
  end, { jitter = 0.001 })
  while ticks < 3 do
    tide.sleep(0.01)
  end
  every:cancel()
  return { seen[1], every:wait() == nil }
end

function deeds.every_among_too_many()
  local ticks = 0
  local every <close> = tide.every(0.01, function()
    ticks = ticks + 1
  end)
  local others <const> = {}
  repeat
    local is_room <const>, task <const> = pcall(tide.spawn, tide.sleep, 60)
    others[#others + 1] = is_room and task or nil
  until not is_room
  tide.sleep(0.05)
  local before <const> = ticks
  for _, task in ipairs(others) do
    task:cancel()
  end
  while ticks == 0 do
    tide.sleep(0.01)
  end
  return { before, every:status() }
end

function deeds.clocks()
  local clock <const>, now <const> = tide.clock(), tide.now()
  tide.sleep(0.05)
  return { tide.clock() - clock >= 0.05, tide.now() - now >= 0.04, now > 1700000000 }
end

function deeds.lingering()
  tide.spawn(lingers "a task of the connection")
  local _ <close> = witness "unwound the handler"
  local wrapped <const> = coroutine.wrap(lingers "the coroutine inside")
  wrapped()
end

local Tasks <const> = tide.consumer { name = "tasks", path = "/ws/tasks" }

Tasks:on(deed, function(_, message)
  return said(deeds[message.payload.what](message.payload.seconds))
end)

Tasks:on(nap, function(_, message)
  tide.sleep(message.payload.seconds)
  return said(message.payload.n)
end)

local running, most = 0, 0
Tasks:on(together, { concurrency = 3 }, function(_, message)
  running = running + 1
  most = math.max(most, running)
  tide.sleep(message.payload.seconds)
  running = running - 1
  return said { message.payload.n, most }
end)

Tasks:on(hurried, { timeout = 0.05 }, function(_, message)
  local _ <close> = witness "unwound the hurried one"
  tide.sleep(message.payload.seconds)
  return said "in time"
end)

Tasks:on(ask, function(conn, message)
  local answer <const>, problem <const> =
    conn:call(question { text = message.payload.question }, { timeout = message.payload.timeout })
  return said { answer == nil and "nothing" or answer, problem }
end)

Tasks:on(checked, function() end)

function Tasks:disconnected(conn)
  local _, problem <const> = conn:send(said "too late")
  tide.sleep(0.02)
  tide.log.info("disconnected has waited", { problem = problem, id = conn.id })
end

local Slow <const> = tide.consumer { name = "slow", path = "/ws/slow" }

function Slow:connected(conn)
  tide.sleep(0.05)
  conn:send(said "connected")
end

Slow:on(nap, function(_, message)
  return said(message.payload.n)
end)

local Failing <const> = tide.consumer { name = "failing", path = "/ws/failing" }

function Failing:connected()
  tide.sleep(0.01)
  error "it cannot start"
end

local Text <const> = tide.text_consumer {
  name = "text",
  path = "/ws/text",
  receive = function(conn, data)
    tide.sleep(tonumber(data) / 100)
    conn:send_text(data)
  end,
}

return { Tasks, Slow, Failing, Text }
