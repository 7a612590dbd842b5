--- What examples/topics_hub does, by the model.

local Json <const> = require "spec.kit.model.json"

local LONGEST_NAME <const> = 200

local message <const> = { kind = "string", min = 1, max = 2000 }
local text <const> = { kind = "object", fields = { { "message", message } } }

-- ---- two topics ----

local room <const> = {
  actions = {
    echo = {
      schema = text,
      handler = function(_, _, payload)
        return { action = "echo", payload = Json.object { { "message", payload.message } } }
      end,
    },
    post = {
      schema = text,
      handler = function(server, client, payload, sub)
        server:broadcast(client, { sub.topic }, {
          action = "posted",
          payload = Json.object {
            { "message", payload.message },
            { "room_name", sub.param },
          },
          topic = sub.topic,
        })
      end,
    },
  },
  allows = function(name)
    return name ~= "private"
  end,
}

--- Tells the subscribers of a topic how many they are.
local function tell_presence(server, sub)
  local members <const> = server.groups[sub.topic] or {}
  local payload <const> = Json.object { { "connections", #members }, { "user", sub.param } }
  for _, member in ipairs(members) do
    server:give(member, { action = "present", payload = payload, topic = sub.topic })
  end
end

local presence <const> = {
  actions = {},
  allows = function()
    return true
  end,
  subscribed = tell_presence,
  unsubscribed = tell_presence,
}

--- Which topic a name belongs to.
---@return table? topic
---@return string? param
local function find(hosted, name)
  for pattern, topic in pairs(hosted) do
    local param <const> = name:match("^" .. pattern .. ":([^:]+)$")
    if param then
      return topic, param
    end
  end
end

-- ---- subscriptions ----

local function refuse(server, client, reason, detail, about)
  server:played "invalid"
  local payload <const> = Json.object { { "reason", reason }, { "detail", detail } }
  server:refuse(client, payload, about)
end

local function subscription(client, name)
  for index, sub in ipairs(client.subscriptions) do
    if sub.topic == name then
      return sub, index
    end
  end
end

local function subscribe(server, client, topic, param, about)
  if subscription(client, about.topic) then
    server:give(client, { action = "subscribed", topic = about.topic, ref = about.ref })
    return
  elseif not topic.allows(param) then
    local detail <const> = ("Not allowed to subscribe to '%s'"):format(about.topic)
    return refuse(server, client, "unauthorized", detail, about)
  end
  local sub <const> = { topic = about.topic, param = param, of = topic }
  table.insert(client.subscriptions, sub)
  local members <const> = server.groups[about.topic] or {}
  server.groups[about.topic] = members
  members[#members + 1] = client
  server:give(client, { action = "subscribed", topic = about.topic, ref = about.ref })
  if topic.subscribed then
    topic.subscribed(server, sub)
  end
end

--- Takes a client out; what its topic says of that goes to the others.
local function finish(server, client, sub)
  local members <const> = server.groups[sub.topic]
  for index, member in ipairs(members) do
    if member == client then
      table.remove(members, index)
      break
    end
  end
  if sub.of.unsubscribed then
    sub.of.unsubscribed(server, sub)
  end
end

local function unsubscribe(server, client, about)
  local sub <const>, index <const> = subscription(client, about.topic)
  if sub then
    table.remove(client.subscriptions, index)
    finish(server, client, sub)
  end
  server:give(client, { action = "unsubscribed", topic = about.topic, ref = about.ref })
end

--- Frames with a topic; true when the frame was one.
---@param hosted table<string, table>
local function frames_of(hosted)
  return function(server, client, object, about)
    local action <const> = object:get "action"
    about.topic = about.topic or client.own_topic
    if not about.topic or action == nil then
      return false
    end
    local topic <const>, param <const> = find(hosted, about.topic)
    if #about.topic > LONGEST_NAME then
      about.topic = nil
      local detail <const> = "The name of a topic has at most 200 bytes"
      refuse(server, client, "unknown_topic", detail, about)
    elseif not topic then
      refuse(server, client, "unknown_topic", ("Unknown topic '%s'"):format(about.topic), about)
    elseif action == "subscribe" then
      subscribe(server, client, topic, param, about)
    elseif action == "unsubscribe" then
      unsubscribe(server, client, about)
    elseif not subscription(client, about.topic) then
      local detail <const> = ("Not subscribed to '%s'"):format(about.topic)
      refuse(server, client, "not_subscribed", detail, about)
    else
      local sub <const> = subscription(client, about.topic)
      server:handle(client, topic.actions, object, about, sub)
    end
    return true
  end
end

local function left(server, client)
  for _, sub in ipairs(client.subscriptions) do
    finish(server, client, sub)
  end
end

local announce <const> = {
  kind = "object",
  fields = { { "message", { kind = "string" } }, { "room_name", { kind = "string" } } },
}

local hub <const> = {
  path = "^(/ws/topics)$",
  topics = frames_of { room = room, presence = presence },
  left = left,
  actions = {
    ping = {
      handler = function()
        return { action = "pong" }
      end,
    },
    announce = {
      schema = announce,
      handler = function(server, _, payload)
        local name <const> = "room:" .. payload.room_name
        for _, member in ipairs(server.groups[name] or {}) do
          server:played "event"
          server:give(member, {
            action = "room_event",
            payload = Json.object { { "message", payload.message } },
            topic = name,
          })
        end
      end,
    },
  },
}

local alone <const> = {
  path = "^/ws/topics/room/([^/]+)$",
  params = { "room_name" },
  topics = frames_of { room = room },
  left = left,
  actions = {},
  connected = function(server, client)
    client.own_topic = "room:" .. client.params.room_name
    subscribe(server, client, room, client.params.room_name, { topic = client.own_topic })
  end,
}

return { consumers = { hub, alone } }
