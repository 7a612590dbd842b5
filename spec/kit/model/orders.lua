--- What examples/order_form does, by the model. Names on the wire are in camel case.

local Json <const> = require "spec.kit.model.json"

local Orders <const> = {}

--- What the samples of formats and patterns are, for this application and for others.
Orders.emails = { ["ann@example.org"] = true, ["a.b+c@mail.example.com"] = true }
Orders.datetimes = { ["2025-05-11T14:30:00Z"] = true, ["2024-02-29T23:59:59+02:00"] = true }

local datetime <const> = {
  kind = "string",
  format = "datetime_parsing",
  right = Orders.datetimes,
  msg = "Input should be a valid datetime with its offset, as in 2025-05-11T14:30:00Z",
}

local kind_of <const> = { "kind", { kind = "string" } }

local pickup <const> =
  { kind = "object", fields = { kind_of, { "ready_at", datetime, wire = "readyAt" } } }

local courier <const> = {
  kind = "object",
  fields = {
    kind_of,
    {
      "postal_code",
      { kind = "string", pattern = "^[0-9]{5}$", lua_pattern = "^%d%d%d%d%d$" },
      wire = "postalCode",
    },
    { "street", { kind = "string", min = 3, max = 100, trim = true } },
  },
}

local order <const> = {
  kind = "object",
  fields = {
    { "bread", { kind = "enum", values = { "rye", "spelt", "sourdough" } } },
    { "customer_name", { kind = "string", min = 2, max = 60, trim = true }, wire = "customerName" },
    {
      "delivery",
      {
        kind = "tagged",
        tag = "kind",
        variants = { { "courier", courier }, { "pickup", pickup } },
      },
    },
    {
      "email",
      {
        kind = "string",
        format = "value_error",
        right = Orders.emails,
        msg = "Input should be a valid email address",
      },
    },
    { "loaves", { kind = "integer", min = 1, max = 20, coerce = true } },
    {
      "voucher",
      {
        kind = "string",
        trim = true,
        check = function(code)
          return code ~= "" and code ~= "TIDE" and "no such voucher" or nil
        end,
      },
      optional = true,
    },
  },
}

local cents <const> = { rye = 420, spelt = 480, sourdough = 510 }

local function accept(server, _, wish)
  server.data.orders = (server.data.orders or 0) + 1
  local total = wish.loaves * cents[wish.bread]
  if wish.voucher == "TIDE" then
    total = total * 9 // 10
  end
  local where <const> = wish.delivery.kind == "pickup" and "ready at " .. wish.delivery.ready_at
    or "to " .. wish.delivery.street
  local summary <const> = ("%d %s for %s, %s"):format(
    wish.loaves,
    wish.bread,
    wish.customer_name,
    where
  )
  return {
    action = "order_accepted",
    payload = Json.object {
      { "orderNumber", server.data.orders },
      { "summary", summary },
      { "totalCents", total },
    },
  }
end

Orders.application = {
  consumers = {
    { path = "^(/ws/orders)$", actions = { order = { schema = order, handler = accept } } },
  },
}

return Orders
