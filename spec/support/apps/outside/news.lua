-- What programs outside send events and messages to.

local tide <const> = require "tidegate"
local s <const> = tide.schema

local notify <const> = tide.event("notify", {
  content = s.string { max = 10 },
  level = s.enum({ "info", "warning" }):default "info",
})
local checked <const> = tide.event(
  "checked",
  s.integer():check(function(value)
    if value > 99 then
      error "out of order"
    end
    return value > 9 and "is too large" or nil
  end)
)
local notification <const> = tide.message("notification", s.string())
local headline <const> = tide.message("headline", {
  text = s.string { min = 1 },
  front_page = s.boolean():default(false),
})
local talk <const> = tide.group_message("talk", { content = s.string() })

-- A page relays, in camel case, what a reader handles.
local News <const> = tide.consumer {
  name = "news",
  path = "/ws/news/{name}",
  groups = function(conn)
    return { "all", conn.params.name }
  end,
  authenticate = function(request)
    return { id = request.params.name }
  end,
  send_authentication = false,
  sends = { talk },
}
local Page <const> =
  tide.consumer { name = "page", path = "/ws/page", groups = { "all" }, camelize = true }

News:on_event(notify, { output = notification }, function(_, event)
  return notification(event.payload.level .. ": " .. event.payload.content)
end)
News:on_event(checked, { output = notification }, function(_, event)
  return notification(tostring(event.payload))
end)
News:on(tide.message("id", s.null()), { output = { notification, headline } }, function(conn)
  return notification(conn.id)
end)
Page:relay(notify)

return { News, Page }
