--- Raises at the line of the spec, however deep in the kit something was found to be wrong.

local Fail <const> = {}

--- What the names of our own chunks begin with, whatever carries them: a folder or the program.
local own_prefix <const> = debug.getinfo(1, "S").source:match "^(.*)testing/fail%.lua$"

---@param info table
---@return boolean
local function is_own(info)
  return info.currentline <= 0
    or info.source:sub(1, #own_prefix) == own_prefix
    or info.source:find "/luassert/[%w_]+%.lua$" ~= nil -- which calls our assertions
end

--- How far up the spec stands, for `error` called by the caller of this.
---@return integer
local function level_of_spec()
  local level = 3
  local info = debug.getinfo(level, "Sl")
  while info and is_own(info) do
    level = level + 1
    info = debug.getinfo(level, "Sl")
  end
  return info and level - 1 or 1
end

--- "spec/chat_spec.lua:12", the line that called into the kit.
---@return string
function Fail.place()
  local info <const> = debug.getinfo(level_of_spec(), "Sl")
  local file <const> = info.source:match "^@(.*)" or info.short_src
  return ("%s:%d"):format(file, info.currentline)
end

--- Fails the spec: something was not as it should be.
---@param text string
function Fail.spec(text)
  local level <const> = level_of_spec()
  local is_there <const>, assert <const> = pcall(require, "luassert")
  if not is_there then
    error(text, level)
  end
  assert(false, text, assert:level(level))
end

--- The kit was used wrongly.
---@param format string
---@param ... any for `format`
function Fail.misuse(format, ...)
  error(format:format(...), level_of_spec())
end

--- What a function of the core has returned, or refused: then the line of the spec stands before
--- it, unless another is named.
---@param is_fine boolean
---@param ... any
---@return any ...
local function results(is_fine, ...)
  if is_fine then
    return ...
  end
  local problem <const> = ...
  if type(problem) ~= "string" then
    error(problem, 0)
  end
  local place <const>, text <const> = problem:match "^([^\n]-):%d+: (.*)$"
  if place and not place:find "tidegate/testing[%w_/]*%.lua$" then
    error(problem, 0)
  end
  return Fail.misuse("%s", text or problem)
end

--- Runs what calls the core for the spec.
---@param fn fun(): any ...
---@return any ... what it returns
function Fail.call(fn)
  return results(pcall(fn))
end

--- Checks a table of options.
---@param what string "app:connect"
---@param options any
---@param legal table<string, string> the types of each: "string|table", or "any"
---@return table
function Fail.options(what, options, legal)
  if options == nil then
    return {}
  elseif type(options) ~= "table" then
    Fail.misuse("%s: expected a table of options, got a %s", what, type(options))
  end
  local names <const> = {}
  for name in pairs(legal) do
    names[#names + 1] = name
  end
  table.sort(names)
  for name, value in pairs(options) do
    local types <const> = legal[name]
    if not types then
      local text <const> = '%s: unknown option "%s" (options: %s)'
      Fail.misuse(text, what, tostring(name), table.concat(names, ", "))
    elseif types ~= "any" and not types:find(type(value), 1, true) then
      local text <const> = '%s: option "%s" must be a %s, got a %s'
      local words <const> = types:gsub("|", " or a ")
      Fail.misuse(text, what, name, words, type(value))
    end
  end
  return options
end

return Fail
