--- An application of one consumer, /ws, whose answers say which code made them, for specs of reload.

local Reload <const> = {}

--- A function that declares the application. `more(Chat, tide)` adds to its consumer.
---@param version string
---@param more? fun(Chat: table, tide: table)
---@param options? table of tide.consumer
---@return fun(tide: table): table
function Reload.code(version, more, options)
  return function(tide)
    local s <const> = tide.schema
    local Say <const> = tide.message("say", { text = s.string { max = 100 } })
    local Wait <const> = tide.message("wait", { seconds = s.number() })
    local Said <const> = tide.message("said", { text = s.string(), by = s.string() })
    local given <const> = { path = "/ws", name = "chat", sends = { Said } }
    for name, value in pairs(options or {}) do
      given[name] = value
    end
    local Chat <const> = tide.consumer(given)
    local function answer(conn, text)
      conn.state.count = (conn.state.count or 0) + 1
      return Said { text = ("%s %d"):format(text, conn.state.count), by = version }
    end
    Chat:on(Say, { output = Said }, function(conn, message)
      return answer(conn, message.payload.text)
    end)
    Chat:on(Wait, { output = Said }, function(conn, message)
      tide.sleep(message.payload.seconds)
      return answer(conn, "waited")
    end)
    if more then
      more(Chat, tide)
    end
    return Chat
  end
end

--- Says something and returns the answer: "hello 1 by one".
---@param client tidegate.TestClient
---@param text string
---@return string
function Reload.say(client, text)
  local answer <const> = client:call({ action = "say", payload = { text = text } }).payload
  return ("%s by %s"):format(answer.text, answer.by)
end

--- The generations that are alive: "1 retiring: 1, 2 serving: 0", with the connections of each.
---@param app tidegate.TestApp
---@return string
function Reload.alive(app)
  local list <const> = {}
  for index, generation in ipairs(app:generations()) do
    list[index] = ("%d %s: %d"):format(generation.number, generation.state, generation.connections)
  end
  return table.concat(list, ", ")
end

---@param seen tidegate.SeenFrame
---@return string
local function short(seen)
  local payload <const> = seen.frame and seen.frame.payload or {}
  return seen.kind == "close" and ("close %d %s"):format(seen.code, seen.reason)
    or payload.by and ("%s by %s"):format(payload.text, payload.by)
    or payload.code
    or payload.detail
    or seen.kind
end

--- What a client got, in short: "waited 1 by one", the code of errors, "close 1012 reason".
---@param client tidegate.TestClient
---@return string[]
function Reload.told(client)
  local list <const> = {}
  for _, seen in ipairs(client:frames()) do
    list[#list + 1] = seen.kind ~= "ping" and short(seen) or nil
  end
  return list
end

return Reload
