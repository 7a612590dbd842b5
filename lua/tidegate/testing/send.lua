--- What a client sends: tables, messages and strings as text frames.

local fail <const> = require "tidegate.testing.fail"
local inbox <const> = require "tidegate.testing.inbox"
local show <const> = require "tidegate.testing.show"

local Send <const> = {}

--- Writes down what is sent, behind all that has come before it.
---@param client tidegate.TestClient
---@param kind "text" | "binary" | "close"
---@param data? string
---@param code? integer
function Send.note(client, kind, data, code)
  inbox.drain(client)
  client.seen[#client.seen + 1] = {
    at = client.host:now(),
    from = "client",
    kind = kind,
    data = data,
    code = code,
    reason = kind == "close" and data or nil,
  }
end

---@param client tidegate.TestClient
---@param kind "text" | "binary"
---@param data string
function Send.data(client, kind, data)
  if client.is_left then
    fail.misuse("this client has left: client:%s was called before", client.is_left)
  end
  Send.note(client, kind, data)
  client.outstanding = client.outstanding + 1
  client.link:send(kind, data)
end

--- The text of what a spec wants to send.
---@param client tidegate.TestClient
---@param what string "client:send"
---@param message any
---@return string
function Send.text(client, what, message)
  if type(message) == "string" then
    return message
  end
  local is_fine <const>, text <const> = pcall(client.host.text, client.host, message, client)
  if is_fine and text then
    return text
  elseif not is_fine then
    fail.misuse("%s: %s", what, (tostring(text):gsub("^[^\n]-:%d+: ", "")))
  elseif type(message) ~= "table" then
    local got <const> = show.value(message, 60)
    fail.misuse("%s: expected a table, a message or a string, got %s", what, got)
  end
  local is_json <const>, json <const> = pcall(show.json, message)
  if not is_json then
    fail.misuse("%s: %s", what, json)
  end
  return json
end

return Send
