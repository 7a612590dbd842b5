--- Answers with what stands in another file, which is saved again and again.

local tide <const> = require "tidegate"
local s <const> = tide.schema

local stamp <const> = require "stamp"

local ask <const> = tide.message "ask"
local answer <const> = tide.message("answer", s.integer())

local Talk <const> = tide.consumer { path = "/ws/talk" }

function Talk:connected(conn)
  conn.state.count = 0
end

Talk:on(ask, { output = answer }, function(conn)
  conn.state.count = conn.state.count + 1
  return answer(stamp)
end)

return Talk
