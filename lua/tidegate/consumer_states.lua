--- What is known of consumers, mixins and routers, which are handles without members.

---@class tidegate.State what is known of a consumer, a mixin or a router
---@field what string the function that made it, "tide.consumer"
---@field source string where, "consumers/system/init.lua:6"
---@field declaration? tidegate.Declaration of a consumer or a mixin
---@field own_paths? string[] of a consumer
---@field places? table<string, string> where each hook and action of it was declared
---@field used_at? string where a mixin was used first
---@field prefix? string of a router
---@field entries? { path: string, object: table }[] of a router
---@field parent? tidegate.State the router that it stands in
---@field collected_by? table the load that handed it out

--- By handle. A handle that nobody holds any more is forgotten.
---@type table<table, tidegate.State>
local states <const> = setmetatable({}, { __mode = "k" })

return states
