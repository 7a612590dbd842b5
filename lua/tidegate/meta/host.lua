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

--- Whether modules load, and something may be declared.
---@return boolean
function host.is_loading() end

--- Notes a consumer, so that one which no module returns can be named.
---@param declaration tidegate.Declaration
function host.declared(declaration) end

--- Waits for the client's first message, in its authenticator: the token in it. Nil for another,
--- and for one that is not looked at, and why.
---@return string? token
---@return string? why
function host.first_token() end

--- Compiles a type and returns the function that makes its messages.
---@param message_type tidegate.AnyMessageType
---@return fun(self: tidegate.AnyMessageType, payload?: any): tidegate.Outgoing
function host.message_type(message_type) end

--- A function of C that calls `declare`: a tail call of it leaves the caller on the stack.
---@generic F: function
---@param declare F
---@return F
function host.visible(declare) end

--- Makes tide.tcp.connect: what `prepare` returns is what C is given.
---@param prepare fun(address: string, port: integer, options?: tidegate.TcpOptions): ...
---@return fun(address: string, port: integer, options?: tidegate.TcpOptions): ...
function host.tcp_connect(prepare) end

--- Makes tide.process.run in the same way.
---@param prepare fun(given: tidegate.ProcessOptions): ...
---@return fun(given: tidegate.ProcessOptions): ...
function host.process_run(prepare) end

--- The variables of the program, as "NAME=value", without its secrets.
---@return string[]
function host.process_environment() end

--- tide.array.
---@param items? any[]
---@return any[]
function host.array(items) end

--- tide.send_event.
---@param to tidegate.Conn | string
---@param event tidegate.Outgoing
---@return true?
---@return string? problem
function host.send_event(to, event) end

--- What tide.broadcast_event is made of; one of the first two is nil.
---@param groups? string | string[]
---@param consumer? string its name
---@param event tidegate.Outgoing
---@return integer? count
---@return string? problem
function host.broadcast_event(groups, consumer, event) end

--- tide.broadcast.
---@param groups string | string[]
---@param message tidegate.Outgoing
---@param options? { exclude?: tidegate.Conn | string }
---@return integer? receivers
---@return string? problem
function host.broadcast(groups, message, options) end

--- tide.group.
---@param name string
---@return tidegate.Group
function host.group(name) end

--- tide.user.
---@param id string | integer
---@return tidegate.User
function host.user(id) end

--- Topic:count; the pattern, then what that gets.
---@param pattern string
---@param name tidegate.TopicName
---@return integer
function host.topic_count(pattern, name) end

--- Topic:broadcast.
---@param pattern string
---@param name tidegate.TopicName
---@param message tidegate.Outgoing
---@return integer? receivers
---@return string? problem
function host.topic_broadcast(pattern, name, message) end

--- Topic:broadcast_event.
---@param pattern string
---@param name tidegate.TopicName
---@param event any
---@return integer? receivers
---@return string? problem
function host.topic_broadcast_event(pattern, name, event) end

--- tide.sleep.
---@param seconds number
function host.sleep(seconds) end

--- tide.now.
---@return number
function host.now() end

--- tide.clock.
---@return number
function host.clock() end

--- tide.queue.
---@param size integer
---@return tidegate.Queue
function host.queue(size) end

--- tide.keep.
---@param name string
---@param initial? any
---@return tidegate.Keep
function host.keep(name, initial) end

--- tide.on_start.
---@param fn fun()
function host.on_start(fn) end

--- tide.on_stop.
---@param fn fun(reason: string)
function host.on_stop(fn) end

--- tide.spawn.
---@param fn function
---@param ... any
---@return tidegate.Task
function host.spawn(fn, ...) end

--- Waits for the end of a task; its error is logged as if nobody did.
---@param task tidegate.Task
function host.join(task) end

--- How a task ended that has ended.
---@param task tidegate.Task
---@return boolean is_done
---@return any ... its results, or its error
function host.result(task) end

--- Watches several tasks; close it when it is done with.
---@param tasks tidegate.Task[]
---@return any watcher
function host.watch(tasks) end

--- Waits for the next of them that ends; nil after the last.
---@param watcher any
---@return integer? index
function host.next(watcher) end

---@param value any
---@return boolean
function host.is_task(value) end

--- What the library of HTTP calls a function that sends: `prepare` gets its arguments, checks
--- them, and returns url, method, a list of headers, and if they are given body, timeout_ms,
--- max_bytes, redirects.
---@param prepare function
---@return fun(...): tidegate.HttpResponse?, string?
function host.http_function(prepare) end

--- The value as JSON; what cannot be written is raised, with `subject` in front.
---@param value any
---@param subject string
---@return string
function host.json_text(value, subject) end

return host
