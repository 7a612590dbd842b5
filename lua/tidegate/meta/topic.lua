---@meta tidegate.topic

---@class (exact) tidegate.TopicOptions
---@field pattern string "room:{room_name}", "stock:{id:int}"; segments between colons
---@field description? string
---@field tags? string[]
---@field sends? tidegate.Sendable | tidegate.Sendable[] what hooks send, for documentation
---@field authorise? tidegate.Authorise
---@field on_subscribe? fun(sub: tidegate.Subscription) behind the frame `subscribed`
---@field on_unsubscribe? fun(sub: tidegate.Subscription, reason: tidegate.Leaving)

--- True lets the client in; false, and a sentence for the client, does not. It may wait, and raise
--- tide.error.
---@alias tidegate.Authorise fun(sub: tidegate.Subscription): boolean, string?

---@alias tidegate.Leaving "client" | "server" | "closed"

--- The name of a topic, or the parameters that make it.
---@alias tidegate.TopicName string | table<string, string | integer>

--- One of several streams over a connection.
---@class tidegate.Topic
local Topic = {}

--- Handles the messages of a type in this topic.
---@generic M
---@param message_type M[] what tide.message returned
---@param options tidegate.HandlerOptions | fun(sub: tidegate.Subscription, message: M): any
---@param handler? fun(sub: tidegate.Subscription, message: M): tidegate.Outgoing?
function Topic:on(message_type, options, handler) end

--- Handles the events of a type that are sent to this topic.
---@generic M
---@param event_type M[] what tide.event returned
---@param options tidegate.EventHandlerOptions | fun(sub: tidegate.Subscription, event: M): any
---@param handler? fun(sub: tidegate.Subscription, event: M): tidegate.Outgoing?
function Topic:on_event(event_type, options, handler) end

--- Passes such events on to the clients as they are.
---@param event_type tidegate.EventType
---@param options? table summary, description, tags
function Topic:relay(event_type, options) end

--- How many connections are subscribed.
---@param name tidegate.TopicName
---@return integer
function Topic:count(name) end

--- Sends a message to all subscribers, from anywhere in the code.
---@param name tidegate.TopicName
---@param message tidegate.Outgoing
---@return integer? receivers
---@return string? problem
function Topic:broadcast(name, message) end

--- Sends an event to all subscribers, from anywhere in the code.
---@param name tidegate.TopicName
---@param event any what tide.event returned, called with its payload
---@return integer? receivers
---@return string? problem
function Topic:broadcast_event(name, event) end

--- What one client has of a topic. It is safe to keep: when it has ended, its methods answer nil,
--- "closed".
---@class tidegate.Subscription
---@field topic string its name, "room:lobby"
---@field params table<string, string | integer> what stands in the parameters of the pattern
---@field conn tidegate.Conn
---@field state table for whatever belongs to the subscription
local Subscription = {}

--- Sends a message to this client, in this topic.
---@param message tidegate.Outgoing
---@return true?
---@return ("closed" | "full")?
function Subscription:send(message) end

--- Sends a message to all subscribers of this name.
---@param message tidegate.Outgoing
---@param options? { exclude_current?: boolean }
---@return integer? receivers
---@return string? problem
function Subscription:broadcast(message, options) end

--- Ends the subscription.
---@return true?
---@return "closed"?
function Subscription:close() end

return Topic, Subscription
