--- Authenticators and permissions of ours: tables that are called like functions, so that they can
--- have methods, and say which headers of the request they read.

local declare <const> = require "tidegate.declare"

local Callable <const> = {}

---@class tidegate.auth.Known
---@field what string the function that made it, "tide.auth.jwt"
---@field headers string[] names of headers that it reads, in lower case

--- By object.
---@type table<table, tidegate.auth.Known>
local known <const> = setmetatable({}, { __mode = "k" })

---@class tidegate.auth.Making
---@field headers? string[]
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
  known[object] = { what = what, headers = making.headers or {} }
  return object
end

--- Whether it is a function, or one of ours.
---@param value any
---@return boolean
function Callable.is(value)
  return type(value) == "function" or known[value] ~= nil
end

--- The headers that it reads; none are known of a function.
---@param value any
---@return string[]
function Callable.headers(value)
  return known[value] and known[value].headers or {}
end

--- Checks a list of what can be called, and returns it with the headers of all.
---@param what string
---@param list any
---@param expected string "authenticators or permissions"
---@return function[] members
---@return string[] headers
function Callable.members(what, list, expected)
  if not declare.is_list(list, Callable.is) or #list == 0 then
    declare.fail("%s: expected a list of %s, got %s", what, expected, declare.show(list))
  end
  local members <const>, headers <const> = {}, {}
  for index, member in ipairs(list) do
    members[index] = member
    table.move(Callable.headers(member), 1, #Callable.headers(member), #headers + 1, headers)
  end
  return members, headers
end

return Callable
