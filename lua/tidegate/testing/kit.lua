--- Finds and loads the C module of the test kit, and gives a spec its `require "tidegate"`.

local exists <const> = require("tidegate.testing.file").exists

local FILE <const> = "tidegate_kit.so"

--- Where this file lies, when it was loaded from a folder: "/home/ann/tidegate" of
--- ".../lua/tidegate/testing/kit.lua".
---@return string?
local function root()
  local path <const> = debug.getinfo(1, "S").source:match "^@(.*)lua/tidegate/testing/kit%.lua$"
  return path and (path == "" and "." or path:sub(1, -2))
end

--- The program that runs us: the first file that the system has mapped for it.
---@return string?
local function running_program()
  local maps <close> = io.open "/proc/self/maps"
  for line in maps and maps:lines() or function() end do
    local path <const> = line:match "(/%S*)$" -- what sanitizers map before it has no path
    if path then
      return path
    end
  end
end

---@param path? string
---@return string?
local function folder_of(path)
  return path and (path:match "^(.*)/[^/]*$" or ".")
end

--- The places where the module may be, in the order in which they are asked.
---@return string[]
local function candidates()
  local list <const> = {}
  local function add(folder, below)
    list[#list + 1] = folder and folder .. below .. "/" .. FILE
  end
  add(folder_of(os.getenv "TG_BIN"), "")
  add(folder_of(running_program()), "")
  add(root(), "/build/release")
  add(root(), "/build/dev")
  return list
end

---@return string? path
---@return string[] tried
local function find()
  local named <const> = os.getenv "TIDEGATE_KIT"
  if named then
    return exists(named) and named or nil, { named .. " (TIDEGATE_KIT)" }
  end
  local tried <const> = candidates()
  for _, path in ipairs(tried) do
    if exists(path) then
      return path, tried
    end
  end
  local installed <const> = package.searchpath("tidegate_kit", package.cpath)
  tried[#tried + 1] = "package.cpath"
  return installed, tried
end

--- Loads it by its path, which `require` takes from package.cpath.
---@param path string
---@return table
local function load_kit(path)
  local before <const> = package.cpath
  package.cpath = path
  local is_loaded <const>, kit <const> = pcall(require, "tidegate_kit")
  package.cpath = before
  if is_loaded then
    return kit
  end
  local advice <const> = tostring(kit):find "__asan"
      and "\nIt was built with sanitizers, which this program has not: use that of build/release"
    or ""
  error(("tidegate.testing: %s cannot be loaded: %s%s"):format(path, kit, advice), 0)
end

local path <const>, tried <const> = find()
if not path then
  local text <const> = "tidegate.testing: the module of the test kit, %s, was not found. "
    .. "Looked for:\n  %s\nBuild it (cmake --build --preset release), or name it: "
    .. "TIDEGATE_KIT=/path/to/%s"
  error(text:format(FILE, table.concat(tried, "\n  "), FILE), 0)
end

local kit <const> = load_kit(path)

-- A spec declares consumers in the kit's world, whatever `tidegate` lies on package.path.
package.loaded.tidegate = kit.tide()

return kit
