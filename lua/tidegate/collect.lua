--- What a module returned: consumers, in a list or below routers, and the paths that these give
--- them.

local declare <const> = require "tidegate.declare"
local states <const> = require "tidegate.consumer_states"

local show <const> = declare.show

---@param value any
---@return boolean
local function is_declared(value)
  local state <const> = states[value]
  return state ~= nil and state.what ~= "tide.mixin" and state.what ~= "tide.topic"
end

--- The consumers and routers among what a module returned; none for a library.
---@param value any
---@param where string
---@return table[]
local function returned(value, where)
  if is_declared(value) then
    return { value }
  elseif type(value) ~= "table" then
    return {}
  end
  local items <const> = {}
  for index = 1, rawlen(value) do
    local item <const> = rawget(value, index)
    if is_declared(item) then
      items[#items + 1] = item
    end
  end
  for key, item in next, value do
    if #items > 0 and not (math.type(key) == "integer" and is_declared(item)) then
      local text <const> =
        "%s: its list of consumers holds %s at %s; return consumers and routers only"
      error(text:format(where, show(item), tostring(key)), 0)
    end
  end
  return items
end

--- Gives the consumers of `handle` their paths below `prefix` and appends each to `found` once.
---@param handle table
---@param prefix string
---@param load table
---@param found tidegate.State[]
local function resolve(handle, prefix, load, found)
  local state <const> = states[handle]
  for _, entry in ipairs(state.entries or {}) do
    resolve(entry.object, prefix .. state.prefix .. entry.path, load, found)
  end
  if state.entries then
    return
  end
  if state.collected_by ~= load then
    state.collected_by = load
    state.declaration.paths = {}
    found[#found + 1] = state
  end
  local declared <const> = state.declaration.paths
  if #state.own_paths == 0 and prefix ~= "" then
    declared[#declared + 1] = prefix
  end
  for _, own in ipairs(state.own_paths) do
    declared[#declared + 1] = prefix .. own
  end
end

--- The last segment of a path that is no parameter, as a name: "rooms" of "/ws/rooms/{room_id}".
---@param text string
---@return string?
local function name_of_path(text)
  local name
  for segment in text:gmatch "[^/]+" do
    if not segment:find "[{}]" then
      name = segment:gsub("[^%w_-]", "_")
    end
  end
  return name
end

---@param state tidegate.State
---@param text string
local function refuse(state, text)
  error(("%s: %s %s"):format(state.source, state.what, text), 0)
end

--- Of a program, which loads once.
local only_load <const> = {}

--- The declarations of the consumers that an entry module returned, each handed out once, with its
--- final paths and name. Called when every entry module has been loaded: a consumer that stands in
--- a router is declared by the router, whichever module returns it too.
---@param value any # what the module returned
---@param where string the module's file
---@param load table? # the same for all modules of one load; a spec loads consumers again and again
---@return tidegate.Declaration[]
local function collect(value, where, load)
  load = load or only_load
  local found <const> = {}
  for _, handle in ipairs(returned(value, where)) do
    if not states[handle].parent and states[handle].collected_by ~= load then
      resolve(handle, "", load, found)
    end
  end
  local declarations <const> = {}
  for index, state in ipairs(found) do
    local declaration <const> = state.declaration
    if #declaration.paths == 0 then
      refuse(state, 'has no path; give it one, path = "/ws/name", or put it in a router')
    end
    declaration.name = declaration.name or name_of_path(declaration.paths[1])
    if not declaration.name then
      refuse(state, 'needs a name, name = "...", since its path has none to take')
    end
    declarations[index] = declaration
  end
  return declarations
end

return collect
