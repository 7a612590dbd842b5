--- What the clients of a consumer may send, as it was declared.

local fail <const> = require "tidegate.testing.fail"

local Actions <const> = {}

---@class tidegate.Declared
---@field name string of the consumer
---@field is_camel boolean
---@field actions tidegate.Action[] in byte order

--- The handles that a spec opened an application with, those below routers too.
---@param states table<table, tidegate.State>
---@param what any
---@param found table<table, boolean>
---@return table<table, boolean>
local function given_handles(states, what, found)
  local state <const> = states[what]
  if state then
    found[what] = true
    for _, entry in ipairs(state.entries or {}) do
      given_handles(states, entry.object, found)
    end
  elseif type(what) == "table" then
    for _, item in ipairs(what) do
      given_handles(states, item, found)
    end
  end
  return found
end

--- The declaration of a consumer of an application. The spec's own world may have several of a
--- name, of which one is in the application.
---@param app tidegate.TestApp
---@param name string
---@return tidegate.Declaration?
local function find(app, name)
  local states <const> = app.core:require "tidegate.consumer_states"
  local given <const> = given_handles(states, app.what, {})
  local is_shared <const> = next(given) ~= nil
  for handle, state in pairs(states) do
    local declaration <const> = state.declaration
    local is_consumer <const> = state.what == "tide.consumer" or state.what == "tide.text_consumer"
    if is_consumer and declaration.name == name and (not is_shared or given[handle]) then
      return declaration
    end
  end
  return nil
end

--- Only those that the spec wants, by their types or their names.
---@param list tidegate.Action[]
---@param wanted (string | tidegate.AnyMessageType)[]
---@param name string of the consumer
---@return tidegate.Action[]
local function chosen(list, wanted, name)
  local by_name <const>, legal <const>, result <const> = {}, {}, {}
  for index, action in ipairs(list) do
    by_name[action.action], legal[index] = action, action.action
  end
  for _, item in ipairs(wanted) do
    local called <const> = type(item) == "table" and item.action or item
    if not by_name[called] then
      local text <const> = 'testing.fuzz: the consumer "%s" handles no "%s" (actions: %s)'
      fail.misuse(text, name, tostring(called), table.concat(legal, ", "))
    end
    result[#result + 1] = by_name[called]
  end
  return result
end

--- What a client may send to its consumer.
---@param app tidegate.TestApp
---@param client tidegate.TestClient
---@param wanted? any[]
---@return tidegate.Declared
function Actions.of(app, client, wanted)
  local declaration <const> = find(app, client.consumer)
  if not declaration or declaration.is_text then
    fail.misuse("testing.fuzz: the consumer of %s takes texts, not messages", client.path)
  end
  local from <const> = declaration.is_topic and declaration.topics[1] or declaration
  local list = {}
  for _, action in ipairs(from.actions) do
    if wanted or not action.is_renewal then -- a credential nobody can guess
      list[#list + 1] = action
    end
  end
  table.sort(list, function(a, b)
    return a.action < b.action
  end)
  if wanted then
    list = chosen(list, wanted, declaration.name)
  end
  if #list == 0 then
    fail.misuse('testing.fuzz: the consumer "%s" handles no messages', declaration.name)
  end
  return { name = declaration.name, is_camel = declaration.camelize, actions = list }
end

return Actions
