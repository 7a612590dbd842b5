-- Answers with what it saw of the request; one path for each type of parameter.
local tide <const> = require "tidegate"
local s <const> = tide.schema

local show <const> = tide.message("show", {
  query = s.string():optional(),
  header = s.string():optional(),
  cookie = s.string():optional(),
})
local shown <const> = tide.message("shown", s.any())

local Request <const> = tide.consumer {
  name = "request",
  path = {
    "/ws/request",
    "/ws/rooms/{room_name}",
    "/ws/rooms/lobby",
    "/ws/orders/{id:int}",
    "/ws/posts/{slug:slug}",
    "/ws/objects/{id:uuid}",
    "/ws/files/{rest:path}",
    "/ws/pairs/{first}/{second:int}",
  },
  headers = { "x-request-id" },
}

Request:on(show, { output = shown }, function(conn, message)
  local ask <const> = message.payload
  local params <const> = conn.params
  return shown {
    id = conn.id,
    path = conn.path,
    peer = conn.peer,
    room_name = params.room_name,
    param_id = params.id,
    id_type = math.type(params.id) or type(params.id),
    slug = params.slug,
    rest = params.rest,
    first = params.first,
    second = params.second,
    query = ask.query and conn.query[ask.query],
    header = ask.header and conn.headers[ask.header],
    cookie = ask.cookie and conn.cookies[ask.cookie],
  }
end)

return Request
