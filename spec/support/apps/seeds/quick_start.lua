--- The quick start of the founding documents: an echo for who has a session, and rooms in which the
--- echo goes to all.

local tide <const> = require "tidegate"

local echo <const> = tide.message("echo", tide.schema.string())

local sessions <const> = {
  ["session-of-ann"] = { id = 1, username = "ann" },
  ["session-of-bob"] = { id = 2, username = "bob" },
}

local Authenticated <const> = tide.mixin()

Authenticated:on(tide.messages.ping, { output = tide.messages.pong }, function()
  return tide.messages.pong()
end)

local function session_of(request)
  return sessions[request.cookies.sessionid]
end

local Echo <const> = tide.consumer { path = "/ws/echo/", authenticate = session_of }
Echo:use(Authenticated)

Echo:on(echo, { output = echo }, function(_, message)
  return echo("Echo: " .. message.payload)
end)

local Chat <const> = tide.consumer {
  path = { "/ws/chat/", "/ws/chat/{room_id:slug}/" },
  authenticate = session_of,
  groups = function(conn)
    return { "chat_" .. (conn.params.room_id or "lobby") }
  end,
}
Chat:use(Authenticated)

Chat:on(echo, { output = echo }, function(conn, message)
  conn:broadcast(echo(conn.user.username .. ": " .. message.payload))
end)

return { Echo, Chat }
