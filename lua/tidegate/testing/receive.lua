--- What a client receives. Every frame that is handed to a spec has to be one that its consumer
--- declares.

local diff <const> = require "tidegate.testing.diff"
local fail <const> = require "tidegate.testing.fail"
local inbox <const> = require "tidegate.testing.inbox"
local report <const> = require "tidegate.testing.report"
local show <const> = require "tidegate.testing.show"

local Receive <const> = {}

--- Seconds that a client waits unless told.
Receive.patience = 1

--- What a client has of this: its methods.
Receive.methods = {}

---@param list { loc: any[], msg: string, type: string }[]
---@return string
local function list_issues(list)
  local lines <const> = {}
  for _, issue in ipairs(list) do
    local path <const> = {}
    for _, step in ipairs(issue.loc or {}) do
      path[#path + 1] = tostring(step)
    end
    local where <const> = #path > 0 and table.concat(path, ".") or "the top"
    lines[#lines + 1] = ("    at %s: %s (%s)"):format(
      where,
      tostring(issue.msg),
      tostring(issue.type)
    )
  end
  return table.concat(lines, "\n")
end

--- Fails the spec when the consumer does not declare a frame.
---@param client tidegate.TestClient
---@param item tidegate.SeenFrame
local function check_declared(client, item)
  if not client.is_strict or client.is_text or item.kind ~= "text" or not client.consumer then
    return
  end
  local is_right <const>, problem <const> = client.host:check(client.consumer, item.data)
  if is_right then
    return
  end
  local shown <const> = show.text(item.data)
  if type(problem) == "table" then
    local text <const> = 'the consumer "%s" sent a frame that is not what it declares:\n%s\n'
      .. "  the frame: %s\n"
      .. "  correct what the handler sends, or the declaration of the message"
    fail.spec(text:format(client.consumer, list_issues(problem), shown))
  end
  local text <const> = 'the consumer "%s" sent a frame that it does not declare: %s\n'
    .. "  the frame: %s\n"
    .. "  declare it in `sends` of the consumer or in the handler's `output`, "
    .. "or connect with { strict = false }"
  local action <const> = show.value(inbox.action(item.frame))
  fail.spec(text:format(client.consumer, "action " .. action, shown))
end

--- Takes an unread frame, which has to be a declared one.
---@param client tidegate.TestClient
---@param index integer
---@return any frame
function Receive.hand_out(client, index)
  local item <const> = inbox.take(client, index)
  check_declared(client, item)
  return item.frame
end

--- A time that a spec gave, or the default.
---@param what string
---@param seconds any
---@param default number
---@return number
function Receive.seconds(what, seconds, default)
  if seconds == nil then
    return default
  elseif type(seconds) ~= "number" or seconds < 0 then
    fail.misuse("%s: the time must be a number of seconds, got %s", what, show.value(seconds, 40))
  end
  return seconds
end

---@param ending tidegate.SeenFrame
---@return string # 'closed the connection with 1011 "..."'
function Receive.how_it_ended(ending)
  if ending.kind == "end" then
    return "the connection ended without a close frame"
  end
  local reason <const> = ending.reason or ""
  local said <const> = reason ~= "" and " " .. show.value(reason) or ""
  return ("the server closed the connection with %s%s"):format(ending.code or "no code", said)
end

--- Fails the spec: what it waits for has not come.
---@param client tidegate.TestClient
---@param what string "no frame"
---@param seconds number
function Receive.fail_waiting(client, what, seconds)
  local problem = ("%s came within %g s"):format(what, seconds)
  if client.is_left then
    problem = ("%s came: this client had left (client:%s)"):format(what, client.is_left)
  elseif client.ending then
    problem = ("%s came: %s"):format(what, Receive.how_it_ended(client.ending))
  end
  fail.spec(report.client(client, problem))
end

--- The next frame: of a message what its JSON says, else { text = } or { binary = }. Fails the spec
--- when none comes in time.
---@param seconds? number default 1; the application's clock moves only as far as needed
---@return table frame
function Receive.methods:receive(seconds)
  local most <const> = Receive.seconds("client:receive", seconds, Receive.patience)
  local index <const> = inbox.find(self, most)
  if not index then
    Receive.fail_waiting(self, "no frame", most)
  end
  return Receive.hand_out(self, index)
end

---@param wanted string | table an action, or what the frame must have
---@return fun(frame: any): boolean
local function recogniser(what, wanted)
  if type(wanted) ~= "string" and type(wanted) ~= "table" then
    fail.misuse("%s: expected an action or a part of a frame, got %s", what, show.value(wanted, 40))
  end
  local expected <const> = type(wanted) == "string" and { action = wanted } or wanted
  return function(frame)
    return diff.matches(expected, frame)
  end
end

--- The next frame with an action, or one that has what a table says.
---@param wanted string | table
---@param seconds? number
---@return table frame
---@return table[] before what came before it
function Receive.methods:receive_until(wanted, seconds)
  local is_wanted <const> = recogniser("client:receive_until", wanted)
  local most <const> = Receive.seconds("client:receive_until", seconds, Receive.patience)
  local last <const> = inbox.find(self, most, is_wanted)
  if not last then
    Receive.fail_waiting(self, "no frame like " .. show.value(wanted, 120), most)
  end
  local before <const> = {}
  for index = 1, last - 1 do
    before[index] = Receive.hand_out(self, 1)
  end
  return Receive.hand_out(self, 1), before
end

local completions <const> = { complete = true, group_complete = true, event_complete = true }

---@class (exact) tidegate.ReceiveAllOptions
---@field timeout? number seconds in which nothing more comes; default 1
---@field wait_group? boolean to the group's message too: until `group_complete`

--- All frames until `complete`; with `wait_group` until the `group_complete` too; else until
--- nothing more comes. The completions themselves are left out.
---@param options? tidegate.ReceiveAllOptions
---@return table[] frames
function Receive.methods:receive_all(options)
  local legal <const> = { timeout = "number", wait_group = "boolean" }
  local given <const> = fail.options("client:receive_all", options, legal)
  local most <const> = given.timeout or Receive.patience
  local list <const>, seen <const> = {}, {}
  while inbox.find(self, most) do
    local frame <const> = Receive.hand_out(self, 1)
    local action <const> = inbox.action(frame)
    if completions[action] then
      seen[action] = true
    else
      list[#list + 1] = frame
    end
    local is_handled <const> = seen.complete or self.outstanding <= 0
    if given.wait_group and seen.group_complete and is_handled then
      break
    elseif not given.wait_group and seen.complete then
      break
    end
  end
  return list
end

--- True when no frame comes. Fails the spec with the frame that came.
---@param seconds? number default 0: nothing is there already
---@return true
function Receive.methods:receive_nothing(seconds)
  local most <const> = Receive.seconds("client:receive_nothing", seconds, 0)
  local was_open <const> = not self.ending
  local index <const> = inbox.find(self, most)
  if index then
    local frame <const> = show.value(self.unread[index].frame)
    fail.spec(report.client(self, "nothing was to come, and this frame came: " .. frame))
  elseif was_open and self.ending and not self.is_left then
    fail.spec(report.client(self, "nothing was to come, and " .. Receive.how_it_ended(self.ending)))
  end
  return true
end

return Receive
