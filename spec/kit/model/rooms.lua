--- What spec/support/apps/conversations does, by the model.

local Json <const> = require "spec.kit.model.json"
local Server <const> = require "spec.kit.model.server"

local text <const> = { kind = "string", min = 1, max = 40 }

---@param fields? table[] beside `text`
---@return table
local function words(fields)
  local all <const> = { { "text", text } }
  return { kind = "object", fields = table.move(fields or {}, 1, #(fields or {}), 2, all) }
end

local function said(what)
  return { action = "said", payload = Json.object { { "text", what } } }
end

local function counted(receivers)
  return { action = "counted", payload = Json.object { { "receivers", receivers } } }
end

local function listed(client)
  local names <const> = Json.list(table.move(client.groups, 1, #client.groups, 1, {}))
  return { action = "listed", payload = Json.object { { "groups", names } } }
end

local function heard(what)
  return { action = "heard", payload = Json.object { { "text", what } } }
end

local actions <const> = {
  ping = {
    handler = function()
      return { action = "pong" }
    end,
  },
  tell = {
    schema = words { { "times", { kind = "integer", min = 0, max = 3 }, default = 1 } },
    handler = function(server, client, payload)
      for time = 1, payload.times do
        server:give(client, said(time .. " " .. payload.text))
      end
      return said(payload.text)
    end,
  },
  quiet = { handler = function() end },
  fail = {
    schema = words(),
    handler = function(server, client, payload)
      server:give(client, said(payload.text))
      error(Server.broken)
    end,
  },
  refuse = {
    schema = words(),
    handler = function(server, client, payload)
      server:give(client, said(payload.text))
      error { code = "not_today", detail = payload.text }
    end,
  },
  shout = {
    schema = words { { "without_me", { kind = "boolean" }, default = false } },
    handler = function(server, client, payload)
      local without <const> = payload.without_me and client or nil
      return counted(server:broadcast(client, client.groups, heard(payload.text), without))
    end,
  },
  join = {
    schema = { kind = "object", fields = { { "room", text } } },
    handler = function(server, client, payload)
      server:join(client, "room " .. payload.room)
      return listed(client)
    end,
  },
  leave = {
    schema = { kind = "object", fields = { { "room", text } } },
    handler = function(server, client, payload)
      server:leave_group(client, "room " .. payload.room)
      return listed(client)
    end,
  },
  notify = {
    schema = words { { "event", { kind = "enum", values = { "noted", "broke", "news" } } } },
    handler = function(server, client, payload)
      local event <const> = Json.object { { "text", payload.text } }
      return counted(server:broadcast_event("room " .. client.params.room, payload.event, event))
    end,
  },
  bye = {
    schema = {
      kind = "object",
      fields = { { "code", { kind = "integer", min = 4000, max = 4099 } } },
    },
    handler = function(server, client, payload)
      server:give(client, said "bye")
      server:close(client, payload.code, "as asked")
    end,
  },
}

local events <const> = {
  noted = function(server, client, payload)
    server:give(client, said "noted")
    return said(payload:get "text")
  end,
  broke = function(server, client, payload)
    server:give(client, said(payload:get "text"))
    error(Server.broken)
  end,
  news = "relay",
}

local function greet(server, client)
  server:give(client, said("in " .. table.concat(client.groups, ", ")))
end

---@param name string
---@param options? table
---@return table
local function room(name, options)
  local consumer <const> = {
    path = "^/ws/" .. name .. "/([^/]+)$",
    params = { "room" },
    actions = actions,
    events = events,
    groups = function(client)
      return { "room " .. client.params.room }
    end,
    connected = greet,
    left = function(server, client, code)
      server:broadcast(client, client.groups, heard("left with " .. code))
    end,
  }
  for key, value in pairs(options or {}) do
    consumer[key] = value
  end
  return consumer
end

local verdicts <const> = {
  unauthorized = { status = 401, detail = "No unauthorized" },
  forbidden = { status = 403, detail = "No forbidden" },
  missing = { status = 404, detail = "No missing" },
  late = { status = 408 },
  broken = { status = 500 },
}

return {
  consumers = {
    room "talk",
    room("done", { sends_completion = true }),
    room("door", {
      authenticate = function(query)
        local as <const> = query:match "^as=(.+)$"
        return not as and { status = 401 } or verdicts[as] or { user = as }
      end,
    }),
    room("trap", {
      is_broken = true,
      connected = function(server, client)
        greet(server, client)
        error(Server.broken)
      end,
    }),
  },
}
