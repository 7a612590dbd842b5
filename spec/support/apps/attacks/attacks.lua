-- A consumer that does to itself what the specs name, and another that goes on answering.
local tide <const> = require "tidegate"
local s <const> = tide.schema

local kinds <const> = {
  bomb = require "bombs",
  loop = require "loops",
  trick = require "tricks",
  wait = require "waits",
}

local done <const> = tide.message("done", s.any())

local Attacks <const> = tide.consumer { name = "attacks", path = "/ws/attacks" }

local payload <const> = { kind = s.string(), name = s.string() }
Attacks:on(tide.message("attack", payload), { output = done }, function(conn, message)
  return done(kinds[message.payload.kind][message.payload.name](conn))
end)

Attacks:on(tide.messages.ping, function()
  return tide.messages.pong()
end)

return Attacks
