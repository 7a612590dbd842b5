--- An application under test: the real core over a clock that obeys, inside this very process.

local client <const> = require "tidegate.testing.client"
local fail <const> = require "tidegate.testing.fail"
local groups <const> = require "tidegate.testing.groups"
local host <const> = require "tidegate.testing.host"
local leaks <const> = require "tidegate.testing.leaks"
local metrics <const> = require "tidegate.testing.metrics"
local open <const> = require "tidegate.testing.open"
local reload <const> = require "tidegate.testing.reload"
local report <const> = require "tidegate.testing.report"
local request <const> = require "tidegate.testing.request"
local show <const> = require "tidegate.testing.show"

---@class tidegate.TestApp
---@field core table the application as the module of the kit has it
---@field what any what it was opened with
---@field is_strict boolean
---@field opened_at string
---@field is_of_one_test boolean
---@field closed_why string? it is closed
---@field clients table<tidegate.TestClient, true> that somebody still holds
---@field held_at_first table<string, number> what it held when it was opened
---@field tasks_at_first table<string, integer>
local App <const> = {}

---@param app tidegate.TestApp
---@return table
local function core_of(app)
  if app.closed_why then
    local text <const> = "this application, opened at %s, was closed %s"
    fail.misuse(text, app.opened_at, app.closed_why)
  end
  return app.core
end

-- ---- opening and closing ----

--- What a spec may give for an application, as the kit's module wants it.
---@param call string "testing.app"
---@param what any
---@return table
local function source(call, what)
  local kind <const> = type(what)
  if kind == "string" then
    return { folder = what }
  elseif kind == "function" then
    return { declare = what }
  elseif kind == "table" then
    local is_one <const> = debug.getmetatable(what) ~= nil
    return { consumers = is_one and { what } or what }
  end
  fail.misuse(
    "%s: expected a folder, a consumer, a list of consumers or a function, got %s",
    call,
    show.value(what, 60)
  )
end

---@class tidegate.AppConfig
---@field seed? integer of the application's random numbers; default 1
---@field strict? boolean false: frames that no consumer declares are received too
---@field [string] any settings, as in tidegate.lua

---@param config any
---@return table settings
---@return integer? seed
---@return boolean is_strict
local function read_config(config)
  if config ~= nil and type(config) ~= "table" then
    fail.misuse("testing.app: the settings must be a table, got a %s", type(config))
  end
  local settings <const> = {}
  for name, value in pairs(config or {}) do
    if name ~= "seed" and name ~= "strict" then
      settings[name] = value
    end
  end
  local given <const> = config or {}
  return settings, given.seed, given.strict ~= false
end

local metatable <const> = {
  __name = "tidegate.app",
  __index = App,
  __close = function(self)
    self:close()
  end,
}

--- Opens an application. Whatever keeps it from loading fails the spec, whole.
---@param kit table the module
---@param what string | table | function
---@param config? tidegate.AppConfig
---@return tidegate.TestApp
local function new(kit, what, config)
  local options <const> = source("testing.app", what)
  local settings <const>, seed <const>, is_strict <const> = read_config(config)
  options.config, options.seed = settings, seed
  local core <const>, problems <const> = kit.open(options)
  if not core then
    local name <const> = type(what) == "string" and " " .. show.value(what) or ""
    fail.spec(("the application%s does not load:\n%s"):format(name, tostring(problems)))
  end
  local app <const> = setmetatable({
    core = core,
    what = what,
    is_strict = is_strict,
    opened_at = fail.place(),
    clients = setmetatable({}, { __mode = "k" }),
  }, metatable)
  app.held_at_first, app.tasks_at_first = leaks.measure(app)
  open.add(app)
  return app
end

--- Ends the application and all that it has going on. Once more does nothing.
---@param why? string
function App:close(why)
  if not self.closed_why then
    self.closed_why = why or "at " .. fail.place()
    open.remove(self)
    self.core:close()
  end
end

-- ---- new code ----

--- Loads new code while clients stay connected: the folder as it lies on disk now, or what is
--- given. Nothing has changed when it does not load: nil and what is wrong.
---@param what? string | function a folder, or a function that declares; nil: as before
---@return tidegate.ReloadReport? report
---@return tidegate.ReloadProblems? problems
function App:reload(what)
  core_of(self)
  local options <const> = what ~= nil and source("app:reload", what) or nil
  local changes <const>, problems <const> = fail.call(function()
    return reload.run(self, options)
  end)
  if changes and what ~= nil then
    self.what = what
  end
  return changes, problems
end

--- The generations of the code that are alive, the oldest first; the last one serves.
---@return tidegate.Generation[]
function App:generations()
  core_of(self)
  return reload.generations(self)
end

-- ---- clients ----

