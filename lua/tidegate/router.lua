--- Routers: consumers below a common prefix.

local declare <const> = require "tidegate.declare"
local states <const> = require "tidegate.consumer_states"

local fail <const>, show <const> = declare.fail, declare.show

local Router <const> = {}

local metatable <const> = {
  __name = "tidegate.router",
  __newindex = function()
    fail "a router cannot be changed; its entries are declared in tide.router"
  end,
}

---@param key any
---@param object any
local function check_entry(key, object)
  local is_path <const> = type(key) == "string" and key:sub(1, 1) == "/"
  if not is_path and math.type(key) ~= "integer" then
    fail('tide.router: a key must be a path that begins with "/", got %s', show(key))
  end
  local state <const> = states[object]
  if not state or state.what == "tide.mixin" or state.what == "tide.topic" then
    local place <const> = is_path and '"' .. key .. '"' or key
    local is_topic <const> = state and state.what == "tide.topic"
    local hint <const> = is_topic and "; tide.consumer { topic = ... } gives it a path" or ""
    local text <const> = "tide.router: the entry at %s must be a consumer or a router, got %s%s"
    fail(text, place, show(object), hint)
  elseif is_path and state.own_paths and #state.own_paths > 0 then
    fail(
      'tide.router: the consumer at "%s" has a path of its own, "%s" (%s); leave one of them out',
      key,
      state.own_paths[1],
      state.source
    )
  elseif not is_path and state.own_paths and #state.own_paths == 0 then
    fail('tide.router: the consumer of %s has no path; write ["/name"] = before it', state.source)
  elseif state.parent then
    fail(
      "tide.router: what %s made stands in the router of %s already; keep it in one",
      state.source,
      state.parent.source
    )
  end
end

--- Puts consumers and routers below a prefix. A key is the path below it; an entry without a key
--- keeps its own path, behind the prefix.
---@param prefix string begins with "/" and does not end with it
---@param entries tidegate.RouterEntries
---@return tidegate.Router
function Router.new(prefix, entries)
  declare.check_loading "tide.router"
  if type(prefix) ~= "string" or not prefix:find "^/.*[^/]$" then
    fail('tide.router: the prefix must begin with "/" and not end with it, got %s', show(prefix))
  elseif type(entries) ~= "table" or getmetatable(entries) then
    fail(
      'tide.router: expected a table of entries, as in { ["/chat"] = Chat }, got %s',
      show(entries)
    )
  end
  local state <const> = {
    what = "tide.router",
    source = declare.position() or "?",
    prefix = prefix,
    entries = {},
  }
  for index, key in ipairs(declare.sorted_keys(entries)) do
    check_entry(key, entries[key])
    state.entries[index] = { path = math.type(key) and "" or key, object = entries[key] }
  end
  for _, entry in ipairs(state.entries) do
    states[entry.object].parent = state
  end
  local handle <const> = setmetatable({}, metatable)
  states[handle] = state
  return handle
end

return Router
