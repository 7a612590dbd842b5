--- Errors that a handler means: the client reads their code and sentence. Whatever else a handler
--- raises, the client only learns that its message could not be processed.

local declare <const> = require "tidegate.declare"

local Errors <const> = {}

--- By this metatable the host knows a declared error.
Errors.metatable = {
  __name = "tidegate.error",
  __tostring = function(err)
    return err.code .. ": " .. err.detail
  end,
}

local checks <const> = {
  code = function(value)
    local is_name <const> = type(value) == "string" and value:find "^[%a_][%w_]*$" ~= nil
    return is_name, 'a name of letters, digits and "_" such as "not_found"'
  end,
  detail = declare.text,
}

--- Raises a declared error.
---@param options tidegate.ErrorOptions
function Errors.raise(options)
  local given <const> = declare.options("tide.error", options, checks)
  if not given.code or not given.detail then
    declare.fail 'tide.error: needs both, as in { code = "not_found", detail = "No such room" }'
  end
  error(setmetatable({ code = given.code, detail = given.detail }, Errors.metatable), 0)
end

return Errors
