--- One conversation of a fuzz: it is held, and what is not as it should be is found.

local fail <const> = require "tidegate.testing.fail"
local inbox <const> = require "tidegate.testing.inbox"
local leaks <const> = require "tidegate.testing.leaks"
local report <const> = require "tidegate.testing.report"
local show <const> = require "tidegate.testing.show"
local value_of <const> = require "tidegate.testing.property.value"

local Talk <const> = {}

---@class tidegate.FuzzMessage
---@field text string
---@field action string
---@field issue? tidegate.Issue the error that it has to get

---@class tidegate.FuzzFailure
---@field kind string what it has in common with others of its kind
---@field text string what is wrong
---@field checks string[] lines of a spec that fails as well

--- Seconds of the application's clock in which a message that is wrong has to be answered.
local PATIENCE <const> = 30

---@param kind string
---@param text string
---@param ... string
---@return tidegate.FuzzFailure
local function failure(kind, text, ...)
  return { kind = kind, text = text, checks = { ... } }
end

---@param path (string | integer)[]
---@return string # '{ "payload", "tags", 0 }'
local function shown_path(path)
  local steps <const> = {}
  for index, step in ipairs(path) do
    steps[index] = type(step) == "string" and ("%q"):format(step) or tostring(step)
  end
  return "{ " .. table.concat(steps, ", ") .. " }"
end

---@param issue tidegate.Issue
---@return string
local function shown_issue(issue)
  return ("%s at %s"):format(tostring(issue.type), shown_path(issue.loc or {}))
end

---@param payload any of an error frame
---@return string
local function shown_errors(payload)
  if type(payload) ~= "table" or not payload[1] then
    return show.value(payload, 300)
  end
  local list <const> = {}
  for index, issue in ipairs(payload) do
    list[index] = shown_issue(issue)
  end
  return table.concat(list, ", ")
end

-- ---- frames ----

---@param message tidegate.FuzzMessage
---@param ref integer
---@param payload any
---@return tidegate.FuzzFailure?
local function judge_refusal(message, ref, payload)
  local wanted <const> = message.issue
  local got <const> = type(payload) == "table" and payload[1]
  if payload[2] == nil and got and got.type == wanted.type then
    local is_there <const> = value_of.equal({ table.unpack(got.loc) }, { table.unpack(wanted.loc) })
    if is_there or #got.loc + #wanted.loc == 0 then
      return nil
    end
  end
  local text <const> = 'the broken message "%s" was to be refused with %s, and it was with %s'
  return failure(
    "another error",
    text:format(message.action, shown_issue(wanted), shown_errors(payload)),
    ('local refusal <const> = client:receive_until { action = "error", ref = %d }'):format(ref),
    ("assert.error_at(refusal, %s, %q)"):format(shown_path(wanted.loc), wanted.type)
  )
end

---@param messages tidegate.FuzzMessage[]
---@param frame table an error
---@return tidegate.FuzzFailure?
local function judge_error(messages, frame)
  local ref <const>, payload <const> = inbox.ref(frame), frame.payload
  local message <const> = messages[ref]
  if message and message.issue then
    message.is_answered = true
    return judge_refusal(message, ref, payload)
  elseif type(payload) == "table" and payload.detail == "Failed to process message" then
    local whose <const> = message and ('the handler of "%s"'):format(message.action) or "a handler"
    return failure(
      "a handler failed",
      whose .. " failed",
      'assert.equal(0, #app:logs "handler_failed")'
    )
  elseif message and type(payload) == "table" and payload[1] ~= nil then
    local text <const> = 'the message "%s" is right, and it was refused with %s'
    return failure(
      "refused",
      text:format(message.action, shown_errors(payload)),
      "for _, frame in ipairs(client:receive_all()) do",
      '  assert.not_equal("error", frame.action)',
      "end"
    )
  end
  return nil
end

---@param client tidegate.TestClient
---@param item tidegate.SeenFrame
---@return tidegate.FuzzFailure?
local function judge_declared(client, item)
  local is_right <const>, problem <const> = client.host:check(client.consumer, item.data)
  if is_right then
    return nil
  end
  local is_unknown <const> = type(problem) ~= "table"
  local why <const> = is_unknown and "declares no such frame"
    or "declares it otherwise: " .. shown_errors(problem)
  local text <const> = 'the consumer "%s" %s:\n    %s'
  return failure(
    is_unknown and "an undeclared frame" or "a wrong frame",
    text:format(client.consumer, why, show.text(item.data, 300)),
    "client:receive_all()"
  )
end

---@param client tidegate.TestClient
---@param messages tidegate.FuzzMessage[]
---@return tidegate.FuzzFailure?
local function judge_frames(client, messages)
  for _, item in ipairs(client.unread) do
    local problem = nil
    if item.kind == "text" then
      problem = judge_declared(client, item)
      if not problem and inbox.action(item.frame) == "error" then
        problem = judge_error(messages, item.frame)
      end
    end
    if problem then
      return problem
    end
  end
  return nil
