---@meta tidegate.testing

--- Tests of applications with busted: `local testing <const> = require "tidegate.testing"`.
---@class tidegate.Testing
local testing = {}

--- Anything but nothing, in an expected value.
---@type tidegate.Matcher
testing.any = {}

--- Nothing: the field is not there.
---@type tidegate.Matcher
testing.absent = {}

--- The null of messages, as `cjson.null`.
---@type lightuserdata
testing.null = nil

--- A value of a kind: `testing.a "string"`.
---@param kind tidegate.ValueKind
---@return tidegate.Matcher
function testing.a(kind) end

--- A string in which a pattern of Lua is found.
---@param pattern string
---@return tidegate.Matcher
function testing.matching(pattern) end

--- What a function says yes to: `testing.satisfying("an even number", is_even)`.
---@param sentence string stands in failures
---@param matches fun(value: any): boolean
---@return tidegate.Matcher
function testing.satisfying(sentence, matches) end

--- Opens an application: a folder, consumers, or a function that declares and returns them. What
--- keeps it from loading fails the spec.
---@param what string | tidegate.Consumer | tidegate.Consumer[] | fun(tide: tidegate.Library): any
---@param config? tidegate.AppConfig
---@return tidegate.TestApp
function testing.app(what, config) end

--- Starts the real program with the application in a folder, on a free port of this machine, and
--- stops it whatever happens. `config` has settings, as in tidegate.lua, and the server's options.
---@param folder string
---@param config? tidegate.ServerOptions | table<string, any>
---@return tidegate.TestServer
function testing.server(folder, config) end

--- Plays what `tidegate run --record FILE` kept, on the application's clock. What the application
--- logs as an error fails the spec, with the message's number and the line of the recording.
---@param app tidegate.TestApp
---@param path string
---@param options? tidegate.ReplayOptions
---@return tidegate.Replay
function testing.replay(app, path, options) end

--- Makes messages of a type, or values of a schema, that are right: another with each call.
---@param what tidegate.AnyMessageType | tidegate.Schema
---@param options? tidegate.GeneratorOptions
---@return tidegate.Generator
function testing.arbitrary(what, options) end

--- Makes messages or values that are wrong in one place, each with the error that it has to get.
---@param what tidegate.AnyMessageType | tidegate.Schema
---@param options? tidegate.GeneratorOptions
---@return tidegate.Generator
function testing.broken(what, options) end

--- Holds conversations of arbitrary messages with a consumer. The spec fails with the smallest one
--- that makes a handler fail, ends the connection, brings what is not declared, or leaves a leak.
---@param app tidegate.TestApp
---@param path string
---@param options? tidegate.FuzzOptions
---@return tidegate.FuzzResult
function testing.fuzz(app, path, options) end

---@class (exact) tidegate.GeneratorOptions
---@field camelize? boolean names as clients of a consumer with `camelize` write them
---@field random? fun(most: integer): integer gives a seed
---@field seed? integer default 1

--- An error that a value has to get.
---@class tidegate.Issue
---@field type string
---@field loc (string | integer)[] places in lists count from 0

---@class tidegate.Generator
---@overload fun(): any, tidegate.Issue?
local Generator = {}

--- Runs a function for so many values. What it raises fails the spec, with the smallest value for
--- which it raises something.
---@param runs integer
---@param property fun(value: any, issue: tidegate.Issue?)
function Generator:each(runs, property) end

--- The smallest value that `fails` still says yes to, beginning with the last one.
---@param fails fun(value: any, issue: tidegate.Issue?): any
---@return any value
---@return tidegate.Issue? issue
function Generator:shrink(fails) end

---@class (exact) tidegate.FuzzOptions
---@field actions? (string | tidegate.MessageType)[] only these
---@field broken? number the share of messages that are wrong, from 0 to 1; default 0.2
---@field connect? tidegate.ConnectOptions how each client connects
---@field leaks? boolean false: what the application keeps is its own affair
---@field messages? integer the most of one conversation; default 5
---@field runs? integer conversations; default 100
---@field seed? integer default 1
---@field settle? number seconds that pass behind the last message; default 1

---@class tidegate.FuzzResult
---@field runs integer conversations that were held
---@field messages integer that were sent
---@field broken integer of these: so many were wrong

---@alias tidegate.ValueKind
---| "string" | "number" | "integer" | "boolean" | "null" | "array" | "object"

---@class tidegate.Matcher
local Matcher = {}

---@class tidegate.AppConfig
---@field seed? integer of the application's random numbers
---@field strict? boolean false: frames that no consumer declares are received too
---@field [string] any settings, as in tidegate.lua

