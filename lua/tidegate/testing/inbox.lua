--- What has come for a client and was not looked at yet. All waiting of a client is done here: on a
--- fake clock it moves no further than to what comes, on a real wire it takes real time.

local matchers <const> = require "tidegate.testing.matchers"

local Inbox <const> = {}

--- Reads a text frame: what its JSON says, of a text consumer { text = }.
---@param client tidegate.TestClient
---@param item tidegate.SeenFrame
---@return any
local function read(client, item)
  if item.kind == "binary" then
    return { binary = item.data }
  elseif client.is_text then
    return { text = item.data }
  end
  local is_fine <const>, value <const> = pcall(client.host.decode, client.host, item.data)
  if not is_fine or value == nil then
    return { text = item.data }
  end
  return value
end

---@param frame any
---@return any # the ref of a frame
function Inbox.ref(frame)
  local ref <const> = type(frame) == "table" and frame.ref
  return ref ~= matchers.null and ref or nil
end

---@param frame any
---@return any # the action of a frame
function Inbox.action(frame)
  return type(frame) == "table" and frame.action or nil
end

--- Whether a `complete` belongs to a call that has had its answer.
---@param client tidegate.TestClient
---@param frame any
---@return boolean
local function is_end_of_call(client, frame)
  local ref <const> = Inbox.ref(frame)
  return Inbox.action(frame) == "complete" and ref ~= nil and client.calls[ref] == true
end

---@param client tidegate.TestClient
---@param item tidegate.SeenFrame
local function keep(client, item)
  item.from, item.at = "server", item.at or client.host:now()
  client.seen[#client.seen + 1] = item
  if item.kind == "close" or item.kind == "end" then
    client.ending = client.ending or item
  elseif item.kind == "text" or item.kind == "binary" then
    item.frame = read(client, item)
    if is_end_of_call(client, item.frame) then
      client.outstanding = client.outstanding - 1
    else
      client.unread[#client.unread + 1] = item
    end
  end
end

--- Takes all that has come.
---@param client tidegate.TestClient
---@return boolean # whether there was anything
local function drain(client)
  local item = client.link:take()
  local has_come <const> = item ~= nil
  while item do
    keep(client, item)
    item = client.link:take()
  end
  return has_come
end

Inbox.drain = drain

--- Waits until more has come, or until the deadline.
---@param client tidegate.TestClient
---@param deadline number
---@return boolean
local function wait(client, deadline)
  local left <const> = math.max(0, deadline - client.host:now())
  return client.link:wait(left) and drain(client)
end

--- Finds the first unread frame that `is_wanted`, and waits for it at most `seconds`.
---@param client tidegate.TestClient
---@param seconds number
---@param is_wanted? fun(frame: any): boolean nil: any frame
---@return integer? # its place among the unread
function Inbox.find(client, seconds, is_wanted)
  local deadline <const> = client.host:now() + seconds
  local index = 1
  drain(client)
  while true do
    local item <const> = client.unread[index]
    if item then
      if not is_wanted or is_wanted(item.frame) then
        return index
      end
      index = index + 1
    elseif client.ending or not wait(client, deadline) then
      return nil
    end
  end
end

--- Takes one of the unread.
---@param client tidegate.TestClient
---@param index integer
---@return tidegate.SeenFrame
function Inbox.take(client, index)
  local item <const> = table.remove(client.unread, index)
  if Inbox.action(item.frame) == "complete" then
    client.outstanding = client.outstanding - 1
  end
  return item
end

--- The `complete` of a call that has had its answer is of no interest to anybody.
---@param client tidegate.TestClient
---@param ref any
function Inbox.forget_complete(client, ref)
  client.calls[ref] = true
  for index = #client.unread, 1, -1 do
    if is_end_of_call(client, client.unread[index].frame) then
      Inbox.take(client, index)
    end
  end
end

--- Waits for the end of the connection, passing over what comes before it.
---@param client tidegate.TestClient
---@param seconds number
---@return tidegate.SeenFrame? # the close frame, or the end without one
function Inbox.ending(client, seconds)
  local deadline <const> = client.host:now() + seconds
  drain(client)
  while not client.ending and wait(client, deadline) do
  end
  return client.ending
end

return Inbox
