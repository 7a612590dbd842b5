--- Values that are wrong in one place, with the error that they have to get. A right value is made,
--- one part of it is spoiled, and the model of schemas says what that is: nobody asks the host.

local arbitrary <const> = require "tidegate.testing.property.arbitrary"
local model <const> = require "tidegate.testing.property.model"
local value_of <const> = require "tidegate.testing.property.value"
local ways <const> = require "tidegate.testing.property.broken.ways"

local Broken <const> = {}

local null <const> = value_of.null

---@class tidegate.Place
---@field schema tidegate.Schema
---@field holder table
---@field key any

---@param schema tidegate.Schema
---@param breaking tidegate.Breaking
---@param value any
---@return any # nil: this way does not apply
local function spoil(schema, breaking, value)
  local list <const> = ways[schema.kind]
  if #list == 0 then
    return nil
  end
  return breaking.draw:pick(list)(breaking, schema, value)
end

--- A way to take that the parts alone do not show: what a check refuses.
---@param schema tidegate.Schema
---@param breaking tidegate.Breaking
---@return any
local function unchecked(schema, breaking)
  local own <const> = { is_camel = breaking.is_camel, ignores_checks = true }
  return (arbitrary.value(schema, breaking.draw, own))
end

---@param places tidegate.Place[]
---@return tidegate.Schema[]
local function references(places)
  local list <const> = {}
  for _, place in ipairs(places) do
    list[#list + 1] = place.schema.kind == "ref" and place.schema or nil
  end
  return list
end

--- What nests deeper than this meets another limit first (max_json_depth).
local DEEPEST <const> = 60

--- A value that opens a reference once too often.
---@param schema tidegate.Schema
---@param breaking tidegate.Breaking
---@param places tidegate.Place[]
---@return any
local function too_deep(schema, breaking, places)
  local list <const> = references(places)
  if #list == 0 then
    return nil
  end
  local own <const> = { is_camel = breaking.is_camel, deep = breaking.draw:pick(list) }
  local value <const> = arbitrary.value(schema, breaking.draw, own)
  return value_of.depth(value) <= DEEPEST and value or nil
end

--- Makes one value that may be wrong.
---@param schema tidegate.Schema
---@param breaking tidegate.Breaking
---@return any
local function attempt(schema, breaking)
  local own <const> = { is_camel = breaking.is_camel }
  local value <const>, places <const> = arbitrary.value(schema, breaking.draw, own)
  local way <const> = breaking.draw:below(8)
  if way == 7 then
    return too_deep(schema, breaking, places)
  elseif way == 6 then
    return unchecked(schema, breaking)
  end
  local place <const> = places[#places - breaking.draw:below(#places)]
  local spoiled <const> = spoil(place.schema, breaking, place.holder[place.key])
  if spoiled == nil then
    return nil
  elseif place == places[#places] then -- the value itself is made last
    return spoiled
  end
  place.holder[place.key] = spoiled
  return value
end

--- What has to be told of a value, when that is one thing and can be told.
---@param schema tidegate.Schema
---@param value any
---@param is_camel boolean
---@return tidegate.Issue?
function Broken.only_issue(schema, value, is_camel)
  local is_told <const>, issues <const> = pcall(model.issues, schema, value, is_camel)
  if not is_told and issues ~= model.undecided then
    error(issues, 0)
  end
  return is_told and #issues == 1 and issues[1] or nil
end

local TRIES <const> = 100

--- A value and the one error that it has to get; nil: none was found, as for s.any().
---@param schema tidegate.Schema
---@param draw tidegate.Choices
---@param is_camel boolean
---@return any value
---@return tidegate.Issue? issue
function Broken.value(schema, draw, is_camel)
  local breaking <const> = { draw = draw, is_camel = is_camel }
  for _ = 1, TRIES do
    local value <const> = attempt(schema, breaking)
    local issue <const> = value ~= nil and Broken.only_issue(schema, value, is_camel)
    if issue then
      return value, issue
    end
  end
  return nil, nil
end

--- A payload that is wrong, for which null is as good as nothing.
---@param schema? tidegate.Schema
---@param draw tidegate.Choices
---@param is_camel boolean
---@return any payload nil: none is sent
---@return tidegate.Issue? issue
function Broken.payload(schema, draw, is_camel)
  if not schema then
    return nil, nil
  end
  local without <const> = model.payload_issues(schema, nil, is_camel)
  if #without > 0 and draw:below(16) == 0 then
    return draw:below(2) == 0 and null or nil, without[1]
  end
  for _ = 1, 8 do
    local value <const>, issue <const> = Broken.value(schema, draw, is_camel)
    if value ~= null or not issue then
      return value, issue
    end
  end
  return nil, nil
end

return Broken
