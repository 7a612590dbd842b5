--- The messages of a discussion. Lua writes author_name, the browser reads authorName.

local tide <const> = require "tidegate"
local s <const> = tide.schema

local payload <const> = s.object {
  content = s.string { min = 1, max = 5000 },
  raw = s.boolean():default(false), -- shown as it is, as code
}

return {
  new_message = tide.message("new_message", payload),
  reply = tide.message("reply", payload),
  member_message = tide.group_message(
    "member_message",
    payload:extend { author_name = s.string() }
  ),
  notify_people = tide.event("notify_people", { content = s.string { max = 500 } }),
  notification = tide.message("notification", {
    user_name = s.string(),
    message_text = s.string(),
  }),
}