---@class (exact) tidegate.ConnectOptions
---@field cookies? table<string, string>
---@field headers? table<string, string>
---@field origin? string
---@field peer? string the address that the client comes from
---@field query? string | table<string, string | number>
---@field strict? boolean false: frames that the consumer does not declare are received too
---@field subprotocol? string
---@field user? any who the client is: `authenticate` is not asked

---@class (exact) tidegate.ReceiveAllOptions
---@field timeout? number seconds in which nothing more comes; default 1
---@field wait_group? boolean to the group's message too: until `group_complete`

---@class tidegate.Refusal
---@field status integer
---@field body string
---@field json any what the body says, if it is JSON
---@field headers table<string, string>

---@class tidegate.SeenFrame
---@field at number seconds of the application's clock
---@field from "server" | "client"
---@field kind "text" | "binary" | "ping" | "close" | "end"
---@field data? string
---@field frame? any what the text says
---@field code? integer of a close frame
---@field reason? string

--- What was published: a message for groups or topics, or an event.
---@class tidegate.Captured
---@field frame table action and payload
---@field groups? string[]
---@field topics? string[]
---@field conn? string one connection, by its id
---@field consumer? string all connections of a consumer
---@field user? string all connections of a user
---@field sender? string the id of the connection that sent it
---@field excludes_sender boolean
---@field receivers integer how many connections got it

---@class tidegate.LogLine
---@field level "debug" | "info" | "warning" | "error"
---@field event string
---@field fields table<string, string | integer>
---@field at number seconds of the application's clock

--- What new code changes; `tostring` makes a text of it.
---@class tidegate.ReloadReport
---@field generation integer that serves now
---@field text string "1 module, +1 action (chat.edit)", and below it what is stricter
---@field modules string[] files that are other ones, or came, or went
---@field added string[] "action chat.edit", "consumer lobby"
---@field removed string[]
---@field stricter string[] "chat.edit payload.text: max was 2000, is 200"
---@field for_new_connections string[] "chat: a changed path applies to new connections"

---@class tidegate.LoadProblem
---@field message string
---@field file? string
---@field line? integer
---@field column? integer
---@field hint? string what to do
---@field traceback? string[]

--- Why new code does not serve, problem by problem; `tostring` makes a text of it, with the source.
---@class tidegate.ReloadProblems
---@field outcome "failed" | "restless" | "cancelled"
---@field text string
---@field [integer] tidegate.LoadProblem

---@class tidegate.Generation
---@field number integer
---@field state "serving" | "retiring" | "stopping"
---@field connections integer
---@field tasks integer
---@field consumers integer
---@field age_seconds integer

--- An application under test. `<close>` closes it.
---@class tidegate.TestApp
local App = {}

--- Ends the application and all that it has going on. Once more does nothing.
function App:close() end

--- Loads new code while clients stay connected: the folder as it lies on disk now, or what is
--- given. Nothing has changed when it does not load: nil and what is wrong.
---@param what? string | fun(tide: tidegate.Library): any a folder, or what declares; nil: as before
---@return tidegate.ReloadReport? report
---@return tidegate.ReloadProblems? problems
function App:reload(what) end

--- The generations of the code that are alive, the oldest first; the last one serves.
---@return tidegate.Generation[]
function App:generations() end

--- Opens a connection. Nil and the refusal when the server does not accept it.
---@param path string "/ws/chat/blue?page=2"
---@param options? tidegate.ConnectOptions
---@return tidegate.TestClient? client
---@return tidegate.Refusal? refusal
function App:connect(path, options) end

--- Sends a request to a route (tide.route), and lets time pass until it is answered.
---@param method string
---@param path string "/login?next=%2F"
---@param options? tidegate.RequestOptions
---@return tidegate.Response
function App:request(method, path, options) end

--- Seconds of the application's own clock since it was opened.
---@return number
function App:now() end

--- Lets so many seconds pass at once: every timer that is due runs, in order.
---@param seconds number
function App:advance(seconds) end

--- Moves to the next timer within `seconds`; false when there was none, and they have passed.
---@param seconds number
---@return boolean
function App:step(seconds) end

--- A module of the application, the very one that its consumers use.
---@param name string
---@return any
function App:require(name) end

--- Runs a function as a task of the application, to its end: what waits may be called in it.
---@param fn function
---@param ... any for `fn`
---@return any ...
function App:call(fn, ...) end

--- `tide.broadcast` of the application: how many got it.
---@param groups string | string[]
---@param message tidegate.Message
---@param options? { exclude?: string }
---@return integer? receivers
---@return string? problem
function App:broadcast(groups, message, options) end

