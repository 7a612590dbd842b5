--- Questions and answers: a message with a `ref`, and the frame that carries the same.

local diff <const> = require "tidegate.testing.diff"
local fail <const> = require "tidegate.testing.fail"
local inbox <const> = require "tidegate.testing.inbox"
local matchers <const> = require "tidegate.testing.matchers"
local receive <const> = require "tidegate.testing.receive"
local send <const> = require "tidegate.testing.send"
local show <const> = require "tidegate.testing.show"

--- The methods of a client.
local Ask <const> = {}

---@param client tidegate.TestClient
---@return string
local function new_ref(client)
  client.next_ref = client.next_ref + 1
  return "k:" .. client.next_ref
end

--- The text with a ref, and the ref: its own, if it has one.
---@param client tidegate.TestClient
---@param text string
---@return string text
---@return any ref
local function with_ref(client, text)
  local is_fine <const>, value <const> = pcall(client.host.decode, client.host, text)
  if not is_fine or type(value) ~= "table" or matchers.is_array(value) then
    fail.misuse("client:call: only a message can be called, got %s", show.text(text, 60))
  end
  local own <const> = inbox.ref(value)
  if own then
    return text, own
  end
  local ref <const> = new_ref(client)
  local head <const> = text:match "^(.*)}%s*$"
  return ('%s%s"ref":%s}'):format(head, next(value) and "," or "", show.json(ref)), ref
end

---@param client tidegate.TestClient
---@param ref any
---@param seconds number
---@return table frame
local function wait_for_ref(client, ref, seconds)
  local index <const> = inbox.find(client, seconds, function(frame)
    return inbox.ref(frame) == ref
  end)
  if not index then
    receive.fail_waiting(client, ("no answer with ref %s"):format(show.value(ref)), seconds)
  end
  local frame <const> = receive.hand_out(client, index)
  if inbox.action(frame) ~= "complete" then
    inbox.forget_complete(client, ref)
  end
  return frame
end

--- Sends a message with a `ref` and returns the frame that answers it. Other frames stay where they
--- are; a `complete` behind the answer is dropped.
---@param message table | string | tidegate.Message
---@param seconds? number
---@return table frame
function Ask:call(message, seconds)
  local most <const> = receive.seconds("client:call", seconds, receive.patience)
  local text <const>, ref <const> = with_ref(self, send.text(self, "client:call", message))
  send.data(self, "text", text)
  return wait_for_ref(self, ref, most)
end

---@param client tidegate.TestClient
---@param action "subscribe" | "unsubscribe"
---@param topic string
---@param ref any
---@return table frame
local function ask_topic(client, action, topic, ref)
  if type(topic) ~= "string" then
    fail.misuse("client:%s: the topic must be a string, got a %s", action, type(topic))
  end
  return client:call { action = action, topic = topic, ref = ref or new_ref(client) }
end

--- Subscribes to a topic and returns the answer: `subscribed`, or an error.
---@param topic string
---@param ref? string
---@return table frame
function Ask:subscribe(topic, ref)
  return ask_topic(self, "subscribe", topic, ref)
end

---@param topic string
---@param ref? string
---@return table frame
function Ask:unsubscribe(topic, ref)
  return ask_topic(self, "unsubscribe", topic, ref)
end

--- Answers a question of the server (`conn:call`): `frame` is what was received.
---@param frame table
---@param payload any
function Ask:answer(frame, payload)
  local ref <const> = inbox.ref(frame)
  if not ref then
    fail.misuse("client:answer: this frame asks nothing, it has no ref: %s", show.value(frame, 80))
  end
  self:send { action = frame.action, payload = payload, ref = ref }
end

--- Wants the frame of authentication next, with a status.
---@param status? integer default 200
---@return table frame
function Ask:assert_authenticated(status)
  local frame <const> = self:receive()
  local expected <const> = { action = "authentication", payload = { status_code = status or 200 } }
  local differences <const> = diff.compare(expected, frame)
  if #differences > 0 then
    local text <const> = "this client is not authenticated as expected\n%s\n  the frame: %s"
    fail.spec(text:format(diff.describe(differences), show.value(frame)))
  end
  return frame
end

return Ask
