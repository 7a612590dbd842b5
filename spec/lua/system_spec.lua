--- The served consumers, declared over the stand-in of the host: names, texts and handlers. That
--- they reach a client is seen with the program.

local fresh <const> = require "spec.support.fresh"

describe("the system consumer", function()
  local declaration
  local path <const> = package.path

  before_each(function()
    fresh.load()
    package.path = "./consumers/?.lua;./consumers/?/init.lua;" .. path
    package.loaded["system"], package.loaded["system.messages"] = nil, nil
    local declarations <const> =
      require("tidegate.consumer").collect(require "system", "consumers/system/init.lua")
    assert.equal(1, #declarations)
    declaration = declarations[1]
  end)

  after_each(function()
    package.path = path
  end)

  it("is described as in the tutorial", function()
    assert.equal("system", declaration.name)
    assert.same({ "/ws/system" }, declaration.paths)
    assert.same({ "system", "direct" }, declaration.tags)
    assert.equal(
      "System Messages Consumer - Direct WebSocket without channel layers",
      declaration.description
    )
  end)

  it("greets", function()
    local sent <const> = {}
    local conn <const> = {
      send = function(_, message)
        sent[#sent + 1] = message
      end,
    }
    declaration.connected(declaration.object, conn)
    assert.same({
      { action = "system_echo", payload = { message = "🔧 System: Connection established!" } },
    }, sent)
    assert.equal("system_echo", declaration.sends[1].action)
  end)

  it("answers a ping", function()
    local ping <const> = declaration.actions[1]
    assert.equal("ping", ping.action)
    assert.equal("Handle ping requests", ping.summary)
    assert.equal("Simple ping-pong for connectivity testing", ping.description)
    assert.same({ action = "pong" }, ping.handler({}, { action = "ping" }))
  end)

  it("echoes", function()
    local echo <const> = declaration.actions[2]
    assert.equal("user_message", echo.action)
    assert.equal("Handle message user send to system", echo.summary)
    assert.equal(
      "Echo system messages back directly without using channel layers",
      echo.description
    )
    assert.equal("system_echo", echo.outputs[1].action)
    assert.same(
      { action = "system_echo", payload = { message = "🔧 System Echo: Hello" } },
      echo.handler({}, { action = "user_message", payload = { message = "Hello" } })
    )
  end)

  it("takes messages of at most 2000 characters", function()
    local field <const> = declaration.actions[2].type.schema.fields[1]
    assert.equal("message", field.name)
    assert.equal(2000, field.schema.max)
  end)
end)
