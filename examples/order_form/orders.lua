--- Orders of a small bakery: a form whose every field is checked by the gateway, and whose errors
--- stand beside the field that they are about.

local tide <const> = require "tidegate"
local s <const> = tide.schema

local pickup <const> = s.object { ready_at = s.datetime() }

local courier <const> = s.object {
  street = s.string { min = 3, max = 100, trim = true },
  postal_code = s.string { pattern = "^[0-9]{5}$" },
}

local order <const> = tide.message("order", {
  customer_name = s.string { min = 2, max = 60, trim = true },
  email = s.email(),
  bread = s.enum { "rye", "spelt", "sourdough" },
  loaves = s.integer { min = 1, max = 20, coerce = true },
  delivery = s.tagged("kind", { pickup = pickup, courier = courier }),
  voucher = s.string({ trim = true }):optional():check(function(code)
    return code ~= "" and code ~= "TIDE" and "no such voucher" or nil
  end),
})

local accepted <const> = tide.message("order_accepted", {
  order_number = s.integer(),
  total_cents = s.integer { min = 0 },
  summary = s.string(),
})

local price_cents <const> = { rye = 420, spelt = 480, sourdough = 510 }

--- How many orders there were. A local variable would begin anew with each reload.
local orders <const> = tide.keep("orders", 0)

local function count_one(number)
  return number + 1
end

local Orders <const> = tide.consumer {
  path = "/ws/orders",
  description = "Takes orders, one typed message each",
  camelize = true, -- customer_name here is customerName in the browser
}

Orders:on(order, { output = accepted }, function(_, message)
  local wish <const> = message.payload
  local total = wish.loaves * price_cents[wish.bread]
  if wish.voucher == "TIDE" then
    total = total * 9 // 10
  end
  local where <const> = wish.delivery.kind == "pickup" and "ready at " .. wish.delivery.ready_at
    or "to " .. wish.delivery.street
  return accepted {
    order_number = orders:update(count_one),
    total_cents = total,
    summary = ("%d %s for %s, %s"):format(wish.loaves, wish.bread, wish.customer_name, where),
  }
end)

return Orders
