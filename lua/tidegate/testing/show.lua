--- Values as text: JSON that can be sent, and the same, cut short, for people.

local matchers <const> = require "tidegate.testing.matchers"

local Show <const> = {}

local escapes <const> = {
  ['"'] = '\\"',
  ["\\"] = "\\\\",
  ["\b"] = "\\b",
  ["\f"] = "\\f",
  ["\n"] = "\\n",
  ["\r"] = "\\r",
  ["\t"] = "\\t",
}

---@param text string
---@return string
local function quoted(text)
  return '"'
    .. text:gsub('[%c"\\\127]', function(char)
      return escapes[char] or ("\\u%04x"):format(char:byte())
    end)
    .. '"'
end

---@param value number
---@return string
local function number(value)
  local whole <const> = math.type(value) == "integer" and value
  if whole then
    return ("%d"):format(whole)
  elseif value ~= value or value == math.huge or value == -math.huge then
    error(("the number %s has no form in JSON"):format(value), 0)
  end
  for digits = 15, 17 do
    local text <const> = ("%." .. digits .. "g"):format(value)
    if tonumber(text) == value then
      return text
    end
  end
end

--- The names of an object as people read them: action first, as in a frame, then by the alphabet.
local first <const> = { action = 1, payload = 2, topic = 3, ref = 4 }

---@param value table
---@return string[]
local function sorted_names(value, path)
  local names <const> = {}
  for name in pairs(value) do
    if type(name) ~= "string" then
      local text <const> = "%s has the key %s beside others; a key of an object is a string"
      error(text:format(path == "" and "the value" or path, tostring(name)), 0)
    end
    names[#names + 1] = name
  end
  table.sort(names, function(a, b)
    local x <const>, y <const> = first[a] or 9, first[b] or 9
    if x ~= y then
      return x < y
    end
    return a < b
  end)
  return names
end

local write

---@param value table
---@param out string[]
---@param path string
local function write_table(value, out, path, depth)
  if depth > 100 then
    error((path == "" and "the value" or path:sub(1, 40)) .. " is too deep, or contains itself", 0)
  end
  if matchers.is_array(value) then
    out[#out + 1] = "["
    for index = 1, #value do
      out[#out + 1] = index > 1 and "," or nil
      write(value[index], out, ("%s[%d]"):format(path, index), depth + 1)
    end
    out[#out + 1] = "]"
    return
  end
  out[#out + 1] = "{"
  for index, name in ipairs(sorted_names(value, path)) do
    out[#out + 1] = index > 1 and "," or nil
    out[#out + 1] = quoted(name) .. ":"
    write(value[name], out, path == "" and name or path .. "." .. name, depth + 1)
  end
  out[#out + 1] = "}"
end

---@param value any
---@param out { [integer]: string, shows: boolean }
---@param path string
---@param depth integer
function write(value, out, path, depth)
  local kind <const> = type(value)
  if value == matchers.null then
    out[#out + 1] = "null"
  elseif kind == "string" then
    out[#out + 1] = quoted(value)
  elseif kind == "number" then
    out[#out + 1] = out.shows and tostring(value) or number(value)
  elseif kind == "boolean" then
    out[#out + 1] = tostring(value)
  elseif kind == "table" and not matchers.is_matcher(value) then
    write_table(value, out, path, depth)
  elseif out.shows then
    out[#out + 1] = kind == "table" and "<" .. matchers.shown(value) .. ">" or tostring(value)
  else
    local what <const> = kind == "table" and "a matcher" or "a " .. kind
    error(("%s is %s, which JSON cannot say"):format(path == "" and "the value" or path, what), 0)
  end
end

--- The JSON of a value, 64-bit integers exact. Raises a sentence where there is none.
---@param value any
---@return string
function Show.json(value)
  local out <const> = {}
  write(value, out, "", 0)
  return table.concat(out)
end

--- A text that is not too long, cut between characters.
---@param text string
---@param limit integer
---@return string
function Show.cut(text, limit)
  if #text <= limit then
    return text
  end
  local last = limit
  while last > 0 and (text:byte(last + 1) & 0xC0) == 0x80 do
    last = last - 1
  end
  return ("%s... (%d bytes)"):format(text:sub(1, last), #text)
end

--- A value as a failure shows it; matchers stand in angle brackets.
---@param value any
---@param limit? integer bytes
---@return string
function Show.value(value, limit)
  if value == nil then
    return "nothing"
  end
  local out <const> = { shows = true }
  local is_fine <const>, problem <const> = pcall(write, value, out, "", 0)
  if not is_fine then
    return ("a %s (%s)"):format(type(value), problem)
  end
  return Show.cut(table.concat(out), limit or 400)
end

--- A text on one line, whatever is in it.
---@param bytes string
---@param limit? integer
---@return string
function Show.text(bytes, limit)
  local clean <const> = bytes:gsub("[%z\1-\31\127]", function(char)
    return ("\\x%02x"):format(char:byte())
  end)
  return Show.cut(utf8.len(clean) and clean or clean:gsub("[\128-\255]", "?"), limit or 400)
end

--- Bytes that are no text: how many, and the first of them.
---@param bytes string
---@return string
function Show.bytes(bytes)
  local shown <const> = bytes:sub(1, 16):gsub(".", function(char)
    return (" %02x"):format(char:byte())
  end)
  return ("%d bytes:%s%s"):format(#bytes, shown, #bytes > 16 and " ..." or "")
end

return Show
