local tide <const> = require "tidegate"

local s <const> = tide.schema
local ask <const> = tide.message("ask", s.any())
local short <const> = tide.message("short", s.any())
local parse <const> = tide.message("parse", s.any())
local misuse <const> = tide.message("misuse", s.any())
local send_json <const> = tide.message("send_json", s.string())
local answer <const> = tide.message("answer", s.any())

local Fetch <const> = tide.consumer { path = "/ws/fetch" }

--- What a request returned, its body in full or only counted.
local function shown(is_counted, response, problem)
  if not response then
    return answer { error = problem }
  end
  return answer {
    status = response.status,
    url = response.url,
    headers = response.headers,
    body = is_counted and #response.body or response.body,
  }
end

Fetch:on(ask, { output = answer }, function(_, message)
  return shown(message.payload.is_counted, tide.http.request(message.payload.request))
end)

Fetch:on(short, { output = answer }, function(_, message)
  local given <const> = message.payload
  return shown(false, tide.http[given.verb](given.url, given.options))
end)

Fetch:on(parse, { output = answer }, function(_, message)
  local value, problem = assert(tide.http.get(message.payload)):json()
  return answer { kind = math.type(value) or type(value), value = value, error = problem }
end)

Fetch:on(misuse, { output = answer }, function(_, message)
  local _, problem <const> = pcall(tide.http.request, message.payload)
  return answer(problem)
end)

Fetch:on(send_json, { output = answer }, function(_, message)
  local _, problem <const> = pcall(function()
    tide.http.post(message.payload, { json = { list = { 1, print } } })
  end)
  return answer(problem)
end)

return Fetch
