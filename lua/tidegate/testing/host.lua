--- What a client asks of whoever it talks to, an application or a server: how its frames are read
--- and written. Both have the application of the kit's module as `core`.

local Host <const> = {}

---@param text string
---@return any
function Host:decode(text)
  return self.core:decode(text)
end

---@param consumer string
---@param text string
---@return boolean?
---@return any
function Host:check(consumer, text)
  return self.core:check(consumer, text)
end

--- The text of a message as its type writes it for the clients of a consumer.
---@param message any
---@param to tidegate.TestClient
---@return string? # nil: it is no message
function Host:text(message, to)
  if type(message) ~= "userdata" then
    return nil
  end
  return self.core:text(message, to.consumer)
end

return Host
