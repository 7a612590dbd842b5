--- Plays a recording (`tidegate run --record FILE`) on an application under test: what the clients
--- did, at the times at which they did it, on a clock that obeys. So what went wrong there goes
--- wrong here, in a spec.

local fail <const> = require "tidegate.testing.fail"
local report <const> = require "tidegate.testing.report"
local show <const> = require "tidegate.testing.show"

local FORMAT <const>, SETTLE <const>, SHOWN <const> = 1, 1, 300

---@class (exact) tidegate.ReplayOptions
---@field speed? number how many times as fast; default 1, math.huge: no time passes between events
---@field settle? number seconds that pass behind the last event; default 1
---@field strict? boolean false: errors do not fail the spec, they are in the result
---@field connect? fun(open: tidegate.RecordedOpen): tidegate.ConnectOptions? # beside the recorded
---@field only? fun(event: tidegate.RecordedEvent): boolean? # which events are played

local legal <const> = {
  connect = "function",
  only = "function",
  settle = "number",
  speed = "number",
  strict = "boolean",
}

---@class tidegate.ReplayError
---@field number integer? of the message that was played last, from 1; nil: none was
---@field line integer of the recording
---@field event tidegate.RecordedEvent what was played last
---@field log tidegate.LogLine what the application logged

---@class tidegate.Replay
---@field clients tidegate.TestClient[] in the order in which they came
---@field by_id table<string, tidegate.TestClient> by the connection's id in the recording
---@field errors tidegate.ReplayError[]
---@field messages integer that were played
---@field masked integer of these: so many had secrets taken out
---@field omitted integer messages that the recording does not have
---@field skipped integer messages of connections that were refused here, or closed by the server
---@field refused { event: tidegate.RecordedOpen, refusal: tidegate.Refusal }[]
---@field is_whole boolean the recording was ended by the end of its server

-- ---- reading ----

---@class tidegate.RecordedEvent
---@field type "open" | "message" | "close" | "end"
---@field ms integer
---@field conn string
---@field line integer

---@class tidegate.RecordedOpen: tidegate.RecordedEvent
---@field consumer string
---@field path string
---@field query string
---@field peer string
---@field headers string[][]

--- The events of a recording. A last line that is cut off is left out: the disk was full, or the
--- program had no time to end.
---@param app tidegate.TestApp
---@param path string
---@return tidegate.RecordedEvent[]
local function read_events(app, path)
  local file <close>, problem <const> = io.open(path, "rb")
  if not file then
    fail.misuse("testing.replay: %s", problem)
  end
  local text <const> = file:read "a"
  local events <const>, number = {}, 0
  for line in text:gmatch "([^\n]*)\n" do
    number = number + 1
    local is_json <const>, event <const> = pcall(app.decode, app, line)
    if not is_json or type(event) ~= "table" or not event.type then
      fail.misuse("testing.replay: %s:%d: this is no line of a recording", path, number)
    end
    event.line = number
    events[number] = event
  end
  local head <const> = table.remove(events, 1)
  if not head or head.type ~= "recording" or head.format ~= FORMAT then
    local text_of <const> = "testing.replay: %s is no recording of format %d"
    fail.misuse(text_of, path, FORMAT)
  end
  return events
end

-- ---- playing ----

---@class tidegate.Player
---@field app tidegate.TestApp
---@field options tidegate.ReplayOptions
---@field replay tidegate.Replay
---@field lines integer of the log, looked at so far
---@field played number seconds that have passed
---@field last tidegate.RecordedEvent?

--- Notes what the application logged as errors since it was looked at.
---@param player tidegate.Player
local function note_errors(player)
  local lines <const>, replay <const> = player.app:logs(), player.replay
  for index = player.lines + 1, #lines do
    if lines[index].level == "error" then
      replay.errors[#replay.errors + 1] = {
        number = replay.messages > 0 and replay.messages or nil,
        line = player.last and player.last.line,
        event = player.last,
        log = lines[index],
      }
    end
  end
  player.lines = #lines
end

---@param player tidegate.Player
---@param seconds number when, since the recording began
local function pass_time(player, seconds)
  if seconds > player.played then
    player.app:advance(seconds - player.played)
    player.played = seconds
    note_errors(player)
  end
end

--- What a recorded client connects with.
---@param player tidegate.Player
---@param event tidegate.RecordedOpen
---@return tidegate.ConnectOptions
local function connect_options(player, event)
  local options <const> = { headers = {}, peer = event.peer, query = event.query, strict = false }
  for _, header in ipairs(event.headers) do
    options.headers[header[1]] = header[2]
  end
  local given <const> = player.options.connect and player.options.connect(event) or {}
  for name, value in pairs(given) do
    if name == "headers" then
      for header, text in pairs(value) do
        options.headers[header:lower()] = text
      end
    else
      options[name] = value
    end
  end
  if given.cookies then
    options.headers.cookie = nil
  end
  return options
