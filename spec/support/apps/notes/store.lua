local texts <const> = {}

local Store <const> = {}

function Store.save(text)
  local first <const> = text:match "^%S+"
  texts[#texts + 1] = first:lower() .. text:sub(#first + 1)
  return #texts
end

function Store.forget(id)
  texts[id] = nil
end

return Store
