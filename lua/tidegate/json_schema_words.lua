--- The words of JSON Schema (draft 2020-12) for the options of schemas: what both directions share.

local Words <const> = {}

local of_numbers <const> = {
  min = "minimum",
  max = "maximum",
  exclusive_min = "exclusiveMinimum",
  exclusive_max = "exclusiveMaximum",
  multiple_of = "multipleOf",
}

--- The keyword for each option, by the kind of the schema.
---@type table<string, table<string, string>>
Words.options = {
  string = { min = "minLength", max = "maxLength", pattern = "pattern" },
  integer = of_numbers,
  number = of_numbers,
  array = { min = "minItems", max = "maxItems", unique = "uniqueItems" },
  map = { min = "minProperties", max = "maxProperties" },
}

--- Formats that are called otherwise there.
Words.formats = { url = "uri", datetime = "date-time" }

--- A name as `camelize` writes it; the same as tg_schema_camel_name in src/wire/schema.c.
---@param name string
---@return string
function Words.camel_name(name)
  return (
    name:gsub("()_([A-Za-z0-9])", function(at, letter)
      return name:sub(at - 1, at - 1):find "[A-Za-z0-9]" and letter:upper() or nil
    end)
  )
end

return Words
