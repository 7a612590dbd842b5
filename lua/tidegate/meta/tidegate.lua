---@meta tidegate

--- What a consumer is written with: `local tide <const> = require "tidegate"`.
---@class tidegate.Library
local tide = {}

--- Builds schemas: what a payload must look like.
tide.schema = require "tidegate.schema.library"

--- The messages that tidegate itself knows.
tide.messages = {
  --- Asks whether the server is there; a consumer that wants to answer handles it.
  ---@type tidegate.MessageType
  ping = {},
  --- The answer to a ping.
  ---@type tidegate.MessageType
  pong = {},
  --- What was wrong: a list for a message that is not valid, else an object with `detail`.
  ---@type tidegate.MessageType
  error = {},
  --- Whom the server takes the client for: the first frame of a consumer that authenticates.
  ---@type tidegate.MessageType
  authentication = {},
  --- A client's credential: to begin with, or a new one before the old one ends.
  ---@type tidegate.MessageType
  authenticate = {},
  --- A message has been dealt with.
  ---@type tidegate.MessageType
  complete = {},
  --- A group message has been delivered.
  ---@type tidegate.MessageType
  group_complete = {},
  --- An event has been dealt with.
  ---@type tidegate.MessageType
  event_complete = {},
}

--- Lines in the server's log; `fields` stand as key=value behind the text.
tide.log = {}

---@param text string
---@param fields? table<string, any>
function tide.log.debug(text, fields) end

---@param text string
---@param fields? table<string, any>
function tide.log.info(text, fields) end

---@param text string
---@param fields? table<string, any>
function tide.log.warning(text, fields) end

---@param text string
---@param fields? table<string, any>
function tide.log.error(text, fields) end

--- Requests to other servers, for which the handler waits.
tide.http = {}

--- Sends a request and waits for the whole response, whatever its status. Nil and a sentence when
--- there is none: "connect: ...", "timeout: ...", "tls: ...", "too large: ...", "redirect: ...",
--- "response: ...", "url: ...", "busy: ...".
---@param options tidegate.HttpRequest
---@return tidegate.HttpResponse? response
---@return string? problem
function tide.http.request(options) end

---@param url string
---@param options? tidegate.HttpOptions
---@return tidegate.HttpResponse? response
---@return string? problem
function tide.http.get(url, options) end

---@param url string
---@param options? tidegate.HttpOptions
---@return tidegate.HttpResponse? response
---@return string? problem
function tide.http.post(url, options) end

--- Declares a message. Calling what it returns makes one: `messages.chat { content = "hi" }`.
---@param action string chooses the handler
---@param payload? tidegate.Schema | tidegate.Fields fields are short for an object; nil: no payload
---@param options? tidegate.MessageOptions
---@return tidegate.MessageType
function tide.message(action, payload, options) end

--- Declares what the members of a group are sent: a message with `is_mine` and `is_current`.
---@param action string
---@param payload? tidegate.Schema | tidegate.Fields
---@param options? tidegate.MessageOptions
---@return tidegate.GroupMessageType
function tide.group_message(action, payload, options) end

--- Declares an event: what parts of the server tell each other. No client is sent one.
---@param action string
---@param payload? tidegate.Schema | tidegate.Fields
---@param options? tidegate.MessageOptions
---@return tidegate.EventType
function tide.event(action, payload, options) end

--- Declares a consumer of messages.
---@param options tidegate.ConsumerOptions
---@return tidegate.Consumer
function tide.consumer(options) end

--- Declares a consumer of frames as they are, without messages.
---@param options tidegate.TextConsumerOptions
---@return tidegate.TextConsumer
function tide.text_consumer(options) end

--- Declares handlers and hooks that several consumers share: `Consumer:use(mixin)`.
---@param options? tidegate.MixinOptions
---@return tidegate.Mixin
function tide.mixin(options) end

--- Declares one of several streams over a connection, which consumers host: `topics = { Room }`.
---@param options tidegate.TopicOptions
---@return tidegate.Topic
function tide.topic(options) end

--- Declares what answers plain HTTP requests of a method and a path, such as logging in. It is
--- declared by the call; nothing has to be returned. The options may be left out.
---@param method "GET" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS" a GET answers HEAD too
---@param path string "/orders/{id:int}"
---@param options tidegate.RouteOptions
---@param handler tidegate.RouteHandler
---@overload fun(method: string, path: string, handler: tidegate.RouteHandler)
function tide.route(method, path, options, handler) end

--- Puts consumers and routers below a prefix. A key is the path below it; an entry without a key
--- keeps its own path, behind the prefix.
---@param prefix string begins with "/" and does not end with it
---@param entries tidegate.RouterEntries
---@return tidegate.Router
function tide.router(prefix, entries) end

--- Raises an error that the client may read; the handler ends.
---@param options tidegate.ErrorOptions
function tide.error(options) end

--- Marks a table as an array for `s.any()`: an empty one is written as [] and not as {}. Arrays
--- that a client sent are marked already.
---@generic T
---@param items? T[] an empty one when left out
---@return T[] # the same table
function tide.array(items) end

