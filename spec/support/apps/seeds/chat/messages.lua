--- The chat of the founding documents.

local tide <const> = require "tidegate"
local s <const> = tide.schema

local chat_payload <const> = s.object {
  content = s.string(),
  sender_name = s.string():default "Anonymous",
  timestamp = s.string():nullable():optional(),
}

local room_payload <const> = s.object({
  room_id = s.string(),
  content = s.string(),
  is_member = s.boolean():default(false),
}):check(function(payload)
  if payload.room_id:find "^private%-" and not payload.is_member then
    return "Cannot send messages to private rooms without membership"
  end
end)

return {
  chat = tide.message("chat", chat_payload),
  aside = tide.message("aside", chat_payload),
  notification = tide.message("notification", s.map(s.string()):default {}),
  chat_group = tide.group_message("chat_group", chat_payload),
  group_chat = tide.group_message("group_chat", s.string()),
  room_message = tide.message("room_message", room_payload),
  custom = tide.message("custom", s.map(s.any()), {
    serialise = function(payload)
      local written <const> = { extra = "metadata" }
      for name, value in pairs(payload) do
        written[name] = value
      end
      return written
    end,
  }),
  notify = tide.event("notify", { content = s.string(), level = s.string():default "info" }),
  shown = tide.message("shown", s.string()),
}
