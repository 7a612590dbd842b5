--- testing.server: the real program, with the clients of testing.app. It needs a built program (TG_BIN).

local testing <const> = require "tidegate.testing"

local here <const> = debug.getinfo(1, "S").source:match "^@(.*)/kit/[^/]*$" or "spec"
local folder <const> = here .. "/support/apps/record"

--- Whether a process is there, which is not waited for.
---@param pid integer
---@return boolean
local function is_alive(pid)
  local file <close> = io.open(("/proc/%d/stat"):format(pid), "rb")
  local state <const> = file and file:read("a"):match "%) (%a)"
  return state ~= nil and state ~= "Z"
end

--- Waits for something that no clock of ours moves.
---@param ask fun(): any
---@return any
local function eventually(ask)
  local deadline <const> = os.time() + 20
  local answer = ask()
  while not answer and os.time() < deadline do
    os.execute "sleep 0.02"
    answer = ask()
  end
  return answer
end

describe("testing.server", function()
  it("serves an application over a real socket to the clients that specs know", function()
    local server <close> = testing.server(folder)
    local client <close> = assert(server:connect "/ws/sum")
    assert.equal("sum", client.consumer)
    assert.matches("^%x+$", client.id)
    client:send { action = "add", payload = { amount = 5 } }
    assert.same({ action = "total", payload = { total = 5 } }, client:receive())
    assert.is_true(client:receive_nothing())
  end)

  it("gives the frames of texts as an app in this process does", function()
    local metrics_folder <const> = here .. "/support/apps/metrics"
    local server <close> = testing.server(metrics_folder)
    local app <close> = testing.app(metrics_folder)
    local frames <const> = {}
    for index, host in ipairs { server, app } do
      local client <close> = assert(host:connect "/ws/text")
      client:send '{"action":"x"}'
      frames[index] = client:receive()
      assert.is_true(client.is_text)
    end
    assert.same(frames[1], frames[2])
    assert.is_string(frames[1].text)
  end)

  it("counts what it does, as its metrics tell", function()
    local server <close> = testing.server(folder)
    local client <close> = assert(server:connect "/ws/sum")
    client:send { action = "add", payload = { amount = 5 } }
    client:receive()
    assert.equal(1, server:metric "tidegate_messages_received_total")
    assert.equal(1, server:metric("tidegate_handler_seconds_count", { action = "add" }))
    assert.equal(1, server:metrics().tidegate_connections)
    assert.has_error(function()
      server:metric "tidegate_tides"
    end, 'server:metric: there is no metric "tidegate_tides"')
  end)

  it("gives a refusal with its status and body", function()
    local server <close> = testing.server(folder)
    local client <const>, refusal <const> = server:connect "/ws/nowhere"
    assert.is_nil(client)
    assert.equal(404, refusal.status)
    assert.same({ detail = "Not found" }, refusal.json)
  end)

  it("tells how the server closes, and ends the connection as asked", function()
    local server <close> = testing.server(folder, { max_message_bytes = 100 })
    local big <close> = assert(server:connect "/ws/sum")
    big:send(("x"):rep(101))
    big:assert_closed(1009)
    local leaving <const> = assert(server:connect "/ws/sum")
    leaving:close(4001, "bye")
    local line <const> = eventually(function()
      for _, one in ipairs(server:logs "disconnected") do
        if one.fields.conn == leaving.id then
          return one
        end
      end
    end)
    assert.equal(4001, line.fields.code)
    assert.equal("bye", line.fields.reason)
  end)

  it("answers heartbeats by itself unless it stalls", function()
    local server <close> =
      testing.server(folder, { heartbeat_seconds = 1, heartbeat_timeout_seconds = 1 })
    local client <close> = assert(server:connect "/ws/sum")
    local stalled <close> = assert(server:connect "/ws/sum")
    stalled:stall()
    assert.is_true(client:receive_nothing(3.5))
    client:send { action = "add", payload = { amount = 1 } }
    assert.equal(1, client:receive().payload.total)
    local line <const> = eventually(function()
      return server:logs("disconnected")[1]
    end)
    assert.equal(stalled.id, line.fields.conn)
  end)

  it("keeps what the program logs", function()
    local server <close> = testing.server(folder)
    local client <close> = assert(server:connect "/ws/sum")
    client:send { action = "add", payload = { amount = 13 } }
    assert.equal("error", client:receive().action)
    local lines <const> = server:logs "handler_failed"
    assert.equal(1, #lines)
    assert.matches("init%.lua:%d+: thirteen", lines[1].fields.error)
  end)

  it("passes variables to the program, and none of our settings", function()
    local server <close> = testing.server(folder, { env = { TIDEGATE_MAX_MESSAGE_BYTES = "7" } })
    local client <close> = assert(server:connect "/ws/sum")
    client:send "12345678"
    client:assert_closed(1009)
  end)

  it("gives the program nothing of what the specs have open", function()
    local path <const> = os.tmpname()
    local held <close> = assert(io.open(path, "wb"))
    local server <close> = testing.server(folder)
    local listing <close> = assert(io.popen(("ls -l /proc/%d/fd"):format(server.process:pid())))
    local opened <const> = listing:read "a"
    os.remove(path)
    assert.matches("memfd:tidegate output", opened, 1, true)
    assert.is_nil(opened:find(path, 1, true))
    assert.equal("file", io.type(held))
  end)

  it("shows what the program wrote when it does not start", function()
    local is_started <const>, problem <const> =
      pcall(testing.server, here .. "/support/apps/broken")
    assert.is_false(is_started)
    assert.matches("the server ended; it wrote:\n", tostring(problem), 1, true)
  end)

  it("refuses what it does not know, at the line of the spec", function()
    for _, wrong in ipairs {
      { { log_format = "text" }, "log_format is the kit's own" },
      { { program = "/nowhere/tidegate" }, "there is no program" },
      { { patience = "long" }, 'option "patience" must be a number' },
    } do
      local _, problem <const> = pcall(testing.server, folder, wrong[1])
      assert.matches(wrong[2], tostring(problem), 1, true)
    end
    local server <close> = testing.server(folder)
    local _, problem <const> = pcall(server.connect, server, "/ws/sum", { user = { id = 1 } })
    assert.matches("a real server finds out who a client is by itself", tostring(problem), 1, true)
  end)

  it("stops the program, whoever lets go of it", function()
    local pids <const> = {}
    do
      local server <close> = testing.server(folder)
      pids[1] = server.process:pid()
    end
    local server <const> = testing.server(folder)
    pids[2] = server.process:pid()
    server:close()
    server:close()
    for _, pid in ipairs(pids) do
      assert.is_false(is_alive(pid))
    end
  end)

  it("lets the program drain, however little patience there is otherwise", function()
    local options <const> = { drain_seconds = 2, patience = 1 }
    local server <const> = testing.server(here .. "/support/apps/endings", options)
    local client <const> = assert(server:connect "/ws/ends")
    client:send { action = "wait" }
    client:receive_nothing(0.1)
    server:close()
  end)

  it("leaves its clients to read what came before it was stopped", function()
    local server <const> = testing.server(folder, { drain_seconds = 1 })
    local client <const> = assert(server:connect "/ws/sum")
    client:send { action = "add", payload = { amount = 2 } }
    eventually(function()
      return client.link:wait(0)
    end)
    server:close()
    assert.equal(2, client:receive().payload.total)
    client:assert_closed(1001)
  end)

  it("says how a program ended that nobody stopped", function()
    local server <const> = testing.server(folder)
    local pid <const> = server.process:pid()
    os.execute(("kill -9 %d"):format(pid))
    eventually(function()
      return not is_alive(pid)
    end)
    local is_fine <const>, problem <const> = pcall(server.close, server)
    assert.is_false(is_fine)
    assert.matches("the server had ended by itself with signal 9", tostring(problem), 1, true)
  end)

  it("takes the program along when the specs' own process is killed", function()
    local script <const> = os.tmpname()
    local file <const> = assert(io.open(script, "wb"))
    file:write(([[
      package.path = %q
      local testing = require "tidegate.testing"
      local server = testing.server(%q)
      io.write(server.process:pid(), "\n")
      io.flush()
      os.execute "kill -9 $PPID"
    ]]):format(package.path, folder))
    file:close()
    local pipe <const> = assert(io.popen(("exec lua5.4 %s 2>/dev/null"):format(script)))
    local pid <const> = pipe:read "n"
    pipe:close()
    os.remove(script)
    assert.is_true(math.type(pid) == "integer")
    assert.is_true(eventually(function()
      return not is_alive(pid)
    end))
  end)
end)
