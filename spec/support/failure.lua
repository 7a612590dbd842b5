--- What a function says that fails a spec, and where: "spec/kit/x_spec.lua:7".

local assert <const> = require "luassert"

---@param fails function
---@return string text without the position
---@return string place
return function(fails)
  local is_fine <const>, raised <const> = pcall(fails)
  assert.is_false(is_fine, "it did not fail")
  local text <const> = tostring(raised)
  local place <const>, rest <const> = text:match "^([^\n]-:%d+): (.*)$"
  return rest or text, place
end
