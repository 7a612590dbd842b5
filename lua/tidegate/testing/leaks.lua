--- What an application still holds when its clients have gone: connections, tasks, queued bytes.
--- What it had when it was opened (a ticker of on_start) is its own and no leak.

local metrics <const> = require "tidegate.testing.metrics"

local Leaks <const> = {}

--- The gauges that go back to where they were, and their words: of one, of several.
local gauges <const> = {
  { "connections", "connection", "connections" },
  { "generations_alive", "generation of the code", "generations of the code" },
  { "tasks", "task", "tasks" },
  { "groups", "group with members", "groups with members" },
  { "group_memberships", "membership of a group", "memberships of groups" },
  { "payload_bytes", "byte of shared frames", "bytes of shared frames" },
  { "inbox_messages", "message in an inbox", "messages in inboxes" },
  { "outbox_bytes", "byte in an outbox", "bytes in outboxes" },
  { "streams", "TCP connection to another server", "TCP connections to other servers" },
  { "processes", "child program", "child programs" },
  { "fetches_running", "HTTP request under way", "HTTP requests under way" },
  { "fetches_waiting", "HTTP request that waits", "HTTP requests that wait" },
}

--- What the application holds now.
---@param app tidegate.TestApp
---@return table<string, number> held by the gauge
---@return table<string, integer> tasks how many there are of each: "started at chat.lua:7"
function Leaks.measure(app)
  local samples <const> = metrics.read(app.core:metrics())
  local held <const>, tasks <const> = {}, {}
  for _, gauge in ipairs(gauges) do
    held[gauge[1]] = metrics.sum(samples, "tidegate_" .. gauge[1], {}) or 0
  end
  for _, place in ipairs(app.core:tasks()) do
    tasks[place] = (tasks[place] or 0) + 1
  end
  return held, tasks
end

---@param list string[]
---@return string # with a line break in front of each
local function indented(list)
  table.sort(list)
  return #list > 0 and "\n    " .. table.concat(list, "\n    ") or ""
end

--- Where the clients that have not left were connected.
---@param app tidegate.TestApp
---@return string
local function open_clients(app)
  local lines <const> = {}
  for client in pairs(app.clients) do
    if not client.is_left and not client.ending then
      lines[#lines + 1] = ("%s, connected at %s"):format(client.path, client.connected_at)
    end
  end
  return indented(lines)
end

--- The tasks that were not there when the application was opened.
---@param before table<string, integer>
---@param now table<string, integer>
---@return string
local function new_tasks(before, now)
  local lines <const> = {}
  for place, count in pairs(now) do
    local more <const> = count - (before[place] or 0)
    if more > 0 then
      lines[#lines + 1] = more > 1 and ("%d %s"):format(more, place) or place
    end
  end
  return indented(lines)
end

--- What is left, line by line; nil: nothing.
---@param app tidegate.TestApp
---@param held_before? table<string, number> what was measured; nil: when the application was opened
---@param tasks_before? table<string, integer>
---@return string?
function Leaks.find(app, held_before, tasks_before)
  held_before, tasks_before = held_before or app.held_at_first, tasks_before or app.tasks_at_first
  collectgarbage() -- what only awaits its collection is no leak
  app.core:run()
  local held <const>, tasks <const> = Leaks.measure(app)
  local lines <const> = {}
  for _, gauge in ipairs(gauges) do
    local name <const> = gauge[1]
    local more <const> = held[name] - held_before[name]
    if more > 0 then
      local whose <const> = name == "connections" and open_clients(app)
        or name == "tasks" and new_tasks(tasks_before, tasks)
        or ""
      lines[#lines + 1] = ("  %d %s%s"):format(more, gauge[more == 1 and 2 or 3], whose)
    end
  end
  return #lines > 0 and table.concat(lines, "\n") or nil
end

return Leaks