--- Sends an event to one connection, and says what became of it.
---@param to tidegate.Conn | string the connection or its id
---@param event tidegate.Outgoing
---@return true?
---@return ("no such connection" | "not handled" | "invalid" | "full")? problem
function tide.send_event(to, event) end

--- Sends an event to all connections in some groups, to each once, or to all of a consumer.
---@param to string | string[] | tidegate.Consumer
---@param event tidegate.Outgoing
---@return integer? count how many got it
---@return string? problem of the channel layer
function tide.broadcast_event(to, event) end

--- Sends a message to all connections in some groups, to each once, from anywhere in the code.
---@param groups string | string[]
---@param message tidegate.Outgoing
---@param options? { exclude?: tidegate.Conn | string } a connection, or its id, that gets none
---@return integer? receivers
---@return string? problem
function tide.broadcast(groups, message, options) end

--- Who is in a group.
---@param name string 1 to 200 bytes of UTF-8
---@return tidegate.Group
function tide.group(name) end

--- The connections of a user.
---@param id string | integer compared by its text
---@return tidegate.User
function tide.user(id) end

--- Who clients are, and what they may.
tide.auth = require "tidegate.auth.library"

--- Sockets to other servers.
tide.tcp = {}

--- Connects and waits for it; nil and why not: "connection refused", "timeout", "host not found",
--- "too many streams", or a sentence.
---@param address string a name or an address
---@param port integer
---@param options? tidegate.TcpOptions
---@return tidegate.Socket?
---@return string? problem
function tide.tcp.connect(address, port, options) end

--- Child programs.
tide.process = {}

--- Runs a program without a shell and waits for its end; nil and why not: "timeout", "too much
--- output", "too many processes", or a sentence.
---@param given tidegate.ProcessOptions
---@return tidegate.ProcessResult?
---@return string? problem
function tide.process.run(given) end

---@alias tidegate.RouterEntry tidegate.Consumer | tidegate.TextConsumer | tidegate.Router
---@alias tidegate.RouterEntries table<string | integer, tidegate.RouterEntry>

---@class tidegate.Router

---@class (exact) tidegate.HttpOptions
---@field body? string
---@field headers? table<string, string | number>
---@field json? any sent as the body, with its content type; nil: none
---@field max_bytes? integer of the response's body; default and limit: the setting fetch_max_bytes
---@field redirects? integer how many are followed, at most 20; default: 5
---@field timeout? number seconds for all of it; default: the setting fetch_timeout_seconds

---@class (exact) tidegate.HttpRequest: tidegate.HttpOptions
---@field method? string default: "POST" with a body, else "GET"
---@field url? string needed; http or https

---@class tidegate.HttpResponse
---@field status integer
---@field headers table<string, string> names in lower case; several of one are joined with ", "
---@field body string
---@field url string where it came from, after redirects
local HttpResponse = {}

--- The body as JSON, integers exact; nil and a sentence when it is none.
---@return any value
---@return string? problem
function HttpResponse:json() end

---@class (exact) tidegate.ErrorOptions
---@field code string for programs: letters, digits and "_", "not_found"
---@field detail string for people: one sentence

--- Waits. Everything else goes on meanwhile; 0 lets the others that are ready go first.
---@param seconds number
function tide.sleep(seconds) end

--- The time of day.
---@return number # seconds since 1970
function tide.now() end

--- A clock that never goes back, to measure with.
---@return number # seconds
function tide.clock() end

--- Runs a function beside what goes on; it ends with the connection that started it.
---@param fn fun(...: any): any
---@param ... any its arguments
---@return tidegate.Task
function tide.spawn(fn, ...) end

--- The same, later.
---@param seconds number
---@param fn fun(...: any): any
---@param ... any its arguments
---@return tidegate.Task
function tide.after(seconds, fn, ...) end

--- Runs a function again and again, never twice at once.
---@param seconds number from one start to the next
---@param fn fun()
---@param options? tidegate.EveryOptions
---@return tidegate.Task
function tide.every(seconds, fn, options) end

--- Runs functions and waits for all. The first error ends the others, and is raised.
---@param list (function | tidegate.Task)[]
---@return any ... the first result of each, in order
function tide.gather(list) end

--- Runs functions until the first ends, and ends the others.
---@param list (function | tidegate.Task)[]
---@return any ... the results of the first
function tide.race(list) end

--- Runs a function for so long at most; an error of it is raised.
---@param seconds number
---@param fn fun(...: any): any
---@param ... any its arguments
---@return any ... its results; nil, "timeout"
function tide.with_timeout(seconds, fn, ...) end

--- Hands values from tasks that make them to tasks that use them.
---@param size integer how many it holds before `put` waits
---@return tidegate.Queue
function tide.queue(size) end

--- Declares data that outlives reloads of the code: one value for all generations, under one name.
--- To be called while modules load.
---@param name string 1 to 200 bytes of UTF-8; modules that say the same share the value
---@param initial? any plain data that is kept when nobody has kept any under this name
---@return tidegate.Keep
function tide.keep(name, initial) end

