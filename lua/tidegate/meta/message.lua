---@meta tidegate.message

--- What the three kinds of message types have in common. All of it is constant.
---@class tidegate.AnyMessageType
---@field action string
---@field role tidegate.Role
---@field schema? tidegate.Schema of the payload; nil: it has none
---@field source string where it was declared, "consumers/system/messages.lua:9"
---@field serialise? tidegate.Serialise
---@field summary? string
---@field description? string

---@alias tidegate.Role "message" | "group_message" | "event"

--- What tide.message returns. Called with a payload, it makes a message to send. Its items are not
--- there: they tell the language server what a handler gets, see Consumer:on.
---@class tidegate.MessageType: tidegate.AnyMessageType
---@field [integer] tidegate.Message
---@overload fun(payload?: any): tidegate.Outgoing

--- What tide.group_message returns. A client that gets one reads `is_mine` and `is_current` in it.
---@class tidegate.GroupMessageType: tidegate.AnyMessageType
---@overload fun(payload?: any): tidegate.Outgoing

--- What tide.event returns: for the server itself, never sent to a client.
---@class tidegate.EventType: tidegate.AnyMessageType
---@overload fun(payload?: any): tidegate.Outgoing

---@alias tidegate.Sendable tidegate.MessageType | tidegate.GroupMessageType

---@class (exact) tidegate.MessageOptions
---@field serialise? tidegate.Serialise
---@field summary? string one line for the documentation
---@field description? string

--- Makes what is sent of a payload, when it is sent; it does not change the payload. Keys that the
--- schema does not declare follow those that it does.
---@alias tidegate.Serialise fun(payload: any): any

--- A message to send or to return. As text (`tostring`) it is its JSON without secrets.
---@class tidegate.Outgoing
---@field action string
---@field payload any may be set

--- A message that has come in and is valid.
---@class tidegate.Message
---@field action string
---@field payload any after its schema; nil when the action has none
---@field ref? string | integer the client's name for its question
---@field topic? string