--- `tide.send_event` of the application: to one connection, `client.id`.
---@param conn_id string
---@param event tidegate.Message
---@return true?
---@return string? problem
function App:send_event(conn_id, event) end

--- `tide.broadcast_event` of the application.
---@param to string | string[] | tidegate.Consumer
---@param event tidegate.Message
---@return integer? receivers
---@return string? problem
function App:broadcast_event(to, event) end

--- `tide.group` of the application.
---@param name string
---@return tidegate.Group
function App:group(name) end

--- `tide.user` of the application.
---@param id string | integer
---@return tidegate.User
function App:user(id) end

---@class tidegate.TestTopic
local TestTopic = {}

---@param name string | table<string, string | integer>
---@return integer
function TestTopic:count(name) end

---@param name string | table<string, string | integer>
---@param message tidegate.Message
---@return integer? receivers
---@return string? problem
function TestTopic:broadcast(name, message) end

---@param name string | table<string, string | integer>
---@param event tidegate.Message
---@return integer? receivers
---@return string? problem
function TestTopic:broadcast_event(name, event) end

--- The functions of one of its topics: `app:topic(Room):broadcast({ name = "a" }, message)`.
---@param topic tidegate.Topic what tide.topic returned
---@return tidegate.TestTopic
function App:topic(topic) end

--- Runs a function and returns the group messages that were sent meanwhile. They are not delivered,
--- unless `deliver` is true.
---@param fn function
---@param options? { deliver?: boolean }
---@return tidegate.Captured[]
function App:capture_broadcasts(fn, options) end

--- The same for events.
---@param fn function
---@param options? { deliver?: boolean }
---@return tidegate.Captured[]
function App:capture_events(fn, options) end

--- What the application has logged, the oldest line first; `tostring` makes a text of it.
---@param event? string only those of this event
---@return tidegate.LogLine[]
function App:logs(event) end

--- The application's metrics by name. What has labels is the sum of them.
---@return table<string, number>
function App:metrics() end

--- One metric, or the part of it that has these labels.
---@param name string
---@param labels? table<string, string>
---@return number
function App:metric(name, labels) end

--- Breaks something: `{ allocation = n }`, the n-th from now fails; `{ layer = "down" }`.
---@param faults table
---@return integer left allocations until one that was to fail before; 0: it has failed
function App:inject(faults) end

--- Answers requests of `tide.http` whose URL matches.
---@param pattern string
---@param response table | function
function App:stub_http(pattern, response) end

--- Answers `tide.process.run` of commands that match.
---@param pattern string
---@param response table | function
function App:stub_process(pattern, response) end

--- What a text says as JSON: integers exact, `cjson.null`, lists that are empty stay lists.
---@param text string
---@return any
function App:decode(text) end

--- Whether a consumer declares to send a frame; else nil, and "undeclared" or a list of what is
--- wrong.
---@param consumer string
---@param text string
---@return true?
---@return string | table[] | nil
function App:check(consumer, text) end

--- The text of a message as its type writes it for a client; nil when it is no message.
---@param message tidegate.Message
---@param to tidegate.TestClient
---@return string?
function App:text(message, to) end

--- A client of an application under test. `<close>` closes it.
---@class tidegate.TestClient
---@field subprotocol? string the one that was agreed on
local Client = {}

--- Sends a table as JSON, a message as its type writes it, or a string as it is.
---@param message table | string | tidegate.Message
function Client:send(message) end

---@param data string
function Client:send_binary(data) end

--- The next frame: of a message what its JSON says, else { text = } or { binary = }. Fails the spec
--- when none comes in time.
---@param seconds? number default 1; the application's clock moves only as far as needed
---@return table frame
function Client:receive(seconds) end

--- The next frame with an action, or one that has what a table says.
---@param wanted string | table
---@param seconds? number
---@return table frame
---@return table[] before
function Client:receive_until(wanted, seconds) end

--- All frames until `complete`, or until nothing more comes; without the completions.
---@param options? tidegate.ReceiveAllOptions
---@return table[] frames
function Client:receive_all(options) end

--- True when no frame comes. Fails the spec with the frame that came.
---@param seconds? number default 0: nothing is there already
---@return true
function Client:receive_nothing(seconds) end

--- Sends a message with a `ref` and returns the frame that answers it.
---@param message table | string | tidegate.Message
---@param seconds? number
---@return table frame
function Client:call(message, seconds) end

--- Subscribes to a topic and returns the answer: `subscribed`, or an error.
---@param topic string
---@param ref? string
---@return table frame
function Client:subscribe(topic, ref) end

---@param topic string
---@param ref? string
---@return table frame
function Client:unsubscribe(topic, ref) end

