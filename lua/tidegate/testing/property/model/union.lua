--- Unions in the model of schemas: which branches could be meant, and whose errors are told when
--- none of them takes the value.

local value_of <const> = require "tidegate.testing.property.value"

local Union <const> = {}

--- The errors that say: another branch was meant. Each counts for more than any field.
local telling <const> = { literal_error = true, enum = true, union_tag_invalid = true }

--- The error of a value whose kind is wrong, by the schema's kind.
local type_errors <const> = {
  null = "none_required",
  boolean = "bool_type",
  integer = "int_type",
  number = "float_type",
  string = "string_type",
  literal = "literal_error",
  enum = "enum",
  array = "list_type",
  object = "model_type",
  map = "dict_type",
  tagged = "model_type",
}

---@param model table
---@param schema tidegate.Schema
---@return string
local function first_error(model, schema)
  if schema.kind == "ref" then
    return first_error(model, model.target(schema))
  elseif schema.kind == "union" then
    return first_error(model, schema.branches[1])
  end
  return type_errors[schema.kind]
end

--- The kinds of values that a kind of schema takes, and with `coerce`.
local taken <const> = {
  null = { null = true },
  boolean = { boolean = true },
  number = { number = true },
  string = { string = true },
  array = { array = true },
  object = { object = true },
  map = { object = true },
  tagged = { object = true },
}
local coerced <const> = {
  boolean = { string = true },
  integer = { string = true },
  number = { string = true },
  string = { number = true, boolean = true },
}

--- Whether a value could be meant for a schema, as far as its kind tells.
---@param model table
---@param schema tidegate.Schema
---@param value any
---@return boolean
local function fits(model, schema, value)
  local kind <const>, is <const> = schema.kind, value_of.kind(value)
  if is == "null" and schema.is_nullable or kind == "any" then
    return true
  elseif kind == "ref" then
    return fits(model, model.target(schema), value)
  elseif kind == "literal" or kind == "enum" then
    for _, declared in ipairs(schema.values) do
      if declared == value then
        return true
      end
    end
    return false
  elseif kind == "union" then
    for _, branch in ipairs(schema.branches) do
      if fits(model, branch, value) then
        return true
      end
    end
    return false
  elseif kind == "integer" and is == "number" then
    return math.tointeger(value) ~= nil
  end
  local is_taken <const> = taken[kind] and taken[kind][is]
  local is_coerced <const> = schema.coerce and coerced[kind] and coerced[kind][is]
  return is_taken or is_coerced or false
end

--- Tries one branch: 0 when nothing is wrong, else how much is.
---@return integer weight
---@return any received
---@return table[] calls
local function try(model, walk, branch, value, loc)
  local trial <const> =
    { is_camel = walk.is_camel, issues = {}, calls = {}, depths = walk.depths, is_trial = true }
  local received <const> = model.walk(trial, branch, value, loc)
  local weight = 0
  for _, issue in ipairs(trial.issues) do
    weight = weight + (telling[issue.type] and 1000 or 1)
  end
  return weight, received, trial.calls
end

---@param walk tidegate.ModelWalk
---@param kind string
---@param loc any[]
local function refuse(walk, kind, loc)
  walk.issues[#walk.issues + 1] = { type = kind, loc = table.move(loc, 1, #loc, 1, {}) }
end

--- The first branch that takes the value; else what is wrong with it for the one that is nearest.
---@param model table tidegate.testing.property.model
---@param walk tidegate.ModelWalk
---@param schema tidegate.Schema
---@param value any
---@param loc any[]
---@return any received
function Union.walk(model, walk, schema, value, loc)
  local fitting <const> = {}
  for _, branch in ipairs(schema.branches) do
    fitting[#fitting + 1] = fits(model, branch, value) and branch or nil
  end
  if #fitting < 2 then
    if fitting[1] then
      return model.walk(walk, fitting[1], value, loc)
    end
    refuse(walk, first_error(model, schema), loc)
    return value
  end
  local nearest, least
  for _, branch in ipairs(fitting) do
    local weight <const>, received <const>, calls <const> = try(model, walk, branch, value, loc)
    if weight == 0 then
      table.move(calls, 1, #calls, #walk.calls + 1, walk.calls)
      return received
    elseif not least or weight < least then
      nearest, least = branch, weight
    end
  end
  if walk.is_trial then
    refuse(walk, "value_error", loc) -- which of its branches was meant is nobody's question yet
    return value
  end
  return model.walk(walk, nearest, value, loc)
end

return Union
