--- Runs the program itself over application folders made for a spec.

local Program <const> = {}

Program.path = os.getenv "TG_BIN" or "build/dev/tidegate"

---@return boolean
function Program.exists()
  local file <const> = io.open(Program.path, "rb")
  return file ~= nil and file:close()
end

---@param text string
---@return string
local function quoted(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

---@param command string
---@return string output of both streams
---@return integer status
local function run(command)
  local pipe <const> = assert(io.popen(command .. " 2>&1", "r"))
  local output <const> = pipe:read "a"
  local _, _, status <const> = pipe:close()
  return output, status
end

--- An application of some files, by name. Removed when it goes out of scope.
---@param files table<string, string>
---@return table app with `path`
function Program.app(files)
  local path <const> = os.tmpname()
  os.remove(path)
  for name, text in pairs(files) do
    local full <const> = path .. "/" .. name
    run("mkdir -p " .. quoted(full:match "^(.*)/"))
    local file <close> = assert(io.open(full, "w"))
    file:write(text)
  end
  return setmetatable({ path = path }, {
    __close = function()
      run("rm -r " .. quoted(path))
    end,
  })
end

--- Runs `tidegate COMMAND` over a folder.
---@param command string "check"
---@param path string
---@return string output of both streams
---@return integer status
function Program.run(command, path)
  return run(("timeout 20 %s %s %s"):format(quoted(Program.path), command, quoted(path)))
end

return Program
