--- What a client of the system consumer sends and gets.

local tide <const> = require "tidegate"
local s <const> = tide.schema

return {
  user_message = tide.message("user_message", { message = s.string { max = 2000 } }),
  -- Longer than what it echoes: a few words stand before that.
  system_echo = tide.message("system_echo", { message = s.string() }),
}
