--- Plain text, without messages: greets, and says back what it hears.

local tide <const> = require "tidegate"

local Echo <const> = tide.text_consumer {
  name = "system",
  path = "/ws/system",
  description = "Echoes plain text back to its sender",
  connected = function(conn)
    conn:send_text "🔧 System: Connection established!"
  end,
  receive = function(conn, data, is_binary)
    if is_binary then
      conn:send_binary(data)
    else
      conn:send_text("🔧 System Echo: " .. data)
    end
  end,
}

return Echo
