--- Plays a conversation over testing.app or testing.server: both give clients with the same methods.

local Play <const> = {}

local PATIENCE <const> = 10

--- All that has come for a client, as the model writes it.
---@param client tidegate.TestClient
---@return string[]
local function frames_of(client)
  local list <const> = {}
  for _, frame in ipairs(client:frames()) do
    if frame.kind == "text" or frame.kind == "binary" then
      list[#list + 1] = frame.kind .. " " .. frame.data
    elseif frame.kind == "close" then
      list[#list + 1] = ("close %s %s"):format(frame.code, frame.reason or "")
    end
  end
  return list
end

---@class model.Seat
---@field client tidegate.TestClient
---@field expected string[]
---@field count integer frames that were received
---@field frames string[]? all of them, when it has left

--- Receives until so many have come.
---@param seat? model.Seat nil: its client was refused
---@param count? integer
local function wait_for(seat, count)
  while seat and not seat.frames and seat.count < count do
    if seat.expected[seat.count + 1]:find "^close " then
      seat.client:assert_closed(nil, nil, PATIENCE)
    else
      seat.client:receive(PATIENCE)
    end
    seat.count = seat.count + 1
  end
end

local deeds <const> = {}

function deeds.connect(host, seats, step, conversation)
  local client <const>, refusal <const> = host:connect(step.target)
  if client then
    local expected <const> = conversation.expected[step.client] or {}
    seats[step.client] = { client = client, count = 0, expected = expected }
  end
  return refusal
end

function deeds.send(_, seats, step)
  local client <const> = seats[step.client].client
  if step.kind == "binary" then
    client:send_binary(step.data)
  else
    client:send(step.data)
  end
end

function deeds.leave(_, seats, step)
  local seat <const> = seats[step.client]
  seat.frames = frames_of(seat.client)
  if step.code then
    seat.client:close(step.code)
  else
    seat.client:drop()
  end
end

--- What each client got, and who was refused.
---@param host tidegate.TestApp | tidegate.TestServer
---@param conversation model.Conversation
---@param between? fun(host: table, index: integer) called before each step
---@return table<string, string[]> frames
---@return table<string, table> refusals
function Play.run(host, conversation, between)
  local seats <const>, refusals <const>, frames <const> = {}, {}, {}
  for index, step in ipairs(conversation.steps) do
    if between then
      between(host, index)
    end
    local refusal <const> = deeds[step.what](host, seats, step, conversation)
    if refusal then
      refusals[step.client] = { status = refusal.status, body = refusal.body }
    end
    -- First the one who acts: a server that closes goes on when its client has answered.
    wait_for(seats[step.client], step.counts[step.client])
    for name, seat in pairs(seats) do
      wait_for(seat, step.counts[name])
    end
  end
  for name, seat in pairs(seats) do
    frames[name] = seat.frames or frames_of(seat.client)
  end
  return frames, refusals
end

return Play
