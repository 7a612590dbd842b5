--- What is said: texts, as a payload of their own.

local tide <const> = require "tidegate"
local s <const> = tide.schema

local text <const> = s.string { min = 1, max = 2000 }

return {
  echo = tide.message("echo", text),
  said = tide.group_message("echo", text),
}