--- Answers a question of the server (`conn:call`): `frame` is what was received.
---@param frame table
---@param payload any
function Client:answer(frame, payload) end

--- Wants the frame of authentication next, with a status.
---@param status? integer default 200
---@return table frame
function Client:assert_authenticated(status) end

--- Reads no more, as a client that hangs.
function Client:stall() end

function Client:resume() end

--- Closes as a browser does: with a close frame, to which the server answers.
---@param code? integer default 1000
---@param reason? string
function Client:close(code, reason) end

--- Loses the connection without a word.
function Client:drop() end

--- Wants the server to close the connection; frames before that are passed over.
---@param code? integer nil: any
---@param reason? string | tidegate.Matcher a pattern of Lua
---@param seconds? number
---@return tidegate.SeenFrame # how it ended
function Client:assert_closed(code, reason, seconds) end

--- Everything that came from the server, with times: pings and the close too.
---@return tidegate.SeenFrame[]
function Client:frames() end

---@class luassert
---@field frame fun(expected: table, got: any, extra?: string): table, any
---@field exact_frame fun(expected: table, got: any, extra?: string): table, any
---@field broadcast fun(app: tidegate.TestApp, group: string, expected: table): any
---@field no_leaks fun(app: tidegate.TestApp): tidegate.TestApp
---@field error_at fun(frame: any, path: any[], type?: string | tidegate.Matcher): any

---@class (exact) tidegate.ServerOptions
---@field env? table<string, string> variables of the program, beside those of this process
---@field patience? number seconds to start, connect, and stop beyond drain_seconds; default 10
---@field program? string which program; default: TG_BIN, or the one beside the kit's module
---@field strict? boolean false: frames that no consumer declares are received too

--- The real program. `<close>` stops it.
---@class tidegate.TestServer
---@field url string "http://127.0.0.1:40123"
---@field host string
---@field port integer
local Server = {}

--- Opens a connection. Nil and the refusal when the server answers with another status than 101.
--- The options `user` and `peer` are for `testing.app` alone.
---@param path string "/ws/chat/blue?page=2"
---@param options? tidegate.ConnectOptions
---@return tidegate.TestClient? client
---@return tidegate.Refusal? refusal
function Server:connect(path, options) end

--- Sends a plain request.
---@param method string
---@param path string
---@param options? tidegate.RequestOptions
---@return tidegate.Response
function Server:request(method, path, options) end

--- Stops the program. One that did not end well fails the spec with what it wrote.
---@param why? string
function Server:close(why) end

--- Kills the program as a power cut would.
function Server:kill() end

--- The server's metrics, by name; what has labels is the sum of them.
---@return table<string, number>
function Server:metrics() end

--- One metric, or the part of it that has these labels.
---@param name string
---@param labels? table<string, string>
---@return number
function Server:metric(name, labels) end

--- Seconds of real time since the server was started.
---@return number
function Server:now() end

--- What the program has logged, the oldest line first. What it wrote besides is an "output".
---@param event? string only those of this event
---@return tidegate.LogLine[]
function Server:logs(event) end

--- The value that a JSON text stands for, exactly.
---@param text string
---@return any
function Server:decode(text) end

--- Whether a consumer declares to send this frame. Else nil and what is wrong.
---@param consumer string
---@param text string
---@return boolean?
---@return any
function Server:check(consumer, text) end

--- The text of a message as its type writes it for the clients of a consumer. Nil: it is none.
---@param message any
---@param to tidegate.TestClient
---@return string?
function Server:text(message, to) end

---@class (exact) tidegate.ReplayOptions
---@field speed? number how many times as fast; default 1, math.huge: no time passes between events
---@field settle? number seconds that pass behind the last event; default 1
---@field strict? boolean false: errors do not fail the spec, they are in the result
---@field connect? fun(open: table): tidegate.ConnectOptions? # beside the recorded
---@field only? fun(event: table): boolean? # which events are played

---@class tidegate.ReplayError
---@field number integer? of the message that was played last, from 1; nil: none was
---@field line integer of the recording
---@field event table what was played last
---@field log tidegate.LogLine what the application logged

---@class tidegate.Replay
---@field clients tidegate.TestClient[] in the order in which they came
---@field by_id table<string, tidegate.TestClient> by the connection's id in the recording
---@field errors tidegate.ReplayError[]
---@field messages integer that were played
---@field masked integer of these: so many had secrets taken out
---@field omitted integer messages that the recording does not have
---@field skipped integer messages of connections that were refused here, or closed by the server
---@field refused { event: table, refusal: tidegate.Refusal }[]
---@field is_whole boolean the recording was ended by the end of its server

return testing, App, Client, Server
