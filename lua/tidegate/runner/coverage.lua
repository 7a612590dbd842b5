--- What of an application the specs have run: a table for people, and lcov's format for tools.

local dir <const> = require "pl.dir"
local lines_of_file <const> = require("tidegate.runner.lines").of_file
local path <const> = require "pl.path"

---@class tidegate.CoveredFile
---@field path string absolute
---@field name string below the folder
---@field lines integer[] that hold code, in order
---@field counts table<integer, integer>
---@field hit integer

--- Files that lie in a folder `spec`, and spec files elsewhere, are not the application.
---@param name string
---@return boolean
local function is_application(name)
  return name:find "%.lua$" ~= nil
    and not ("/" .. name):find("/spec/", 1, true)
    and not ("/" .. name):find "/%."
    and not ("/" .. name):find "/[^/]*_spec%.lua$"
    and name ~= "tidegate.lua"
end

---@param root string
---@param file_path string
---@return string
local function below(root, file_path)
  return file_path:sub(#root + 2)
end

--- Calls `found` for the Lua files of a folder and of those in it, each of which is read once:
--- links may lead back.
---@param folder string
---@param real_path fun(path: string): string?
---@param seen table<string, true> folders
---@param found fun(file_path: string)
local function walk(folder, real_path, seen, found)
  local real <const> = real_path(folder)
  if not real or seen[real] then
    return
  end
  seen[real] = true
  for _, file_path in ipairs(dir.getfiles(folder, "*.lua")) do
    found(file_path)
  end
  for _, inner in ipairs(dir.getdirectories(folder)) do
    if not path.basename(inner):find "^%." then
      walk(inner, real_path, seen, found)
    end
  end
end

--- Adds the files that nothing has run, with no counts. `tidegate run` would load them from there.
--- What is linked from elsewhere has the name that it has in the folder.
---@param root string
---@param counted table<string, table<integer, integer>>
---@param real_path fun(path: string): string?
local function add_files(root, counted, real_path)
  local folder <const> = path.isdir(root .. "/consumers") and root .. "/consumers" or root
  walk(folder, real_path, {}, function(file_path)
    local real <const> = real_path(file_path) or file_path
    local name <const> = real:sub(1, #root + 1) == root .. "/" and real or file_path
    counted[name] = counted[name] or {}
  end)
end

---@param root string
---@param file_path string
---@param counts table<integer, integer>
---@return tidegate.CoveredFile?
local function judge(root, file_path, counts)
  local found <const> = lines_of_file(file_path)
  if not found then
    return nil
  end
  local file <const> =
    { path = file_path, name = below(root, file_path), lines = {}, counts = counts, hit = 0 }
  for line in pairs(found) do
    file.lines[#file.lines + 1] = line
    file.hit = file.hit + (counts[line] and 1 or 0)
  end
  table.sort(file.lines)
  return file
end

--- "3-5, 9": neighbours are those between which there is no other line of code.
---@param file tidegate.CoveredFile
---@return string
local function missed(file)
  local ranges <const> = {}
  local first, last
  local function close()
    if first then
      ranges[#ranges + 1] = first == last and tostring(first) or first .. "-" .. last
    end
    first = nil
  end
  for _, line in ipairs(file.lines) do
    if file.counts[line] then
      close()
    else
      first, last = first or line, line
    end
  end
  close()
  return table.concat(ranges, ", ")
end

---@param hit integer
---@param lines integer
---@return string
local function percent(hit, lines)
  return ("%.1f"):format(lines == 0 and 100 or 100 * hit / lines)
end

---@param files tidegate.CoveredFile[]
---@return string
local function summary(files)
  local rows <const> = { { "file", "lines", "hit", "%", "missed" } }
  local lines, hit = 0, 0
  for _, file in ipairs(files) do
    lines, hit = lines + #file.lines, hit + file.hit
    local share <const> = percent(file.hit, #file.lines)
    rows[#rows + 1] = { file.name, #file.lines, file.hit, share, missed(file) }
  end
  rows[#rows + 1] = { "all", lines, hit, percent(hit, lines), "" }
  local width = 0
  for _, row in ipairs(rows) do
    width = math.max(width, #row[1])
  end
  local text <const> = {}
  for _, row in ipairs(rows) do
    local name <const> = row[1] .. (" "):rep(width - #row[1])
    local line <const> = ("%s %6s %6s %6s  %s"):format(name, table.unpack(row, 2))
    text[#text + 1] = line:match "^(.-)%s*$" .. "\n"
  end
  return table.concat(text)
end

---@param files tidegate.CoveredFile[]
---@return string
local function lcov(files)
  local text <const> = {}
  for _, file in ipairs(files) do
    text[#text + 1] = "TN:\nSF:" .. file.path .. "\n"
    for _, line in ipairs(file.lines) do
      text[#text + 1] = ("DA:%d,%d\n"):format(line, file.counts[line] or 0)
    end
    text[#text + 1] = ("LF:%d\nLH:%d\nend_of_record\n"):format(#file.lines, file.hit)
  end
  return table.concat(text)
end

local Coverage <const> = {}

--- Writes `output`, and the summary to standard error: standard output is the report of the specs.
---@param root string
---@param counted table<string, table<integer, integer>>
---@param output string
---@param real_path fun(path: string): string?
function Coverage.report(root, counted, output, real_path)
  add_files(root, counted, real_path)
  local files <const> = {}
  for file_path, counts in pairs(counted) do
    local file <const> = is_application(below(root, file_path)) and judge(root, file_path, counts)
      or nil
    files[#files + 1] = file
  end
  table.sort(files, function(a, b)
    return a.name < b.name
  end)
  local file <const>, problem <const> = io.open(output, "w")
  if file then
    file:write(lcov(files))
    file:close()
  else
    io.stderr:write("tidegate: --coverage: " .. problem .. "\n")
  end
  io.stderr:write("\n", summary(files))
end

return Coverage
