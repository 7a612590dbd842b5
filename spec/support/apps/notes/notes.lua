--- Keeps notes, with mistakes for specs to find.

local store <const> = require "store"
local tide <const> = require "tidegate"

local s <const> = tide.schema

local note <const> = tide.message("note", { text = s.string() })
local noted <const> = tide.message("noted", { id = s.integer(), text = s.string() })
local forget <const> = tide.message("forget", { id = s.integer() })
local forgotten <const> = tide.message "forgotten"

local Notes <const> = tide.consumer { name = "notes", path = "/ws/notes" }

Notes:on(note, { output = noted }, function(_, message)
  local text <const> = message.payload.text
  return noted { id = store.save(text), text = text }
end)

Notes:on(forget, function(_, message)
  store.forget(message.payload.id)
  return forgotten()
end)

return Notes
