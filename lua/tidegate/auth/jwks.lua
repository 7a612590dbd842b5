--- Keys that another server publishes. One task of the application fetches them, so that no client
--- waits for it but those who come before there are any. While they are fetched anew the old ones
--- count; a failure is tried again later and later; a token with a key that is not known asks at
--- most once in `again_seconds`.

local host <const> = require "tidegate.host"

local Jwks <const> = {}
Jwks.__index = Jwks

--- Between two requests for the keys: the least, and after failures the most.
local again_seconds <const>, most_seconds <const> = 10, 300

---@param url string
---@param make fun(text: string): tidegate.Keys makes keys of the first text; raises what is wrong
---@param refresh_seconds number
---@param timeout number
---@return table
function Jwks.new(url, make, refresh_seconds, timeout)
  local self <const> = setmetatable({
    url = url,
    make = make,
    keys = nil, -- once there are any
    refresh_seconds = refresh_seconds,
    timeout = timeout,
    asked = nil, -- the queue that the task waits at
    is_asked = false, -- and has not answered yet
    waiting = {}, -- a queue of each who waits for the answer
    fetched_at = nil,
    failures = 0,
    not_before = 0,
  }, Jwks)
  host.on_start(function()
    self:run()
  end)
  return self
end

--- Nil, or why there are no new keys.
---@return string?
function Jwks:fetch()
  local http <const> = require "tidegate.http"
  local response <const>, problem <const> =
    http.get(self.url, { timeout = self.timeout, headers = { accept = "application/json" } })
  if not response then
    return problem
  elseif response.status ~= 200 then
    return ("the status is %d"):format(response.status)
  end
  return self:take(response.body)
end

--- Takes new keys. Secrets among them count for nothing: who publishes one has given it away.
---@param text string
---@return string?
function Jwks:take(text)
  local keys = self.keys
  if not keys then
    local is_made <const>, made <const> = pcall(self.make, text)
    if not is_made then
      return tostring(made)
    end
    keys = made
  end
  local is_taken <const>, why <const> = keys:replace(text)
  if is_taken then
    self.keys = keys
  end
  return why
end

--- One fetch, and everybody who waits for it hears of it.
function Jwks:refresh()
  local why <const> = self:fetch()
  local now <const> = host.clock()
  if why then
    self.failures = self.failures + 1
    local pause <const> = math.min(again_seconds * 2 ^ (self.failures - 1), most_seconds)
    self.not_before = now + pause
    host.log("error", "keys not fetched", { url = self.url, error = why, again_in = pause })
  else
    self.failures, self.fetched_at, self.not_before = 0, now, now + again_seconds
  end
  local waiting <const> = self.waiting
  self.waiting, self.is_asked = {}, false
  for _, queue in ipairs(waiting) do
    queue:try_put(true)
  end
end

--- What the task does.
function Jwks:run()
  self.asked = host.queue(1)
  if #self.waiting > 0 then
    self:refresh()
  end
  for _ in self.asked do
    self:refresh()
  end
end

--- Has the keys fetched, unless that is under way. The caller goes on.
function Jwks:ask()
  if self.asked and not self.is_asked then
    self.is_asked = true
    self.asked:try_put(true)
  end
end

--- The same, and waits for it.
function Jwks:wait()
  local queue <const> = host.queue(1)
  self.waiting[#self.waiting + 1] = queue
  self:ask()
  queue:get()
end

---@param token string
---@param options tidegate.VerifyOptions
---@return table<string, any>? claims
---@return string? why
---@return string? detail
function Jwks:verify(token, options)
  local may_ask = host.clock() >= self.not_before
  if not self.keys and may_ask then
    self:wait()
    may_ask = false
  elseif self.keys and may_ask and host.clock() - self.fetched_at >= self.refresh_seconds then
    self:ask()
  end
  if not self.keys then
    error(("there are no keys yet from %s"):format(self.url), 0)
  end
  local claims <const>, why <const>, detail <const> = self.keys:verify(token, options)
  if why ~= "unknown_key" or not may_ask then
    return claims, why, detail
  end
  self:wait()
  return self.keys:verify(token, options)
end

return Jwks
