--- Fails in the ways that docs/testing.md shows; spec/kit/output_spec.lua runs it and looks at what
--- busted prints.

local testing <const> = require "tidegate.testing"

describe("the notes", function()
  local app

  before_each(function()
    app = testing.app("spec/support/apps/notes", { mode = "production" })
  end)

  after_each(function()
    app:close()
  end)

  it("are numbered", function()
    local client <close> = app:connect "/ws/notes"
    client:send { action = "note", payload = { text = "Milk" } }
    assert.frame({ action = "noted", payload = { id = "1", text = "milk" } }, client:receive())
  end)

  it("may be empty", function()
    local client <close> = app:connect "/ws/notes"
    client:send { action = "note", payload = { text = "" } }
    client:receive_until "noted"
  end)

  it("are forgotten", function()
    local client <close> = app:connect "/ws/notes"
    client:send { action = "forget", payload = { id = 1 } }
    client:receive()
  end)

  it("need a text", function()
    local client <close> = app:connect "/ws/notes"
    client:send { action = "note", payload = { txt = "milk" } }
    assert.frame({ action = "noted" }, client:receive())
  end)

  it("are not found elsewhere", function()
    local client <close> = assert(app:connect "/ws/note")
    client:receive()
  end)
end)
