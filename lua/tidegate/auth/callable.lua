--- Authenticators and permissions of ours: tables that are called like functions, so that they can
--- have methods, and say which headers of the request they read.

local declare <const> = require "tidegate.declare"

local Callable <const> = {}

---@class tidegate.auth.Known
---@field what string the function that made it, "tide.auth.jwt"
---@field headers string[] names of headers that it reads, in lower case
---@field queries string[] names of items of the query that it reads

--- By object.
---@type table<table, tidegate.auth.Known>
local known <const> = setmetatable({}, { __mode = "k" })

--- What functions that make one are called. Who gives one of these has forgotten to call it.
---@type table<function, string>
local makers <const> = setmetatable({}, { __mode = "k" })

---@class tidegate.auth.Making
---@field headers? string[]
---@field queries? string[]
---@field methods? table<string, function>

--- Makes one.
---@param what string
---@param call function
---@param making? tidegate.auth.Making
---@return table
function Callable.new(what, call, making)
  making = making or {}
  local methods <const> = making.methods or {}
  local object <const> = setmetatable({}, {
    __name = "tidegate.auth",
    __call = function(_, ...)
      return call(...)
    end,
    __index = declare.closed(what, methods),
    __newindex = function(_, name)
      declare.fail("%s cannot be changed; give %s as an option", what, tostring(name))
    end,
    shown = function()
      return what
    end,
  })
  known[object] = { what = what, headers = making.headers or {}, queries = making.queries or {} }
  return object
end

--- Remembers what makes one.
---@param what string "tide.auth.jwt"
---@param make function
function Callable.add_maker(what, make)
  makers[make] = what
end

--- Whether it is a function, or one of ours.
---@param value any
---@return boolean
function Callable.is(value)
  return type(value) == "function" and not makers[value] or known[value] ~= nil
end

--- What an option has to be that has one.
---@param value any
---@param usual string
---@return string
function Callable.expected(value, usual)
  local what <const> = makers[value]
  return what and ("what %s(...) returns"):format(what) or usual
end

--- What it reads of a request; nothing is known of a function.
---@param value any
---@return { headers: string[], queries: string[] }
function Callable.reads(value)
  return known[value] or { headers = {}, queries = {} }
end

--- Checks a list of what can be called, and returns it with what all of them read.
---@param what string
---@param list any
---@param expected string "authenticators or permissions"
---@return function[] members
---@return { headers: string[], queries: string[] } reads
function Callable.members(what, list, expected)
  if not declare.is_list(list, Callable.is) or #list == 0 then
    declare.fail("%s: expected a list of %s, got %s", what, expected, declare.show(list))
  end
  local members <const>, all <const> = {}, { headers = {}, queries = {} }
  for index, member in ipairs(list) do
    members[index] = member
    for part, names in pairs(all) do
      local more <const> = Callable.reads(member)[part]
      table.move(more, 1, #more, #names + 1, names)
    end
  end
  return members, all
end

return Callable
