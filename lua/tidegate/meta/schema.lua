---@meta tidegate.schema.library

--- `tide.schema`: each function makes a schema.
local s = {}

---@alias tidegate.Fields table<string, tidegate.Schema> | { [1]: string, [2]: tidegate.Schema }[]

--- Anything that JSON can say.
---@return tidegate.Schema
function s.any() end

--- Null and nothing else.
---@return tidegate.Schema
function s.null() end

---@return tidegate.Schema
function s.boolean() end

--- A whole number of 64 bits; 1.0 is one.
---@param options? tidegate.IntegerOptions
---@return tidegate.Schema
function s.integer(options) end

---@param options? tidegate.NumberOptions
---@return tidegate.Schema
function s.number(options) end

---@param options? tidegate.CountOptions limits of the length in characters
---@return tidegate.Schema
function s.string(options) end

--- One value and no other.
---@param value string | number | boolean
---@return tidegate.Schema
function s.literal(value) end

--- One of some values.
---@param values (string | number | boolean)[]
---@return tidegate.Schema
function s.enum(values) end

---@param item tidegate.Schema
---@param options? tidegate.CountOptions limits of the number of items
---@return tidegate.Schema
function s.array(item, options) end

--- An object whose keys are data: any name, and each value after one schema.
---@param value tidegate.Schema
---@param options? tidegate.MapOptions
---@return tidegate.Schema
function s.map(value, options) end

--- An object of declared fields. Fields by name are written in byte order of the names, a list of
--- `{ "name", schema }` in its own.
---@param fields tidegate.Fields
---@param options? tidegate.ObjectOptions
---@return tidegate.Schema
function s.object(fields, options) end

---@class (exact) tidegate.IntegerOptions
---@field min? integer
---@field max? integer

---@class (exact) tidegate.NumberOptions
---@field min? number
---@field max? number

---@class (exact) tidegate.CountOptions
---@field min? integer
---@field max? integer

---@class (exact) tidegate.MapOptions
---@field max? integer how many entries there may be

---@class (exact) tidegate.ObjectOptions
---@field additional? "ignore" | "allow" | "forbid" other fields: dropped (default), kept, refused

---@alias tidegate.Kind
---| "any" | "null" | "boolean" | "integer" | "number" | "string"
---| "literal" | "enum" | "array" | "object" | "map"

---@class tidegate.Field
---@field name string
---@field schema tidegate.Schema

--- A schema is constant; its methods return a new one.
---@class tidegate.Schema
---@field kind tidegate.Kind
---@field is_optional boolean
---@field is_nullable boolean
---@field has_default boolean
---@field default_value? any
---@field description? string
---@field examples? any[]
---@field min? number of the value, its length or its items
---@field max? number
---@field values? (string | number | boolean)[] of a literal or an enum
---@field item? tidegate.Schema of an array
---@field value? tidegate.Schema of a map
---@field fields? tidegate.Field[] of an object, in the order in which they are written
---@field additional? "ignore" | "allow" | "forbid" of an object
local Schema = {}

--- As a field, it may be absent.
---@return tidegate.Schema
function Schema:optional() end

--- Null is right too.
---@return tidegate.Schema
function Schema:nullable() end

--- As a field, it may be absent, and this value stands in for it.
---@param value any
---@return tidegate.Schema
function Schema:default(value) end

--- A sentence for the documentation.
---@param text string
---@return tidegate.Schema
function Schema:describe(text) end

--- A value for the documentation; may be called again for another.
---@param value any
---@return tidegate.Schema
function Schema:example(value) end

return s, Schema
