--- Run with `tidegate test examples/order_form`.

local testing <const> = require "tidegate.testing"

--- An order that is right, but for the fields that are given.
local function order(changes)
  local payload <const> = {
    customerName = "Ann",
    email = "ann@example.org",
    bread = "rye",
    loaves = 2,
    delivery = { kind = "pickup", readyAt = "2025-05-11T14:30:00Z" },
  }
  for name, value in pairs(changes or {}) do
    payload[name] = value
  end
  return { action = "order", payload = payload }
end

describe("the order form", function()
  local app, client

  before_each(function()
    app = testing.app "."
    client = assert(app:connect "/ws/orders")
  end)

  after_each(function()
    app:close()
  end)

  local function accepts(changes, expected)
    assert.frame({ action = "order_accepted", payload = expected }, client:call(order(changes)))
  end

  local function refuses(changes, path, type)
    assert.error_at(client:call(order(changes)), { "payload", table.unpack(path) }, type)
  end

  it("takes an order, and numbers it", function()
    client:send(order())
    assert.exact_frame({
      action = "order_accepted",
      payload = {
        orderNumber = 1,
        totalCents = 840,
        summary = "2 rye for Ann, ready at 2025-05-11T14:30:00Z",
      },
    }, client:receive())
    accepts({ bread = "sourdough" }, { orderNumber = 2, totalCents = 1020 })
  end)

  it("numbers the orders of all clients", function()
    accepts({}, { orderNumber = 1 })
    local other <close> = app:connect "/ws/orders"
    assert.frame({ payload = { orderNumber = 2 } }, other:call(order()))
  end)

  it("delivers, to an address without the blanks around it", function()
    local courier <const> = { kind = "courier", street = "  Am Deich 7 ", postalCode = "26131" }
    accepts({ delivery = courier }, { summary = "2 rye for Ann, to Am Deich 7" })
  end)

  it("takes a number that a form sends as text", function()
    accepts({ loaves = "3" }, { totalCents = 1260 })
    refuses({ loaves = "three" }, { "loaves" }, "int_parsing")
  end)

  it("takes ten percent off for a voucher that it knows, and refuses others", function()
    accepts({ voucher = "TIDE" }, { totalCents = 756 })
    accepts({ voucher = " " }, { totalCents = 840 })
    refuses({ voucher = "FREE" }, { "voucher" }, "value_error")
  end)

  it("tells what is wrong beside the field that it is about", function()
    for _, case in ipairs {
      { { customerName = " A " }, { "customerName" }, "string_too_short" },
      { { email = "ann" }, { "email" }, "value_error" },
      { { bread = "white" }, { "bread" }, "enum" },
      { { loaves = 0 }, { "loaves" }, "greater_than_equal" },
      { { loaves = 21 }, { "loaves" }, "less_than_equal" },
      { { delivery = { kind = "drone" } }, { "delivery", "kind" }, "union_tag_invalid" },
      { { delivery = { kind = "pickup" } }, { "delivery", "readyAt" }, "missing" },
      {
        { delivery = { kind = "courier", street = "Am Deich 7", postalCode = "1" } },
        { "delivery", "postalCode" },
        "string_pattern_mismatch",
      },
    } do
      refuses(table.unpack(case))
    end
  end)

  it("tells all that is wrong with an empty form at once", function()
    local refusal <const> = client:call { action = "order", payload = {} }
    assert.equal(5, #refusal.payload)
    for _, name in ipairs { "bread", "customerName", "delivery", "email", "loaves" } do
      assert.error_at(refusal, { "payload", name }, "missing")
    end
  end)

  it("counts no order that it refused", function()
    refuses({ loaves = 0 }, { "loaves" })
    accepts({}, { orderNumber = 1 })
  end)

  it("never fails on a message that is right", function()
    testing.fuzz(app, "/ws/orders")
  end)
end)
