--- tidegate.crypto, which the authenticators of tidegate are made of: keys, tokens, sealed texts, hashes.

local cjson <const> = require "cjson"
local testing <const> = require "tidegate.testing"

local secret <const> = "the secret of the specs: 32 bytes"
local older <const> = "the one before it, of 32 bytes too"

--- RFC 7515 A.3, RFC 8037 A.1 and A.2.
local ec <const> = {
  kty = "EC",
  crv = "P-256",
  x = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
  y = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
  d = "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI",
}
local ed <const> = {
  kty = "OKP",
  crv = "Ed25519",
  x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
}
local ed_private <const> = {
  kty = "OKP",
  crv = "Ed25519",
  x = ed.x,
  d = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
}

---@return table # the same with a name
local function named(jwk, id)
  local copy <const> = { kid = id }
  for name, value in pairs(jwk) do
    copy[name] = value
  end
  return copy
end

describe("tidegate.crypto", function()
  local app, crypto

  before_each(function()
    app = testing.app "consumers"
    crypto = app:require "tidegate.crypto"
  end)

  after_each(function()
    app:close()
  end)

  local function keys(specs)
    return crypto.keys(specs, "app.lua:3")
  end

  --- The sentence with which specs of keys are refused.
  local function refused(specs)
    local is_made <const>, err <const> = pcall(keys, specs)
    assert.is_false(is_made)
    return err
  end

  it("has what its definitions say", function()
    local defined <const> = dofile "lua/tidegate/meta/crypto.lua"
    for name in pairs(crypto) do
      assert.is_function(defined[name], name)
    end
    for name in pairs(defined) do
      assert.is_function(crypto[name], name)
    end
  end)

  describe("keys", function()
    it("sign and verify, and keep integers, lists and null", function()
      local set <const> = keys { alg = "HS256", secret = secret, id = "a" }
      local token <const> =
        set:sign { sub = "ada", n = 2 ^ 53 // 1 | 1, list = {}, none = cjson.null }
      local claims <const> = assert(set:verify(token))
      assert.equal("ada", claims.sub)
      assert.equal("integer", math.type(claims.n))
      assert.equal(cjson.null, claims.none)
    end)

    it("verify by the clock of the application", function()
      local set <const> = keys { alg = "HS256", secret = secret }
      local tide <const> = app:require "tidegate"
      local token <const> = set:sign { exp = tide.now() // 1 + 60 }
      assert.is_table((set:verify(token)))
      app:advance(61)
      assert.same(
        { nil, "expired" },
        { select(1, set:verify(token)), (select(2, set:verify(token))) }
      )
      assert.is_table((set:verify(token, { leeway = 10 })))
      assert.is_table((set:verify(token, { now = 1 })))
    end)

    it("ask for audience, issuer and what is required", function()
      local set <const> = keys { alg = "HS256", secret = secret }
      local token <const> = set:sign { aud = { "chat", "mail" }, iss = "me" }
      local function why(options)
        return (select(2, set:verify(token, options)))
      end
      assert.equal("audience", why())
      assert.equal("audience", why { audience = "shop" })
      assert.is_nil(why { audience = "chat" })
      assert.is_nil(why { audience = { "shop", "mail" } })
      assert.equal("issuer", why { audience = "chat", issuer = { "you", "them" } })
      assert.equal("missing", why { audience = "chat", required = { "exp" } })
    end)

    it("of one set are each for one algorithm", function()
      local set <const> = keys {
        { alg = "HS256", secret = secret },
        { jwk = ec, id = "ec" },
        { jwk = ed_private, id = "ed" },
      }
      for id, alg in pairs { ec = "ES256", ed = "EdDSA" } do
        local token <const> = set:sign({ sub = id }, { id = id })
        local header <const> = cjson.decode(crypto.from_base64url(token:match "^[^.]+"))
        assert.same({ alg = alg, kid = id, typ = "JWT" }, header)
        assert.equal(id, (set:verify(token)).sub)
        assert.equal("unknown_key", (select(2, keys({}):verify(token))))
        local other <const> = keys { alg = "HS256", secret = secret, id = id }
        assert.equal("algorithm", (select(2, other:verify(token))))
      end
    end)

    it("are rotated", function()
      local before <const> = keys { alg = "HS256", secret = older }
      local both <const> =
        keys { { alg = "HS256", secret = secret }, { alg = "HS256", secret = older } }
      local after <const> = keys { alg = "HS256", secret = secret }
      local token <const> = before:sign { sub = "ada" }
      assert.is_table((both:verify(token)))
      assert.equal("signature", (select(2, after:verify(token))))
      assert.is_table((after:verify(both:sign { sub = "ada" })))
    end)

    it("of a set are replaced at once, or not at all", function()
      local set <const> = keys {
        { jwks = cjson.encode { keys = { named(ec, "one") } } },
        { alg = "HS256", secret = secret, id = "ours" },
      }
      local by_one <const> = set:sign({}, { id = "one" })
      local by_ours <const> = set:sign({}, { id = "ours" })
      assert.is_true(set:replace(cjson.encode { keys = { named(ed, "two") } }))
      assert.equal("unknown_key", (select(2, set:verify(by_one))))
      assert.is_table((set:verify(by_ours)))
      local is_replaced <const>, why <const> = set:replace '{"keys":[]}'
      assert.is_nil(is_replaced)
      assert.equal("there is no key in the JWK set", why)
      assert.is_table((set:verify(keys({ jwk = ed_private, id = "two" }):sign {})))
    end)

    it("of a set that was fetched are no secrets", function()
      local set <const> = keys {}
      local oct <const> = { kty = "oct", alg = "HS256", k = crypto.base64url(secret) }
      assert.is_nil((set:replace(cjson.encode { keys = { oct } })))
      assert.is_true(set:replace(cjson.encode { keys = { oct, ed } }))
      local forged <const> = keys({ alg = "HS256", secret = secret }):sign { sub = "root" }
      assert.equal("algorithm", (select(2, set:verify(forged))))
    end)

    it("keep the algorithm that their set was declared with", function()
      local set <const> = keys { jwks = cjson.encode { keys = { ec } }, alg = "ES256" }
      local is_replaced <const>, why <const> = set:replace(cjson.encode { keys = { ed } })
      assert.is_nil(is_replaced)
      assert.matches("none of ES256", why)
    end)

    it("come from files of the application's folder", function()
      assert.matches(
        "^app%.lua:3: consumers/keys/none%.pem: No such file",
        refused { alg = "ES256", file = "keys/none.pem" }
      )
    end)

    it("that are wrong are refused where they stand", function()
      assert.equal(
        'app.lua:3: key 2: needs "alg", such as "RS256": a key is for one algorithm',
        refused { { alg = "HS256", secret = secret }, { secret = secret } }
      )
      assert.equal(
        "app.lua:3: one of secret, pem, file, jwk and jwks, not two of them",
        refused { alg = "HS256", secret = secret, pem = "" }
      )
      assert.equal(
        "app.lua:3: key 1: needs one of secret, pem, file, jwk and jwks",
        refused { { alg = "HS256" } }
      )
      assert.equal(
        'app.lua:3: unknown field "secert" (fields: alg, file, id, jwk, jwks, pem, secret)',
        refused { alg = "HS256", secert = secret, secret = secret }
      )
      assert.matches(
        '"alg" is "none", which is none of HS256',
        refused { alg = "none", secret = secret }
      )
      assert.matches(
        "the secret has 5 bytes; HS512 needs 64",
        refused { alg = "HS512", secret = "short" }
      )
      local set <const> = { jwks = cjson.encode { keys = { ed } } }
      assert.matches("key 2: one JWK set at most", refused { set, set })
      assert.equal('app.lua:3: "pem" must be a string', refused { alg = "RS256", pem = 7 })
      assert.matches("^app%.lua:3: key 1: a key is a table", refused { "secret" })
    end)

    it("that are public cannot sign", function()
      assert.has_error(function()
        keys({ jwk = ed }):sign {}
      end, "no key can sign: that needs a secret or a private key")
      assert.has_error(function()
        keys({ jwk = ed_private, id = "a" }):sign({}, { id = "b" })
      end, 'no key called "b" can sign: that needs a secret or a private key')
    end)

    it("refuse what is no token, and longer ones than max_token_bytes", function()
      local set <const> = keys { alg = "HS256", secret = secret }
      for _, text in ipairs { "", "a.b", "....", ("x"):rep(16384), "\0" } do
        assert.equal("malformed", (select(2, set:verify(text))))
      end
      local before <const> = app:metric "tidegate_tokens_too_large_total"
      assert.equal("too_large", (select(2, set:verify(("x"):rep(16385)))))
      assert.equal(before + 1, app:metric "tidegate_tokens_too_large_total")
    end)
  end)

  describe("sealed texts", function()
    local options <const> = { purpose = "session" }

    it("give back their value, and when they expire", function()
      local text <const> = crypto.seal("ada\0", { secret }, options)
      assert.matches("^[%w_.-]+$", text)
      assert.same({ "ada\0" }, { crypto.unseal(text, { secret }, options) })
      local short <const> = { purpose = "session", max_age_seconds = 60, now = 1000.5 }
      local expiring <const> = crypto.seal("ada", { secret }, short)
      assert.same({ "ada", 1061 }, { crypto.unseal(expiring, { secret }, short) })
      local late <const> = { purpose = "session", now = 1061 }
      assert.same({ nil, "expired" }, { crypto.unseal(expiring, { secret }, late) })
    end)

    it("are for one purpose, and by any of the secrets", function()
      local text <const> = crypto.seal("ada", { older }, options)
      assert.same({ "ada" }, { crypto.unseal(text, { secret, older }, options) })
      assert.same({ nil, "signature" }, { crypto.unseal(text, { secret }, options) })
      assert.same({ nil, "signature" }, { crypto.unseal(text, { older }, { purpose = "reset" }) })
      assert.same({ nil, "malformed" }, { crypto.unseal("ada", { older }, options) })
    end)

    it("are not made with short secrets", function()
      assert.error_matches(function()
        crypto.seal("ada", { "short" }, options)
      end, "a secret has 32 bytes or more")
    end)
  end)

  it("has secrets of its own in a spec, the same each time", function()
    local secrets <const> = crypto.secrets "app.lua:3"
    assert.equal(1, #secrets)
    assert.equal(32, #secrets[1])
    assert.equal(secrets, crypto.secrets "app.lua:4")
  end)

  it("takes the secrets of the setting", function()
    local list <const> = secret:gsub(" ", "-") .. "," .. older:gsub("[ ,]", "-")
    local given <close> = testing.app("consumers", { secrets = list })
    assert.equal(2, #given:require("tidegate.crypto").secrets "app.lua:3")
  end)

  it("raises in production without secrets, with what to do", function()
    local given <close> = testing.app("consumers", { mode = "production" })
    local crypto_there <const> = given:require "tidegate.crypto"
    local is_given <const>, err <const> = pcall(crypto_there.secrets, "app.lua:3")
    assert.is_false(is_given)
    assert.matches("^app%.lua:3: needs a secret, and none is set: `openssl rand %-hex 32`", err)
  end)

  it("hashes, compares, draws and encodes", function()
    assert.equal(
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
      crypto.sha256 "abc"
    )
    assert.equal(
      "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
      crypto.hmac_sha256("Jefe", "what do ya want for nothing?")
    )
    assert.is_true(crypto.equal("abc", "abc"))
    assert.is_false(crypto.equal("abc", "abd"))
    assert.equal(16, #crypto.random(16))
    assert.are_not.equal(crypto.random(16), crypto.random(16))
    assert.equal("-_8", crypto.base64url "\xfb\xff")
    assert.equal("\xfb\xff", crypto.from_base64url "-_8")
    assert.is_nil(crypto.from_base64url "-_8=")
    assert.equal("ada:pw", crypto.from_base64 "YWRhOnB3")
    assert.is_nil(crypto.from_base64 "YWRhOnB")
  end)

  it("knows passwords and keys again by what is kept of them", function()
    assert.equal("sha256:" .. crypto.sha256 "key", crypto.hash_key "key")
    local hash <const> = crypto.hash_password "correct horse"
    assert.matches("^scrypt:14:8:1:[%w_-]+:[%w_-]+$", hash)
    assert.is_true(crypto.check("correct horse", hash))
    assert.is_false(crypto.check("incorrect horse", hash))
    assert.is_true(crypto.check("key", crypto.hash_key "key"))
    assert.is_false(crypto.check("key", "key"))
  end)
end)
