--- Consumers that let in some, for specs of what is decided before there is a connection. Each says what it
--- knows of who came.

local tide <const> = require "tidegate"

local seen <const> =
  tide.message("seen", { peer = tide.schema.string(), more = tide.schema.map(tide.schema.any()) })

---@param options table
---@return tidegate.Consumer
local function consumer(options)
  options.sends = seen
  local Consumer <const> = tide.consumer(options)
  function Consumer:connected(conn)
    conn:send(seen {
      peer = conn.peer:gsub(":%d+$", ""),
      more = { subprotocol = conn.subprotocol, room = conn.params.room, page = conn.query.page },
    })
  end
  return Consumer
end

return {
  consumer { name = "plain", path = "/ws/plain" },
  consumer {
    name = "cousins",
    path = "/ws/cousins",
    origins = { "https://*.example.org", "http://dev.example:5173" },
  },
  consumer { name = "pages", path = "/ws/pages", require_origin = true },
  consumer { name = "all", path = "/ws/all", origins = { "*" } },
  consumer { name = "spoken", path = "/ws/spoken", subprotocols = { "chat.v2", "chat.v1" } },
  consumer {
    name = "admitting",
    path = "/ws/admitting/{room}",
    headers = { "x-key" },
    subprotocols = { "chat.v1" },
    admit = function(request)
      local verdicts <const> = {
        member = function()
          return request.headers["x-key"] == "right"
            and request.cookies.a == "b"
            and request.query.page == "2"
            and request.path == "/ws/admitting/member"
            and request.subprotocol == "chat.v1"
            and request.peer:find "^127" ~= nil
        end,
        refused = function()
          return false
        end,
        late = function()
          return false, 503, 'Come "later"', { ["Retry-After"] = 5, ["X-Many"] = { "a", "b" } }
        end,
        stranger = function()
          return false, 401, "Who are you?", { ["WWW-Authenticate"] = 'Bearer realm="rooms"' }
        end,
        raising = function()
          error "boom"
        end,
        declared = function()
          tide.error { code = "no", detail = "Not you" }
        end,
        waiting = function()
          return tide.sleep(1)
        end,
        looping = function()
          while true do
          end
        end,
        swallowing = function()
          while true do
            pcall(function()
              while true do
              end
            end)
          end
        end,
        nothing = function() end,
        number = function()
          return 1
        end,
        low = function()
          return false, 200
        end,
        half = function()
          return false, 403.5
        end,
        table = function()
          return false, 403, {}
        end,
        bytes = function()
          return false, 403, "\xff"
        end,
        split = function()
          return false, 403, "no", { ["X-A"] = "b\r\nSet-Cookie: c=d" }
        end,
        name = function()
          return false, 403, "no", { ["X-A: b\r\nX-C"] = "d" }
        end,
        own = function()
          return false, 403, "no", { ["content-length"] = 5 }
        end,
        long = function()
          return false, 403, "no", { ["x-long"] = ("x"):rep(1024) }
        end,
        list = function()
          return false, 403, "no", "x"
        end,
      }
      return verdicts[request.params.room]()
    end,
  },
}
