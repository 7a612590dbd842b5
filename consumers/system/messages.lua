--- What a client of the system consumer sends and gets.

local tide <const> = require "tidegate"
local s <const> = tide.schema

local text <const> = s.object { message = s.string { max = 2000 } }

return {
  user_message = tide.message("user_message", text),
  system_echo = tide.message("system_echo", text),
}
