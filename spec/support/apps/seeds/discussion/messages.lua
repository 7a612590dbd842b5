--- The discussion of the founding documents.

local tide <const> = require "tidegate"
local s <const> = tide.schema

local payload <const> = s.object { content = s.string(), raw = s.boolean():default(false) }

return {
  new_message = tide.message("new_message", payload),
  reply = tide.message("reply", payload),
  member_message = tide.group_message("member_message", payload),
  notify_people = tide.event("notify_people", { content = s.string() }),
}
