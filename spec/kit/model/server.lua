--- A gateway as wire-protocol.md describes it, in plain Lua and without time: what each client of an
--- application gets, frame by frame, as text. The applications stand beside it.

local Groups <const> = require "spec.kit.model.groups"
local Json <const> = require "spec.kit.model.json"
local Schema <const> = require "spec.kit.model.schema"

--- Rows of the order table; the model counts how often each was played.
local rows <const> = {
  open = "connect, no authenticator",
  accepted = "connect, accepted",
  refused_before = "connect, refused before the upgrade",
  refused_after = "connect, refused after it",
  too_long = "authentication took too long",
  authenticator_raised = "an authenticator raised",
  connected_raised = "`connected` raised",
  handled = "message handled",
  invalid = "message invalid",
  raised = "handler raised",
  group = "group message",
  event = "event handled, or its handler raised",
  leaves = "client leaves, in whatever way",
}

---@class model.Client
---@field name string
---@field expected string[] the frames that it gets
---@field is_open boolean
---@field consumer table
---@field params table<string, string>
---@field user string?
---@field groups string[] in the order in which they were joined
---@field subscriptions table[] of topics, in their order

---@class model.Server
---@field application table its consumers
---@field settings table<string, any>
---@field groups table<string, model.Client[]>
---@field counts { rows: table<string, integer>, errors: table<string, integer> }
---@field events fun()[] that wait until the message of their sender is done
local Server <const> = { rows = rows }
Server.__index = Server

for name, method in pairs(Groups) do
  Server[name] = method
end

--- How a handler ends that does not return: `error(Server.broken)`, `error { code =, detail = }`.
Server.broken = setmetatable({}, { __name = "broken" })

---@param application table
---@param settings table<string, any>
---@param counts table
---@return model.Server
function Server.new(application, settings, counts)
  return setmetatable({
    application = application,
    settings = settings,
    groups = {},
    counts = counts,
    events = {},
    data = {},
  }, Server)
end

function Server:played(row)
  local counts <const> = self.counts.rows
  counts[rows[row]] = (counts[rows[row]] or 0) + 1
end

-- ---- frames ----

