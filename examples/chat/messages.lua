--- What is said in the chat, and what is told to everybody in it from outside.

local tide <const> = require "tidegate"
local s <const> = tide.schema

local chat_payload <const> = s.object {
  content = s.string { min = 1, max = 2000 },
  sender_name = s.string({ max = 50 }):default "Anonymous",
  timestamp = s.datetime():nullable():optional(),
}

return {
  chat = tide.message("chat", chat_payload),
  tell_others = tide.message("tell_others", chat_payload),
  chat_group = tide.group_message("chat_group", chat_payload),
  notification = tide.message("notification", s.map(s.string()):default {}),
  notify = tide.event("notify", {
    content = s.string { max = 500 },
    level = s.string({ max = 20 }):default "info",
  }),
}
