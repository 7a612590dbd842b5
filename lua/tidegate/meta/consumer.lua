---@meta tidegate.consumer

---@class (exact) tidegate.ConsumerOptions
---@field name? string letters, digits, "_", "-"; else the last part of the path, parameters aside
---@field path? string | string[] "/ws/room/{room_id:slug}"; left out when a router gives it
---@field description? string
---@field tags? string[]
---@field headers? string[] names of uncommon headers that handlers read in conn.headers
---@field sends? tidegate.Sendable | tidegate.Sendable[] what hooks send, for documentation
---@field strict_frames? boolean a binary frame that nothing handles closes with 1003
---@field send_completion? boolean clients are told when something has been dealt with
---@field camelize? boolean names of declared fields are camel case for clients, "userName"
---@field before? tidegate.Before runs before each handler, those of topics too
---@field topics? tidegate.Topic[] streams that its clients subscribe to
---@field topic? tidegate.Topic its paths are this topic alone
---@field groups? tidegate.Groups joined before `connected`
---@field origins? string[] of pages that may connect, beside the same origin
---@field require_origin? boolean who sends none, and so is no page, is refused
---@field admit? tidegate.Admit asked before there is a connection
---@field subprotocols? string[] the one that is liked best first
---@field authenticate? tidegate.Authenticator runs before anything else
---@field authentication_timeout? number seconds for who it is, the object and the permissions
---@field object? fun(conn: tidegate.Conn): any what it is about, conn.object; nil: 404
---@field permissions? tidegate.Permission whether it may, when it is known who and about what
---@field authorise_groups? tidegate.GroupPermission of the names that functions of `groups` return
---@field grace? number seconds for which a credential that has expired is put up with
---@field reauthenticate_seconds? number so often the authenticator is asked again
---@field send_authentication? boolean false: no frame says how authentication has ended
---@field migrate? tidegate.Migrate rewrites conn.state for new code, before `reloaded`

--- Names of 1 to 200 bytes of UTF-8, or a function that returns some. It may wait.
---@alias tidegate.Groups string | string[] | fun(conn: tidegate.Conn): string | string[]

--- What is not nil, false or null becomes conn.user, and the client is let in. Else it is refused:
--- with a status (401 when left out, 403 or 404) and a sentence that the client reads. It may wait.
---@alias tidegate.Authenticate fun(request: tidegate.Request): any, integer?, string?

--- True lets in; false refuses, with a status of HTTP (from 400 on; 403 when left out), a sentence
--- and headers of the answer. It may not wait.
---@alias tidegate.Admit
---| fun(request: tidegate.Request): boolean, integer?, string?, tidegate.Headers?

--- Names and values; a list of values is as many headers.
---@alias tidegate.Headers table<string, string | integer | string[]>

--- A function, or what tide.auth makes.
---@alias tidegate.Authenticator tidegate.Authenticate | tidegate.auth.Callable

--- True; or false, and a sentence that the client reads. It may wait.
---@alias tidegate.PermissionCheck fun(subject: any, message?: any): boolean?, string?

--- Of a connection, of a message (`allow`), or of a subscription (`authorise`): it gets what the
--- handler there gets.
---@alias tidegate.Permission tidegate.PermissionCheck | tidegate.auth.Callable

---@alias tidegate.GroupPermission fun(conn: tidegate.Conn, name: string): boolean?, string?

--- What a client sent to open its connection.
---@class tidegate.Request
---@field path string "/ws/room/lobby"
---@field params table<string, string | integer> what stands in the parameters of the path
---@field query table<string, string>
---@field headers table<string, string> by names in lower case
---@field cookies table<string, string>
---@field peer string the client's address
---@field subprotocol? string the one that was agreed on
---@field token? string what the client has sent in a message to renew, or to begin with

--- Nothing or true: the handler runs. A message: it is the reply, and the handler does not run.
--- False, and a sentence behind it: the client gets the sentence as an error.
---@alias tidegate.Verdict boolean | tidegate.Outgoing | nil

--- May also raise tide.error.
---@alias tidegate.Before fun(conn: tidegate.Conn, m: tidegate.Message): tidegate.Verdict, string?

