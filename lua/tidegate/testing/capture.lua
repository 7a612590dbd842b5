--- What an application publishes: the messages that go to groups, and the events. They are seen
--- where the channel layer takes them, as bytes, whoever sent them.

local diff <const> = require "tidegate.testing.diff"
local fail <const> = require "tidegate.testing.fail"
local show <const> = require "tidegate.testing.show"

local Capture <const> = {}

---@class tidegate.Captured
---@field frame table what was published: action, payload
---@field groups? string[] whom it was for: groups
---@field topics? string[] topics
---@field conn? string one connection, by its id
---@field consumer? string all connections of a consumer
---@field user? string all connections of a user
---@field sender? string the id of the connection that sent it
---@field excludes_sender boolean
---@field receivers integer how many connections got it; 0 when it was not delivered

---@param app tidegate.TestApp
---@param item table as the kit's module has it
---@return tidegate.Captured
local function read(app, item)
  local captured <const> = {
    frame = app:decode(item.text),
    sender = item.sender,
    excludes_sender = item.excludes_sender,
    receivers = item.receivers,
  }
  local is_list <const> = item.to == "groups" or item.to == "topics"
  captured[item.to] = is_list and item.names or item.names[1]
  return captured
end

---@param app tidegate.TestApp
---@param kind "message" | "event"
---@param skip integer how many that were published before
---@return tidegate.Captured[]
local function published(app, kind, skip)
  local list <const> = {}
  for _, item in ipairs(app.core:publications(skip)) do
    list[#list + 1] = item.kind == kind and read(app, item) or nil
  end
  return list
end

--- Runs a function and returns what was published meanwhile.
---@param app tidegate.TestApp
---@param what string "app:capture_events"
---@param kind "message" | "event"
---@param fn function
---@param options? { deliver?: boolean }
---@return tidegate.Captured[]
function Capture.run(app, what, kind, fn, options)
  local given <const> = fail.options(what, options, { deliver = "boolean" })
  if type(fn) ~= "function" then
    fail.misuse("%s: expected a function, got a %s", what, type(fn))
  end
  local core <const> = app.core
  core:run()
  local skip <const> = core:published()
  core:swallow(kind, not given.deliver)
  local is_fine <const>, raised <const> = pcall(function()
    fn()
    core:run()
  end)
  core:swallow(kind, false)
  if not is_fine then
    error(raised, 0)
  end
  return published(app, kind, skip)
end

-- ---- assert.broadcast ----

---@param names string[]?
---@param name string
---@return boolean
local function contains(names, name)
  for _, candidate in ipairs(names or {}) do
    if candidate == name then
      return true
    end
  end
  return false
end

---@param captured tidegate.Captured
---@return string
local function line(captured)
  local names <const> = captured.groups or captured.topics or {}
  local text <const> = "  to %s: %s"
  return text:format(table.concat(names, ", "), show.value(captured.frame, 200))
end

---@param list tidegate.Captured[]
---@return string
local function describe(list)
  if #list == 0 then
    return "Nothing was broadcast."
  end
  local lines <const> = { "What was broadcast:" }
  for index = math.max(1, #list - 9), #list do
    lines[#lines + 1] = line(list[index])
  end
  return table.concat(lines, "\n")
end

--- Whether a group (or topic) was sent a message since the application was opened.
---@param app tidegate.TestApp
---@param group string
---@param expected table a part of the frame
---@return boolean
---@return string text what a failure says
function Capture.find(app, group, expected)
  local list <const> = published(app, "message", 0)
  for _, captured in ipairs(list) do
    local is_to <const> = contains(captured.groups, group) or contains(captured.topics, group)
    if is_to and diff.matches(expected, captured.frame) then
      local text <const> = 'Expected no broadcast to "%s" like %s.\nThere is:\n%s'
      return true, text:format(group, show.value(expected), line(captured))
    end
  end
  local text <const> = 'Expected a broadcast to "%s" like %s.\n%s'
  return false, text:format(group, show.value(expected), describe(list))
end

return Capture