--- Opens a connection. Nil and the refusal when the server answers with another status than 101.
---@param path string "/ws/chat/blue?page=2"
---@param options? tidegate.ConnectOptions
---@return tidegate.TestClient? client
---@return tidegate.Refusal? refusal
function App:connect(path, options)
  local core <const> = core_of(self)
  local asked <const>, given <const> = request.read("app:connect", path, options)
  local link <const>, status <const>, body <const>, headers <const> = core:connect(asked)
  if not link then
    return nil, request.refusal(self, path, status, body, headers)
  end
  local is_strict <const> = self.is_strict
  local new_client <const> = client.new(self, link, {
    path = path,
    is_strict = given.strict == nil and is_strict or given.strict == true,
  })
  self.clients[new_client] = true
  return new_client
end

--- Sends a request to a route, and lets time pass until it is answered.
---@param method string
---@param path string
---@param options? tidegate.RequestOptions
---@return tidegate.Response
function App:request(method, path, options)
  local core <const> = core_of(self)
  local asked <const> = request.read_plain("app:request", method, path, options)
  local status <const>, body <const>, headers <const>, content_type <const> = core:request(asked)
  if status == nil then
    local text <const> = "%s %s was not answered in %g s"
    fail.spec(text:format(method, path, asked.timeout))
  elseif not status then
    return request.response(self, 404, '{"detail":"Not found"}', "")
  end
  local line <const> = content_type ~= "" and "content-type: " .. content_type .. "\r\n" or ""
  return request.response(self, status, body, line .. headers)
end

-- ---- the clock ----

--- Seconds of the application's own clock since it was opened.
---@return number
function App:now()
  return self.core:now()
end

--- Lets so many seconds pass at once: every timer that is due runs, in order.
---@param seconds number
function App:advance(seconds)
  if type(seconds) ~= "number" or seconds < 0 then
    fail.misuse("app:advance: expected seconds, got %s", show.value(seconds, 40))
  end
  core_of(self):advance(seconds)
end

--- Moves to the next timer within `seconds`; false when there was none, and they have passed.
---@param seconds number
---@return boolean
function App:step(seconds)
  local core <const> = core_of(self)
  return fail.call(function()
    return (core:step(seconds))
  end)
end

-- ---- inside the application ----

--- A module of the application, the very one that its consumers use.
---@param name string
---@return any
function App:require(name)
  local core <const> = core_of(self)
  return fail.call(function()
    return (core:require(name))
  end)
end

--- Runs a function as a task of the application, to its end: what waits may be called in it.
---@param fn function
---@param ... any for `fn`
---@return any ...
function App:call(fn, ...)
  if type(fn) ~= "function" then
    fail.misuse("app:call: expected a function, got a %s", type(fn))
  end
  return core_of(self):call(fn, ...)
end

groups.add(App, core_of)

-- ---- what it logs and counts ----

local lines_metatable <const> = {
  __name = "tidegate.log",
  __tostring = function(lines)
    local shown <const> = {}
    for index, line in ipairs(lines) do
      shown[index] = report.log_line(line)
    end
    return table.concat(shown, "\n")
  end,
}

--- What the application has logged, the oldest line first; `tostring` makes a text of it.
---@param event? string only those of this event, "handler_failed"
---@return tidegate.LogLine[]
function App:logs(event)
  local lines <const> = setmetatable({}, lines_metatable)
  for _, line in ipairs(self.core:logs()) do
    if not event or line.event == event then
      lines[#lines + 1] = line
    end
  end
  return lines
end

--- The application's metrics, by name: `app:metrics().tidegate_messages_received_total`. What has
--- labels is the sum of them.
---@return table<string, number>
function App:metrics()
  return metrics.totals(metrics.read(core_of(self):metrics()))
end

--- One metric, or the part of it that has these labels.
---@param name string
---@param labels? table<string, string>
---@return number
function App:metric(name, labels)
  return metrics.one("app:metric", metrics.read(core_of(self):metrics()), name, labels)
end

-- ---- trouble made on purpose ----

--- Breaks something: `{ allocation = n }`, the n-th from now fails; `{ layer = "down" }`.
---@param faults table
---@return integer left allocations until one that was to fail before; 0: it has failed
function App:inject(faults)
  local core <const> = core_of(self)
  return fail.call(function()
    return (core:inject(faults))
  end)
end

--- Answers requests of `tide.http` whose URL matches.
---@param pattern string
---@param response table | function
function App:stub_http(pattern, response)
  local core <const> = core_of(self)
  fail.call(function()
    core:stub_http(pattern, response)
  end)
end

--- Answers `tide.process.run` of commands that match.
---@param pattern string
---@param response table | function
function App:stub_process(pattern, response)
  local core <const> = core_of(self)
  fail.call(function()
    core:stub_process(pattern, response)
  end)
end

-- ---- what a client asks of its host ----

App.decode, App.check = host.decode, host.check

--- As of any host, and only while it is open.
---@param message any
---@param to tidegate.TestClient
---@return string?
function App:text(message, to)
  if type(message) == "userdata" then
    core_of(self)
  end
  return host.text(self, message, to)
end

return { new = new, methods = App }
