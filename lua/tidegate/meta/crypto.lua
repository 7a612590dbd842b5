---@meta tidegate.crypto

--- Keys, tokens and sealed texts, for the authenticators of tidegate; not for applications.
--- Nothing here waits. What is wrong with keys is raised, with the place that was given.
local crypto = {}

--- A key: one of `secret`, `pem`, `file`, `jwk` and `jwks`.
---@class (exact) tidegate.KeySpec
---@field id? string chosen by the `kid` of a token; a JWK has its own
---@field alg? string needed with secret, pem and file; beside jwks what all its keys are for
---@field secret? string of HS256, HS384, HS512; as long as the hash or longer
---@field pem? string a public key, a certificate or a private key, which can sign as well
---@field file? string the path of such a PEM
---@field jwk? table RFC 7517
---@field jwks? string the JSON of a JWK set; keys in it that are of no use here are skipped

---@class (exact) tidegate.VerifyOptions
---@field audience? string | string[] one must be in `aud`; without it no token may have one
---@field issuer? string | string[] one of them must be `iss`
---@field leeway? number seconds by which clocks may differ; 0
---@field required? string[] claims that must be there
---@field now? number Unix time; the clock's

---@alias tidegate.TokenProblem
---| "expired"
---| "signature"
---| "malformed"
---| "too_large"
---| "algorithm"
---| "audience"
---| "issuer"
---| "not_yet_valid"
---| "missing"
---| "unknown_key"

--- A set of keys.
---@class tidegate.Keys
local Keys = {}

--- The claims of a token that one of the keys has signed; `detail` is a sentence for the log, which
--- quotes nothing secret.
---@param token string
---@param options? tidegate.VerifyOptions
---@return table<string, any>? claims
---@return tidegate.TokenProblem? why
---@return string? detail
function Keys:verify(token, options) end

--- Signs with the first key that can, or the one called `options.id`; without one it raises.
---@param claims table<string, any>
---@param options? { id?: string }
---@return string token
function Keys:sign(claims, options) end

--- Puts the keys of another JWK set in the place of those that came from one; secrets in it are
--- skipped, and when no key is left, nothing has changed.
---@param jwks string
---@return true?
---@return string? why
function Keys:replace(jwks) end

--- Makes a set of keys; one without any refuses every token. `where` begins the text of an error.
---@param specs tidegate.KeySpec | tidegate.KeySpec[]
---@param where string
---@return tidegate.Keys
function crypto.keys(specs, where) end

---@class (exact) tidegate.SealOptions
---@field purpose string what is sealed for one is of no use for another
---@field max_age_seconds? number of seal: when it expires; never without it
---@field now? number Unix time; the clock's

--- The value with its signature, HMAC-SHA256: readable by who has it, but not to be changed. Has
--- only letters, digits, "-", "_" and ".". The first secret signs.
---@param value string
---@param secrets string[] each of 32 bytes or more
---@param options tidegate.SealOptions
---@return string text
function crypto.seal(value, secrets, options) end

--- The value again. Any of the secrets may have signed it.
---@param text string
---@param secrets string[]
---@param options tidegate.SealOptions
---@return string? value
---@return (integer | "malformed" | "signature" | "expired")? # when it expires, or what is wrong
function crypto.unseal(text, secrets, options) end

--- The secrets of the application, from the setting `secrets`; raises with what to do when there
--- are none.
---@param where string
---@return string[]
function crypto.secrets(where) end

--- SHA-256, in hexadecimal.
---@param text string
---@return string
function crypto.sha256(text) end

--- HMAC-SHA256, in hexadecimal.
---@param secret string
---@param text string
---@return string
function crypto.hmac_sha256(secret, text) end

--- Whether the texts are the same, in a time that depends on their lengths alone.
---@param a string
---@param b string
---@return boolean
function crypto.equal(a, b) end

--- So many random bytes, 1 to 1024.
---@param count integer
---@return string
function crypto.random(count) end

--- Bytes as base64url without padding.
---@param bytes string
---@return string
function crypto.base64url(bytes) end

--- The bytes again; nil when it is none.
---@param text string
---@return string?
function crypto.from_base64url(text) end

--- Bytes from base64 with padding, as Basic authentication has them; nil when it is none.
---@param text string
---@return string?
function crypto.from_base64(text) end

--- How an API key is kept: "sha256:" and its hash. For long random keys; people's passwords need
--- hash_password.
---@param key string
---@return string
function crypto.hash_key(key) end

--- How a password is kept: "scrypt:...", with salt. It takes about 50 ms, and nothing else runs
--- meanwhile.
---@param password string
---@return string
function crypto.hash_password(password) end

--- Whether this is the password, or the key, that `hash` was made of; false for a hash of neither
--- kind.
---@param secret string
---@param hash string
---@return boolean
function crypto.check(secret, hash) end

return crypto
