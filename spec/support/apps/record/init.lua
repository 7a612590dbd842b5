-- An application to record: a consumer with secrets, one with a topic that has some, one without, and a
-- handler that fails.
local tide <const> = require "tidegate"
local s <const> = tide.schema

local login <const> = tide.message("login", {
  user = s.string(),
  password = s.string({ min = 4 }):secret(),
  pin = s.integer({ min = 1000 }):secret():optional(),
})
local welcome <const> = tide.message("welcome", { user = s.string() })
local add <const> = tide.message("add", { amount = s.integer() })
local total <const> = tide.message("total", { total = s.integer() })

local Login <const> = tide.consumer { name = "login", path = "/ws/login/{room}" }

Login:on(login, { output = welcome }, function(_, message)
  return welcome { user = message.payload.user }
end)

local Sum <const> = tide.consumer { name = "sum", path = "/ws/sum" }

Sum:on(add, { output = total }, function(conn, message)
  conn.state.total = (conn.state.total or 0) + message.payload.amount
  if conn.state.total == 13 then
    error "thirteen"
  end
  return total { total = conn.state.total }
end)

Sum:on_binary(function() end)

-- Has no secret but those of its topic.
local unlocked <const> = tide.message("unlocked", { door = s.string() })
local Door <const> = tide.topic { pattern = "door:{name}" }

Door:on(
  tide.message("unlock", { door_code = s.string():secret(), note = s.string():optional() }),
  { output = unlocked },
  function(sub)
    return unlocked { door = sub.params.name }
  end
)

local Doors <const> =
  tide.consumer { name = "doors", path = "/ws/doors", topics = { Door }, camelize = true }
local OneDoor <const> = tide.consumer { name = "one_door", path = "/ws/door/{name}", topic = Door }

Doors:on(add, { output = total }, function(_, message)
  return total { total = message.payload.amount }
end)

-- Who comes in says so where nobody would look for it.
local Visitors <const> = tide.consumer {
  name = "visitors",
  path = "/ws/visitors",
  authenticate = tide.auth.any {
    tide.auth.api_key {
      header = "X-Who",
      query = "who",
      keys = { [tide.auth.hash_key "k"] = "ann" },
    },
    tide.auth.jwt { header = "X-Visitor", keys = { alg = "HS256", secret = ("s"):rep(32) } },
  },
}

-- Whose clients say who they are in their first message.
local function anybody(request)
  return request.token
end
local Raw <const> = tide.text_consumer {
  name = "raw",
  path = "/ws/raw",
  authenticate = tide.auth.first_message(anybody),
  receive = function(conn, data)
    conn:send_text(data)
  end,
}
local Guarded <const> = tide.consumer {
  name = "guarded",
  path = "/ws/guarded",
  authenticate = tide.auth.first_message(anybody),
}

return { Login, Sum, Doors, OneDoor, Visitors, Raw, Guarded }