--- Gets conn.state as the generation `from_generation` has left it, a copy of its plain data, and
--- returns what conn.state becomes; nothing: the same table, changed. It cannot wait. If it raises,
--- the state is as it was.
---@alias tidegate.Migrate fun(state: table, from_generation: integer): table?

---@class (exact) tidegate.TextConsumerOptions
---@field name? string
---@field path? string | string[]
---@field description? string
---@field tags? string[]
---@field headers? string[]
---@field groups? tidegate.Groups joined before `connected`
---@field origins? string[] of pages that may connect, beside the same origin
---@field require_origin? boolean who sends none, and so is no page, is refused
---@field admit? tidegate.Admit asked before there is a connection
---@field subprotocols? string[] the one that is liked best first
---@field authenticate? tidegate.Authenticator who is refused reads the code of the close
---@field authentication_timeout? number seconds for who it is, the object and the permissions
---@field object? fun(conn: tidegate.Conn): any what it is about, conn.object; nil: 404
---@field permissions? tidegate.Permission whether it may, when it is known who and about what
---@field authorise_groups? tidegate.GroupPermission of the names that functions of `groups` return
---@field grace? number seconds for which a credential that has expired is put up with
---@field reauthenticate_seconds? number so often the authenticator is asked again
---@field connected? fun(conn: tidegate.Conn)
---@field receive fun(conn: tidegate.Conn, data: string, is_binary: boolean) for each message
---@field disconnected? fun(conn: tidegate.Conn, code: integer, reason: string)
---@field migrate? tidegate.Migrate rewrites conn.state for new code, before `reloaded`
---@field reloaded? fun(conn: tidegate.Conn, from_generation: integer)

---@class (exact) tidegate.MixinOptions
---@field headers? string[]
---@field sends? tidegate.Sendable | tidegate.Sendable[]
---@field groups? tidegate.Groups joined behind those of the consumer

---@class (exact) tidegate.HandlerOptions
---@field summary? string
---@field description? string
---@field tags? string[]
---@field output? tidegate.Sendable | tidegate.Sendable[] what the handler answers
---@field allow? tidegate.Permission who may have it run; gets the connection and the message
---@field concurrency? integer messages of a connection handled at once, when they wait; 1
---@field timeout? number seconds after which a handler that waits is ended

---@class (exact) tidegate.EventHandlerOptions
---@field summary? string
---@field description? string
---@field tags? string[]
---@field output? tidegate.Sendable | tidegate.Sendable[] what the handler answers
---@field timeout? number seconds after which a handler that waits is ended

---@class (exact) tidegate.RelayOptions
---@field summary? string
---@field description? string
---@field tags? string[]

--- What it returns, if anything, is sent to the client.
---@alias tidegate.Handler fun(conn: tidegate.Conn, message: tidegate.Message): tidegate.Outgoing?

---@alias tidegate.Connected fun(self: table, conn: tidegate.Conn)
---@alias tidegate.Disconnected fun(self: table, conn: tidegate.Conn, code: integer, reason: string)
---@alias tidegate.Reloaded fun(self: table, conn: tidegate.Conn, from_generation: integer)

---@class tidegate.Mixin
---@field connected? tidegate.Connected
---@field disconnected? tidegate.Disconnected
---@field reloaded? tidegate.Reloaded
local Mixin = {}

--- Handles the messages of a type. The message is typed where `tidegate types` has written what it
--- is: a language server narrows a callback by a generic of items, and not by an overload.
---@generic M
---@param message_type M[] what tide.message returned
---@param options tidegate.HandlerOptions | fun(conn: tidegate.Conn, message: M): tidegate.Outgoing?
---@param handler? fun(conn: tidegate.Conn, message: M): tidegate.Outgoing?
function Mixin:on(message_type, options, handler) end

--- Handles an event on each connection that gets it; typed as the message of `on` is.
---@generic M
---@param event_type M[] what tide.event returned
---@param options tidegate.EventHandlerOptions | fun(conn: tidegate.Conn, e: M): tidegate.Outgoing?
---@param handler? fun(conn: tidegate.Conn, e: M): tidegate.Outgoing?
function Mixin:on_event(event_type, options, handler) end

