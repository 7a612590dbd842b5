--- What is wrong with a value, said without asking the host: the rules of schemas written down a
--- second time, in Lua and for reading. The property help takes from it what an error has to be;
--- comparing the two over many values tests both.

local scalars <const> = require "tidegate.testing.property.model.scalar"
local union <const> = require "tidegate.testing.property.model.union"
local value_of <const> = require "tidegate.testing.property.value"

local Model <const> = { undecided = scalars.undecided }

local null <const>, refuse <const> = value_of.null, scalars.refuse

---@class tidegate.Issue
---@field type string
---@field loc (string | integer)[] where, from the value; places in lists count from 0

---@class tidegate.ModelWalk
---@field is_camel boolean
---@field issues tidegate.Issue[]
---@field calls table[] functions of the schema to run when all is right: defaults and checks
---@field depths table<tidegate.Schema, integer> how often each reference is open
---@field is_trial boolean of one branch of a union

---@param loc any[]
---@param step string | integer
---@return any[]
local function below(loc, step)
  local copy <const> = table.move(loc, 1, #loc, 1, {})
  copy[#copy + 1] = step
  return copy
end

--- Looks at one value of each kind; returns it as a handler gets it.
---@type table<string, function>
local kinds <const> = setmetatable({}, { __index = scalars.kinds })

-- ---- lists and objects ----

---@param walk tidegate.ModelWalk
---@param schema tidegate.Schema
---@param count integer
---@param loc any[]
local function check_count(walk, schema, count, loc)
  if count < (schema.min or 0) then
    refuse(walk, "too_short", loc)
  elseif count > (schema.max or math.huge) then
    refuse(walk, "too_long", loc)
  end
end

--- Each item that equals one before it, when the items themselves are right.
---@param walk tidegate.ModelWalk
---@param items any[]
---@param loc any[]
local function check_unique(walk, items, loc)
  for index = 2, #items do
    local is_new = true
    for other = 1, index - 1 do
      is_new = is_new and not value_of.equal(items[index], items[other])
    end
    if not is_new then
      refuse(walk, "not_unique", loc, index - 1)
    end
  end
end

function kinds.array(walk, schema, value, loc)
  if value_of.kind(value) ~= "array" then
    refuse(walk, "list_type", loc)
    return value
  end
  check_count(walk, schema, #value, loc)
  local before <const>, items <const> = #walk.issues, {}
  for index, item in ipairs(value) do
    items[index] = Model.walk(walk, schema.item, item, below(loc, index - 1))
  end
  if schema.unique and #walk.issues == before then
    check_unique(walk, items, loc)
  end
  return value_of.array(items)
end

function kinds.map(walk, schema, value, loc)
  if value_of.kind(value) ~= "object" then
    refuse(walk, "dict_type", loc)
    return value
  end
  local names <const>, entries <const> = value_of.sorted_keys(value), {}
  check_count(walk, schema, #names, loc)
  for _, name in ipairs(names) do
    if schema.keys then
      Model.walk(walk, schema.keys, name, below(loc, name))
    end
    entries[name] = Model.walk(walk, schema.value, value[name], below(loc, name))
  end
  return entries
end

---@param walk tidegate.ModelWalk
---@param schema tidegate.Schema
---@param key string
---@param value any
---@param loc any[]
---@param received table
local function take_undeclared(walk, schema, key, value, loc, received)
  local is_taken = false
  for _, field in ipairs(schema.fields) do
    is_taken = is_taken or walk.is_camel and field.name == key
  end
  if schema.additional == "forbid" or schema.additional == "allow" and is_taken then
    refuse(walk, "extra_forbidden", loc, key)
  elseif schema.additional == "allow" then
    received[key] = value
  end
end

function kinds.object(walk, schema, value, loc)
  if value_of.kind(value) ~= "object" then
    refuse(walk, "model_type", loc)
    return value
  end
  local received <const>, by_name <const> = {}, {}
  for _, field in ipairs(schema.fields) do
    local name <const>, node <const> = value_of.wire_name(field.name, walk.is_camel), field.schema
    by_name[name] = field
    if value[name] == nil and not node.is_optional and not node.has_default then
      refuse(walk, "missing", loc, name)
    end
  end
  for _, key in ipairs(value_of.sorted_keys(value)) do
    local field <const> = by_name[key]
    if field then
      received[field.name] = Model.walk(walk, field.schema, value[key], below(loc, key))
    else
      take_undeclared(walk, schema, key, value[key], loc, received)
    end
  end
  for name, field in pairs(by_name) do
    if value[name] == nil and field.schema.has_default then
      received[field.name] = field.schema.default_value
      if field.schema.default_function then
        walk.calls[#walk.calls + 1] = { fill = field, into = received }
      end
    end
  end
  return received
end

-- ---- one of several ----

function kinds.union(walk, schema, value, loc)
  return union.walk(Model, walk, schema, value, loc)
end

function kinds.tagged(walk, schema, value, loc)
  if value_of.kind(value) ~= "object" then
    refuse(walk, "model_type", loc)
    return value
  end
  local name <const> = value_of.wire_name(schema.tag, walk.is_camel)
  for _, variant in ipairs(schema.variants) do
    if value[name] == variant.tag then
      return Model.walk(walk, variant.schema, value, loc)
    end
  end
  refuse(walk, value[name] == nil and "union_tag_not_found" or "union_tag_invalid", loc, name)
  return value
end

---@type table<tidegate.Schema, tidegate.Schema>
local targets <const> = setmetatable({}, { __mode = "k" })

--- What a reference means; asked once, as the host does.
---@param schema tidegate.Schema
---@return tidegate.Schema
function Model.target(schema)
  targets[schema] = targets[schema] or schema.resolve()
  return targets[schema]
end

function kinds.ref(walk, schema, value, loc)
  local depth <const> = (walk.depths[schema] or 0) + 1
  if depth > schema.max_depth then
    refuse(walk, "recursion_loop", loc)
    return value
  end
  walk.depths[schema] = depth
  local received <const> = Model.walk(walk, Model.target(schema), value, loc)
  walk.depths[schema] = depth - 1
  return received
end

-- ---- every value ----

--- Looks at a value, adds what is wrong, and returns the value as a handler gets it.
---@param walk tidegate.ModelWalk
---@param schema tidegate.Schema
---@param value any
---@param loc any[]
---@return any
function Model.walk(walk, schema, value, loc)
  if value == null and schema.is_nullable then
    return value
  end
  local before <const> = #walk.issues
  local received <const> = kinds[schema.kind](walk, schema, value, loc)
  if schema.checks and #walk.issues == before and value ~= null then
    walk.calls[#walk.calls + 1] = { checks = schema.checks, value = received, loc = loc }
  end
  return received
end

--- What a handler of the schema's :check does not like of a value.
---@param checks function[]
---@param value any
---@return boolean
function Model.is_refused(checks, value)
  local is_wrong = false
  for _, check in ipairs(checks) do
    local answer <const> = check(value)
    is_wrong = is_wrong or type(answer) == "string" or answer == false
  end
  return is_wrong
end

--- Runs what the script has to do for a value that is right, in document order. A check does not
--- run when one inside it has failed.
---@param walk tidegate.ModelWalk
local function run_calls(walk)
  for _, call in ipairs(walk.calls) do
    if call.fill then
      call.into[call.fill.name] = call.fill.schema.default_function()
    else
      local is_content = true
      for _, issue in ipairs(walk.issues) do
        local is_inside = #issue.loc >= #call.loc
        for index, step in ipairs(call.loc) do
          is_inside = is_inside and issue.loc[index] == step
        end
        is_content = is_content and not is_inside
      end
      for _, check in ipairs(is_content and call.checks or {}) do
        if Model.is_refused({ check }, call.value) then
          refuse(walk, "value_error", call.loc)
        end
      end
    end
  end
end

--- All that is wrong with a value; raises `undecided` where that cannot be told.
---@param schema tidegate.Schema
---@param value any
---@param is_camel? boolean names of fields are in camel case
---@return tidegate.Issue[]
function Model.issues(schema, value, is_camel)
  local walk <const> = { is_camel = is_camel or false, issues = {}, calls = {}, depths = {} }
  Model.walk(walk, schema, value, {})
  if #walk.issues == 0 then
    run_calls(walk)
  end
  return walk.issues
end

---@param schema tidegate.Schema
---@return boolean # of a payload: null and nothing are as good
local function accepts_null(schema)
  if schema.is_nullable or schema.kind == "any" or schema.kind == "null" then
    return true
  elseif schema.kind == "ref" then
    return accepts_null(Model.target(schema))
  end
  for _, branch in ipairs(schema.kind == "union" and schema.branches or {}) do
    if accepts_null(branch) then
      return true
    end
  end
  return false
end

--- All that is wrong with a payload, for which null and nothing are the same.
---@param schema? tidegate.Schema nil: the message has none
---@param payload any nil: none is sent
---@param is_camel? boolean
---@return tidegate.Issue[]
function Model.payload_issues(schema, payload, is_camel)
  if not schema then
    return {}
  elseif payload ~= nil and payload ~= null then
    return Model.issues(schema, payload, is_camel)
  elseif schema.has_default or schema.is_optional or accepts_null(schema) then
    return {}
  end
  return { { type = "missing", loc = {} } }
end

return Model
