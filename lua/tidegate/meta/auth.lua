---@meta tidegate.auth.library

--- Who clients are, and what they may.
---@class tidegate.Auth
local auth = {}

--- An authenticator or a permission that tide.auth has made.
---@class tidegate.auth.Callable
---@overload fun(...): any

--- The first of several authenticators that lets the client in, or the first permission that says
--- yes. When all refuse, the first refusal counts that is more than "nothing was shown".
---@param list (tidegate.Authenticator | tidegate.Permission)[]
---@return tidegate.auth.Callable
function auth.any(list) end

--- The permission of who has all of them; the first that says no gives the reason.
---@param list tidegate.Permission[]
---@return tidegate.auth.Callable
function auth.all(list) end

--- The permission of who has none of them.
---@param list tidegate.Permission[]
---@return tidegate.auth.Callable
function auth.none(list) end

--- The permission of those who are somebody.
---@type tidegate.auth.Callable
auth.is_authenticated = {}

--- Lets in whoever comes, as nobody: conn.user is nil. The last of `any`.
---@return tidegate.auth.Callable
function auth.anonymous() end

--- A function as an authenticator.
---@param authenticate tidegate.Authenticate
---@return tidegate.auth.Callable
function auth.custom(authenticate) end

--- Waits for {"action":"authenticate","payload":{"token":...}} as the client's first message, and
--- has `inner` look at the token, request.token.
---@param inner tidegate.Authenticator
---@return tidegate.auth.Callable
function auth.first_message(inner) end

---@class (exact) tidegate.SessionOptions
---@field cookie? string its name; "sessionid"
---@field load? fun(user_id: string, request: tidegate.Request): any nil: refused; may wait
---@field max_age_seconds? number from logging in on; two weeks
---@field secrets? string[] the first signs, all count; else those of the setting `secrets`
---@field path? string of the cookie; "/"
---@field domain? string of the cookie; the host's
---@field secure? boolean whether the cookie goes over TLS alone; true in production
---@field same_site? "Lax" | "Strict" | "None" "Lax"

--- Who has logged in, by a signed cookie. The user is the id, a string, or what `load` returns.
---@param options? tidegate.SessionOptions
---@return tidegate.Session
function auth.session(options) end

---@class tidegate.Session: tidegate.auth.Callable
local Session = {}

--- What the cookie of this user holds.
---@param user_id string | integer
---@return string
function Session:make(user_id) end

--- The header `Set-Cookie` that logs this user in.
---@param user_id string | integer
---@return string
function Session:cookie(user_id) end

--- The header `Set-Cookie` that logs out.
---@return string
function Session:clear() end

---@class (exact) tidegate.JwtOptions
---@field keys? tidegate.KeySpec | tidegate.KeySpec[] each with its one algorithm
---@field jwks? string the URL of a key set
---@field alg? string the only algorithm that keys of the key set are used with
---@field refresh_seconds? number how old the key set may become; 3600
---@field timeout? number seconds for fetching it; 5
---@field audience? string | string[] one of them must be in `aud`
---@field issuer? string | string[] one of them must be `iss`
---@field leeway? number seconds by which clocks may differ; 0
---@field required? string[] claims that must be there
---@field header? string | false where the token is; "authorization", behind "Bearer"
---@field cookie? string where it may be as well
---@field query? string where it may be as well
---@field user? fun(claims: table<string, any>, request: tidegate.Request): any may wait

--- Who has a token that somebody trusted has signed. The user is its claims, with `id` the subject.
---@param options tidegate.JwtOptions
---@return tidegate.Jwt
function auth.jwt(options) end

---@class tidegate.Jwt: tidegate.auth.Callable
local Jwt = {}

--- A token, for whoever gives some out.
---@param claims table<string, any>
---@param options? { id?: string } the key; else the first that can sign
---@return string
function Jwt:sign(claims, options) end

---@class (exact) tidegate.ApiKeyOptions
---@field keys? table<string, any> users by the hashes of their keys
---@field find? fun(hash: string, request: tidegate.Request): any the same, asked; may wait
---@field header? string "x-api-key"
---@field query? string where it may be as well

--- Who has a long random key.
---@param options tidegate.ApiKeyOptions
---@return tidegate.auth.Callable
function auth.api_key(options) end

---@class (exact) tidegate.BasicOptions
---@field verify fun(name: string, password: string, request: tidegate.Request): any the user

--- A name and a password in the header `Authorization`.
---@param options tidegate.BasicOptions
---@return tidegate.auth.Callable
function auth.basic(options) end

---@class (exact) tidegate.HttpAuthOptions
---@field url string
---@field method? "GET" | "POST" "GET"
---@field headers? string[] of the client that are passed on; { "authorization" }
---@field cookies? string[] the same of cookies; none
---@field timeout? number seconds; 5
---@field user? fun(body: any, response: tidegate.HttpResponse): any what an authenticator returns

--- Asks another server, and takes its answer: 2xx with a JSON object, the user; 401, 403 or 404
--- with `detail`. `expires_at` of the object is the end of it.
---@param options tidegate.HttpAuthOptions
---@return tidegate.auth.Callable
function auth.http(options) end

--- How an API key is kept.
---@param key string
---@return string
function auth.hash_key(key) end

--- How a password is kept. Takes about 50 ms, in which a handler waits and others run.
---@param password string
---@return string
function auth.hash_password(password) end

--- Whether a password, or a key, is what the hash was made of. As long as that for a password.
---@param secret string
---@param hash string
---@return boolean
function auth.check(secret, hash) end

return auth
