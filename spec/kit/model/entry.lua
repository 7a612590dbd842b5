--- Clients who talk before they are let in, made up from a seed, and what has to come of it: a model of
--- the entrance that knows nothing of the gateway. Stages end at whole seconds, messages are sent at half
--- ones, clients leave at three quarters, the group is told something at one quarter; so nothing happens at
--- the same time as something that decides about it.

local Random <const> = require "spec.kit.model.random"

local Entry <const> = {}

--- Seconds for who it is, the object and the permissions.
Entry.timeout = 12.1

--- How long the whole of it takes at most.
Entry.length = 40

---@class model.Visitor
---@field begins integer when it connects
---@field is_first boolean it shows its token in the first message
---@field opening "token" | "wrong" | "talk" what such a one says first
---@field seconds { authenticate: integer, object: integer, permissions: integer, connected: integer }
---@field refused_by? "authenticate" | "object" | "permissions"
---@field raises boolean it is no refusal, but an error
---@field says { at: number, seconds: integer }[] its messages, and how long their handler takes
---@field leaves? number
---@field is_rude boolean it leaves without a word

---@param random model.Random
---@param stays boolean it does not leave; who has a full inbox could not be seen to
---@return model.Visitor
local function visitor(random, stays)
  local begins <const> = random:below(6)
  local says <const> = {}
  local at = begins
  for index = 1, random:below(9) do
    at = at + random:below(4)
    says[index] = { at = at + 0.5, seconds = random:chance(40) and random:below(4) or 0 }
  end
  local leaves <const> = random:chance(30) and not stays and begins + random:below(14) + 0.75 or nil
  while leaves and says[1] and says[#says].at > leaves do
    says[#says] = nil
  end
  local stages <const> = { "authenticate", "object", "permissions" }
  return {
    begins = begins,
    is_first = random:chance(35),
    opening = random:one { "token", "token", "token", "token", "wrong", "talk" },
    seconds = {
      authenticate = random:below(5),
      object = random:chance(30) and random:below(5) or 0,
      permissions = random:chance(30) and random:below(5) or 0,
      connected = random:chance(30) and random:below(4) or 0,
    },
    refused_by = random:chance(35) and random:one(stages) or nil,
    raises = random:chance(30),
    says = says,
    leaves = leaves,
    is_rude = random:chance(50),
  }
end

--- When the authenticator has something to look at; nil: never.
---@param who model.Visitor
---@return number?
local function shown_at(who)
  if not who.is_first then
    return who.begins
  end
  return who.says[1] and who.says[1].at
end

---@class model.Entrance
---@field status? integer of the first frame; nil: none comes
---@field close? integer
---@field at number when that is
---@field ready? number when its messages begin to be handled

--- How the entrance ends for somebody who waits for it.
---@param who model.Visitor
---@return model.Entrance
local function entrance(who)
  local late <const> = { status = 401, close = 4408, at = who.begins + Entry.timeout }
  local at = shown_at(who)
  if not at or at > late.at then
    return late
  elseif who.is_first and who.opening == "talk" then
    return { status = 401, close = 4401, at = at }
  end
  local close <const> = { authenticate = 4401, object = 4404, permissions = 4403 }
  for _, stage in ipairs { "authenticate", "object", "permissions" } do
    at = at + who.seconds[stage]
    local is_wrong <const> = stage == "authenticate" and who.is_first and who.opening == "wrong"
    if at > late.at then
      return late
    elseif is_wrong or who.refused_by == stage then
      if who.raises and who.refused_by == stage then
        return { status = 500, close = 1011, at = at }
      end
      return { status = close[stage] - 4000, close = close[stage], at = at }
    end
  end
  return { status = 200, at = at, ready = at + who.seconds.connected }
end

---@class model.Visit
---@field who model.Visitor
---@field entrance model.Entrance
---@field handled integer[] numbers of messages, in their order

--- What comes of one.
---@param who model.Visitor
---@return model.Visit
local function visit(who)
  local ended <const> = entrance(who)
  local handled <const> = {}
  local is_in <const> = ended.ready and not (who.leaves and who.leaves < ended.ready)
  local free = ended.ready or 0
  for number, message in ipairs(is_in and who.says or {}) do
    local is_token <const> = number == 1 and who.is_first
    local begins <const> = math.max(free, message.at)
    if who.leaves and begins > who.leaves then
      break
    elseif not is_token then
      handled[#handled + 1] = number
      free = begins + message.seconds
    end
  end
  return { who = who, entrance = ended, handled = handled }
end

--- Some who come together.
---@param seed integer
---@param all_stay? boolean nobody leaves
---@return model.Visit[] visits
---@return number[] announcements when the group is told something
---@return integer inbox_messages so many wait for each
function Entry.generate(seed, all_stay)
  local random <const> = Random.new(seed)
  local visits <const>, announcements <const> = {}, {}
  local inbox_messages <const> = random:chance(50) and 64 or random:between(1, 4)
  for index = 1, random:between(1, 8) do
    visits[index] = visit(visitor(random, all_stay or inbox_messages < 64))
  end
  for index = 1, 3 do
    announcements[index] = random:below(Entry.length - 10) + 0.25
  end
  table.sort(announcements)
  return visits, announcements, inbox_messages
end

--- Whether it is in the group then.
---@param what model.Visit
---@param at number
---@return boolean
function Entry.is_inside(what, at)
  local ended <const>, who <const> = what.entrance, what.who
  local is_in <const> = ended.status == 200 and at > ended.at
  return is_in and not (who.leaves and at > who.leaves)
end

return Entry
