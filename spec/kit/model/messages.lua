--- What clients send: right, wrong, and no message at all.

local Json <const> = require "spec.kit.model.json"

local object <const> = Json.object

local Messages <const> = {}

--- Items in turn, in another order each time: so each has its share.
---@generic T
---@param list T[]
---@return fun(random: model.Random): T
function Messages.in_turn(list)
  local left = {}
  return function(random)
    if #left == 0 then
      left = random:shuffled(list)
    end
    return table.remove(left)
  end
end

Messages.bad_refs = { 1.5, true, Json.list {}, object {}, ("r"):rep(129) }

---@param random model.Random
---@return any # nil, mostly
local function any_ref(random)
  local kind <const> = random:below(10)
  if kind < 4 then
    return nil
  elseif kind < 7 then
    return random:text()
  end
  return kind < 9 and random:between(-5, 1 << 40) or math.mininteger
end

--- A message, its keys in any order, with one that nobody knows.
---@param random model.Random
---@param action? string
---@param payload any
---@param more? table ref, topic
---@return table
function Messages.message(random, action, payload, more)
  local given <const> = more or {}
  local members <const> = { { "action", action } }
  if action == nil then
    members[1] = nil
  end
  for name, value in pairs { payload = payload, topic = given.topic } do
    members[#members + 1] = { name, value }
  end
  table.sort(members, function(a, b)
    return a[1] < b[1]
  end)
  local ref = given.ref
  if ref == nil then
    ref = any_ref(random)
  end
  if ref ~= nil then
    members[#members + 1] = { "ref", ref }
  end
  if random:chance(20) then
    members[#members + 1] = { "extra", Json.list { object {} } }
  end
  return { object = object(random:shuffled(members)) }
end

--- What is no JSON: where it breaks, and what was expected there.
local broken <const> = {
  { "", 0, "expected a value" },
  { "nonsense", 0, "expected a value" },
  { '{"action":', 10, "expected a value" },
  { '{"action":NaN}', 10, "expected a value" },
  { "[1,2", 4, "expected ',' or ']'" },
  { '{"action" "x"}', 10, "expected ':'" },
  { "{'action':1}", 1, "expected a key in double quotes" },
}

--- What every consumer refuses, whatever it handles.
Messages.refused = {
  function(random)
    local one <const> = random:one(broken)
    return { text = one[1], problem = ("Invalid JSON at byte %d: %s"):format(one[2], one[3]) }
  end,
  function(random)
    return { value = random:one { 5, "ping", true, Json.null, Json.list { 1 } } }
  end,
  function(random)
    return Messages.message(random, nil, object {})
  end,
  function(random)
    return Messages.message(
      random,
      random:one { "nope", "", "Ping", "error", "complete", "é" },
      object {}
    )
  end,
  function()
    return { binary = "\0\1\2\255" }
  end,
}

return Messages
