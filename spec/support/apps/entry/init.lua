--- Rooms that say yes or no at each place where somebody can be stopped, as the client asks for, and a
--- journal of what has run: for specs of who gets how far.

local tide <const> = require "tidegate"
local s <const> = tide.schema

local said <const> = tide.message("said", s.string())
local say <const> = tide.message("say", s.string())
local read <const> = tide.message "read"
local journal <const> = tide.message("journal", {
  steps = s.array(s.string()),
  members = s.integer(),
  connections = s.integer(),
})

--- What has run since somebody read it.
local steps = {}

local function note(what)
  steps[#steps + 1] = what
end

local null <const> = require("cjson").null

local session <const> = tide.auth.session { secrets = { ("s"):rep(32) } }

--- What the functions do that are asked: the client says which by its query.
local users <const> = {
  session = session,
  ann = function()
    return { id = "ann", roles = { "member" } }
  end,
  slow = function()
    tide.sleep(0.05)
    return { id = "ann", roles = { "member" } }
  end,
  nobody = function()
    return nil, 200
  end,
  is_nil = function()
    return nil
  end,
  is_false = function()
    return false
  end,
  null = function()
    return null
  end,
  wrong = function()
    return nil, 401, "The session is not valid"
  end,
  banned = function()
    return nil, 403, "Go away"
  end,
  gone = function()
    return nil, 404, "No such place"
  end,
  raises = function()
    error "the database is down"
  end,
  raises_late = function()
    tide.sleep(0.01)
    error "the database is down"
  end,
  raises_declared = function()
    tide.error { code = "secret", detail = "nobody reads this" }
  end,
  raises_nil = function()
    error()
  end,
  odd_status = function()
    return nil, 402
  end,
  endless = function()
    while true do
    end
  end,
  late = function()
    tide.sleep(60)
    return { id = "ann" }
  end,
  swallowing = function()
    pcall(tide.sleep, 60)
    return { id = "ann" }
  end,
}

local objects <const> = {
  tea = function()
    return { title = "Tea" }
  end,
  is_nil = function()
    return nil
  end,
  is_false = function()
    return false
  end,
  null = function()
    return null
  end,
  raises = function()
    error "the database is down"
  end,
  late = function()
    tide.sleep(60)
    return { title = "Tea" }
  end,
}

local permissions <const> = {
  yes = function()
    return true
  end,
  no = function()
    return false
  end,
  because = function(conn)
    return false, "Not in " .. conn.object.title
  end,
  nothing = function()
    return nil
  end,
  odd = function()
    return 1
  end,
  raises = function()
    error "no rules"
  end,
  late = function()
    tide.sleep(60)
    return true
  end,
}

local function admit(request)
  note "admit"
  local how <const> = request.query.admit
  if how == "raises" then
    error "no list"
  elseif how == "no" then
    return false, 401, "Log in first"
  end
  return true
end

--- The options by which every consumer of this file is guarded.
---@param options table
---@return table
local function guarded(options)
  options.authentication_timeout = 0.3
  options.admit = admit
  options.groups = { "inside" }
  options.authenticate = function(request)
    note "authenticate"
    return users[request.query.who or "is_nil"](request)
  end
  options.object = function(conn)
    note "object"
    return objects[conn.query.object or "tea"]()
  end
  options.permissions = function(conn)
    note "permissions"
    return permissions[conn.query.may or "yes"](conn)
  end
  return options
end

local function hook(consumer)
  function consumer:connected()
    note "connected"
  end
  function consumer:disconnected()
    note "disconnected"
  end
end

local function answer(conn, message)
  note "say"
  return said(("%s of %s"):format(message.payload, conn.user and conn.user.id or "nobody"))
end

---@param options table
---@return tidegate.Consumer
local function room(options)
  local Room <const> = tide.consumer(guarded(options))
  hook(Room)
  Room:on(say, { output = said }, answer)
  return Room
end

--- One whose clients speak to a topic alone.
local hall <const> = tide.topic {
  pattern = "hall:{name}",
  authorise = function()
    note "authorise"
    return true
  end,
}
hall:on(say, { output = said }, function(sub, message)
  return answer(sub.conn, message)
end)
local Hall <const> =
  tide.consumer(guarded { name = "hall", path = "/ws/hall/{name:slug}", topic = hall })
hook(Hall)

local Text <const> = tide.text_consumer(guarded {
  name = "text",
  path = "/ws/text",
  connected = function()
    note "connected"
  end,
  disconnected = function()
    note "disconnected"
  end,
  receive = function(conn, data)
    note "say"
    conn:send_text(("%s of %s"):format(data, conn.user and conn.user.id or "nobody"))
  end,
})

--- A room of a path with a parameter and without any object: nobody has to be asked about one.
local Plain <const> = tide.consumer {
  name = "plain",
  path = "/ws/plain/{room_id}",
  groups = function(conn)
    return { "plain_" .. conn.params.room_id }
  end,
  authenticate = function()
    return "ann"
  end,
}
Plain:on(say, { output = said }, function(conn, message)
  return said(("%s in %s"):format(message.payload, conn.params.room_id))
end)

--- What has run, who is inside, and who is there at all, this client aside.
local Journal <const> = tide.consumer { name = "journal", path = "/ws/journal" }
Journal:on(read, { output = journal }, function()
  local all <const> = steps
  steps = {}
  return journal {
    steps = all,
    members = tide.group("inside"):count(),
    connections = tide.user("ann"):count(),
  }
end)

return {
  room { name = "room", path = "/ws/room" },
  room { name = "camel", path = "/ws/camel", camelize = true },
  room { name = "quiet", path = "/ws/quiet", send_authentication = false },
  Hall,
  Text,
  Plain,
  Journal,
}
