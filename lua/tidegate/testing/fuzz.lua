--- `testing.fuzz`: arbitrary conversations with a consumer. Nothing that a client may send makes a
--- handler fail, ends the connection, or brings what nobody declared; where it does, the smallest
--- conversation that still does it is told, as a spec to keep.

local actions <const> = require "tidegate.testing.fuzz.actions"
local arbitrary <const> = require "tidegate.testing.property.arbitrary"
local broken <const> = require "tidegate.testing.property.broken"
local choices <const> = require "tidegate.testing.property.choices"
local fail <const> = require "tidegate.testing.fail"
local leaks <const> = require "tidegate.testing.leaks"
local property <const> = require "tidegate.testing.property"
local show <const> = require "tidegate.testing.show"
local shrink <const> = require "tidegate.testing.property.shrink"
local as_spec <const> = require "tidegate.testing.fuzz.as_spec"
local talk <const> = require "tidegate.testing.fuzz.talk"

---@class (exact) tidegate.FuzzOptions
---@field actions? (string | tidegate.MessageType)[] only these
---@field broken? number the share of messages that are wrong, from 0 to 1; default 0.2
---@field connect? tidegate.ConnectOptions how each client connects
---@field leaks? boolean false: what the application keeps is its own affair
---@field messages? integer the most of one conversation; default 5
---@field runs? integer conversations; default 100
---@field seed? integer default 1
---@field settle? number seconds that pass behind the last message; default 1

local legal <const> = {
  actions = "table",
  broken = "number",
  connect = "table",
  leaks = "boolean",
  messages = "number",
  runs = "number",
  seed = "number",
  settle = "number",
}

---@class tidegate.Fuzz
---@field app tidegate.TestApp
---@field path string
---@field connect tidegate.ConnectOptions
---@field settle number
---@field declared tidegate.Declared
---@field held_before table<string, number> what the application held before the first client
---@field tasks_before table<string, integer>
---@field share integer of broken messages, in thousandths
---@field seed integer
---@field result tidegate.FuzzResult

---@class tidegate.FuzzResult
---@field runs integer conversations that were held
---@field messages integer that were sent
---@field broken integer of these: so many were wrong

--- So many conversations are held before anybody looks for what they left.
local BATCH <const> = 50

-- ---- messages ----

--- What a row of choices says: a message and, if it is wrong, its error.
---@param fuzz tidegate.Fuzz
---@param draw tidegate.Choices
---@return table message
---@return tidegate.Issue? issue
local function make(fuzz, draw)
  local declared <const> = fuzz.declared
  local type <const> = draw:pick(declared.actions).type
  if draw:below(1000) >= 1000 - fuzz.share then
    local payload <const>, issue <const> = broken.payload(type.schema, draw, declared.is_camel)
    if issue then
      return property.message(type, payload), property.of_payload(issue)
    end
  end
  return property.message(type, arbitrary.payload(type.schema, draw, declared.is_camel))
end

--- The conversation of some rows; nil when one of them makes no message.
---@param fuzz tidegate.Fuzz
---@param rows integer[][]
---@return tidegate.FuzzMessage[]?
---@return integer[][]? rows as far as they were used
local function conversation(fuzz, rows)
  local messages <const>, used <const> = {}, {}
  for index, row in ipairs(rows) do
    local draw <const> = choices.again(row)
    local is_made <const>, message <const>, issue <const> = pcall(make, fuzz, draw)
    if not is_made then
      if arbitrary.is_given_up(message) then
        return nil, nil
      end
      error(message, 0)
    end
    message.ref = index
    messages[index] = { text = show.json(message), action = message.action, issue = issue }
    used[index] = draw.made
  end
  return messages, used
end

--- The rows of one conversation, from the seed.
---@param fuzz tidegate.Fuzz
---@param run integer
---@param most integer
---@return integer[][]
local function new_rows(fuzz, run, most)
  local draw <const> = choices.random(choices.derived(fuzz.seed, run))
  local rows <const> = {}
  for index = 1, 1 + draw:below(most) do
    local own <const> = choices.random(choices.derived(draw.state, index))
    local is_made <const>, problem <const> = pcall(make, fuzz, own)
    if not is_made then
      if arbitrary.is_given_up(problem) then
        fail.misuse("testing.fuzz: %s", tostring(problem))
      end
      error(problem, 0)
    end
    rows[index] = own.made
  end
  return rows
end

-- ---- a failure ----

