--- What a client in a room sends and gets.

local tide <const> = require "tidegate"
local s <const> = tide.schema

return {
  room_chat = tide.message("room_chat", { message = s.string { min = 1, max = 2000 } }),
  room_notification = tide.message("room_notification", {
    message = s.string(),
    room_name = s.string(),
    status = s.enum({ "PENDING", "DELIVERED", "FAILED" }):default "PENDING",
  }),
}
