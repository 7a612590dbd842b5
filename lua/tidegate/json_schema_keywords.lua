--- Which keywords of JSON Schema are read, where each may stand, and what to write instead of the
--- others.

local declare <const> = require "tidegate.declare"
local words <const> = require "tidegate.json_schema_words"

local Keywords <const> = {}

---@param names string
---@return table<string, true>
local function set(names)
  local all <const> = {}
  for name in names:gmatch "%S+" do
    all[name] = true
  end
  return all
end

--- What may stand in every schema: it says nothing about the value.
local annotations <const> = set "$schema $id $comment title description default examples "
for name in pairs(set "deprecated readOnly writeOnly discriminator") do
  annotations[name] = true
end

--- What may stand beside each word that says what a schema is, but for the annotations.
local beside <const> = {
  ["$ref"] = set "$ref",
  const = set "const type",
  enum = set "enum type",
  anyOf = set "anyOf",
  oneOf = set "oneOf",
}

--- The same for `type`, by its value.
local of_type <const> = {
  null = set "type",
  boolean = set "type",
  string = set "type format",
  integer = set "type",
  number = set "type",
  array = set "type items",
  object = set "type properties required additionalProperties propertyNames",
}

for kind, options in pairs(words.options) do
  for _, word in pairs(options) do
    of_type[kind == "map" and "object" or kind][word] = true
  end
end

--- What to write instead of what is not supported.
local instead <const> = {
  allOf = "write what its schemas say in one schema",
  ["not"] = "write what is right, with enum or pattern, or use :check",
  patternProperties = "write propertyNames with the pattern, and additionalProperties",
  prefixItems = "write items, one schema for all of them, or an object",
  additionalItems = "write items, one schema for all of them",
  unevaluatedProperties = 'write "additionalProperties": false',
  dependentRequired = "write oneOf over objects with a const field, or use :check",
  dependentSchemas = "write oneOf over objects with a const field, or use :check",
  ["$anchor"] = "write a reference to #/$defs/NAME",
  ["$dynamicAnchor"] = "write a reference to #/$defs/NAME",
  ["$dynamicRef"] = "write a reference to #/$defs/NAME",
  ["$defs"] = "definitions stand at the top of the document",
  definitions = "definitions stand at the top of the document",
  nullable = 'write "type": ["string", "null"], or anyOf with { "type": "null" }',
  contains = "use :check on the array",
}
for name in pairs(set "if then else") do
  instead[name] = "write oneOf over objects with a const field, or use :check"
end

--- The word that says what a schema is, or nil when none does.
---@param raw table
---@return string?
function Keywords.main(raw)
  for _, word in ipairs { "$ref", "const", "enum", "anyOf", "oneOf", "type" } do
    if raw[word] ~= nil then
      return word
    end
  end
  return nil
end

---@param word string
---@return string? # the types that know it, as in '"array"'
local function owners(word)
  local types <const> = {}
  for name, known in pairs(of_type) do
    types[#types + 1] = known[word] and word ~= "type" and ('"%s"'):format(name) or nil
  end
  table.sort(types)
  return #types > 0 and table.concat(types, " or ") or nil
end

---@param main? string
---@param types string[]
---@return table<string, true>
local function legal(main, types)
  local all <const> = {}
  for _, name in ipairs(main == "type" and types or {}) do
    for word in pairs(of_type[name]) do
      all[word] = true
    end
  end
  return main == "type" and all or beside[main] or all
end

---@param word string
---@param main? string
---@return string
local function wrong(word, main)
  local owned_by <const> = owners(word)
  if beside[word] or word == "type" or owned_by and main and main ~= "type" then
    return ('it cannot stand beside "%s"; remove one of the two'):format(main)
  elseif owned_by then
    return ('it belongs to "type": %s; write that type, or remove it'):format(owned_by)
  end
  return "this keyword is not supported; "
    .. (instead[word] or "remove it, or use :check on the schema")
end

--- The first word of a schema that is not read where it stands.
---@param raw table
---@param types string[] those of `type`
---@param is_root boolean
---@return string? word
---@return string? sentence what is wrong with it, and what to do
function Keywords.misplaced(raw, types, is_root)
  local main <const> = Keywords.main(raw)
  local known <const> = legal(main, types)
  for _, word in ipairs(declare.sorted_keys(raw)) do
    local is_annotation <const> = annotations[word] or type(word) == "string" and word:find "^x%-"
    local is_definitions <const> = is_root and (word == "$defs" or word == "definitions")
    if not (known[word] or is_annotation or is_definitions) then
      return tostring(word), wrong(word, main)
    end
  end
  return nil
end

---@param name any
---@return boolean
function Keywords.is_type(name)
  return of_type[name] ~= nil
end

return Keywords
