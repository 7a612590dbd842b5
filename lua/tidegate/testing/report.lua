--- Why a client waits in vain, as far as anybody knows: what it saw, and what the log says.

local frames <const> = require "tidegate.testing.frames"
local show <const> = require "tidegate.testing.show"

local Report <const> = {}

local frames_shown <const>, lines_shown <const> = 12, 5

---@class tidegate.LogLine
---@field level "debug" | "info" | "warning" | "error"
---@field event string
---@field fields table<string, string | integer>
---@field at number seconds of the application's clock

--- What stands in a line by itself, or says nothing to whoever reads a spec.
local own_fields <const> = {
  conn = true,
  consumer = true,
  action = true,
  source = true,
  error = true,
  traceback = true,
  text = true,
  message = true,
}

---@param fields table<string, string | integer>
---@return string
local function other_fields(fields)
  local names <const> = {}
  for name in pairs(fields) do
    local is_usual <const> = name == "generation" and fields[name] == 1
    names[#names + 1] = not own_fields[name] and not is_usual and name or nil
  end
  table.sort(names)
  for index, name in ipairs(names) do
    names[index] = (" %s=%s"):format(name, show.text(tostring(fields[name]), 80))
  end
  return table.concat(names)
end

--- What a handler raised begins with its place as a rule; where it does not, the place is added.
---@param fields table<string, string | integer>
---@return string
local function cause(fields)
  local text <const> = tostring(fields.error or fields.text or fields.message or "")
  local source <const> = tostring(fields.source or "")
  local is_said <const> = source == "" or text:find(source, 1, true)
  local said <const> = is_said and text or text == "" and source or source .. ": " .. text
  return said == "" and "" or ": " .. show.text(said, 600)
end

--- A line of the log as a failure shows it: "error handler_failed (chat): rooms.lua:7: ...".
---@param line tidegate.LogLine
---@return string
function Report.log_line(line)
  local fields <const> = line.fields or {}
  local action <const> = fields.action and (" (%s)"):format(fields.action) or ""
  local event <const> = line.event == "script" and "" or " " .. line.event
  local rest <const> = cause(fields) .. other_fields(fields)
  return ("%9.3f s  %s%s%s%s"):format(line.at or 0, line.level, event, action, rest)
end

--- The traceback of a failure without its first line, which stands above it already, and without
--- what is not the user's.
---@param line tidegate.LogLine
---@return string[]
local function trace(line)
  local result <const> = {}
  for step in tostring((line.fields or {}).traceback or ""):gmatch "\n%s+([^\n]+)" do
    if not step:find "^%[C%]" and step:find ":%d+:" and #result < 4 then
      result[#result + 1] = (" "):rep(15) .. show.text(step, 160)
    end
  end
  return result
end

--- The warnings and errors that concern a client, the last of them.
---@param lines tidegate.LogLine[]
---@param conn_id any
---@return string[]
local function troubles(lines, conn_id)
  local result <const> = {}
  local wanted = lines_shown
  for index = #lines, 1, -1 do
    local line <const> = lines[index]
    local whose <const> = (line.fields or {}).conn
    local is_trouble <const> = line.level == "warning" or line.level == "error"
    if is_trouble and (whose == nil or conn_id == nil or tostring(whose) == tostring(conn_id)) then
      local steps <const> = trace(line)
      for step = #steps, 1, -1 do
        table.insert(result, 1, steps[step])
      end
      table.insert(result, 1, Report.log_line(line))
      wanted = wanted - 1
      if wanted == 0 then
        break
      end
    end
  end
  return result
end

---@param client tidegate.TestClient
---@return string # 'the client of /ws/chat (consumer "chat"); the clock stands at 1.000 s'
local function who(client)
  local consumer <const> = client.consumer and (' (consumer "%s")'):format(client.consumer) or ""
  local stalled <const> = client.is_stalled and ", which has stopped reading" or ""
  local text <const> = "the client of %s%s%s; the clock stands at %.3f s"
  return text:format(client.path, consumer, stalled, client.host:now())
end

--- The text of a failure of a client.
---@param client tidegate.TestClient
---@param problem string the first line
---@return string
function Report.client(client, problem)
  local lines <const> = { problem, "  " .. who(client) }
  if #client.seen == 0 then
    lines[#lines + 1] = "  nothing went over its connection"
  else
    lines[#lines + 1] = "  what went over its connection (-> to the server, <- from it):"
    lines[#lines + 1] = frames.lines(client.seen, frames_shown)
  end
  local said <const> = troubles(client.host:logs(), client.id)
  if #said > 0 then
    lines[#lines + 1] = "  what the log says:"
    table.move(said, 1, #said, #lines + 1, lines)
  end
  return table.concat(lines, "\n")
end

return Report
