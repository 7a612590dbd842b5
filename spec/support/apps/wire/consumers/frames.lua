-- Consumers for frames that are no JSON: binary, strict, plain text.
local tide <const> = require "tidegate"
local journal <const> = require "journal"

local Binary <const> = tide.consumer { name = "binary", path = "/ws/binary" }

Binary:on(tide.messages.ping, { summary = "Text beside binary" }, function()
  return tide.messages.pong()
end)

Binary:on_binary(function(conn, data)
  if data == "raise" then
    error "secret words"
  end
  conn:send_binary(data:reverse())
end)

local Strict <const> = tide.consumer { name = "strict", path = "/ws/strict", strict_frames = true }

Strict:on(tide.messages.ping, { summary = "Text only" }, function()
  return tide.messages.pong()
end)

local strict_left <const> = journal.leaver "strict"

function Strict:disconnected(conn, code, reason)
  strict_left(conn, code, reason)
end

local Text <const> = tide.text_consumer {
  name = "text",
  path = "/ws/text",
  connected = function(conn)
    conn:send_text "Welcome"
  end,
  receive = function(conn, data, is_binary)
    if data == "raise" then
      error "secret words"
    end
    if is_binary then
      conn:send_binary(data)
    else
      conn:send_text("Echo: " .. data)
    end
  end,
  disconnected = journal.leaver "text",
}

return { Binary, Strict, Text }
