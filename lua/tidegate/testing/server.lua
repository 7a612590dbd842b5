--- The real program on a free port, with clients that have the methods of those of `testing.app`.
--- It is stopped whatever happens: by `server:close()`, at the end of its scope, by the collector,
--- and by the kernel when the process of the specs ends.

local client <const> = require "tidegate.testing.client"
local fail <const> = require "tidegate.testing.fail"
local client_host <const> = require "tidegate.testing.host"
local metrics <const> = require "tidegate.testing.metrics"
local open <const> = require "tidegate.testing.open"
local program <const> = require "tidegate.testing.program"
local request <const> = require "tidegate.testing.request"
local show <const> = require "tidegate.testing.show"

local PATIENCE <const>, POLL <const>, SHOWN_BYTES <const> = 10, 0.002, 4000

--- What drain_seconds is, unless it is set.
local DRAIN <const> = 10

---@class tidegate.TestServer: tidegate.ClientHost
---@field url string "http://127.0.0.1:40123"
---@field host string
---@field port integer
---@field wire table sockets and processes of the kit's module
---@field core table the application, loaded here to check frames, never connected to
---@field process table
---@field patience number seconds
---@field drain number seconds that the program may take to stop
---@field is_strict boolean
---@field began number
---@field lines tidegate.LogLine[] read so far
---@field read integer bytes of the output that are in `lines`
---@field opened_at string
---@field is_of_one_test boolean
---@field closed_why string? it is closed
local Server <const> = {}

-- ---- the log ----

---@param core table
---@param text string one line of what the program wrote
---@return tidegate.LogLine?
local function read_line(core, text)
  local is_json <const>, record <const> = pcall(core.decode, core, text)
  if text == "" or text:find "^tidegate listening on " then
    return nil
  elseif not is_json or type(record) ~= "table" or not record.event then
    return { level = "error", event = "output", fields = { text = text } }
  end
  local line <const> = { level = record.level, event = record.event, time = record.time }
  record.level, record.event, record.time = nil, nil, nil
  line.fields = record
  return line
end

