--- A client of an application under test: what a browser would be, with patience of its own.
---
--- It works over a link, which is a connection inside this process or one over a real socket, and
--- asks its host for the rest: the clock, reading and checking frames, the log. So the same client
--- stands for both.

local ask <const> = require "tidegate.testing.ask"
local diff <const> = require "tidegate.testing.diff"
local fail <const> = require "tidegate.testing.fail"
local frames <const> = require "tidegate.testing.frames"
local inbox <const> = require "tidegate.testing.inbox"
local receive <const> = require "tidegate.testing.receive"
local report <const> = require "tidegate.testing.report"
local send <const> = require "tidegate.testing.send"
local show <const> = require "tidegate.testing.show"

---@class tidegate.ClientHost
---@field now fun(self): number
---@field decode fun(self, text: string): any
---@field check fun(self, consumer: string, text: string): boolean?, any
---@field text fun(self, message: any, client: tidegate.TestClient): string? # of an instance
---@field logs fun(self): tidegate.LogLine[]

---@class tidegate.TestClient
---@field host tidegate.ClientHost
---@field link table
---@field path string
---@field connected_at string the line of the spec
---@field id string?
---@field consumer string?
---@field subprotocol string?
---@field is_text boolean frames are texts, not messages
---@field is_stalled boolean? it reads nothing
---@field is_strict boolean frames that the consumer does not declare fail the spec
---@field seen tidegate.SeenFrame[] all that went over the connection
---@field unread tidegate.SeenFrame[]
---@field ending tidegate.SeenFrame? how the connection ended
---@field calls table<any, boolean> refs of calls that have had their answer
---@field outstanding integer messages sent whose `complete` was not taken
---@field next_ref integer
---@field is_left "close" | "drop" | nil how the client itself has left
local Client <const> = {}

for _, methods in ipairs { receive.methods, ask } do
  for name, method in pairs(methods) do
    Client[name] = method
  end
end

--- Sends a table as JSON, a message as its type writes it for this consumer's clients, or a string
--- as it is.
---@param message table | string | tidegate.Message
function Client:send(message)
  send.data(self, "text", send.text(self, "client:send", message))
end

---@param data string
function Client:send_binary(data)
  if type(data) ~= "string" then
    fail.misuse("client:send_binary: expected a string, got a %s", type(data))
  end
  send.data(self, "binary", data)
end

--- Reads no more, as a client that hangs.
function Client:stall()
  self.is_stalled = true
  self.link:stall()
end

function Client:resume()
  self.is_stalled = false
  self.link:resume()
end

--- Closes as a browser does: with a close frame, to which the server answers.
---@param code? integer default 1000
---@param reason? string
function Client:close(code, reason)
  if not self.is_left then
    self.is_left = "close"
    send.note(self, "close", reason or "", code or 1000)
    self.link:close(code or 1000, reason or "")
  end
end

--- Loses the connection without a word, as a phone in a tunnel.
function Client:drop()
  if not self.is_left then
    self.is_left = "drop"
    self.link:drop()
  end
end

---@param expected any
---@param got any
---@return boolean
local function reason_matches(expected, got)
  if type(expected) == "string" then
    return got ~= nil and got:find(expected) ~= nil
  end
  return diff.matches(expected, got)
end

--- Wants the server to close the connection; frames before that are passed over.
---@param code? integer nil: any
---@param reason? string | tidegate.Matcher a pattern of Lua
---@param seconds? number
---@return tidegate.SeenFrame # how it ended
function Client:assert_closed(code, reason, seconds)
  local most <const> = receive.seconds("client:assert_closed", seconds, receive.patience)
  local ending <const> = inbox.ending(self, most)
  if not ending then
    local problem <const> = ("the connection is still open after %g s"):format(most)
    fail.spec(report.client(self, problem))
  elseif code and ending.code ~= code then
    local text <const> = "the connection was to be closed with %s, and %s"
    fail.spec(report.client(self, text:format(code, receive.how_it_ended(ending))))
  elseif reason and not reason_matches(reason, ending.reason) then
    local text <const> = "the close was to have a reason like %s, and %s"
    fail.spec(report.client(self, text:format(show.value(reason), receive.how_it_ended(ending))))
  end
  return ending
end

--- Everything that came from the server, with times: pings and the close too.
---@return tidegate.SeenFrame[]
function Client:frames()
  inbox.find(self, 0)
  local list <const> = {}
  for _, item in ipairs(self.seen) do
    list[#list + 1] = item.from == "server" and item or nil
  end
  return frames.list(list)
end

local metatable <const> = {
  __name = "tidegate.client",
  __index = Client,
  __close = function(self)
    self:close()
  end,
  __tostring = function(self)
    return report.client(self, "a client")
  end,
}

--- A client over a link.
---@param host tidegate.ClientHost
---@param link table
---@param options { path: string, is_strict: boolean }
---@return tidegate.TestClient
local function new(host, link, options)
  return setmetatable({
    host = host,
    link = link,
    path = options.path,
    connected_at = fail.place(),
    id = link.id,
    consumer = link.consumer,
    subprotocol = link.subprotocol,
    is_text = link.is_text or false,
    is_strict = options.is_strict,
    seen = {},
    unread = {},
    calls = {},
    outstanding = 0,
    next_ref = 0,
  }, metatable)
end

return { new = new, methods = Client }
