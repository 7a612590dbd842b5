--- Groups and events of an application under test: its own tide, called from outside.

local capture <const> = require "tidegate.testing.capture"
local fail <const> = require "tidegate.testing.fail"
local show <const> = require "tidegate.testing.show"

local Groups <const> = {}

--- Adds the methods of applications.
---@param App tidegate.TestApp
---@param core_of fun(app: tidegate.TestApp): table of one that is open
function Groups.add(App, core_of)
  --- Calls a function of the application's own tide, as a task.
  ---@param app tidegate.TestApp
  ---@param name string
  ---@param ... any
  ---@return any ...
  local function call_tide(app, name, ...)
    local core <const> = core_of(app)
    local arguments <const> = table.pack(...)
    return fail.call(function()
      return core:call(core:tide()[name], table.unpack(arguments, 1, arguments.n))
    end)
  end

  --- `tide.broadcast` of the application.
  ---@param groups string | string[]
  ---@param message tidegate.Message
  ---@param options? { exclude?: string }
  ---@return integer? receivers
  ---@return string? problem
  function App:broadcast(groups, message, options)
    return call_tide(self, "broadcast", groups, message, options)
  end

  --- `tide.send_event` of the application: to one connection, `client.id`.
  ---@param conn_id string
  ---@param event tidegate.Message
  ---@return true?
  ---@return string? problem
  function App:send_event(conn_id, event)
    return call_tide(self, "send_event", conn_id, event)
  end

  --- `tide.broadcast_event` of the application.
  ---@param to string | string[] | tidegate.Consumer
  ---@param event tidegate.Message
  ---@return integer? receivers
  ---@return string? problem
  function App:broadcast_event(to, event)
    return call_tide(self, "broadcast_event", to, event)
  end

  --- `tide.group` of the application.
  ---@param name string
  ---@return tidegate.Group
  function App:group(name)
    return call_tide(self, "group", name)
  end

  --- `tide.user` of the application.
  ---@param id string | integer
  ---@return tidegate.User
  function App:user(id)
    return call_tide(self, "user", id)
  end

  --- The functions of one of its topics: `app:topic(Room):broadcast({ name = "a" }, message)`.
  ---@param topic tidegate.Topic what tide.topic returned
  ---@return tidegate.TestTopic
  function App:topic(topic)
    core_of(self)
    if type(topic) ~= "table" or type(topic.broadcast_event) ~= "function" then
      fail.misuse("app:topic: expected what tide.topic returned, got %s", show.value(topic, 40))
    end
    local face <const> = {}
    for _, name in ipairs { "count", "broadcast", "broadcast_event" } do
      face[name] = function(_, ...)
        local core <const> = core_of(self)
        local arguments <const> = table.pack(...)
        return fail.call(function()
          return core:call(topic[name], topic, table.unpack(arguments, 1, arguments.n))
        end)
      end
    end
    return face
  end

  -- ---- what it publishes ----

  --- Runs a function and returns the group messages that the application sent meanwhile. They are
  --- not delivered, unless `deliver` is true.
  ---@param fn function
  ---@param options? { deliver?: boolean }
  ---@return tidegate.Captured[]
  function App:capture_broadcasts(fn, options)
    core_of(self)
    return capture.run(self, "app:capture_broadcasts", "message", fn, options)
  end

  --- The same for events.
  ---@param fn function
  ---@param options? { deliver?: boolean }
  ---@return tidegate.Captured[]
  function App:capture_events(fn, options)
    core_of(self)
    return capture.run(self, "app:capture_events", "event", fn, options)
  end
end

return Groups
