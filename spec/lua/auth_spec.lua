--- What tide.auth and the options of consumers that go with it refuse, and what they put into a declaration.

local fresh <const> = require "spec.support.fresh"
local refused <const> = require "spec.support.refused"

describe("tide.auth", function()
  local tide, host
  local function nothing() end

  before_each(function()
    tide, host = fresh.load()
  end)

  it("says which name was probably meant", function()
    refused(
      function()
        tide.auth.jtw {}
      end,
      'tide.auth has no "jtw"; did you mean "jwt"? (it has: all, anonymous, any, api_key, basic, check, custom, '
        .. "first_message, hash_key, hash_password, http, is_authenticated, jwt, none, session)"
    )
  end)

  it("combines functions and what it has made, and nothing else", function()
    refused(function()
      tide.auth.any {}
    end, "tide.auth.any: expected a list of authenticators or permissions, got a table")
    refused(function()
      tide.auth.all { nothing, "x" }
    end, "tide.auth.all: expected a list of permissions, got a table")
    refused(function()
      tide.auth.first_message(nil)
    end, "tide.auth.first_message: expected the authenticator that looks at the token, got nothing")
    refused(function()
      tide.auth.custom(tide.auth.anonymous())
    end, "tide.auth.custom: expected function(request) ... end, got tide.auth.anonymous")
    local any <const> = tide.auth.any { nothing, tide.auth.custom(nothing) }
    refused(function()
      any.path = "/"
    end, "tide.auth.any cannot be changed; give path as an option")
  end)

  it("is told from what its functions return", function()
    refused(
      function()
        tide.consumer { path = "/ws/room", authenticate = tide.auth.session }
      end,
      'tide.consumer: option "authenticate" must be what tide.auth.session(...) returns, got a function'
    )
    refused(
      function()
        tide.consumer { path = "/ws/room", permissions = tide.auth.all }
      end,
      'tide.consumer: option "permissions" must be what tide.auth.all(...) returns, got a function'
    )
    refused(function()
      tide.auth.any { tide.auth.anonymous }
    end, "tide.auth.any: expected a list of authenticators or permissions, got a table")
  end)

  it("needs what an authenticator cannot do without", function()
    refused(function()
      tide.auth.http {}
    end, 'tide.auth.http: needs url, as in { url = "https://accounts.example.org/me" }')
    refused(function()
      tide.auth.basic {}
    end, "tide.auth.basic: needs verify, as in { verify = function(name, password) ... end }")
    refused(
      function()
        tide.auth.http { url = "accounts.example.org" }
      end,
      'tide.auth.http: option "url" must be a URL, "https://...", got the string "accounts.example.org"'
    )
  end)

  it("has the consumer keep the headers that its authenticators read", function()
    tide.consumer {
      path = "/ws/room",
      headers = { "X-Mine" },
      authenticate = tide.auth.any {
        nothing,
        tide.auth.first_message(
          tide.auth.http { url = "http://a.test/", headers = { "X-Tenant" } }
        ),
      },
    }
    assert.same({ "x-mine", "x-tenant" }, host.declarations[1].headers)
  end)

  it("refuses options that say nothing without another", function()
    for option, value in pairs { grace = 1, reauthenticate_seconds = 1, authorise_groups = nothing } do
      local other <const> = option == "authorise_groups" and "groups" or "authenticate"
      refused(function()
        tide.consumer { path = "/ws/room", [option] = value }
      end, ('tide.consumer: option "%s" says nothing without "%s"'):format(option, other))
      refused(function()
        tide.text_consumer { path = "/ws/room", receive = nothing, [option] = value }
      end, ('tide.text_consumer: option "%s" says nothing without "%s"'):format(option, other))
    end
  end)

  it("has clients renew, where there is somebody to ask", function()
    local consumer <const> = tide.consumer { path = "/ws/room", authenticate = nothing }
    local action <const> = host.declarations[1].actions[1]
    assert.equal("authenticate", action.action)
    assert.is_true(action.is_renewal)
    assert.equal(tide.messages.authenticate, action.type)
    assert.is_true(action.type.schema.fields[1].schema.is_secret)
    tide.consumer { path = "/ws/open" }
    assert.same({}, host.declarations[2].actions)
    assert.error_matches(function()
      consumer:on(tide.message "authenticate", nothing)
    end, 'has a second handler for "authenticate": at ')
  end)
end)
