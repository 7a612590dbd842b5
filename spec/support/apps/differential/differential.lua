-- Says "ok" to every message that is right, one type for each random schema, and publishes the
-- schemas as JSON Schema; spec/wire/differential.test.js has another validator judge the same.
local tide <const> = require "tidegate"
local random_schema <const> = require "random_schema"
local s <const> = tide.schema

local SEED <const>, COUNT <const> = tonumber(os.getenv "DIFFERENTIAL_SEED" or 1), 300

local messages <const> = {
  ok = tide.message "ok",
  get_schema = tide.message("get_schema", { action = s.string() }),
  schema = tide.message("schema", s.any()),
}

local Judge <const> = tide.consumer { name = "judge", path = "/ws/judge" }

local schemas <const> = {}

local function judge(action, schema)
  schemas[action] = schema
  Judge:on(tide.message(action, schema), { output = messages.ok }, function()
    return messages.ok()
  end)
end

for index, schema in ipairs(random_schema.schemas(SEED, COUNT)) do
  judge("random_" .. index, schema)
end

-- Where the two validators are meant to differ.
judge("integer", s.integer())
judge("tenths", s.number { multiple_of = 0.1 })
judge("coerced", s.integer { coerce = true })
judge("trimmed", s.string { max = 3, trim = true })
for _, format in ipairs { "uuid", "url", "time", "datetime", "email" } do
  judge(format, s.string { format = format })
end
judge("unique", s.array(s.object { id = s.integer() }, { unique = true }))
local nested
nested = s.array(s.ref(function()
  return nested
end, { max_depth = 4 }))
judge("nested", nested)
judge(
  "checked",
  s.string():check(function(value)
    return value == "fair" and nil or "Not fair"
  end)
)

Judge:on(messages.get_schema, { output = messages.schema }, function(_, message)
  local schema <const> = schemas[message.payload.action]
  return messages.schema(schema and schema:json_schema())
end)

return Judge
