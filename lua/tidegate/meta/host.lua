---@meta tidegate.host

--- What the program gives the modules of tidegate; not for applications.
local host = {}

---@type "development" | "production"
host.mode = nil

--- The null of messages, the same as that of lua-cjson.
---@type lightuserdata
host.null = nil

--- The names of the formats that strings can have.
---@type string[]
host.formats = {}

--- Nil when the text is a pattern, else what is wrong with it.
---@param pattern string
---@return string?
function host.check_pattern(pattern) end

---@param level "debug" | "info" | "warning" | "error"
---@param text string
---@param fields? table<string, any>
function host.log(level, text, fields) end

--- Notes a consumer, so that one which no module returns can be named.
---@param declaration tidegate.Declaration
function host.declared(declaration) end

--- Compiles a type and returns the function that makes its messages.
---@param message_type tidegate.AnyMessageType
---@return fun(self: tidegate.AnyMessageType, payload?: any): tidegate.Outgoing
function host.message_type(message_type) end

--- A function of C that calls `declare`: a tail call of it leaves the caller on the stack.
---@generic F: function
---@param declare F
---@return F
function host.visible(declare) end

--- tide.array.
---@param items? any[]
---@return any[]
function host.array(items) end

return host
