--- Checks of options that several authenticators share.

local declare <const> = require "tidegate.declare"

local Options <const> = {}

---@type tidegate.Check
function Options.header(value)
  local is_right <const> = type(value) == "string" and value:find "^[%w!#$%%&'*+.^_`|~-]+$" ~= nil
  return is_right, 'the name of a header, as in "x-api-key"'
end

---@type tidegate.Check
function Options.name(value)
  local is_right <const> = type(value) == "string" and value:find "^[%w!#$%%&'*+.^_`|~-]+$" ~= nil
  return is_right, 'a name of letters, digits, "_", "-" and "."'
end

---@type tidegate.Check
function Options.names(value)
  local is_right <const> = declare.is_list(value, Options.name)
  return is_right, "a list of names"
end

---@type tidegate.Check
function Options.positive(value)
  return declare.seconds(value) and value > 0, "seconds, a number greater than 0"
end

--- Checks the options of what is declared while modules load.
---@param what string
---@param options any
---@param checks table<string, tidegate.Check>
---@return table<string, any>
function Options.read(what, options, checks)
  declare.check_loading(what)
  return declare.options(what, options, checks)
end

--- Raises when an option is left out that has to be there.
---@param what string
---@param given table<string, any>
---@param name string
---@param example string
function Options.need(what, given, name, example)
  if given[name] == nil then
    declare.fail("%s: needs %s, as in { %s }", what, name, example)
  end
end

return Options
