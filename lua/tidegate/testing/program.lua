--- Which program testing.server starts, and with what.

local exists <const> = require("tidegate.testing.file").exists
local fail <const> = require "tidegate.testing.fail"
local show <const> = require "tidegate.testing.show"

local Program <const> = {}

---@class (exact) tidegate.ServerOptions
---@field env? table<string, string> variables of the program, beside those of this process
---@field patience? number seconds for starting, connecting, and stopping beyond drain_seconds
---@field program? string which program; default: TG_BIN, or the one beside the kit's module
---@field strict? boolean false: frames that no consumer declares are received too

local own_options <const> =
  { env = "table", patience = "number", program = "string", strict = "boolean" }

--- The settings that the server cannot do without, or that would hide what is read from its log.
---@param settings table<string, any>
local function check_settings(settings)
  if settings.log_format ~= nil then
    fail.misuse "testing.server: log_format is the kit's own: it reads the log"
  elseif
    settings.log_level ~= nil
    and settings.log_level ~= "info"
    and settings.log_level ~= "debug"
  then
    fail.misuse 'testing.server: log_level must be "info" or "debug": the kit reads the log'
  end
end

--- Settings and options apart, both of them checked.
---@param given any
---@return table<string, any> settings
---@return tidegate.ServerOptions options
function Program.read_options(given)
  if given ~= nil and type(given) ~= "table" then
    fail.misuse("testing.server: the settings must be a table, got a %s", type(given))
  end
  local settings <const>, options <const> = {}, {}
  for name, value in pairs(given or {}) do
    local target <const> = own_options[name] and options or settings
    target[name] = value
  end
  fail.options("testing.server", options, own_options)
  check_settings(settings)
  return settings, options
end

---@param value any
---@return string
local function setting_text(value)
  if type(value) == "table" then
    return table.concat(value, ",")
  end
  return tostring(value)
end

---@param folder string
---@param settings table<string, any>
---@return string[]
local function arguments(folder, settings)
  local all <const> = { host = "127.0.0.1", port = 0, mode = "development", log_format = "json" }
  for name, value in pairs(settings) do
    all[name] = value
  end
  local flags <const> = {}
  for name, value in pairs(all) do
    flags[#flags + 1] = ("--%s=%s"):format(tostring(name):gsub("_", "-"), setting_text(value))
  end
  table.sort(flags)
  return { "run", folder, table.unpack(flags) }
end

--- Settings of this process are none of the server's; nor is what was loaded before it.
---@param wire table
---@param added? table<string, string>
---@return string[]
local function environment(wire, added)
  local list <const> = {}
  for _, line in ipairs(wire.environment()) do
    local name <const> = line:match "^([^=]*)="
    if
      name
      and name ~= "LD_PRELOAD"
      and not name:find "^TIDEGATE_"
      and not (added and added[name])
    then
      list[#list + 1] = line
    end
  end
  for name, value in pairs(added or {}) do
    list[#list + 1] = ("%s=%s"):format(name, value)
  end
  return list
end

--- Which program is meant: the first of these that is there.
---@param wire table
---@param options tidegate.ServerOptions
---@return string
local function find_program(wire, options)
  local named <const> = options.program or os.getenv "TG_BIN"
  if named and not exists(named) then
    fail.misuse("testing.server: there is no program %s", show.value(named))
  end
  local beside <const> = (wire.folder() or ".") .. "/tidegate"
  if not named and not exists(beside) then
    local text <const> = "testing.server: there is no program %s; build it, "
      .. "or name it in the variable TG_BIN or in { program = }"
    fail.misuse(text, show.value(beside))
  end
  return named or beside
end

--- Starts it with the application in a folder.
---@param wire table
---@param folder string
---@param settings table<string, any>
---@param options tidegate.ServerOptions
---@return table process
function Program.start(wire, folder, settings, options)
  local process <const>, reason <const> = wire.start {
    program = find_program(wire, options),
    arguments = arguments(folder, settings),
    environment = environment(wire, options.env),
  }
  if not process then
    fail.spec("the server cannot be started: " .. tostring(reason))
  end
  return process
end

return Program