end

local play <const> = {}

---@param player tidegate.Player
---@param event tidegate.RecordedOpen
function play.open(player, event)
  local replay <const> = player.replay
  local client <const>, refusal <const> =
    player.app:connect(event.path, connect_options(player, event))
  if client then
    replay.clients[#replay.clients + 1] = client
    replay.by_id[event.conn] = client
  else
    replay.refused[#replay.refused + 1] = { event = event, refusal = refusal }
  end
end

---@param player tidegate.Player
---@param event tidegate.RecordedEvent
function play.message(player, event)
  local replay <const> = player.replay
  local client <const> = replay.by_id[event.conn]
  if event.omitted then
    replay.omitted = replay.omitted + 1
  elseif not client or client.is_left or client.ending then
    replay.skipped = replay.skipped + 1
  else
    replay.messages = replay.messages + 1
    replay.masked = replay.masked + (event.masked and 1 or 0)
    if event.binary then
      client:send_binary(player.base64(event.binary))
    else
      client:send(event.text)
    end
  end
end

---@param player tidegate.Player
---@param event tidegate.RecordedEvent
function play.close(player, event)
  local client <const> = player.replay.by_id[event.conn]
  if not client or client.is_left or event.by ~= "client" then
    return
  elseif event.code == 1006 then
    client:drop()
  elseif event.code == 1005 then
    client:close()
  else
    client:close(event.code, event.reason)
  end
end

play["end"] = function(player, event)
  player.replay.is_whole = event.why == "stopped"
end

-- ---- the report ----

---@param err tidegate.ReplayError
---@return string
local function describe(path, err)
  local event <const> = err.event
  local what = "before anything was played"
  if event then
    local place <const> = ("%s:%d, at %.3f s"):format(path, event.line, event.ms / 1000)
    what = event.type == "message" and ("at message %d (%s)"):format(err.number, place)
      or ('at the "%s" of %s (%s)'):format(event.type, tostring(event.conn), place)
  end
  local sent <const> = event and event.text
  local shown <const> = sent and "\n    it was: " .. show.text(sent, SHOWN) or ""
  local masked <const> = event
      and event.masked
      and ("\n    %d values of it were masked when it was recorded"):format(event.masked)
    or ""
  return ("  %s:\n    %s%s%s"):format(
    what,
    report.log_line(err.log):gsub("^%s+", ""),
    shown,
    masked
  )
end

---@param path string
---@param replay tidegate.Replay
local function fail_with_errors(path, replay)
  local texts <const> = {}
  for index, err in ipairs(replay.errors) do
    texts[index] = describe(path, err)
  end
  local count <const> = #texts == 1 and "an error" or #texts .. " errors"
  fail.spec(("playing %s made %s:\n%s"):format(path, count, table.concat(texts, "\n")))
end

--- Plays a recording on an application. An error that the application logs fails the spec, with the
--- number of the message and the line of the recording.
---@param kit table the module
---@param app tidegate.TestApp
---@param path string
---@param options? tidegate.ReplayOptions
---@return tidegate.Replay
local function replay(kit, app, path, options)
  if type(path) ~= "string" then
    fail.misuse("testing.replay: expected a file, got %s", show.value(path, 60))
  end
  local given <const> = fail.options("testing.replay", options, legal)
  local speed <const> = given.speed or 1
  if speed <= 0 then
    fail.misuse("testing.replay: speed must be more than 0, got %s", show.value(speed))
  end
  local result <const> = {
    clients = {},
    by_id = {},
    errors = {},
    refused = {},
    messages = 0,
    masked = 0,
    omitted = 0,
    skipped = 0,
    is_whole = false,
  }
  local player <const> = {
    app = app,
    options = given,
    replay = result,
    base64 = kit.wire.base64,
    lines = #app:logs(),
    played = 0,
  }
  for _, event in ipairs(read_events(app, path)) do
    if not given.only or event.type == "end" or given.only(event) then
      if event.type ~= "end" then
        pass_time(player, event.ms / 1000 / speed)
        player.last = event
      end
      local play_one <const> = play[event.type]
      if play_one then
        play_one(player, event)
      end
      note_errors(player)
    end
  end
  pass_time(player, player.played + (given.settle or SETTLE))
  if #result.errors > 0 and given.strict ~= false then
    fail_with_errors(path, result)
  end
  return result
end

return { replay = replay }
