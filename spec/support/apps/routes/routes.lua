--- Plain requests of all kinds, for spec/wire/routes.test.js.

local tide <const> = require "tidegate"
local s <const> = tide.schema

local ended = 0

tide.route("GET", "/hello", function(request)
  return 200, "hello " .. tostring(request.query.n)
end)

tide.route("GET", "/slow", function()
  local _ <close> = setmetatable({}, {
    __close = function()
      ended = ended + 1
    end,
  })
  tide.sleep(600)
  return 200, "late"
end)

tide.route("GET", "/ended", function()
  return 200, tostring(ended)
end)

local password <const> = tide.auth.hash_password "right"

tide.route("GET", "/password", function(request)
  return 200, tostring(tide.auth.check(request.query.is, password))
end)

tide.route("GET", "/soon", function()
  tide.sleep(0.4)
  return 200, "soon"
end)

for _, method in ipairs { "POST", "PUT", "PATCH", "DELETE" } do
  tide.route(method, "/body", function(request)
    return 200, request.method .. " " .. request.body
  end)
end

tide.route("POST", "/json", { schema = { name = s.string() } }, function(request)
  return 200, request.payload
end)

tide.route("POST", "/page", function()
  return 200, "posted"
end)

tide.route("GET", "/big", function()
  return 200, ("0123456789"):rep(200000)
end)

tide.route("GET", "/peer", function(request)
  return 200, request.peer
end)
