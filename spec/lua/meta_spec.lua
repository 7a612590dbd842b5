--- The definitions for language servers are Lua files as well: what they define is compared with
--- what there is.

local fresh <const> = require "spec.support.fresh"

---@param name string
local function definitions(name)
  local environment <const> = setmetatable({
    require = function()
      return {}
    end,
  }, { __index = _G })
  return assert(loadfile("lua/tidegate/meta/" .. name .. ".lua", "t", environment))()
end

---@return string # the names of a table in order, but for metamethods
local function names(members)
  local list <const> = {}
  for name in pairs(members) do
    list[#list + 1] = name
  end
  table.sort(list)
  return table.concat(list, " ")
end

--- The fields of the classes of options, in order, by the names of the classes.
---@return table<string, string[]>
local function option_classes()
  local classes <const> = {}
  for _, name in ipairs { "schema", "message", "consumer", "topic", "tidegate", "auth" } do
    local file <close> = assert(io.open("lua/tidegate/meta/" .. name .. ".lua"))
    local class
    for line in file:lines() do
      local opened <const> = line:match "@class %(exact%) tidegate%.(%w+)"
      if opened then
        local base <const> = line:match ": tidegate%.(%w+)"
        class = table.move(classes[base] or {}, 1, #(classes[base] or {}), 1, {})
        classes[opened] = class
      end
      class = line:find "^%-%-%-@" and class or nil
      local field <const> = class and line:match "@field (%w[%w_]*)"
      if field then
        table.insert(class, field)
        table.sort(class)
      end
    end
  end
  return classes
end

describe("the definitions for language servers", function()
  local tide

  before_each(function()
    tide = fresh.load()
  end)

  it("name what tide has", function()
    local defined <const> = definitions "tidegate"
    assert.equal(names(tide), names(defined))
    assert.equal(names(tide.messages), names(defined.messages))
    assert.equal(names(tide.log), names(defined.log))
    assert.equal(names(tide.tcp), names(defined.tcp))
    assert.equal(names(tide.process), names(defined.process))
    assert.equal(names(tide.http), names(defined.http))
    assert.equal(names(tide.auth), names((definitions "auth")))
  end)

  it("name the schemas and their methods", function()
    local library <const>, methods <const> = definitions "schema"
    assert.equal(names(tide.schema), names(library))
    assert.equal(names(require("tidegate.schema").methods), names(methods))
  end)

  it("name the options of all that takes any", function()
    local s <const> = tide.schema
    local function nothing() end
    local takers <const> = {
      BooleanOptions = s.boolean,
      IntegerOptions = s.integer,
      NumberOptions = s.number,
      TextOptions = s.email,
      StringOptions = s.string,
      ArrayOptions = function(options)
        return s.array(s.any(), options)
      end,
      MapOptions = function(options)
        return s.map(s.any(), options)
      end,
      ObjectOptions = function(options)
        return s.object({}, options)
      end,
      RefOptions = function(options)
        return s.ref(nothing, options)
      end,
      JsonSchemaOptions = function(options)
        return s.any():json_schema(options)
      end,
      MessageOptions = function(options)
        return tide.message("x", nil, options)
      end,
      ConsumerOptions = tide.consumer,
      TextConsumerOptions = tide.text_consumer,
      MixinOptions = tide.mixin,
      TopicOptions = tide.topic,
      RouteOptions = function(options)
        return tide.route("POST", "/x", options, nothing)
      end,
      EveryOptions = function(options)
        return tide.every(1, nothing, options)
      end,
      ErrorOptions = tide.error,
      TcpOptions = function(options)
        return tide.tcp.connect("localhost", 1, options)
      end,
      TlsOptions = function(options)
        return tide.tcp.connect("localhost", 1, { tls = options })
      end,
      ProcessOptions = function()
        return tide.process.run { "true", [true] = true }
      end,
      HttpOptions = function(options)
        return tide.http.get("http://localhost/", options)
      end,
      HttpRequest = tide.http.request,
      SessionOptions = tide.auth.session,
      JwtOptions = tide.auth.jwt,
      ApiKeyOptions = tide.auth.api_key,
      BasicOptions = tide.auth.basic,
      HttpAuthOptions = tide.auth.http,
      HandlerOptions = function(options)
        return tide.mixin():on(tide.messages.ping, options, nothing)
      end,
      EventHandlerOptions = function(options)
        return tide.mixin():on_event(tide.event "x", options, nothing)
      end,
      RelayOptions = function(options)
        return tide.mixin():relay(tide.event "x", options)
      end,
    }
    local defined <const> = option_classes()
    for class, take in pairs(takers) do
      local _, text <const> = pcall(take, { [1] = true })
      assert.equal(text:match "%(options: (.*)%)", table.concat(defined[class] or {}, ", "), class)
      defined[class] = nil
    end
    assert.same({}, defined)
  end)

  it("name what a schema may have", function()
    local file <close> = assert(io.open "lua/tidegate/meta/schema.lua")
    local text <const> = file:read("a"):match "%-%-%-@class tidegate.Schema\n(.-)local Schema"
    for name in text:gmatch "@field ([%w_]+)" do
      -- Reading any other name raises.
      assert.has_no.errors(function()
        local _ = tide.schema.null()[name]
      end)
    end
  end)

  it("name the methods of consumers and mixins", function()
    local consumer <const>, mixin <const> = definitions "consumer"
    assert.equal(names(require("tidegate.consumer").methods), names(consumer))
    assert.equal(names(require("tidegate.consumer").mixin_methods), names(mixin))
    assert.equal(names(require("tidegate.topic").methods), names((definitions "topic")))
  end)

  it("name what the test kit has, and the methods of its applications and clients", function()
    local library <const>, app <const>, client <const>, server <const> = definitions "testing"
    library.null = require("tidegate.testing.matchers").null -- which a definition cannot be
    assert.equal(names(require "tidegate.testing.library" {}), names(library))
    assert.equal(names(require("tidegate.testing.app").methods), names(app))
    assert.equal(names(require("tidegate.testing.client").methods), names(client))
    assert.equal(names(require("tidegate.testing.server").methods), names(server))
  end)

  it("name what the modules ask of the host", function()
    local asked <const> = {}
    local modules <const> = "collect consumer consumer_options consumer_states declare errors event "
      .. "http init message process router schema "
      .. "schema_fields schema_kinds schema_methods schema_node schema_options task tcp topic "
      .. "auth/init auth/jwks auth/combine auth/session auth/jwt auth/api_key auth/basic "
      .. "json_schema_export json_schema_import json_schema_source json_schema_types json_schema_values"
    for module in modules:gmatch "%S+" do
      local file <close> = assert(io.open("lua/tidegate/" .. module .. ".lua"))
      for name in file:read("a"):gmatch "%f[%w]host%.([%a_]+)" do
        asked[name] = true
      end
    end
    local defined <const> = definitions "host"
    for name in pairs(defined) do
      assert.is_true(asked[name], name .. " is defined and not used")
    end
    for name in pairs(asked) do
      local is_value <const> = name == "null" or name == "mode"
      assert.is_true(defined[name] ~= nil or is_value, name .. " is used and not defined")
    end
  end)
end)
