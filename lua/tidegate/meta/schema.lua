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

---@param options? tidegate.BooleanOptions
---@return tidegate.Schema
function s.boolean(options) end

--- A whole number of 64 bits; 1.0 is one.
---@param options? tidegate.IntegerOptions
---@return tidegate.Schema
function s.integer(options) end

---@param options? tidegate.NumberOptions
---@return tidegate.Schema
function s.number(options) end

---@param options? tidegate.StringOptions
---@return tidegate.Schema
function s.string(options) end

--- Short for `s.string { format = "email" }`.
---@param options? tidegate.TextOptions
---@return tidegate.Schema
function s.email(options) end

--- An absolute URL with a host: "https://example.org/a".
---@param options? tidegate.TextOptions
---@return tidegate.Schema
function s.url(options) end

---@param options? tidegate.TextOptions
---@return tidegate.Schema
function s.uuid(options) end

--- A date and a time with its offset, as RFC 3339 has them: "2025-05-11T14:30:00Z".
---@param options? tidegate.TextOptions
---@return tidegate.Schema
function s.datetime(options) end

--- One value and no other.
---@param value string | number | boolean
---@return tidegate.Schema
function s.literal(value) end

--- One of some values.
---@param values (string | number | boolean)[]
---@return tidegate.Schema
function s.enum(values) end

---@param item tidegate.Schema
---@param options? tidegate.ArrayOptions
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

--- What one of several schemas accepts; the first that does wins.
---@param first tidegate.Schema
---@param second tidegate.Schema
---@param ... tidegate.Schema
---@return tidegate.Schema
function s.union(first, second, ...) end

--- One of several objects, chosen by the value of a field. A variant that does not declare the
--- field of the tag gets it.
---@param tag string the name of the field
---@param variants table<string | integer | boolean, tidegate.Schema> objects by their tags
---@return tidegate.Schema
function s.tagged(tag, variants) end

--- A schema that is declared later, or that contains itself. The function is called once, when a
--- message type that uses it is declared.
---@param resolve fun(): tidegate.Schema
---@param options? tidegate.RefOptions
---@return tidegate.Schema
function s.ref(resolve, options) end

--- A schema made of a JSON Schema (draft 2020-12), of the part of it that `:json_schema` writes.
---@param source string | table a file, from the folder of the calling one; or a decoded schema
---@return tidegate.Schema
function s.from_json_schema(source) end

---@class (exact) tidegate.BooleanOptions
---@field coerce? boolean "true" and "false" are right too

---@class (exact) tidegate.IntegerOptions
---@field min? integer
---@field max? integer
---@field exclusive_min? integer
---@field exclusive_max? integer
---@field multiple_of? integer
---@field coerce? boolean "12" is right too

---@class (exact) tidegate.NumberOptions
---@field min? number
---@field max? number
---@field exclusive_min? number
---@field exclusive_max? number
---@field multiple_of? number
---@field coerce? boolean "1.5" is right too

---@class (exact) tidegate.TextOptions
---@field min? integer characters, after trimming
---@field max? integer
---@field pattern? string a regular expression, found anywhere unless anchored
---@field trim? boolean white space around it is taken off
---@field coerce? boolean a number is right too

---@class (exact) tidegate.StringOptions: tidegate.TextOptions
---@field format? tidegate.Format

---@alias tidegate.Format
---| "email" | "url" | "uuid" | "date" | "time" | "datetime" | "hostname" | "ipv4" | "ipv6"

---@class (exact) tidegate.ArrayOptions
---@field min? integer items
---@field max? integer
---@field unique? boolean no two items are equal

---@class (exact) tidegate.MapOptions
---@field min? integer entries
---@field max? integer
---@field keys? tidegate.Schema what keys look like: s.string, s.enum or s.literal

---@class (exact) tidegate.ObjectOptions
---@field additional? "ignore" | "allow" | "forbid" other fields: dropped (default), kept, refused

---@class (exact) tidegate.RefOptions
---@field max_depth? integer how often it may contain itself; 32 when left out

---@class (exact) tidegate.JsonSchemaOptions
---@field camelize? boolean names of declared fields in camel case

---@alias tidegate.Kind
---| "any" | "null" | "boolean" | "integer" | "number" | "string"
---| "literal" | "enum" | "array" | "object" | "map"
---| "union" | "tagged" | "ref"

---@class tidegate.Field
---@field name string
---@field schema tidegate.Schema

---@class tidegate.Variant
---@field tag string | integer | boolean
---@field schema tidegate.Schema

---@class tidegate.Example
---@field value any
---@field source string where it was given, "consumers/chat/messages.lua:9"

--- Nil or true: the value is right. A string says what is wrong. It may not wait.
---@alias tidegate.SchemaCheck fun(value: any): boolean | string | nil

--- A schema is constant; its methods return a new one.
---@class tidegate.Schema
---@field kind tidegate.Kind
---@field source string where it was made
---@field is_optional boolean
---@field is_nullable boolean
---@field is_secret boolean
---@field coerce boolean
---@field has_default boolean
---@field default_value? any
---@field default_function? fun(): any
---@field default_source? string where the default was given
---@field description? string
---@field name? string
---@field examples? tidegate.Example[]
---@field checks? tidegate.SchemaCheck[]
---@field min? number of the value, its length, its items or its entries
---@field max? number
---@field exclusive_min? number of an integer or a number
---@field exclusive_max? number
---@field multiple_of? number
---@field pattern? string of a string
---@field format? tidegate.Format
---@field trim? boolean
---@field values? (string | number | boolean)[] of a literal or an enum
---@field item? tidegate.Schema of an array
---@field unique? boolean
---@field fields? tidegate.Field[] of an object, in the order in which they are written
---@field is_ordered? boolean its fields were declared as a list
---@field additional? "ignore" | "allow" | "forbid"
---@field value? tidegate.Schema of a map
---@field keys? tidegate.Schema
---@field branches? tidegate.Schema[] of a union
---@field tag? string of a tagged union: the name of the field
---@field variants? tidegate.Variant[]
---@field resolve? fun(): tidegate.Schema of a ref
---@field max_depth? integer
local Schema = {}

--- As a field, it may be absent.
---@return tidegate.Schema
function Schema:optional() end

--- Null is right too.
---@return tidegate.Schema
function Schema:nullable() end

--- As a field, it may be absent, and this value stands in for it. A function is called for each.
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

--- A rule of the application's own, for values that are right otherwise. All rules of a schema run.
---@param check tidegate.SchemaCheck
---@return tidegate.Schema
function Schema:check(check) end

--- Logs and recordings show "***" in the place of the value.
---@return tidegate.Schema
function Schema:secret() end

--- Its name in JSON Schema and in the types of editors.
---@param name string letters, digits, "_", "." and "-"
---@return tidegate.Schema
function Schema:named(name) end

--- An object with more fields; one that exists is replaced. A name and examples stay behind.
---@param fields tidegate.Fields
---@return tidegate.Schema
function Schema:extend(fields) end

--- An object with some of the fields. A name and examples stay behind.
---@param ... string
---@return tidegate.Schema
function Schema:pick(...) end

--- An object without some of the fields. A name and examples stay behind.
---@param ... string
---@return tidegate.Schema
function Schema:omit(...) end

--- An object of which every field may be absent, and stays so: their defaults stay behind, as a
--- name and examples do.
---@return tidegate.Schema
function Schema:partial() end

--- Itself as JSON Schema (draft 2020-12).
---@param options? tidegate.JsonSchemaOptions
---@return table
function Schema:json_schema(options) end

return s, Schema
