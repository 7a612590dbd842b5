--- Asserts that a declaration is refused with a text, at a line of the function that makes it.

local assert <const> = require "luassert"

---@param declare function
---@param expected string the text behind the position
return function(declare, expected)
  local is_fine <const>, text <const> = pcall(declare)
  assert.is_false(is_fine, "it was accepted")
  local info <const> = debug.getinfo(declare, "S")
  local file <const>, line <const>, rest <const> = text:match "^(.-):(%d+): (.*)$"
  assert.equal(info.source:sub(2), file, text)
  assert.is_true(
    tonumber(line) >= info.linedefined and tonumber(line) <= info.lastlinedefined,
    text
  )
  assert.equal(expected, rest)
end