--- Takes what the program has written since.
---@param server tidegate.TestServer
local function read_log(server)
  local text <const> = server.process:output(server.read)
  for line in text:gmatch "([^\n]*)\n" do
    server.read = server.read + #line + 1
    local record <const> = read_line(server.core, line)
    if record then
      record.at = server:now()
      server.lines[#server.lines + 1] = record
    end
  end
end

--- The end of what the program wrote, for a failure.
---@param process table
---@return string
local function shown_output(process)
  local text <const> = process:output()
  local tail <const> = #text > SHOWN_BYTES and "..." .. text:sub(-SHOWN_BYTES) or text
  return tail == "" and "it wrote nothing" or "it wrote:\n" .. tail
end

-- ---- starting and stopping ----

--- Waits for something real.
---@generic T
---@param wire table
---@param seconds number
---@param ask fun(): T?
---@return T?
local function wait_for(wire, seconds, ask)
  local deadline <const> = wire.now() + seconds
  local answer = ask()
  while not answer and wire.now() < deadline do
    wire.sleep(POLL)
    answer = ask()
  end
  return answer
end

--- Where the program listens, as it says itself.
---@param wire table
---@param process table
---@param patience number
---@return string host, integer port
local function wait_for_address(wire, process, patience)
  local host, port
  wait_for(wire, patience, function()
    host, port = process:output():match "tidegate listening on http://(%S+):(%d+)\n"
    return port or not process:is_running()
  end)
  if not port then
    local why <const> = process:is_running() and ("did not listen within %g s"):format(patience)
      or "ended"
    local said <const> = shown_output(process)
    process:kill()
    fail.spec(("the server %s; %s"):format(why, said))
  end
  return (host:gsub("[%[%]]", "")), math.tointeger(port)
end

local metatable <const> = {
  __name = "tidegate.server",
  __index = Server,
  __close = function(self)
    self:close()
  end,
}

--- Starts the program with the application in a folder.
---@param kit table the module
---@param folder any
---@param config? table settings and tidegate.ServerOptions
---@return tidegate.TestServer
local function new(kit, folder, config)
  if type(folder) ~= "string" then
    fail.misuse("testing.server: expected a folder, got %s", show.value(folder, 60))
  end
  local settings <const>, options <const> = program.read_options(config)
  local wire <const>, patience <const> = kit.wire, options.patience or PATIENCE
  local process <const> = program.start(wire, folder, settings, options)
  local host <const>, port <const> = wait_for_address(wire, process, patience)
  -- Behind the start of the real one: what does not load is told by it.
  local core <const>, problems <const> =
    kit.open { folder = folder, config = { mode = "development" } }
  if not core then
    process:kill()
    fail.spec("the server runs an application that does not load here:\n" .. tostring(problems))
  end
  local server <const> = setmetatable({
    url = ("http://%s:%d"):format(host:find ":" and "[" .. host .. "]" or host, port),
    host = host,
    port = port,
    wire = wire,
    core = core,
    process = process,
    patience = patience,
    drain = tonumber(settings.drain_seconds) or DRAIN,
    is_strict = options.strict ~= false,
    began = wire.now(),
    lines = {},
    read = 0,
    opened_at = fail.place(),
  }, metatable)
  open.add(server)
  return server
end

--- Stops the program: SIGTERM, and SIGKILL when that was not enough. A program that did not end
--- well fails the spec with what it wrote. Once more does nothing.
---@param why? string
function Server:close(why)
  if self.closed_why then
    return
  end
  self.closed_why = why or "at " .. fail.place()
  open.remove(self)
  local was_running <const> = self.process:is_running()
  local status <const> = self.process:stop(self.drain + self.patience)
  read_log(self) -- and the application that checks frames stays: clients may still read
  if not was_running then
    fail.spec(
      ("the server had ended by itself with %s; %s"):format(status, shown_output(self.process))
    )
  elseif status ~= "status 0" then
    fail.spec(
      ("the server ended with %s when it was stopped; %s"):format(
        status,
        shown_output(self.process)
      )
    )
  end
end

--- Kills the program as a power cut would: its clients see the end of TCP. `server:close()` is fine
--- with that.
function Server:kill()
  self.process:kill()
  self.closed_why = self.closed_why or "at " .. fail.place()
  open.remove(self)
end

-- ---- clients ----

---@param server tidegate.TestServer
local function check_open(server)
  if server.closed_why then
    local text <const> = "this server, started at %s, was closed %s"
    fail.misuse(text, server.opened_at, server.closed_why)
  end
end

--- What the server says of a client's connection: the client cannot know its id.
---@param server tidegate.TestServer
---@param port integer the client's own
---@return table? fields of the line "connected"
local function find_connection(server, port)
  local ending <const> = (":%d$"):format(port)
  local from = #server.lines + 1
  return wait_for(server.wire, server.patience, function()
    read_log(server)
    for index = from, #server.lines do
      local line <const> = server.lines[index]
      if line.event == "connected" and tostring(line.fields.peer):find(ending) then
        return line.fields
      end
    end
    from = #server.lines + 1
    return nil
  end)
end

--- Opens a connection. Nil and the refusal when the server answers with another status than 101.
---@param path string "/ws/chat/blue?page=2"
---@param options? tidegate.ConnectOptions
---@return tidegate.TestClient? client
---@return tidegate.Refusal? refusal
function Server:connect(path, options)
  check_open(self)
  local asked <const>, given <const> = request.read("server:connect", path, options)
  if given.user ~= nil or given.peer ~= nil then
    local text <const> = "server:connect: a real server finds out %s by itself"
    fail.misuse(text, given.peer and "where a client comes from" or "who a client is")
  end
  read_log(self)
  local link <const>, status <const>, body <const>, headers <const> = self.wire.connect {
    host = self.host,
    port = self.port,
    target = asked.query ~= "" and asked.path .. "?" .. asked.query or asked.path,
    headers = asked.headers,
    timeout = self.patience,
    began = self:now(),
  }
  if not link and not status then
    fail.spec(
      ("cannot connect to %s%s: %s; %s"):format(self.url, path, body, shown_output(self.process))
    )
  elseif not link then
    return nil, request.refusal(self, path, status, body, headers)
  end
  local fields <const> = find_connection(self, link:port()) or {}
  link.id, link.consumer = fields.conn, fields.consumer
  link.is_text = fields.consumer ~= nil and self.core:is_text(fields.consumer)
  local is_strict <const> = given.strict == nil and self.is_strict or given.strict == true
  return client.new(self, link, { path = path, is_strict = is_strict })
end

--- Sends a plain request.
---@param method string
---@param path string
---@param options? tidegate.RequestOptions
---@return tidegate.Response
function Server:request(method, path, options)
  check_open(self)
  local asked <const> = request.read_plain("server:request", method, path, options)
  if asked.peer then
    fail.misuse "server:request: a real server finds out where a client comes from by itself"
  end
  local _, status <const>, body <const>, headers <const> = self.wire.connect {
    host = self.host,
    port = self.port,
    target = asked.query ~= "" and asked.path .. "?" .. asked.query or asked.path,
    headers = asked.headers,
    plain = true,
    method = method,
    body = asked.body,
    timeout = asked.timeout,
  }
  if not status then
    local said <const> = shown_output(self.process)
    fail.spec(("cannot ask %s%s: %s; %s"):format(self.url, path, body, said))
  end
  return request.response(self, status, body, headers)
end

-- ---- what it counts ----

--- What /metrics says.
---@param server tidegate.TestServer
---@return tidegate.Sample[]
local function read_metrics(server)
  check_open(server)
  local _, status <const>, text <const> = server.wire.connect {
    host = server.host,
    port = server.port,
    target = "/metrics",
    plain = true,
    timeout = server.patience,
  }
  if status ~= 200 then
    local why <const> = status and "it answered with status " .. status or text
    fail.spec(("the server does not tell its metrics: %s"):format(why))
  end
  return metrics.read(text)
end

--- The server's metrics, by name: `server:metrics().tidegate_messages_received_total`. What has
--- labels is the sum of them.
---@return table<string, number>
function Server:metrics()
  return metrics.totals(read_metrics(self))
end

--- One metric, or the part of it that has these labels.
---@param name string
---@param labels? table<string, string>
---@return number
function Server:metric(name, labels)
  return metrics.one("server:metric", read_metrics(self), name, labels)
end

-- ---- what a client asks of its host ----

--- Seconds since the server was started, of real time.
---@return number
function Server:now()
  return self.wire.now() - self.began
end

Server.decode, Server.check = client_host.decode, client_host.check
Server.text = client_host.text

--- What the program has logged so far, the oldest line first. What it wrote besides (a sanitizer's
--- report) is there as lines with the event "output".
---@param event? string only those of this event
---@return tidegate.LogLine[]
function Server:logs(event)
  if self.closed_why == nil then
    read_log(self)
  end
  local lines <const> = {}
  for _, line in ipairs(self.lines) do
    if not event or line.event == event then
      lines[#lines + 1] = line
    end
  end
  return lines
end

return { new = new, methods = Server }
