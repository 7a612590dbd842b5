--- Consumers that ask who comes, each in its own way.

local tide <const> = require "tidegate"
local s <const> = tide.schema

local said <const> = tide.message("said", s.any())
local deed <const> = tide.message("ask", s.string())
local welcome <const> = tide.message("welcome", { user = s.any() })

local verdicts <const> = {
  table = function()
    return { id = 7, name = "ann" }
  end,
  text = function()
    return "ann"
  end,
  integer = function()
    return 7
  end,
  is_true = function()
    return true
  end,
  refused = function()
    return nil
  end,
  is_false = function()
    return false
  end,
  null = function()
    return require("cjson").null
  end,
  forbidden = function()
    return nil, 403
  end,
  missing = function()
    return nil, 404, 'No room "é"'
  end,
  unauthorised = function()
    return false, 401, "Log in first"
  end,
  raises = function()
    error "the database is down"
  end,
  declared = function()
    tide.error { code = "secret", detail = "nobody reads this" }
  end,
  wrong_status = function()
    return nil, 402
  end,
  status_of_ours = function()
    return nil, 500
  end,
  no_status = function()
    return nil, "why"
  end,
  wrong_detail = function()
    return nil, 403, {}
  end,
  bad_text = function()
    return nil, 403, "\xff"
  end,
  endless = function()
    while true do
    end
  end,
  late = function()
    tide.sleep(60)
    return "late"
  end,
  swallowing = function()
    pcall(tide.sleep, 60)
    return "late"
  end,
  slow = function(request)
    tide.sleep(tonumber(request.query.seconds))
    return "slow"
  end,
  slowly_refused = function()
    tide.sleep(0.05)
    return nil, 403
  end,
}

---@param request tidegate.Request
local function authenticate(request)
  return verdicts[request.query.who](request)
end

local function door(path, options)
  local consumer <const> = tide.consumer {
    path = path,
    name = options.name,
    camelize = options.camelize,
    send_authentication = options.send_authentication,
    sends = welcome,
    groups = "inside",
    authenticate = authenticate,
  }
  function consumer:connected(conn)
    conn:send(welcome { user = conn.user })
  end
  function consumer:disconnected(conn, code)
    tide.log.info("left", { id = tostring(conn.user), code = code })
  end
  consumer:on(deed, { output = said }, function(conn, message)
    if message.payload == "count" then
      return said {
        inside = tide.group("inside"):count(),
        slow = tide.user("slow"):count(),
        ann = tide.user("ann"):count(),
      }
    end
    return said(message.payload .. " of " .. tostring(conn.user))
  end)
  return consumer
end

--- Tells what an authenticator is told.
local Request <const> = tide.consumer {
  path = "/ws/request/{room:slug}/{number:int}",
  headers = { "x-token" },
  send_authentication = false,
  authenticate = function(request)
    return request
  end,
}
function Request:connected(conn)
  conn:send(said {
    path = conn.user.path,
    params = conn.user.params,
    query = conn.user.query,
    token = conn.user.headers["x-token"],
    cookies = conn.user.cookies,
    has_peer = conn.user.peer == conn.peer,
    keys = (function()
      local keys <const> = {}
      for key in pairs(conn.user) do
        keys[#keys + 1] = key
      end
      table.sort(keys)
      return table.concat(keys, " ")
    end)(),
  })
end

--- No authenticator: nobody's.
local Open <const> = tide.consumer { path = "/ws/open" }
Open:on(deed, { output = said }, function(conn)
  return said(tostring(conn.user))
end)

return {
  door("/ws/door", { name = "door" }),
  door("/ws/quiet", { name = "quiet", send_authentication = false }),
  door("/ws/camel_door", { name = "camel_door", camelize = true }),
  Request,
  Open,
}
