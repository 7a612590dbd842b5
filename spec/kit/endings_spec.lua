--- How connections end: an application in this process and the real program do it alike, and as is written
--- here. It needs a built program (TG_BIN).

local testing <const> = require "tidegate.testing"

local here <const> = debug.getinfo(1, "S").source:match "^@(.*)/kit/[^/]*$" or "spec"
local folder <const> = here .. "/support/apps/endings"

local settings <const> = {
  max_message_bytes = 1000,
  heartbeat_seconds = 1,
  heartbeat_timeout_seconds = 1,
  slow_client_seconds = 2,
  close_timeout_ms = 500,
}

---@param action string
---@param payload table
---@return table
local function message(action, payload)
  return { action = action, payload = payload }
end

--- What a client got, in short; of long frames the beginning, and no heartbeats.
---@param client tidegate.TestClient
---@return string[]
local function got(client)
  local list <const> = {}
  for _, frame in ipairs(client:frames()) do
    local text <const> = frame.data or frame.reason
    local words <const> = frame.kind == "text" and text:gsub("x+", "x")
      or ("%s %d %s"):format(frame.kind, frame.code or 0, text)
    list[#list + 1] = frame.kind ~= "ping" and words:gsub("%s+$", "") or nil
  end
  return list
end

local said <const> = '{"action":"say","payload":{"text":"a"}}'

---@param number integer
---@return string
local function part(number)
  return ('{"action":"part","payload":{"number":%d,"text":"x"}}'):format(number)
end

--- title, what the client does, what it gets, what `disconnected` gets
local cases <const> = {
  {
    "the client closes",
    function(client)
      client:send(message("say", { text = "a" }))
      client:close(4001, "bye")
    end,
    { said, "close 4001 bye", "end 1006" },
    "4001 bye",
  },
  {
    "the client goes without a word",
    function(client)
      client:drop()
    end,
    { "end 1006" },
    "1006 ",
  },
  {
    "the server closes",
    function(client)
      client:send(message("leave", { code = 4002, reason = "enough" }))
    end,
    { "close 4002 enough", "end 1006" },
    "4002 enough",
  },
  {
    "the server closes on a client that writes once more",
    function(client)
      client:send(message("leave", { code = 4002, reason = "enough" }))
      client:send(message("say", { text = "late" }))
    end,
    { "close 4002 enough", "end 1006" },
    "4002 enough",
  },
  {
    "a message is too long",
    function(client)
      client:send(("x"):rep(1001))
    end,
    { "close 1009 the message is longer than max_message_bytes", "end 1006" },
    "1009 the message is longer than max_message_bytes",
  },
  {
    "a text is not UTF-8",
    function(client)
      client:send "\xff"
    end,
    { "close 1007 the text is not UTF-8", "end 1006" },
    "1007 the text is not UTF-8",
  },
  {
    "the client's reason is not UTF-8",
    function(client)
      client:close(1000, "\xff\xfe")
    end,
    { "close 1007 ??", "end 1006" },
    "1007 ??",
  },
  {
    "the client stalls, and reads later what came before the server closed",
    function(client, pass)
      client:stall()
      client:send(message("flood", { count = 2, bytes = 10, code = 4003 }))
      pass(0.2)
      client:resume()
    end,
    { part(1), part(2), "close 4003 enough", "end 1006" },
    "4003 enough",
  },
  {
    "the client stalls, and reads later what came before its own close was answered",
    function(client, pass)
      client:stall()
      client:send(message("flood", { count = 2, bytes = 10 }))
      client:close(1000, "done")
      pass(0.2)
      client:resume()
    end,
    { part(1), part(2), "close 1000 done", "end 1006" },
    "1000 done",
  },
  {
    "the client stalls, and its kernel answers no heartbeat",
    function(client, pass)
      client:stall()
      pass(4)
      client:resume()
    end,
    { "end 1006" },
    "1006 heartbeat timeout",
  },
}

for _, code in ipairs { 999, 1004, 1006, 1012, 1013, 1014, 1015, 2000, 2999, 5000, 65535 } do
  cases[#cases + 1] = {
    ("the client closes with %d, which is not its to send"):format(code),
    function(client)
      client:close(code, "x")
    end,
    { "close 1002 x", "end 1006" },
    "1002 x",
  }
end
for _, code in ipairs { 1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 4999 } do
  cases[#cases + 1] = {
    ("the client closes with %d"):format(code),
    function(client)
      client:close(code, "x")
    end,
    { ("close %d x"):format(code), "end 1006" },
    ("%d x"):format(code),
  }
end

--- How the connection ended, as the log has it.
---@param host tidegate.TestApp | tidegate.TestServer
---@param id string
---@param pass fun(seconds: number)
---@return string?
local function ended(host, id, pass)
  for _ = 1, 100 do
    for _, line in ipairs(host:logs "disconnected") do
      if line.fields.conn == id then
        return ("%d %s"):format(line.fields.code, line.fields.reason or "")
      end
    end
    pass(0.05)
  end
end

describe("a connection ends", function()
  local server

  setup(function()
    server = testing.server(folder, settings)
  end)

  teardown(function()
    server:close()
  end)

  for _, case in ipairs(cases) do
    local title <const>, act <const>, frames <const>, reason <const> = table.unpack(case)
    it("alike in an application and on the wire when " .. title, function()
      local app <close> = testing.app(folder, settings)
      local function on_clock(seconds)
        app:advance(seconds)
      end
      for host, pass in pairs { [app] = on_clock, [server] = server.wire.sleep } do
        local client <const> = assert(host:connect "/ws/ends")
        act(client, pass)
        client:assert_closed(nil, nil, 5)
        client.link:wait(5) -- behind the close frame: the end
        assert.same(frames, got(client))
        assert.equal(reason, ended(host, client.id, pass))
      end
    end)
  end

  it("for a client that takes nothing more, when its kernel is full", function()
    local app <close> = testing.app(folder, settings)
    local client <const> = assert(app:connect "/ws/ends")
    client:stall()
    client:send(message("flood", { count = 100, bytes = 1000 }))
    app:advance(4)
    local line <const> = app:logs("disconnected")[1]
    assert.equal(1013, line.fields.code)
    assert.equal("this client reads too slowly", line.fields.reason)
  end)
end)