end

---@param client tidegate.TestClient
---@return tidegate.FuzzFailure?
local function judge_ending(client)
  local ending <const> = client.ending
  if not ending then
    return nil
  end
  local how <const> = ending.kind == "close"
      and ("with %s %s"):format(tostring(ending.code), show.value(ending.reason or ""))
    or "without a close frame"
  return failure(
    "closed",
    "the server closed the connection " .. how,
    "for _, frame in ipairs(client:frames()) do",
    '  assert.not_equal("close", frame.kind)',
    '  assert.not_equal("end", frame.kind)',
    "end"
  )
end

---@param messages tidegate.FuzzMessage[]
---@return tidegate.FuzzFailure?
local function judge_silence(messages)
  for ref, message in ipairs(messages) do
    if message.issue and not message.is_answered then
      local text <const> = 'the broken message "%s" was to be refused with %s, and was not'
      return failure(
        "no error",
        text:format(message.action, shown_issue(message.issue)),
        ('client:receive_until { action = "error", ref = %d }'):format(ref)
      )
    end
  end
  return nil
end

-- ---- the log ----

---@param app tidegate.TestApp
---@return tidegate.LogLine[]
local function errors_of(app)
  local list <const> = {}
  for _, line in ipairs(app.core:logs()) do
    list[#list + 1] = line.level == "error" and line or nil
  end
  return list
end

---@param app tidegate.TestApp
---@param before integer
---@return tidegate.FuzzFailure?
local function judge_log(app, before)
  local line <const> = errors_of(app)[before + 1]
  return line
    and failure(
      "logged " .. line.event,
      "the application logged an error:\n  " .. report.log_line(line),
      ("assert.equal(0, #app:logs %q)"):format(line.event)
    )
end

-- ---- the conversation ----

---@param client tidegate.TestClient
---@param messages tidegate.FuzzMessage[]
---@return boolean
local function awaits_answers(client, messages)
  local answered <const> = {}
  for _, item in ipairs(client.unread) do
    local ref <const> = inbox.action(item.frame) == "error" and inbox.ref(item.frame)
    answered[ref or 0] = true
  end
  for ref, message in ipairs(messages) do
    if message.issue and not answered[ref] then
      return true
    end
  end
  return false
end

--- Sends everything, and waits for what is owed.
---@param client tidegate.TestClient
---@param messages tidegate.FuzzMessage[]
---@param settle number
local function speak(client, messages, settle)
  for _, message in ipairs(messages) do
    if client.ending then
      return
    end
    client:send(message.text)
    inbox.find(client, 0, function()
      return false
    end)
  end
  local deadline <const> = client.host:now() + PATIENCE
  inbox.find(client, settle, function()
    return false
  end)
  while awaits_answers(client, messages) and not client.ending do
    local left <const> = deadline - client.host:now()
    if
      left <= 0
      or not inbox.find(client, left, function()
        return not awaits_answers(client, messages)
      end)
    then
      return
    end
  end
end

---@param app tidegate.TestApp
---@param path string
---@param options tidegate.ConnectOptions
---@return tidegate.TestClient
function Talk.connect(app, path, options)
  local client <const>, refusal <const> = app:connect(path, options)
  if not client then
    fail.spec("testing.fuzz: " .. tostring(refusal))
  end
  return client
end

--- Holds a conversation on a connection of its own; returns what is wrong with it.
---@param fuzz tidegate.Fuzz
---@param messages tidegate.FuzzMessage[]
---@return tidegate.FuzzFailure?
function Talk.hold(fuzz, messages)
  local before <const> = #errors_of(fuzz.app)
  local client <const> = Talk.connect(fuzz.app, fuzz.path, fuzz.connect)
  speak(client, messages, fuzz.settle)
  local problem = judge_frames(client, messages)
  local logged <const> = judge_log(fuzz.app, before)
  if logged and (not problem or problem.kind == "a handler failed") then
    problem = logged
  end
  problem = problem or judge_ending(client) or judge_silence(messages)
  client:close()
  fuzz.app.core:run()
  return problem or judge_log(fuzz.app, before)
end

--- Holds a conversation and looks for what it leaves behind.
---@param fuzz tidegate.Fuzz
---@param messages tidegate.FuzzMessage[]
---@return tidegate.FuzzFailure?
function Talk.leak(fuzz, messages)
  local app <const> = fuzz.app
  local held <const>, tasks <const> = leaks.measure(app)
  local problem <const> = Talk.hold(fuzz, messages)
  local left <const> = leaks.find(app, held, tasks)
  if problem or not left then
    return nil
  end
  local text <const> = "the application holds more than before:\n" .. left
  return failure("a leak", text, "client:close()", "assert.no_leaks(app)")
end

return Talk
