--- Where a token is found in a request.

local Token <const> = {}

--- A token that the client has sent in a message comes first: it is the newest that it has.
---@param request tidegate.Request
---@param from { header?: string, cookie?: string, query?: string }
---@return string?
function Token.find(request, from)
  if request.token then
    return request.token
  end
  local header <const> = from.header and request.headers[from.header]
  if header and from.header == "authorization" then
    local token <const> = header:match "^[Bb][Ee][Aa][Rr][Ee][Rr] +(%S+) *$"
    if token then
      return token
    end
  elseif header and header ~= "" then
    return header
  end
  local cookie <const> = from.cookie and request.cookies[from.cookie]
  local query <const> = from.query and request.query[from.query]
  return cookie and cookie ~= "" and cookie or query and query ~= "" and query or nil
end

return Token
