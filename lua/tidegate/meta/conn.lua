---@meta tidegate.conn

--- One connection. It is safe to keep: when it has ended, its methods answer nil, "closed".
---@class tidegate.Conn
---@field id string unique in this server
---@field user any what `authenticate` returned; nil without one
---@field object any what `object` of the consumer returned; nil without one
---@field groups string[] a new list of the names, as joined; in `disconnected`: as they were
---@field state table for whatever belongs to the connection
---@field path string "/ws/room/lobby"
---@field params table<string, string | integer> what stands in the parameters of the path
---@field query table<string, string>
---@field headers table<string, string> by names in lower case
---@field cookies table<string, string>
---@field peer string the client's address
---@field subprotocol? string the one that was agreed on
local Conn = {}

--- Sends a message to this client.
---@param message tidegate.Outgoing
---@return true? # nil when it is not queued
---@return ("closed" | "full")? # full: the client reads too slowly, and the connection closes
function Conn:send(message) end

--- Asks this client, and waits for the frame that carries the same `ref`.
---@param message tidegate.Outgoing
---@param options? { timeout?: number } seconds
---@return any answer its payload, true when it has none; nil: there was no answer
---@return ("timeout" | "closed" | "busy" | "full")? # busy: more came than its inbox holds
function Conn:call(message, options) end

--- Sends a text frame as it is.
---@param text string
---@return true?
---@return ("closed" | "full")?
function Conn:send_text(text) end

--- Sends a binary frame.
---@param bytes string
---@return true?
---@return ("closed" | "full")?
function Conn:send_binary(bytes) end

--- Joins a group; nothing when it is in already.
---@param name string 1 to 200 bytes of UTF-8, kept exactly
---@return true?
---@return ("closed" | "full")? # full: it is in max_groups_per_connection
function Conn:join(name) end

---@param name string
---@return boolean? # false: it was not in
---@return "closed"?
function Conn:leave(name) end

--- Sends a message to all connections in some groups, to each once.
---@param message tidegate.Outgoing
---@param options? tidegate.BroadcastOptions
---@return integer? receivers
---@return string? problem
function Conn:broadcast(message, options) end

--- Closes the connection after what is queued.
---@param code? integer 1000 when left out; codes of your own are 4000 to 4999
---@param reason? string at most 123 bytes
---@return true?
---@return "closed"?
function Conn:close(code, reason) end

---@class tidegate.BroadcastOptions
---@field groups? string | string[] the connection's own when left out
---@field exclude_current? boolean this connection gets none

return Conn
