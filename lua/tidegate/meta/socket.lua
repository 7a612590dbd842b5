---@meta tidegate.socket

--- A connection to another server, of tide.tcp.connect: the methods are LuaSocket's. What fails
--- answers with nil and why: "timeout", "closed", "too much", or a sentence.
---@class tidegate.Socket
local Socket = {}

--- Sends `data`, or its part from `i` to `j`, and waits until it has gone.
---@param data string
---@param i? integer
---@param j? integer
---@return integer? last the last byte of `data` that has gone
---@return string? problem
---@return integer? sent the last byte that went before the problem
function Socket:send(data, i, j) end

--- Waits for a line ("*l", without its end), everything up to the end ("*a"), or so many bytes.
---@param pattern? "*l" | "*a" | integer
---@param prefix? string is put before the answer, and counts as received
---@return string? data
---@return string? problem
---@return string? partial what has come before the problem
function Socket:receive(pattern, prefix) end

--- Bounds each later call as a whole; nil: not at all.
---@param seconds? number
---@param mode? "b" | "t" the same here
---@return integer
function Socket:settimeout(seconds, mode) end

---@return integer
function Socket:close() end

---@param how? "both" | "send" | "receive"
---@return integer?
---@return string? problem
function Socket:shutdown(how) end

---@return string? address
---@return integer | string port_or_problem
---@return "inet" | "inet6" | nil family
function Socket:getpeername() end

---@return string? address
---@return integer | string port_or_problem
---@return "inet" | "inet6" | nil family
function Socket:getsockname() end

---@param name "tcp-nodelay" | "keepalive"
---@param is_on boolean
---@return integer?
---@return string? problem
function Socket:setoption(name, is_on) end

return Socket
