--- Assertions for luassert: `assert.frame`, `assert.exact_frame`, `assert.error_at`,
--- `assert.broadcast`, `assert.no_leaks`.
---
--- A failure says where the frame differs, what was expected there and what came, and shows the
--- frame.

local capture <const> = require "tidegate.testing.capture"
local diff <const> = require "tidegate.testing.diff"
local fail <const> = require "tidegate.testing.fail"
local leaks <const> = require "tidegate.testing.leaks"
local matchers <const> = require "tidegate.testing.matchers"
local show <const> = require "tidegate.testing.show"

local Assert <const> = {}

--- What luassert prints: the text is put in as it is.
---@param arguments table
---@param text string
local function say(arguments, text)
  arguments[1] = text
  arguments.n, arguments.nofmt = 1, { true }
end

--- A refusal in words, when one came instead of something else.
---@param expected any
---@param got any
---@return string # with a line break in front; "" when there is nothing to say
local function refusal(expected, got)
  local is_refusal <const> = type(got) == "table" and got.action == "error"
  if not is_refusal or type(expected) ~= "table" or expected.action == "error" then
    return ""
  end
  local payload <const> = got.payload
  if type(payload) ~= "table" then
    return ""
  end
  local lines <const> = { "\nThe server refused a message:" }
  for _, item in ipairs(payload) do
    local path <const> = {}
    for _, step in ipairs(item.loc or {}) do
      path[#path + 1] = tostring(step)
    end
    local text <const> = "  %s: %s (%s)"
    lines[#lines + 1] =
      text:format(table.concat(path, "."), tostring(item.msg), tostring(item.type))
  end
  if payload.detail then
    lines[#lines + 1] = "  " .. tostring(payload.detail)
  end
  if payload.traceback then
    lines[#lines + 1] = "  " .. tostring(payload.traceback):gsub("\n", "\n  ")
  end
  return table.concat(lines, "\n")
end

---@param expected any
---@param got any
---@param differences tidegate.Difference[]
---@param is_exact boolean
---@return string
local function describe(expected, got, differences, is_exact)
  if got == nil then
    local text <const> = "Expected a frame, and there is none.\nExpected: %s"
    return text:format(show.value(expected))
  end
  local extent <const> = is_exact and "Expected exactly: " or "Expected at least: "
  return ("The frame is not as expected.\n%s\n%s%s\nThe frame: %s%s"):format(
    diff.describe(differences),
    extent,
    show.value(expected),
    show.value(got),
    refusal(expected, got)
  )
end

--- An expected value is a table; a string in its place was given in the wrong order, or is JSON.
---@param name string
---@param arguments table
local function check_expected(name, arguments)
  local expected <const> = arguments[1]
  if type(expected) ~= "table" then
    local text <const> = "assert.%s(expected, frame): expected must be a table, got %s"
    fail.misuse(text, name, show.value(expected, 60))
  end
end

---@param is_exact boolean
---@param name string
---@return fun(state: table, arguments: table): boolean
local function frame_assertion(is_exact, name)
  return function(state, arguments)
    check_expected(name, arguments)
    local expected <const>, got <const>, extra <const> = arguments[1], arguments[2], arguments[3]
    local exactly <const> = is_exact or extra == "exact"
    if extra ~= nil and extra ~= "exact" then
      state.failure_message = extra
    end
    local differences <const> = diff.compare(expected, got, exactly)
    local is_equal <const> = #differences == 0
    if not state.mod and is_equal then
      local text <const> = "Expected a frame that is not like %s.\nThe frame: %s"
      say(arguments, text:format(show.value(expected), show.value(got)))
    elseif not is_equal then
      say(arguments, describe(expected, got, differences, exactly))
    end
    return is_equal
  end
end

-- ---- errors ----

--- The path of an error as one text: payload.tags.3
---@param loc any
---@return string
local function path_text(loc)
  local steps <const> = {}
  for _, step in ipairs(type(loc) == "table" and loc or {}) do
    steps[#steps + 1] = tostring(math.tointeger(step) or step)
  end
  return #steps == 0 and "the top" or table.concat(steps, ".")
end

---@param items table[]
---@return string
local function list_errors(items)
  local lines <const> = {}
  for _, item in ipairs(items) do
    local text <const> = "  at %s: %s (%s)"
    lines[#lines + 1] = text:format(path_text(item.loc), tostring(item.type), tostring(item.msg))
  end
  return table.concat(lines, "\n")
end

---@param item table
---@param path table
---@param kind any
---@return boolean
local function is_error_at(item, path, kind)
  return path_text(item.loc) == path_text(path) and (kind == nil or diff.matches(kind, item.type))
end

---@param frame any
---@return table[]? # the list of errors of an error frame
local function errors_of(frame)
  local payload <const> = type(frame) == "table" and frame.action == "error" and frame.payload
  return type(payload) == "table" and matchers.is_array(payload) and payload or nil
end

---@param state table
---@param arguments table
---@return boolean
local function error_at(state, arguments)
  local frame <const>, path <const>, kind <const> = arguments[1], arguments[2], arguments[3]
  if type(path) ~= "table" then
    local text <const> = "assert.error_at(frame, path, type): "
      .. 'the path must be a list such as { "payload", "content" }, got %s'
    fail.misuse(text, show.value(path, 60))
  end
  local what <const> = ("at %s%s"):format(
    path_text(path),
    kind and " of type " .. show.value(kind) or ""
  )
  local errors <const> = errors_of(frame)
  if not errors then
    local text <const> =
      "Expected a frame with an error %s, and this is no list of errors.\nThe frame: %s"
    say(arguments, text:format(what, show.value(frame)))
    return false
  end
  for _, item in ipairs(errors) do
    if is_error_at(item, path, kind) then
      say(arguments, ("Expected no error %s.\nThe errors:\n%s"):format(what, list_errors(errors)))
      return true
    end
  end
  if state.mod then
    local text <const> = "Expected an error %s, and there is none.\nThe errors:\n%s"
    say(arguments, text:format(what, list_errors(errors)))
  end
  return false
end

-- ---- of an application ----

---@param name string
---@param app any
local function check_app(name, app)
  if type(app) ~= "table" or type(app.held_at_first) ~= "table" then
    local text <const> = "assert.%s: expected what testing.app returns, got %s"
    fail.misuse(text, name, show.value(app, 60))
  elseif app.closed_why then
    fail.misuse("assert.%s: the application was closed %s; ask before", name, app.closed_why)
  end
end

---@param _ table
---@param arguments table
---@return boolean
local function broadcast(_, arguments)
  local app <const>, group <const>, expected <const> = arguments[1], arguments[2], arguments[3]
  check_app("broadcast(app, group, message)", app)
  if type(group) ~= "string" or type(expected) ~= "table" then
    local text <const> = "assert.broadcast(app, group, message): "
      .. "expected a name and a table, got %s and %s"
    fail.misuse(text, show.value(group, 60), show.value(expected, 60))
  end
  local is_there <const>, text <const> = capture.find(app, group, expected)
  say(arguments, text)
  return is_there
end

---@param state table
---@param arguments table
---@return boolean
local function no_leaks(state, arguments)
  local app <const> = arguments[1]
  check_app("no_leaks(app)", app)
  if not state.mod then
    fail.misuse "assert.no_leaks cannot be negated"
  end
  local left <const> = leaks.find(app)
  if left then
    say(arguments, "The application holds more than when it was opened:\n" .. left)
  end
  return left == nil
end

-- ---- registering ----

--- Adds an assertion to luassert. Its function leaves in `arguments` what a failure says.
---@param name string
---@param assertion fun(state: table, arguments: table): boolean
function Assert.register(name, assertion)
  local luassert <const>, say_keys <const> = require "luassert", require "say"
  local key <const> = "assertion.tidegate." .. name
  say_keys:set(key, "%s")
  luassert:register("assertion", name, function(state, arguments)
    local returned <const> = table.pack(table.unpack(arguments, 1, arguments.n))
    local result <const> = assertion(state, arguments)
    return result, returned
  end, key, key)
end

--- Makes the assertions known to luassert; once more does no harm.
function Assert.install()
  Assert.register("frame", frame_assertion(false, "frame"))
  Assert.register("exact_frame", frame_assertion(true, "exact_frame"))
  Assert.register("error_at", error_at)
  Assert.register("broadcast", broadcast)
  Assert.register("no_leaks", no_leaks)
end

return Assert
