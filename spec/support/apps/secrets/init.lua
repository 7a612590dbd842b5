--- Everything by which a client can show who it is, for specs of what the log and recordings say of it.

local tide <const> = require("tidegate")
local s <const> = tide.schema

local key <const> = ("jwt-signing-key-"):rep(3)
local password_of_ann <const> = "pass-of-ann-HUSH"
local session <const> = tide.auth.session({
  load = function(id)
    return { id = id }
  end,
})
local jwt <const> =
  tide.auth.jwt({ keys = { alg = "HS256", secret = key }, cookie = "jwt", query = "token" })

local login <const> = tide.message("login", {
  name = s.string(),
  password = s.string({ min = 8 }):secret(),
})
local welcome <const> = tide.message("welcome", { name = s.string(), ticket = s.string():secret() })
local failing <const> = tide.message("failing", { password = s.string():secret() })
local credentials <const> =
  tide.message("credentials", { session = s.string():secret(), token = s.string():secret() })

---@param name string
---@param authenticate function
local function door(name, authenticate)
  local Door <const> = tide.consumer({
    name = name,
    path = "/ws/" .. name,
    authenticate = authenticate,
    reauthenticate_seconds = 0.2,
    sends = { welcome, credentials },
  })
  Door:on(login, { output = welcome }, function(conn, message)
    conn.state.last = message.payload.password
    return welcome({ name = message.payload.name, ticket = message.payload.password })
  end)
  Door:on(failing, function(_, message)
    return message.payload.nothing.here
  end)
  return Door
end

local asking <const> = tide.auth.http({
  url = "http://127.0.0.1:" .. (os.getenv("SPEC_BACKEND_PORT") or "9") .. "/me",
  headers = { "authorization", "x-backend-key" },
  cookies = { "sid" },
})

tide.route("POST", "/login", {
  schema = { name = s.string(), password = s.string({ min = 8 }):secret() },
}, function(request)
  if request.payload.name == "raise" then
    return request.payload.nothing.here
  elseif request.payload.name == "wait" then
    tide.sleep(60)
  end
  return 200, { name = request.payload.name }, { ["set-cookie"] = session:cookie("ann") }
end)

--- Gives out what is signed, to whoever asks.
local Mint <const> = tide.consumer({ name = "mint", path = "/ws/mint", sends = { credentials } })
function Mint:connected(conn)
  conn:send(credentials({ session = session:make("ann"), token = jwt:sign({ sub = "ann" }) }))
end

return {
  Mint,
  door("session", session),
  door("jwt", jwt),
  door("first", tide.auth.first_message(jwt)),
  door(
    "key",
    tide.auth.api_key({ keys = { [tide.auth.hash_key("key-of-ann-HUSH")] = "ann" }, query = "key" })
  ),
  door(
    "basic",
    tide.auth.basic({
      verify = function(name, password)
        if name == "raise" then
          error({ name = name, password = password })
        end
        return password == password_of_ann and name or nil
      end,
    })
  ),
  door("http", asking),
  door("any", tide.auth.any({ session, jwt, asking })),
}
