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

local all <const> = tide.message("all", s.array(s.string()))
local first <const> = tide.message("first", s.array(s.string()))
local soon <const> = tide.message("soon", s.string())
local wrapped <const> = tide.message("wrapped", s.string())
local compare <const> = tide.message("compare", s.string())

--- A function for each URL that fetches it.
local function fetchers(urls)
  local list <const> = {}
  for i, url in ipairs(urls) do
    list[i] = function()
      return assert(tide.http.get(url)).body
    end
  end
  return list
end

Fetch:on(all, { output = answer }, function(_, message)
  return answer { tide.gather(fetchers(message.payload)) }
end)

Fetch:on(first, { output = answer }, function(_, message)
  return answer(tide.race(fetchers(message.payload)))
end)

Fetch:on(soon, { output = answer }, function(_, message)
  local response, problem <const> = tide.with_timeout(0.05, tide.http.get, message.payload)
  return answer(response and response.body or problem)
end)

Fetch:on(wrapped, { output = answer }, function(_, message)
  local get <const> = coroutine.wrap(function()
    local is_done, response <const> = pcall(tide.http.get, message.payload)
    return is_done and response.body
  end)
  return answer(get())
end)

Fetch:on(compare, { output = answer }, function(_, message)
  local _, problem <const> = pcall(table.sort, { 1, 2 }, function()
    return tide.http.get(message.payload)
  end)
  return answer(problem)
end)

return Fetch
