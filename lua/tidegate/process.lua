--- tide.process: programs that a handler runs and waits for. What was given is checked here, and
--- made into the lists that C takes.

local declare <const> = require "tidegate.declare"
local host <const> = require "tidegate.host"

local DAY_SECONDS <const> = 86400

--- Whether `value` can be an argument or a name of the operating system's.
---@param value any
---@return boolean
local function is_plain(value)
  return type(value) == "string" and not value:find("\0", 1, true)
end

---@type tidegate.Check
local function seconds(value)
  local is_right <const> = type(value) == "number" and value > 0 and value <= DAY_SECONDS
  return is_right, "a number of seconds, more than 0 and at most a day"
end

---@type tidegate.Check
local function folder(value)
  return is_plain(value) and value ~= "", "the path of a folder"
end

---@type tidegate.Check
local function input(value)
  return type(value) == "string", "a string"
end

---@type tidegate.Check
local function bytes(value)
  return math.type(value) == "integer" and value > 0, "a whole number of bytes"
end

---@type tidegate.Check
local function variables(value)
  local expected <const> = "a table of strings by the names of variables, or false to leave one out"
  if type(value) ~= "table" then
    return false, expected
  end
  for name, text in pairs(value) do
    if
      not is_plain(name)
      or name == ""
      or name:find "="
      or not (text == false or is_plain(text))
    then
      return false, expected
    end
  end
  return true, expected
end

local checks <const> = {
  stdin = input,
  timeout = seconds,
  max_output_bytes = bytes,
  env = variables,
  cwd = folder,
}

--- The program and its arguments, and the rest of the table.
---@param given table
---@return string[], table
local function divide(given)
  local arguments <const>, options <const> = {}, {}
  for key, value in pairs(given) do
    if math.type(key) ~= "integer" then
      options[key] = value
    end
  end
  for i = 1, #given do
    if not is_plain(given[i]) or given[1] == "" then
      local shown <const> = declare.show(given[i])
      declare.fail("tide.process.run: the program and its arguments are strings, got %s", shown)
    end
    arguments[i] = given[i]
  end
  return arguments, options
end

--- The gateway's environment, without its secrets, with the changes of `changes`.
---@param changes table<string, string | false>
---@return string[]
local function environment(changes)
  local list <const> = {}
  for _, entry in ipairs(host.process_environment()) do
    if changes[entry:match "^[^=]*"] == nil then
      list[#list + 1] = entry
    end
  end
  for name, text in pairs(changes) do
    list[#list + 1] = text and name .. "=" .. text or nil
  end
  return list
end

--- What run was given, as C takes it.
---@param given tidegate.ProcessOptions
---@return string[], string[], string?, string?, integer?, integer?
local function prepare(given)
  if type(given) ~= "table" or given[1] == nil then
    declare.fail 'tide.process.run: needs a program, as in tide.process.run { "date", "+%%F" }'
  end
  local arguments <const>, options = divide(given)
  options = declare.options("tide.process.run", options, checks)
  local list <const> = environment(options.env or {})
  local timeout_ms <const> = options.timeout and math.ceil(options.timeout * 1000)
  local stdin <const>, most <const> = options.stdin, options.max_output_bytes
  return arguments, list, options.cwd, stdin, timeout_ms, most
end

return declare.closed("tide.process", { run = host.process_run(prepare) })
