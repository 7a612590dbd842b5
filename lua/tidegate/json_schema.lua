--- Schemas as JSON Schema (draft 2020-12), and back. What JSON Schema cannot say stands in keywords
--- of our own, x-tidegate-..., which other readers pass over.

local export <const> = require "tidegate.json_schema_export"
local import <const> = require "tidegate.json_schema_import"

return { export = export, import = import }