--- Passes an event to the client as it is.
---@param event_type tidegate.EventType
---@param options? tidegate.RelayOptions
function Mixin:relay(event_type, options) end

--- Handles binary messages.
---@param handler fun(conn: tidegate.Conn, data: string)
function Mixin:on_binary(handler) end

---@class tidegate.Consumer
---@field connected? tidegate.Connected the connection is open
---@field disconnected? tidegate.Disconnected it has ended; runs once
---@field reloaded? tidegate.Reloaded it comes from other code, with its state; starts tasks again
local Consumer = {}

--- Handles the messages of a type. The message is typed where `tidegate types` has written what it
--- is: a language server narrows a callback by a generic of items, and not by an overload.
---@generic M
---@param message_type M[] what tide.message returned
---@param options tidegate.HandlerOptions | fun(conn: tidegate.Conn, message: M): tidegate.Outgoing?
---@param handler? fun(conn: tidegate.Conn, message: M): tidegate.Outgoing?
function Consumer:on(message_type, options, handler) end

--- Handles an event on each connection that gets it; typed as the message of `on` is.
---@generic M
---@param event_type M[] what tide.event returned
---@param options tidegate.EventHandlerOptions | fun(conn: tidegate.Conn, e: M): tidegate.Outgoing?
---@param handler? fun(conn: tidegate.Conn, e: M): tidegate.Outgoing?
function Consumer:on_event(event_type, options, handler) end

--- Passes an event to the client as it is.
---@param event_type tidegate.EventType
---@param options? tidegate.RelayOptions
function Consumer:relay(event_type, options) end

--- Handles binary messages; without it they are answered with an error.
---@param handler fun(conn: tidegate.Conn, data: string)
function Consumer:on_binary(handler) end

--- Takes over the handlers and hooks of a mixin.
---@param mixin tidegate.Mixin
function Consumer:use(mixin) end

---@class tidegate.TextConsumer

--- One handler, as the host reads it.
---@class tidegate.Action
---@field action string
---@field type tidegate.MessageType
---@field handler? tidegate.Handler nil for an event that is relayed, and a renewal
---@field is_relay? boolean
---@field is_renewal? boolean a client's new credential, which the host handles
---@field allow? tidegate.Permission
---@field summary? string
---@field description? string
---@field tags string[]
---@field outputs tidegate.Sendable[]
---@field source string

--- One consumer, as the host reads it.
---@class tidegate.Declaration
---@field name string
---@field description? string
---@field tags string[]
---@field paths string[]
---@field headers string[] in lower case
---@field credentials string[] headers and items of the query that the authenticator reads
---@field sends tidegate.Sendable[]
---@field groups (string | fun(conn: tidegate.Conn): string | string[])[]
---@field send_authentication boolean
---@field authenticate? tidegate.Authenticator
---@field load_object? fun(conn: tidegate.Conn): any
---@field permissions? tidegate.Permission
---@field authorise_groups? tidegate.GroupPermission
---@field authentication_timeout? number
---@field grace? number
---@field reauthenticate_seconds? number
---@field actions tidegate.Action[]
---@field topics tidegate.TopicDeclaration[]
---@field is_topic boolean its paths are the one topic alone
---@field events tidegate.Action[]
---@field send_completion boolean
---@field strict_frames boolean
---@field camelize boolean
---@field is_text boolean
---@field source string
---@field object tidegate.Consumer | tidegate.TextConsumer
---@field before? tidegate.Before
---@field connected? tidegate.Connected
---@field disconnected? tidegate.Disconnected
---@field migrate? tidegate.Migrate
---@field reloaded? tidegate.Reloaded
---@field receive? fun(conn: tidegate.Conn, data: string, is_binary: boolean)
---@field binary? fun(conn: tidegate.Conn, data: string)

--- One topic, as the host reads it: a consumer without paths, whose name is the pattern.
---@class tidegate.TopicDeclaration: tidegate.Declaration
---@field authorise? tidegate.Authorise
---@field on_subscribe? fun(sub: tidegate.Subscription)
---@field on_unsubscribe? fun(sub: tidegate.Subscription, reason: tidegate.Leaving)

return Consumer, Mixin
