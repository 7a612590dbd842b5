--- Schemas: what a payload must look like. A node is a constant table that the host compiles into a
--- program of its own when tide.message uses it; nothing here runs for a message.
---
--- What a node is stands in schema_node, what makes one in schema_kinds, with its options in
--- schema_options and the fields of objects in schema_fields, and what makes one of another in
--- schema_methods.

local declare <const> = require "tidegate.declare"
local library <const> = require "tidegate.schema_kinds"
local methods <const> = require "tidegate.schema_methods"
local node <const> = require "tidegate.schema_node"

return {
  library = declare.closed("tide.schema", library),
  methods = methods,
  is_node = node.is_node,
}