---@param client model.Client
---@param frame table action, payload, topic, ref, is_mine, is_current
function Server:give(client, frame)
  if not client.is_open then
    return
  end
  local object <const> = Json.object {}
  for _, key in ipairs { "action", "payload", "topic", "ref", "is_mine", "is_current" } do
    object:add(key, frame[key])
  end
  client.expected[#client.expected + 1] = "text " .. Json.write(object)
end

---@param payload table
---@param message? table whose answer it is
function Server:refuse(client, payload, message)
  local topic <const>, ref <const> = message and message.topic, message and message.ref
  self:give(client, { action = "error", payload = payload, topic = topic, ref = ref })
end

---@param issues model.Issue[]
function Server:refuse_all(client, issues, message)
  self:played "invalid"
  local list <const>, most <const> = Json.list {}, self.settings.max_errors
  local left <const> = #issues - most
  for index = 1, math.min(#issues, most) do
    list[index] = issues[index]
  end
  if left > 0 then
    local msg <const> = ("%d more error%s"):format(left, left == 1 and "" or "s")
    list[most + 1] = { type = "too_many_errors", loc = {}, msg = msg }
  end
  local counts <const> = self.counts.errors
  for index, issue in ipairs(list) do
    counts[issue.type] = (counts[issue.type] or 0) + 1
    list[index] =
      Json.object { { "type", issue.type }, { "loc", Json.list(issue.loc) }, { "msg", issue.msg } }
  end
  self:refuse(client, list, message)
end

--- What a failed handler, or one that refuses, tells its client.
function Server:refuse_failure(client, problem, message)
  if problem == Server.broken then
    local text <const> = "Failed to process message"
    self:refuse(client, Json.object { { "detail", text } }, message)
  else
    local object <const> = Json.object {}
    self:refuse(
      client,
      object:add("code", problem.code):add("reason", problem.reason):add("detail", problem.detail),
      message
    )
  end
end

--- Runs a function of the application. Other errors than its own are bugs of the model.
---@return boolean is_fine
---@return any
local function run(fn, ...)
  local is_fine <const>, result <const> = pcall(fn, ...)
  if not is_fine and type(result) ~= "table" then
    error(result, 0)
  end
  return is_fine, result
end
Server.run = run

---@param client model.Client
---@param action "complete" | "group_complete" | "event_complete"
---@param ref? string | integer
function Server:complete(client, action, ref)
  if client.consumer.sends_completion then
    self:give(client, { action = action, ref = ref })
  end
end

-- ---- a connection ----

---@param path string without the query
---@return table? consumer
---@return table<string, string> params
local function route(application, path)
  for _, consumer in ipairs(application.consumers) do
    local captures <const> = { path:match(consumer.path) }
    if captures[1] then
      local params <const> = {}
      for index, name in ipairs(consumer.params or {}) do
        params[name] = captures[index]
      end
      return consumer, params
    end
  end
  return nil, {}
end

local doors <const> = {
  [401] = { "Unauthorized", 4401, "Unauthorized" },
  [403] = { "Forbidden", 4403, "Forbidden" },
  [404] = { "Not Found", 4404, "Not Found" },
  [408] = { "Unauthorized", 4408, "authentication took too long", 401 },
  [500] = { "Internal Server Error", 1011, "the consumer could not start", 500 },
}

function Server:close(client, code, reason)
  client.expected[#client.expected + 1] = ("close %d %s"):format(code, reason)
  self:leave(client, code)
end

--- Asks the consumer's authenticator. False: the client was refused.
function Server:let_in(client, query)
  local verdict <const> = client.consumer.authenticate(query)
  local status <const> = verdict.status or 200
  local words <const> = doors[status]
  local answer <const> = Json.object {
    { "status_code", words and words[4] or status },
    { "status_text", words and words[1] or "OK" },
  }
  if verdict.detail then
    answer:add("data", Json.object { { "detail", verdict.detail } })
  end
  self:give(client, { action = "authentication", payload = answer })
  local row <const> = { [200] = "accepted", [408] = "too_long", [500] = "authenticator_raised" }
  self:played(row[status] or "refused_after")
  if status == 200 then
    client.user = verdict.user
    return true
  end
  client.is_stranger = true
  self:close(client, words[2], words[3])
  return false
end

--- Nil and the refusal when nothing is served on this path.
---@param name string
---@param target string
---@return model.Client?
---@return { status: integer, body: string }?
function Server:connect(name, target)
  local path <const>, query <const> = target:match "^([^?]*)%??(.*)$"
  local consumer <const>, params <const> = route(self.application, path)
  if not consumer then
    self:played "refused_before"
    return nil, { status = 404, body = '{"detail":"Not found"}' }
  end
  local client <const> = {
    name = name,
    expected = {},
    is_open = true,
    consumer = consumer,
    params = params,
    groups = {},
    subscriptions = {},
  }
  if consumer.authenticate and not self:let_in(client, query) then
    return client
  elseif not consumer.authenticate and not consumer.is_broken then
    self:played "open"
  end
  for _, group in ipairs(consumer.groups and consumer.groups(client) or {}) do
    self:join(client, group)
  end
  local is_fine <const>, problem <const> = run(consumer.connected or function() end, self, client)
  if not is_fine then
    self:played "connected_raised"
    self:refuse_failure(client, problem)
    self:close(client, 1011, "the consumer could not start")
  end
  return client
end

--- A connection ends: by a close frame of the client's, or one of the server's.
---@param client model.Client
---@param code integer what `disconnected` sees
function Server:leave(client, code)
  if not client.is_open then
    return
  end
  self:played "leaves"
  client.is_open = false
  self:leave_all_groups(client)
  if client.consumer.left and not client.is_stranger then
    client.consumer.left(self, client, code)
  end
end

-- ---- messages ----

local ref_kinds <const> = { string = true, integer = true }

---@param object table
---@return string | integer | nil ref
---@return model.Issue?
local function read_ref(object)
  local ref <const> = object:get "ref"
  local kind <const> = Json.kind(ref)
  if ref == nil or ref == Json.null then
    return nil
  elseif not ref_kinds[kind] or kind == "string" and #ref > 128 then
    local msg <const> = "Input should be a valid string" .. Schema.shown_got(ref)
    return nil, { type = "string_type", loc = { "ref" }, msg = msg }
  end
  return ref
end

---@param actions table
---@param action any
---@return model.Issue?
local function check_action(actions, action)
  if action == nil then
    local msg <const> = "Unable to extract tag using discriminator 'action'"
    return { type = "union_tag_not_found", loc = { "action" }, msg = msg }
  elseif not actions[action] then
    local msg <const> =
      "Input tag '%s' found using 'action' does not match any of the expected tags"
    return { type = "union_tag_invalid", loc = { "action" }, msg = msg:format(action) }
  end
end

--- Runs the handler of a message that has come as an object.
---@param client model.Client
---@param actions table
---@param object table
---@param message table ref and topic, for what answers it
---@param sub? table the subscription, for a message of a topic
function Server:handle(client, actions, object, message, sub)
  local problem <const> = check_action(actions, object:get "action")
  if problem then
    return self:refuse_all(client, { problem }, message)
  end
  local action <const> = actions[object:get "action"]
  local payload = object:get "payload"
  payload = payload ~= Json.null and payload or nil
  local issues, seen = {}, nil
  if action.schema and payload == nil then
    issues[1] = { type = "missing", loc = { "payload" }, msg = "Field required" }
  elseif payload ~= nil then
    issues, seen = Schema.check(action.schema or { kind = "null" }, payload)
  end
  if #issues > 0 then
    return self:refuse_all(client, issues, message)
  end
  local is_fine <const>, reply <const> = run(action.handler, self, client, seen, sub)
  self:played(is_fine and "handled" or "raised")
  if not is_fine then
    self:refuse_failure(client, reply, message)
  elseif reply then
    reply.ref, reply.topic = message.ref, message.topic
    self:give(client, reply)
  end
end

--- A message that is an object. Its ref, when that is one.
---@return string | integer | nil
function Server:read(client, object)
  local ref <const>, problem <const> = read_ref(object)
  local topic = object:get "topic"
  topic = topic ~= Json.null and topic or nil
  local topics <const> = client.consumer.topics
  if problem then
    self:refuse_all(client, { problem })
  elseif topics and topics(self, client, object, { ref = ref, topic = topic }) then
    return ref
  else
    self:handle(client, client.consumer.actions, object, { ref = ref })
  end
  return ref
end

--- What a client sends: { object = }, { value = } that is none, { text =, problem = } that is no
--- JSON, { binary = }.
---@param client model.Client
---@param message table
function Server:receive(client, message)
  local consumer <const> = client.consumer
  local ref
  if consumer.is_text then
    self:played "handled"
    consumer.receive(client, message.binary or message.text, message.binary ~= nil)
  elseif message.binary then
    local text <const> = "Binary frames are not accepted"
    self:refuse(client, Json.object { { "detail", text } })
  elseif message.problem then
    self:refuse_all(client, { { type = "json_invalid", loc = {}, msg = message.problem } })
  elseif message.object then
    ref = self:read(client, message.object)
  else
    local msg <const> = "Input should be a valid object"
    self:refuse_all(client, { { type = "model_type", loc = {}, msg = msg } })
  end
  self:complete(client, "complete", ref)
  while self.events[1] do
    table.remove(self.events, 1)()
  end
end

return Server
