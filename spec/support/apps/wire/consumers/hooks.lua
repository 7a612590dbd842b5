-- Consumers whose `connected` does something drastic.
local tide <const> = require "tidegate"
local journal <const> = require "journal"
local s <const> = tide.schema

local hello <const> = tide.message("hello", { text = s.string() })

local Raises <const> = tide.consumer { name = "raises", path = "/ws/raises", sends = { hello } }

function Raises:connected(conn)
  conn:send(hello { text = "before" })
  error "secret words"
end

local raises_left <const> = journal.leaver "raises"

function Raises:disconnected(conn, code, reason)
  raises_left(conn, code, reason)
end

local Closes <const> = tide.consumer { name = "closes", path = "/ws/closes", sends = { hello } }

function Closes:connected(conn)
  conn:send(hello { text = "before" })
  conn:close(4001, "not today")
end

local closes_left <const> = journal.leaver "closes"

function Closes:disconnected(conn, code, reason)
  closes_left(conn, code, reason)
end

-- Its `disconnected` raises: that must harm nobody.
local Clumsy <const> = tide.consumer { name = "clumsy", path = "/ws/clumsy" }

function Clumsy:connected(conn)
  conn:send(hello { text = "here" })
end

function Clumsy:disconnected()
  journal.note { clumsy = true }
  error "secret words"
end

-- `before` lets only those in who say the word.
local ask <const> = tide.message("ask", { word = s.string() })

local Guarded <const> = tide.consumer {
  name = "guarded",
  path = "/ws/guarded",
  before = function(_, message)
    if message.payload.word ~= "please" then
      tide.error { code = "impolite", detail = "Say please" }
    end
  end,
}

Guarded:on(ask, { output = hello }, function()
  return hello { text = "since you ask" }
end)

return { Raises, Closes, Clumsy, Guarded }
