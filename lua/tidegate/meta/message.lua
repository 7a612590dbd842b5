---@meta tidegate.message

--- What tide.message returns. Called with a payload, it makes a message to send.
---@class tidegate.MessageType
---@field action string
---@field schema? tidegate.Schema of the payload; nil: it has none
---@field source string where it was declared, "consumers/system/messages.lua:9"
---@overload fun(payload?: any): tidegate.Outgoing

--- A message to send or to return.
---@class tidegate.Outgoing
---@field action string
---@field payload any

--- A message that has come in and is valid.
---@class tidegate.Message
---@field action string
---@field payload any after its schema; nil when the action has none
---@field ref? string | integer the client's name for its question
---@field topic? string
