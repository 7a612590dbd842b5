--- A conversation under way: each step is taken by the model, which notes what each client gets.

local Json <const> = require "spec.kit.model.json"

local object <const> = Json.object

---@class model.Conversation
---@field number integer
---@field application string
---@field steps table[] what is done, and how many frames each client has had behind it
---@field expected table<string, string[]> by client
---@field refusals table<string, table>

---@class model.Stage: model.Conversation
---@field server model.Server
---@field random model.Random
---@field clients table<string, model.Client>
---@field names string[] of clients that are open
local Stage <const> = {}
Stage.__index = Stage

--- One step: the model takes it, and counts what has come for each.
---@param step table
function Stage:step(step)
  step.counts = {}
  for name, client in pairs(self.clients) do
    step.counts[name] = #client.expected
  end
  self.steps[#self.steps + 1] = step
end

---@param name string
---@param target string
function Stage:connect(name, target)
  local client <const>, refusal <const> = self.server:connect(name, target)
  self.clients[name], self.refusals[name] = client, refusal
  if client then
    self.expected[name] = client.expected
  end
  self:step { what = "connect", client = name, target = target }
end

---@param message table
---@return string kind
---@return string data
local function encoded(given)
  if given.binary then
    return "binary", given.binary
  end
  return "text", given.text or Json.write(given.object or given.value)
end

---@param name string
---@param given table
function Stage:send(name, given)
  local client <const> = self.clients[name]
  if client and client.is_open then
    self.server:receive(client, given)
    local kind <const>, data <const> = encoded(given)
    self:step { what = "send", client = name, kind = kind, data = data }
  end
end

--- Sends something that is answered, so that what was done before has been done.
---@param name string
function Stage:fence(name)
  local client <const> = self.clients[name]
  if client and client.is_open then
    self:send(name, client.consumer.is_text and { text = "fence" } or {
      object = object { { "action", "fence" }, { "ref", "fence" } },
    })
  end
end

---@param name string
function Stage:leave(name)
  local client <const> = self.clients[name]
  if client and client.is_open then
    local code <const> = self.random:one { 1000, 1001, 4001, false }
    self.server:leave(client, code or 1006)
    self:step { what = "leave", client = name, code = code }
  end
end

---@param names string[]
function Stage:finish(names)
  for _, name in ipairs(names) do
    self:fence(name)
  end
  for _, name in ipairs(names) do
    self:leave(name)
  end
end

return Stage
