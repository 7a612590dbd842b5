--- What the consumers of consumers/system and examples/raw_text say, by the model.

local Json <const> = require "spec.kit.model.json"

local said <const> =
  { kind = "object", fields = { { "message", { kind = "string", max = 2000 } } } }

local function echo(text)
  return { action = "system_echo", payload = Json.object { { "message", "🔧 " .. text } } }
end

local messages <const> = {
  path = "^(/ws/system)$",
  actions = {
    ping = {
      handler = function()
        return { action = "pong" }
      end,
    },
    user_message = {
      schema = said,
      handler = function(_, _, payload)
        return echo("System Echo: " .. payload.message)
      end,
    },
  },
  connected = function(server, client)
    server:give(client, echo "System: Connection established!")
  end,
}

local function give_text(client, kind, text)
  client.expected[#client.expected + 1] = kind .. " " .. text
end

local texts <const> = {
  path = "^(/ws/system)$",
  is_text = true,
  connected = function(_, client)
    give_text(client, "text", "🔧 System: Connection established!")
  end,
  receive = function(client, data, is_binary)
    give_text(
      client,
      is_binary and "binary" or "text",
      (is_binary and "" or "🔧 System Echo: ") .. data
    )
  end,
}

return { messages = { consumers = { messages } }, texts = { consumers = { texts } } }
