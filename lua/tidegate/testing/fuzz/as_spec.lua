--- A conversation that went wrong, as the text of a spec that goes wrong too.

---@param text string
---@return string # as a string of Lua, whatever it holds
local function quoted_part(text)
  local level = ""
  while text:find("]" .. level .. "]", 1, true) or text:sub(-1 - #level) == "]" .. level do
    level = level .. "="
  end
  local is_simple <const> = not text:find "['\\]"
  return is_simple and "'" .. text .. "'" or ("[%s[%s]%s]"):format(level, text, level)
end

--- A text as an expression of Lua, in which no character stands a hundred times in a row.
---@param text string
---@return string
local function quoted(text)
  local parts <const>, from, at = {}, 1, 1
  while at <= #text do
    local char <const> = text:sub(at, at)
    local last <const> = select(2, text:find("^" .. char:gsub("%W", "%%%0") .. "+", at))
    if last - at >= 100 and char:byte() < 0x80 then
      parts[#parts + 1] = quoted_part(text:sub(from, at - 1))
      parts[#parts + 1] = ("(%q):rep(%d)"):format(char, last - at + 1)
      from = last + 1
    end
    at = last + 1
  end
  parts[#parts + 1] = quoted_part(text:sub(from))
  return #parts == 1 and " " .. parts[1] or "(" .. table.concat(parts, " .. ") .. ")"
end

--- The conversation as an `it`.
---@param fuzz tidegate.Fuzz
---@param messages tidegate.FuzzMessage[]
---@param problem tidegate.FuzzFailure
---@return string
return function(fuzz, messages, problem)
  local options <const> = next(fuzz.connect) and "(%q, { --[[ as in the fuzz ]] })" or " %q"
  local lines <const> = {
    ('it("holds what seed %d found", function()'):format(fuzz.seed),
    ("  local client <close> = assert(app:connect" .. options .. ")"):format(fuzz.path),
  }
  for _, message in ipairs(messages) do
    lines[#lines + 1] = ("  client:send%s"):format(quoted(message.text))
  end
  for _, line in ipairs(problem.checks) do
    lines[#lines + 1] = "  " .. line
  end
  lines[#lines + 1] = "end)"
  return table.concat(lines, "\n")
end
