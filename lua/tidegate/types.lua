--- Definitions for the language server of every message of an application: `tidegate types`. They
--- are made from what the modules declared, so they say what the host checks.

local message <const> = require "tidegate.message"
local schema <const> = require "tidegate.types_schema"

local Types <const> = {}

local head <const> = [[
---@meta _
-- Made by `tidegate types`; changes are lost when it runs again.
]]

--- What adds to a function of tide what it returns for a known action.
local functions_head <const> = [[
---@class tidegate.Library
local tide = {}]]

local function_text <const> = [[
---@param action string
---@param payload? tidegate.Schema|tidegate.Fields
---@param options? tidegate.MessageOptions
---@return %s
%sfunction tide.%s(action, payload, options) end]]

local overload_text <const> = "---@overload fun(action: %s, payload?: tidegate.Schema"
  .. "|tidegate.Fields, options?: tidegate.MessageOptions): %s\n"

--- The classes of the three kinds of types, by role.
local bases <const> = {
  message = "tidegate.MessageType",
  group_message = "tidegate.GroupMessageType",
  event = "tidegate.EventType",
}

--- The types that the application declared, by action; those of one action as they stand in files.
---@return tidegate.MessageType[]
local function sorted_types()
  local list <const>, places <const> = {}, {}
  for index, declared in ipairs(message.declared) do
    if declared.source ~= "tidegate" then
      list[#list + 1], places[declared] = declared, index
    end
  end
  table.sort(list, function(a, b)
    if a.action ~= b.action then
      return a.action < b.action
    end
    return places[a] < places[b]
  end)
  return list
end

---@param node? tidegate.Schema
---@return boolean
local function may_be_left_out(node)
  return node.is_optional or node.is_nullable or node.has_default or node.kind == "null"
end

---@param declared tidegate.MessageType
---@return string
local function quoted_action(declared)
  return '"' .. declared.action:gsub('[\\"]', "\\%0"):gsub("%c", " ") .. '"'
end

---@param writer tidegate.TypeWriter
---@param ... string lines
local function add(writer, ...)
  writer.blocks[#writer.blocks + 1] = table.concat({ ... }, "\n")
end

--- The message or event that a handler gets.
---@param writer tidegate.TypeWriter
---@param declared tidegate.MessageType
---@param stem string
---@param payload string
---@return string name
local function write_message(writer, declared, stem, payload)
  local name <const> = schema.unique(writer, stem .. ".Message")
  local node <const> = declared.schema
  local may_miss <const> = node and node.is_optional and not node.has_default
  add(
    writer,
    ("---@class (exact) %s: tidegate.Message"):format(name),
    "---@field action " .. quoted_action(declared),
    ("---@field payload%s %s"):format(may_miss and "?" or "", payload),
    "---@field ref? string|integer",
    "---@field topic? string"
  )
  return name
end

--- The type itself. What a handler gets stands as its items: so the language server, which narrows
--- a callback only by a generic of items, knows the message in `Consumer:on(type, function ...)`.
---@param writer tidegate.TypeWriter
---@param declared tidegate.MessageType
---@param stem string
---@param draft? string
---@param received? string
---@return string name
local function write_type(writer, declared, stem, draft, received)
  local name <const> = schema.unique(writer, stem .. ".Type")
  local about <const> = declared.description or declared.summary
  local parameter = ""
  if draft then
    local mark <const> = may_be_left_out(declared.schema) and "?" or ""
    parameter = ("payload%s: %s"):format(mark, draft)
  end
  add(
    writer,
    (about and "--- " .. schema.line(about) .. "\n" or "")
      .. ("---@class %s: %s"):format(name, bases[declared.role]),
    "---@field action "
      .. quoted_action(declared)
      .. (received and "\n---@field [integer] " .. received or ""),
    ("---@overload fun(%s): tidegate.Outgoing"):format(parameter)
  )
  return name
end

--- Writes the classes of one type.
---@param writer tidegate.TypeWriter
---@param declared tidegate.MessageType
---@param stem string "app.chat"
---@return string name of the type's class
local function write(writer, declared, stem)
  local node <const> = declared.schema
  local payload, draft
  if node then
    payload = schema.payload(writer, node, stem .. ".Payload", "received")
    draft = payload
    if schema.has_draft(writer, node) then
      draft = schema.payload(writer, node, stem .. ".Draft", "draft")
    end
  end
  local received
  if declared.role ~= "group_message" then
    received = write_message(writer, declared, stem, payload or "nil")
  end
  return write_type(writer, declared, stem, draft, received)
end

--- The functions of tide again, with what they return for each action that the application has.
---@param writer tidegate.TypeWriter
---@param types tidegate.MessageType[]
---@param names string[] of their classes
local function write_functions(writer, types, names)
  local texts <const>, of_action <const> = { functions_head }, {}
  for index, declared in ipairs(types) do
    local key <const> = declared.role .. " " .. declared.action
    of_action[key] = of_action[key] and of_action[key] .. "|" .. names[index] or names[index]
  end
  for _, role in ipairs { "message", "group_message", "event" } do
    local overloads <const>, done <const> = {}, {}
    for _, declared in ipairs(types) do
      local returned <const> = of_action[role .. " " .. declared.action]
      if returned and not done[declared.action] then
        overloads[#overloads + 1] = overload_text:format(quoted_action(declared), returned)
        done[declared.action] = true
      end
    end
    if #overloads > 0 then
      texts[#texts + 1] = function_text:format(bases[role], table.concat(overloads), role)
    end
  end
  add(writer, table.concat(texts, "\n\n"))
end

--- The file, as text. The same declarations make the same text.
---@return string
function Types.text()
  local writer <const>, types <const> = schema.writer(), sorted_types()
  local names <const>, stems <const> = {}, { taken = {} }
  for index, declared in ipairs(types) do
    local stem <const> = schema.unique(stems, "app." .. schema.segment(declared.action))
    names[index] = write(writer, declared, stem)
  end
  if #types > 0 then
    write_functions(writer, types, names)
  end
  return head .. "\n" .. table.concat(writer.blocks, "\n\n") .. "\n"
end

return Types
