--- Arbitrary texts of a schema: of its format, like its pattern, or any, of the lengths that it
--- just allows.

local formats <const> = require "tidegate.testing.property.formats"
local pattern <const> = require "tidegate.testing.property.pattern.make"

local Texts <const> = {}

--- Characters from one byte to four, and those that have to be escaped somewhere.
local characters <const> = {
  "a",
  "0",
  " ",
  "\u{e9}",
  "\u{6f22}",
  "\u{1f600}",
  '"',
  "\\",
  "/",
  "<",
  "'",
  "%",
  "\0",
  "\n",
  "\u{2028}",
}

--- Texts that mean something to somebody.
local words <const> = {
  "",
  "a",
  "__proto__",
  "a.b",
  "constructor",
  "null",
  "0",
  "-1",
  "{}",
  "\u{1f600}",
  " ",
  "e\u{301}",
}

Texts.words = words

--- A text of so many characters.
---@param draw tidegate.Choices
---@param length integer
---@return string
function Texts.of_length(draw, length)
  local drawn <const> = math.min(length, 12)
  local list <const> = {}
  for index = 1, drawn do
    list[index] = draw:pick(characters)
  end
  return table.concat(list) .. ("a"):rep(length - drawn)
end

--- What is made longer than this takes more time than it is worth.
local LONG <const> = 4096

---@param schema tidegate.Schema
---@param draw tidegate.Choices
---@return string
local function any_text(schema, draw)
  local min <const>, max <const> = schema.min or 0, math.min(schema.max or LONG, LONG)
  local way <const> = draw:below(4)
  if way == 1 then
    return draw:pick(words)
  elseif way == 2 and schema.max and schema.max <= LONG then
    return Texts.of_length(draw, schema.max)
  end
  local more <const> = way == 3 and draw:below(32) or draw:below(4)
  return Texts.of_length(draw, math.max(min, math.min(min + more, max)))
end

--- A text of a format, made as long as it has to be where there is a way.
---@param schema tidegate.Schema
---@param draw tidegate.Choices
---@return string
local function of_format(schema, draw)
  return draw:pick(formats.right[schema.format])
end

---@param schema tidegate.Schema
---@param draw tidegate.Choices
---@return string
local function like_pattern(schema, draw)
  local text = pattern.text(schema.pattern, draw)
  local is_short <const> = utf8.len(text) < (schema.min or 0)
  if is_short then
    text = text .. ("a"):rep(schema.min - utf8.len(text))
  end
  return text
end

local TRIES <const> = 60

--- A text; nil: none was found.
---@param schema tidegate.Schema
---@param draw tidegate.Choices
---@param is_right fun(value: any): boolean
---@return string | integer | boolean | nil
function Texts.text(schema, draw, is_right)
  local make <const> = schema.format and of_format or schema.pattern and like_pattern or any_text
  for _ = 1, TRIES do
    local text = make(schema, draw)
    if schema.coerce and draw:once_in(8) then
      text = draw:pick { 0, true, -7 }
    elseif schema.trim and draw:once_in(4) then
      text = draw:pick { " ", "\n", "\u{a0}" } .. text .. " \t"
    end
    if is_right(text) then
      return text
    end
  end
  for _, example in ipairs(schema.examples or {}) do
    if is_right(example.value) then
      return example.value
    end
  end
  return nil
end

return Texts
