--- JSON as the model has it: objects know the order of their keys, so that a frame is one text.

local Json <const> = {}

Json.null = setmetatable({}, {
  __name = "null",
  __tostring = function()
    return "null"
  end,
})

local Object <const> = { __name = "object" }
Object.__index = Object

local List <const> = { __name = "list" }

--- `Json.object { { "key", value }, ... }`
---@param members { [1]: string, [2]: any }[]
---@return table
function Json.object(members)
  return setmetatable(members, Object)
end

---@param items any[]
---@return table
function Json.list(items)
  return setmetatable(items, List)
end

---@param name string
---@return any # nil: it is not there
function Object:get(name)
  for _, member in ipairs(self) do
    if member[1] == name then
      return member[2]
    end
  end
  return nil
end

--- Puts one more behind the others, unless it is nil.
---@param name string
---@param value any
---@return table
function Object:add(name, value)
  if value ~= nil then
    self[#self + 1] = { name, value }
  end
  return self
end

---@param value any
---@return "null" | "boolean" | "integer" | "float" | "string" | "object" | "list"
function Json.kind(value)
  local kind <const> = type(value)
  if kind == "table" then
    return getmetatable(value).__name
  end
  return kind == "number" and math.type(value) or kind
end

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
---@return string # without the quotes
function Json.escape(text)
  return (
    text:gsub('[%c"\\]', function(char)
      return escapes[char] or char ~= "\127" and ("\\u%04x"):format(char:byte()) or nil
    end)
  )
end

---@param value any
---@return string
function Json.write(value)
  local kind <const> = Json.kind(value)
  if kind == "string" then
    return '"' .. Json.escape(value) .. '"'
  elseif kind == "float" then
    return ("%.14g"):format(value)
  elseif kind ~= "object" and kind ~= "list" then
    return tostring(value)
  end
  local parts <const> = {}
  for index, item in ipairs(value) do
    parts[index] = kind == "list" and Json.write(item)
      or ('"%s":%s'):format(Json.escape(item[1]), Json.write(item[2]))
  end
  return (kind == "list" and "[%s]" or "{%s}"):format(table.concat(parts, ","))
end

return Json
