--- The same messages with lua-cjson and a check written in Lua, the way applications do it by hand.
--- Prints "SIZE CASE NANOSECONDS" lines for bench/messages/run.

local cjson <const> = require "cjson"

local function is_string(value, min, max)
  local length <const> = type(value) == "string" and utf8.len(value)
  return length and length >= min and length <= max
end

local function is_integer(value, min, max)
  return type(value) == "number" and value % 1 == 0 and value >= min and value <= max
end

local function check_small(payload)
  if type(payload) ~= "table" then
    return "payload"
  elseif not is_string(payload.content, 1, 2000) then
    return "content"
  elseif type(payload.room) ~= "string" or not payload.room:find "^[a-z][a-z0-9-]*$" then
    return "room"
  elseif not is_integer(payload.priority, 0, 9) then
    return "priority"
  end
  return nil
end

local function check_item(item)
  if type(item) ~= "table" or not is_integer(item.id, 1, math.maxinteger) then
    return "id"
  elseif not is_string(item.name, 1, 80) then
    return "name"
  elseif type(item.price) ~= "number" or item.price < 0 then
    return "price"
  elseif type(item.active) ~= "boolean" then
    return "active"
  elseif type(item.tags) ~= "table" or #item.tags > 8 then
    return "tags"
  elseif item.note ~= nil and not is_string(item.note, 0, 200) then
    return "note"
  end
  for _, tag in ipairs(item.tags) do
    if not is_string(tag, 0, 20) then
      return "tags"
    end
  end
  return nil
end

local function check_large(payload)
  if type(payload) ~= "table" or type(payload.items) ~= "table" or #payload.items > 1000 then
    return "items"
  end
  for index, item in ipairs(payload.items) do
    local wrong <const> = check_item(item)
    if wrong then
      return index .. "." .. wrong
    end
  end
  return nil
end

local function refuse(wrong)
  return cjson.encode {
    action = "error",
    payload = { { type = "value_error", loc = { "payload", wrong }, msg = "not valid" } },
  }
end

--- The nanoseconds of CPU time that one call takes: the fastest of some rounds.
local function measure(rounds, count, call)
  local least = math.huge
  for _ = 1, rounds do
    local started <const> = os.clock()
    for _ = 1, count do
      call()
    end
    least = math.min(least, (os.clock() - started) / count * 1e9)
  end
  return least
end

local folder <const>, rounds <const> = arg[1], tonumber(arg[2])

local function read(name)
  local file <close> = assert(io.open(folder .. "/" .. name, "rb"))
  return (file:read "l")
end

local cases <const> = {
  { "small", check_small, 20000, '"priority":3', '"priority":"3"' },
  { "large", check_large, 300, '"price":121.06', '"price":"121.06"' },
}

for _, case in ipairs(cases) do
  local size <const>, check <const>, count <const> = case[1], case[2], case[3]
  local good <const> = read(size .. ".json")
  local bad <const> = good:gsub(case[4]:gsub("%p", "%%%0"), case[5])
  local message <const> = cjson.decode(good)
  assert(check(message.payload) == nil and check(cjson.decode(bad).payload))
  local report <const> = function(name, call)
    print(size, name, ("%.0f"):format(measure(rounds, count, call)))
  end
  report("accept", function()
    return check(cjson.decode(good).payload)
  end)
  report("refuse", function()
    return refuse(check(cjson.decode(bad).payload))
  end)
  report("write", function()
    return cjson.encode { action = size, payload = message.payload }
  end)
end
