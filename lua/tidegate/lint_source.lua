--- Reads the code of a handler, without strings and comments, to see whether it can answer at all.

local message <const> = require "tidegate.message"
local tide <const> = require "tidegate"

local Source <const> = {}

--- How what is no code begins, and the pattern that takes the rest of it. Long brackets come first:
--- `--[[` is not the comment of one line.
local skipped <const> = {
  { "^%-%-%[(=*)%[", "long" },
  { "^%[(=*)%[", "long" },
  { "^%-%-", "^[^\n]*()" },
  { '^"', "quote" },
  { "^'", "quote" },
}

--- Where the string that a quote at `start` opens ends.
---@param text string
---@param start integer
---@return integer # of the first byte behind it
local function end_of_quoted(text, start)
  local quote <const> = text:sub(start, start)
  local at = start + 1
  while at <= #text do
    local byte <const> = text:sub(at, at)
    if byte == quote then
      return at + 1
    end
    at = at + (byte == "\\" and 2 or 1)
  end
  return #text + 1
end

--- The end of the string or comment that begins at `at`; nil when code stands there.
---@param text string
---@param at integer
---@return integer?
local function end_of_skipped(text, at)
  for _, pair in ipairs(skipped) do
    local _, last <const>, level <const> = text:find(pair[1], at)
    if last and pair[2] == "long" then
      local _, closed <const> = text:find("]" .. level .. "]", last + 1, true)
      return (closed or #text) + 1
    elseif last then
      return pair[2] == "quote" and end_of_quoted(text, at) or text:match(pair[2], last + 1)
    end
  end
  return nil
end

--- The code alone: a comment becomes a space, a string is empty, and every line stays where it is.
---@param text string
---@return string
local function stripped(text)
  local pieces <const> = {}
  local at = 1
  while at <= #text do
    local after <const> = end_of_skipped(text, at)
    if after then
      local is_comment <const> = text:sub(at, at + 1) == "--"
      local lines <const> = text:sub(at, after - 1):gsub("[^\n]", "")
      pieces[#pieces + 1] = (is_comment and " " or '""') .. lines
      at = after
    else
      local code <const> = text:match("^[^%-%[\"']+", at) or text:sub(at, at)
      pieces[#pieces + 1] = code
      at = at + #code
    end
  end
  return table.concat(pieces)
end

---@param path string
---@return string?
local function read(path)
  local file <close> = io.open(path, "rb")
  return file and file:read "a"
end

--- The lines of a function, from the first `function` on the first to the last `end` on the last.
--- Several functions on one line cannot be told apart: then this is more than the function.
---@param info table of debug.getinfo
---@return string?
local function code_of(info)
  local text <const> = info.source:sub(1, 1) == "@" and read(info.source:sub(2))
  if not text then
    return nil
  end
  local lines <const> = {}
  for line in (stripped(text) .. "\n"):gmatch "([^\n]*)\n" do
    lines[#lines + 1] = line
  end
  local code <const> = table.concat(lines, "\n", info.linedefined, info.lastlinedefined)
  return code:match "%f[%w_]function%f[^%w_].*%f[%w_]end%f[^%w_]"
end

--- Whether a word stands in the code by itself.
---@param code string
---@param word string
---@return boolean
local function uses(code, word)
  return code:find("%f[%w_]" .. word .. "%f[^%w_]") ~= nil
end

--- Whether a `return` in the code has a value behind it.
---@param code string
---@return boolean
local function returns_value(code)
  for rest in code:gmatch "%f[%w_]return%f[^%w_]%s*()" do
    local behind <const> = code:match("^[%w_]+", rest) or code:sub(rest, rest)
    local is_bare <const> = behind == "end"
      or behind == "else"
      or behind == "elseif"
      or behind == "until"
      or behind == ";"
      or behind == ""
    if not is_bare then
      return true
    end
  end
  return false
end

-- ---- calls ----

--- What sends without a connection, or makes another handler send.
local senders <const> = { broadcast = true, broadcast_event = true, send_event = true }

--- What may be called without that anything is sent.
---@type table<function, boolean>
local harmless <const> = {}
for _, library in ipairs { string, table, math, utf8, os, io, tide, tide.log } do
  for name, value in next, library do
    harmless[value] = type(value) == "function" and not senders[name] or nil
  end
end
for _, value in ipairs { assert, error, ipairs, next, pairs, print, select, tonumber, tostring } do
  harmless[value] = true
end
for _, value in ipairs { getmetatable, rawequal, rawget, rawlen, rawset, setmetatable, type } do
  harmless[value] = true
end

local keywords <const> = {}
for word in
  ("and do else elseif for function if in local not or repeat return then until while"):gmatch "%a+"
do
  keywords[word] = true
end

--- What a name stands for in a function: a value from around it, or a global.
---@param handler function
---@param wanted string
---@return any
local function resolve(handler, wanted)
  local environment
  for index = 1, debug.getinfo(handler, "u").nups do
    local name <const>, value <const> = debug.getupvalue(handler, index)
    if name == wanted then
      return value
    end
    environment = name == "_ENV" and value or environment
  end
  return type(environment) == "table" and rawget(environment, wanted) or nil
end

--- Whether a call can send nothing: what is called makes a message, or belongs to a library.
---@param handler function
---@param called string "messages.echo", "text:upper"
---@return boolean
local function is_harmless(handler, called)
  local method <const> = called:match ":([%w_]+)$"
  if method then
    return string[method] ~= nil
  end
  local value
  for name in called:gmatch "[%w_]+" do
    if value == nil then
      value = resolve(handler, name)
    else
      value = type(value) == "table" and rawget(value, name) or nil
    end
    if value == nil then
      return false
    end
  end
  return message.is_type(value) or harmless[value] or false
end

--- Whether the code may call what sends: a function of the user's, a method, what a table holds.
---@param handler function
---@param code string
---@return boolean
local function may_call_sender(handler, code)
  if code:find "[%]%)}]%s*[%({]" or code:find '[%]%)}]%s*""' then
    return true
  end
  for called in code:gmatch '%f[%w_]([%a_][%w_.:]*)%s*[%({"]' do
    if not keywords[called] and not is_harmless(handler, called) then
      return true
    end
  end
  return false
end

--- Whether a handler can send nothing: it neither returns a value nor uses its connection nor calls
--- what could send elsewhere. False where its code cannot be read.
---@param handler function
---@return boolean
function Source.is_silent(handler)
  local info <const> = debug.getinfo(handler, "Su")
  local code <const> = info.what == "Lua" and code_of(info)
  if not code or info.isvararg then
    return false
  end
  local connection <const> = debug.getlocal(handler, 1)
  local body <const> = code:gsub("^function[^()]*%b()", "", 1)
  return not returns_value(body)
    and not (connection and uses(body, connection))
    and not may_call_sender(handler, body)
end

return Source
