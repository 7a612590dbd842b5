--- What the options of a consumer say about who comes in, put into its declaration.

local callable <const> = require "tidegate.auth.callable"
local declare <const> = require "tidegate.declare"
local handlers <const> = require "tidegate.handlers"
local message <const> = require "tidegate.message"

local Admission <const> = {}

--- Options that say nothing without another.
---@type { [1]: string, [2]: string }[]
local needs <const> = {
  { "grace", "authenticate" },
  { "reauthenticate_seconds", "authenticate" },
  { "authorise_groups", "groups" },
}

--- A function of groups whose names have to be allowed. Who asks for one that is not is sent away.
---@param groups fun(conn: tidegate.Conn): string | string[]
---@param authorise fun(conn: tidegate.Conn, name: string): boolean?, string?
---@param is_text boolean
---@return fun(conn: tidegate.Conn): string | string[]
local function guarded(groups, authorise, is_text)
  return function(conn)
    local names <const> = groups(conn)
    for _, name in ipairs(type(names) == "table" and names or { names }) do
      local is_allowed <const>, detail <const> = authorise(conn, name)
      if not is_allowed then
        if not is_text then
          local sentence <const> = detail or ("Not allowed in group '%s'"):format(name)
          conn:send(message.standard.error { code = "forbidden", detail = sentence })
        end
        conn:close(4403, "Forbidden")
        return {}
      end
    end
    return names
  end
end

--- Names of groups need no permission: nobody but the application can say them.
---@param declaration tidegate.Declaration
---@param sources (string | function)[]
---@return (string | function)[]
function Admission.guard(declaration, sources)
  local authorise <const>, result <const> = declaration.authorise_groups, {}
  for index, source in ipairs(sources) do
    local is_asked <const> = authorise and type(source) == "function"
    result[index] = is_asked and guarded(source, authorise, declaration.is_text) or source
  end
  return result
end

--- Of a consumer that has just been made.
---@param what string
---@param state tidegate.State
---@param given table<string, any> its options
function Admission.declare(what, state, given)
  for _, pair in ipairs(needs) do
    if given[pair[1]] ~= nil and given[pair[2]] == nil then
      declare.fail('%s: option "%s" says nothing without "%s"', what, pair[1], pair[2])
    end
  end
  local declaration <const> = state.declaration
  declaration.load_object = given.object
  declaration.permissions = given.permissions
  declaration.authorise_groups = given.authorise_groups
  declaration.authentication_timeout = given.authentication_timeout
  declaration.grace = given.grace
  declaration.reauthenticate_seconds = given.reauthenticate_seconds
  declaration.groups = Admission.guard(declaration, declaration.groups)
  local reads <const> = callable.reads(given.authenticate)
  local credentials <const> = table.move(reads.queries, 1, #reads.queries, 1, {})
  for _, name in ipairs(reads.headers) do
    table.insert(declaration.headers, name)
    table.insert(credentials, name)
  end
  declaration.credentials = credentials
end

--- The message by which clients of a consumer with an authenticator renew: C handles it.
---@param state tidegate.State
function Admission.declare_renewal(state)
  if not state.declaration.authenticate then
    return
  end
  handlers.add_action(state, {
    action = "authenticate",
    type = message.standard.authenticate,
    is_renewal = true,
    summary = "Renew the credential",
    tags = {},
    outputs = state.declaration.send_authentication and { message.standard.authentication } or {},
    concurrency = 1,
    timeout = 0,
    source = state.source,
  })
end

return Admission