--- The smallest conversation that goes wrong in the same way, fewer messages first; nil when it
--- does not go wrong a second time.
---@param fuzz tidegate.Fuzz
---@param rows integer[][]
---@param problem tidegate.FuzzFailure
---@param hold fun(fuzz: tidegate.Fuzz, messages: tidegate.FuzzMessage[]): tidegate.FuzzFailure?
---@return integer[][]?
---@return tidegate.FuzzFailure? # what the smallest one said
local function smallest(fuzz, rows, problem, hold)
  local last
  local function goes_wrong(candidate)
    local messages <const>, used <const> = conversation(fuzz, candidate)
    local found <const> = messages and hold(fuzz, messages)
    if not found or found.kind ~= problem.kind then
      return nil
    end
    last = found
    return used
  end
  if not goes_wrong(rows) then
    return nil, nil
  end
  rows = shrink.list(rows, function(candidate)
    return goes_wrong(candidate) ~= nil
  end)
  for index = 1, #rows do
    rows[index] = shrink.row(rows[index], function(row)
      local candidate <const> = table.move(rows, 1, #rows, 1, {})
      candidate[index] = row
      local used <const> = goes_wrong(candidate)
      return used and used[index]
    end)
  end
  goes_wrong(rows)
  return rows, last
end

local failure_text <const> = [[
testing.fuzz of %s: conversation %d (seed %d): %s
%s:

%s]]

---@param fuzz tidegate.Fuzz
---@param run integer
---@param rows integer[][]
---@param problem tidegate.FuzzFailure
---@param hold function
local function fail_with(fuzz, run, rows, problem, hold)
  local least <const>, said <const> = smallest(fuzz, rows, problem, hold)
  local how <const> = least and "the smallest conversation that does it, as a spec"
    or "it did not do it a second time: what came before has its part in it. All of it was"
  local messages <const> = conversation(fuzz, least or rows)
  local shown <const> = said or problem
  local spec <const> = as_spec(fuzz, assert(messages), shown)
  fail.spec(failure_text:format(fuzz.path, run, fuzz.seed, shown.text, how, spec))
end

-- ---- all of it ----

---@param fuzz tidegate.Fuzz
---@param held integer[][][] the last conversations, by run
---@param from integer
---@param to integer
local function look_for_leaks(fuzz, held, from, to)
  local left <const> = leaks.find(fuzz.app, fuzz.held_before, fuzz.tasks_before)
  if not left then
    return
  end
  for run = from, to do
    local messages <const> = conversation(fuzz, held[run])
    local problem <const> = messages and talk.leak(fuzz, messages)
    if problem then
      fail_with(fuzz, run, held[run], problem, talk.leak)
    end
  end
  local text <const> = "testing.fuzz of %s (seed %d): behind conversations %d to %d the "
    .. "application holds more than before:\n%s"
  fail.spec(text:format(fuzz.path, fuzz.seed, from, to, left))
end

---@param fuzz tidegate.Fuzz
---@param messages tidegate.FuzzMessage[]
local function count(fuzz, messages)
  local result <const> = fuzz.result
  result.runs = result.runs + 1
  for _, message in ipairs(messages) do
    result.messages = result.messages + 1
    result.broken = result.broken + (message.issue and 1 or 0)
  end
end

---@param fuzz tidegate.Fuzz
---@param given tidegate.FuzzOptions
local function run_all(fuzz, given)
  local runs <const>, held <const>, from = given.runs or 100, {}, 1
  for run = 1, runs do
    held[run] = new_rows(fuzz, run, given.messages or 5)
    local messages <const> = assert(conversation(fuzz, held[run]))
    local problem <const> = talk.hold(fuzz, messages)
    if problem then
      fail_with(fuzz, run, held[run], problem, talk.hold)
    end
    count(fuzz, messages)
    if given.leaks ~= false and (run % BATCH == 0 or run == runs) then
      look_for_leaks(fuzz, held, from, run)
      from = run + 1
    end
  end
end

---@param given tidegate.FuzzOptions
local function check_numbers(given)
  for _, name in ipairs { "runs", "messages", "seed" } do
    local value <const> = given[name]
    if value and (not math.tointeger(value) or name ~= "seed" and value < 1) then
      local text <const> = "testing.fuzz: %s must be a whole number%s, got %s"
      fail.misuse(text, name, name == "seed" and "" or " of 1 or more", tostring(value))
    end
  end
  if given.broken and not (given.broken >= 0 and given.broken <= 1) then
    fail.misuse("testing.fuzz: broken is a share from 0 to 1, got %s", tostring(given.broken))
  end
end

--- Holds arbitrary conversations; fails the spec with the smallest that goes wrong.
---@param app tidegate.TestApp
---@param path string
---@param options? tidegate.FuzzOptions
---@return tidegate.FuzzResult
local function fuzz(app, path, options)
  if type(app) ~= "table" or not app.core then
    fail.misuse("testing.fuzz: expected an application, got %s", show.value(app, 60))
  end
  local given <const> = fail.options("testing.fuzz", options, legal)
  check_numbers(given)
  app.core:run()
  local held <const>, tasks <const> = leaks.measure(app)
  local first <const> = talk.connect(app, path, given.connect or {})
  local declared <const> = actions.of(app, first, given.actions)
  first:close()
  app.core:run()
  local work <const> = {
    app = app,
    path = path,
    connect = given.connect or {},
    settle = given.settle or 1,
    declared = declared,
    held_before = held,
    tasks_before = tasks,
    share = math.floor((given.broken or 0.2) * 1000),
    seed = math.tointeger(given.seed or 1),
    result = { runs = 0, messages = 0, broken = 0 },
  }
  run_all(work, given)
  return work.result
end

return { fuzz = fuzz }
