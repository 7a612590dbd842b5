--- Who is in which group of the model's gateway, and what is sent to groups.

---@class model.Server
local Groups <const> = {}

---@param client model.Client
---@param name string
function Groups:join(client, name)
  local members <const> = self.groups[name] or {}
  self.groups[name] = members
  for _, member in ipairs(members) do
    if member == client then
      return
    end
  end
  members[#members + 1] = client
  client.groups[#client.groups + 1] = name
end

local function remove(list, item)
  for index, one in ipairs(list) do
    if one == item then
      table.remove(list, index)
      return true
    end
  end
  return false
end

---@param client model.Client
---@param name string
function Groups:leave_group(client, name)
  remove(self.groups[name] or {}, client)
  remove(client.groups, name)
end

--- The client's own list stays, for its farewell.
---@param client model.Client
function Groups:leave_all_groups(client)
  for _, members in pairs(self.groups) do
    remove(members, client)
  end
end

--- To the members of some groups, each once.
---@param sender model.Client
---@param names string[]
---@param frame table
---@param without? model.Client
---@return integer receivers
function Groups:broadcast(sender, names, frame, without)
  local has, receivers = {}, 0
  for _, name in ipairs(names) do
    for _, member in ipairs(self.groups[name] or {}) do
      if member.is_open and member ~= without and not has[member] then
        has[member] = true
        receivers = receivers + 1
        self:played "group"
        self:give(member, {
          action = frame.action,
          payload = frame.payload,
          topic = frame.topic,
          is_mine = sender.user ~= nil and member.user == sender.user,
          is_current = member == sender,
        })
        self:complete(member, "group_complete")
      end
    end
  end
  return receivers
end

--- An event for the members of a group: it is handled when the handler that sends it has ended, and
--- relayed at once.
---@param name string
---@param event string
---@param payload table
---@return integer receivers
function Groups:broadcast_event(name, event, payload)
  local receivers = 0
  for _, member in ipairs(self.groups[name] or {}) do
    local handler <const> = member.consumer.events[event]
    receivers = receivers + 1
    if handler == "relay" then
      self:played "event"
      self:give(member, { action = event, payload = payload })
      self:complete(member, "event_complete")
    else
      self.events[#self.events + 1] = function()
        self:played "event"
        local is_fine <const>, reply <const> = self.run(handler, self, member, payload)
        if is_fine and reply then
          self:give(member, reply)
        end
        self:complete(member, "event_complete")
      end
    end
  end
  return receivers
end

return Groups
