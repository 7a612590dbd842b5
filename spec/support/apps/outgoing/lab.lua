-- Runs the Lua code that a spec sends, in a handler, and answers with what it returns: nil as null.
local tide <const> = require "tidegate"
local null <const> = require("cjson").null
local s <const> = tide.schema

local done <const> = tide.message("done", s.array(s.any()))

local Lab <const> = tide.consumer { name = "lab", path = "/ws/lab" }

-- Shared by all the code of one server: sockets that are kept, and notes of what happened.
local shelf <const> = {}

Lab:on(tide.message("run", s.string()), { output = done }, function(_, message)
  local code <const> = assert(load(message.payload, "=spec"))
  local results <const> = table.pack(code(tide, shelf))
  for i = 1, results.n do
    results[i] = results[i] == nil and null or results[i]
  end
  results.n = nil
  return done(results)
end)

return Lab
