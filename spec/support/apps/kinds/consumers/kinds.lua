local messages <const> = require "messages"
local tide <const> = require "tidegate"

return tide.consumer { path = "/ws/kinds", sends = { messages.kinds } }
