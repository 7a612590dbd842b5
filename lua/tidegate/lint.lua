--- What looks wrong in an application that loads: `tidegate check`. A warning is a guess from what
--- stands in the files, so where it cannot be sure it is silent.

local message <const> = require "tidegate.message"
local source <const> = require "tidegate.lint_source"
local states <const> = require "tidegate.consumer_states"

local Lint <const> = {}

--- The declarations of all consumers that are served, and of the topics that they host.
---@return tidegate.Declaration[]
local function served()
  local list <const> = {}
  local function add(declaration)
    list[#list + 1] = declaration
  end
  local topics <const> = {}
  for _, state in pairs(states) do
    if state.collected_by then
      add(state.declaration)
      for _, topic in ipairs(state.declaration.topics) do
        topics[topic] = true
      end
    end
  end
  for topic in pairs(topics) do
    add(topic)
  end
  return list
end

--- What consumers handle, relay, answer or send: types, and the actions of events, since an event
--- finds its receivers by its action.
---@param declarations tidegate.Declaration[]
---@return table<tidegate.MessageType | string, boolean>
local function used_types(declarations)
  local used <const> = {}
  local function note(types)
    for _, declared in ipairs(types) do
      used[declared] = true
    end
  end
  for _, declaration in ipairs(declarations) do
    note(declaration.sends)
    for _, action in ipairs(declaration.actions) do
      used[action.type] = true
      note(action.outputs)
    end
    for _, event in ipairs(declaration.events) do
      used[event.action] = true
      note(event.outputs)
    end
  end
  return used
end

--- By role. A group message needs no consumer: whoever sends it need not be one.
local unused_texts <const> = {
  message = '%s: warning: "%s" is declared, but no consumer handles it and none '
    .. "names it in output or sends",
  event = '%s: warning: the event "%s" is declared, but no consumer and no topic handles or '
    .. "relays it",
}

---@param declarations tidegate.Declaration[]
---@param found string[]
local function find_unused(declarations, found)
  local used <const> = used_types(declarations)
  for _, declared in ipairs(message.declared) do
    local is_own <const> = declared.source == "tidegate"
    local text <const> = unused_texts[declared.role]
    local key <const> = declared.role == "event" and declared.action or declared
    if text and not is_own and not used[key] then
      found[#found + 1] = text:format(declared.source, declared.action)
    end
  end
end

local silent_text <const> = '%s: warning: the handler of "%s" declares that it answers %s, but it '
  .. "returns nothing and does not use its connection"

---@param action tidegate.Action
---@return string # '"a", "b"'
local function outputs_in_words(action)
  local names <const> = {}
  for index, declared in ipairs(action.outputs) do
    names[index] = '"' .. declared.action .. '"'
  end
  return table.concat(names, ", ")
end

---@param actions tidegate.Action[]
---@param found string[]
local function find_silent_among(actions, found)
  for _, action in ipairs(actions) do
    if #action.outputs > 0 and action.handler and source.is_silent(action.handler) then
      found[#found + 1] = silent_text:format(action.source, action.action, outputs_in_words(action))
    end
  end
end

---@param declarations tidegate.Declaration[]
---@param found string[]
local function find_silent(declarations, found)
  for _, declaration in ipairs(declarations) do
    find_silent_among(declaration.actions, found)
    find_silent_among(declaration.events, found)
  end
end

--- By file, then by line.
---@param a string
---@param b string
---@return boolean
local function stands_before(a, b)
  local file_a <const>, line_a <const> = a:match "^(.-):(%d+): "
  local file_b <const>, line_b <const> = b:match "^(.-):(%d+): "
  if file_a ~= file_b then
    return file_a < file_b
  elseif line_a ~= line_b then
    return tonumber(line_a) < tonumber(line_b)
  end
  return a < b
end

--- All warnings, a line each. A handler of a mixin that several consumers use is told once.
---@return string
function Lint.warnings()
  local found <const>, declarations <const> = {}, served()
  find_unused(declarations, found)
  find_silent(declarations, found)
  table.sort(found, stands_before)
  local lines <const> = {}
  for index, text in ipairs(found) do
    if text ~= found[index - 1] then
      lines[#lines + 1] = text .. "\n"
    end
  end
  return table.concat(lines)
end

return Lint