--- Declares what runs when the application begins to serve.
---@param fn fun()
function tide.on_start(fn) end

--- Declares what runs when the application stops, for drain_seconds at most.
---@param fn fun(reason: string)
function tide.on_stop(fn) end

---@class (exact) tidegate.EveryOptions
---@field jitter? number at most so many seconds later, another number each time

--- Something that runs beside what started it.
---@class tidegate.Task
local task = {}

--- Waits for its end.
---@param seconds? number at most
---@return any ... its results; nil and its error, "cancelled" or "timeout"
function task:wait(seconds) end

--- It never continues; its <close> variables are closed.
function task:cancel() end

---@return "running" | "done" | "failed" | "cancelled"
function task:status() end

--- `for value in queue do` takes values until the queue is closed and empty; `#queue` counts them.
---@class tidegate.Queue
---@overload fun(): any
local queue = {}

--- Waits while the queue is full.
---@param value any not nil
---@param seconds? number at most
---@return true?
---@return ("closed" | "timeout")?
function queue:put(value, seconds) end

--- Waits while the queue is empty.
---@param seconds? number at most
---@return any value nil: there is none
---@return ("closed" | "timeout")?
function queue:get(seconds) end

---@param value any not nil
---@return true?
---@return ("closed" | "full")?
function queue:try_put(value) end

---@return any value nil: there is none
---@return ("closed" | "empty")?
function queue:try_get() end

--- Nothing comes in any more; what is in it can still be taken.
function queue:close() end

--- A value that outlives reloads. Who reads it gets a copy: it costs as much as the value is large.
---@class tidegate.Keep
local keep = {}

---@return any # a copy
function keep:get() end

---@param value any plain data: nil, booleans, numbers, strings, null, and tables of them
---@return any value nil: it is not kept
---@return "full"? # keep_max_bytes
function keep:set(value) end

--- Reads and sets, with nothing in between.
---@param fn fun(value: any): any returns the new value; it cannot wait
---@return any value what is kept now; nil: the old one
---@return "full"? # keep_max_bytes
function keep:update(fn) end

--- A group by its name, whether anybody is in it or not.
---@class tidegate.Group
local group = {}

---@return integer
function group:count() end

--- In the order in which they joined.
---@return tidegate.Member[]
function group:members() end

--- As tide.broadcast.
---@param message tidegate.Outgoing
---@return integer? receivers
---@return string? problem
function group:send(message) end

--- Closes all connections in it.
---@param code? integer 1000 when left out
---@param reason? string
---@return integer closed
function group:close(code, reason) end

---@class tidegate.Member
---@field id string
---@field user any
---@field conn tidegate.Conn

--- A user by the id, whether connected or not.
---@class tidegate.User
local user = {}

---@return integer
function user:count() end

--- Oldest first.
---@return tidegate.Conn[]
function user:connections() end

--- Sends a message to each of the user's connections.
---@param message tidegate.Outgoing
---@return integer? receivers
---@return string? problem
function user:send(message) end

--- Closes them.
---@param code? integer 1000 when left out
---@param reason? string
---@return integer closed
function user:close(code, reason) end

---@class (exact) tidegate.TcpOptions
---@field timeout? number seconds for the name, the connection and TLS; 10
---@field tls? boolean | tidegate.TlsOptions

---@class (exact) tidegate.TlsOptions
---@field ca? string a file of certificates to trust instead of the system's
---@field verify? boolean false: anybody's certificate will do

---@class (exact) tidegate.ProcessOptions
---@field [integer] string the program and its arguments
---@field stdin? string what it reads; nothing when left out
---@field timeout? number seconds; process_timeout_seconds when left out
---@field max_output_bytes? integer of each output; process_max_output_bytes when left out
---@field env? table<string, string | false> variables to add or, with false, to leave out
---@field cwd? string the folder where it runs

---@class tidegate.ProcessResult
---@field status? integer with which it exited; nil when a signal ended it
---@field signal? integer that ended it
---@field stdout string
---@field stderr string

---@class (exact) tidegate.RouteOptions
---@field schema? tidegate.Schema | table<string, tidegate.Schema> of the body: JSON, or a form
---@field output? tidegate.Schema | table<string, tidegate.Schema> of what is answered below 300
---@field summary? string
---@field description? string
---@field tags? string[]
---@field headers? string[] names of headers that are kept beside the common ones
---@field origins? string[] of pages that may ask, beside the same origin
---@field login? boolean a 401 of it counts as a login that failed; who has too many gets 429
---@field timeout? number seconds that the handler may wait
---@field max_body_bytes? integer

--- A plain HTTP request.
---@class tidegate.RouteRequest: tidegate.Request
---@field method string "POST"; "HEAD" where a GET is asked for without its body
---@field body string as it came
---@field payload any the body along the schema; nil without one

--- What is answered: a status, a body (a string as text, a table as JSON) and headers, of which one
--- may have a list of values. It may wait.
---@alias tidegate.RouteHandler
---| fun(request: tidegate.RouteRequest): integer, string | table | nil, tidegate.Headers?

return tide
