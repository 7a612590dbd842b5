--- The payload of spec/support/apps/errors, which has a field for every type of error, by the model;
--- and values for each field, right and wrong.

local Json <const> = require "spec.kit.model.json"
local Orders <const> = require "spec.kit.model.orders"

local Fields <const> = {}

local null <const>, list <const>, object <const> = Json.null, Json.list, Json.object

---@param values string[]
---@return table<string, true>
local function set(values)
  local all <const> = {}
  for _, value in ipairs(values) do
    all[value] = true
  end
  return all
end

---@param type string
---@param msg string
---@param right string[]
---@return table
local function format(type, msg, right)
  return { kind = "string", format = type, msg = msg, right = set(right) }
end

---@param depth integer
---@return table # a comment with so many levels of replies
local function thread(depth)
  local replies <const> = list(depth > 0 and { thread(depth - 1) } or {})
  return object { { "replies", replies } }
end

local long <const> = ("long "):rep(9)
local nothing <const> = { kind = "object", fields = { { "kind", { kind = "string" } } } }
local uuid <const> = "123e4567-e89b-12d3-a456-426614174000"

--- name, schema, values that are right, values that are wrong
Fields.list = {
  {
    "age",
    { kind = "integer", min = 18, max = 120 },
    { 18, 77, 120 },
    { 17, -1, 0, 121, 122, 4096, "x", 1.5, true, null, long },
  },
  {
    "at",
    format(
      "datetime_parsing",
      "Input should be a valid datetime with its offset, as in 2025-05-11T14:30:00Z",
      { "2025-05-11T14:30:00Z" }
    ),
    { "2025-05-11T14:30:00Z" },
    { "2025-05-11", "14:30:00Z", "tomorrow", "2025-02-30T14:30:00Z" },
  },
  {
    "author",
    { kind = "object", fields = { { "name", { kind = "string" } } } },
    { object { { "name", "Ann" } } },
    { "Ann", object {}, object { { "name", 5 } }, list {}, 7 },
  },
  { "color", { kind = "string" }, { "red", "" }, { 1, null, list {}, false } },
  {
    "day",
    format("date_parsing", "Input should be a valid date, as in 2025-05-11", { "2024-02-29" }),
    { "2024-02-29" },
    { "11.5.2025", "2023-02-29", "2025-13-01", "" },
  },
  {
    "email",
    {
      kind = "string",
      format = "value_error",
      msg = "Input should be a valid email address",
      right = Orders.emails,
    },
    { "ann@example.org" },
    { "ann", "ann@", "@example.org", "a b@example.org" },
  },
  { "gift", { kind = "boolean" }, { true, false }, { 1, 0, "true", null, list {} } },
  {
    "host",
    format("value_error", "Input should be a valid host name", { "example.org", "a" }),
    { "example.org", "a" },
    { "-a-", "a b", "" },
  },
  {
    "id",
    format("uuid_parsing", "Input should be a valid UUID", { uuid }),
    { uuid },
    { "7", uuid:sub(2), "" },
  },
  {
    "ipv4",
    format("ip_v4_address", "Input is not a valid IPv4 address", { "127.0.0.1" }),
    { "127.0.0.1" },
    { "1.2.3", "256.1.1.1", "::1", "" },
  },
  {
    "ipv6",
    format("ip_v6_address", "Input is not a valid IPv6 address", { "::1", "2001:db8::1" }),
    { "::1", "2001:db8::1" },
    { "1.2.3.4", ":::", "g::1" },
  },
  {
    "name",
    { kind = "string", min = 2, max = 20 },
    { "Ann", "😀😀" },
    { "A", "😀", "", ("n"):rep(21), ("é"):rep(30), 5, null, object {} },
  },
  { "nothing", { kind = "null" }, { null }, { false, 0, "", "null", list {} } },
  {
    "page",
    { kind = "integer", coerce = true },
    { 7, "12", "-3" },
    { "x", "1.5", "", "1e", null, true, 0.5 },
  },
  {
    "post",
    { kind = "tagged", tag = "kind", variants = { { "image", nothing }, { "text", nothing } } },
    { object { { "kind", "text" } }, object { { "kind", "image" } } },
    {
      object { { "kind", "video" } },
      object {},
      object { { "kind", "" } },
      object { { "sort", "text" } },
      "text",
    },
  },
  {
    "price",
    { kind = "number", above = 0, step = 0.5 },
    { 0.5, 3, 12.5 },
    { 0.7, 2.2, 1.25, 9.9, 0, -1, "1", null, -0.5 },
  },
  {
    "quiet",
    { kind = "boolean", coerce = true },
    { true, "false" },
    { "x", "yes", "", 1, null, "TRUE" },
  },
  {
    "rate",
    { kind = "number", coerce = true },
    { 0.25, "2.5", 4 },
    { "x", "", "1,5", null, true },
  },
  {
    "riddle",
    {
      kind = "string",
      pattern = "^(a+)+$",
      lua_pattern = "^a+$",
      steps = { [("a"):rep(60) .. "!"] = true },
    },
    { "a", "aaaa" },
    { ("a"):rep(60) .. "!" },
  },
  {
    "room",
    {
      kind = "string",
      check = function(room)
        return room:find "^private%-" and "you are no member of this room" or nil
      end,
    },
    { "lobby", "priv" },
    { "private-a", "private-", 5 },
  },
  {
    "scores",
    { kind = "map", of = { kind = "integer" }, min = 1, max = 2 },
    { object { { "a", 1 } }, object { { "b", 2 }, { "a", 1 } } },
    {
      object {},
      object { { "a", 1 }, { "b", 2 }, { "c", 3 } },
      object { { "ü", "x" } },
      list {},
      5,
      null,
    },
  },
  { "share", { kind = "number", below = 1 }, { 0.5, -3, 0 }, { 1.5, 1, 100, 7, "0", null } },
  {
    "site",
    format("url_parsing", "Input should be a valid URL", { "https://example.org/a?b=c" }),
    { "https://example.org/a?b=c" },
    { "example", "http://", "//a", "" },
  },
  {
    "size",
    { kind = "enum", values = { "small", "large" } },
    { "small", "large" },
    { "huge", "", 1, null, "Small", list {} },
  },
  {
    "slug",
    { kind = "string", pattern = "^[a-z]+$", lua_pattern = "^[a-z]+$" },
    { "abc", "z" },
    { "A b", "", "é", "a1", 5 },
  },
  {
    "tags",
    { kind = "list", of = { kind = "string" }, min = 1, max = 3, unique = true },
    { list { "a" }, list { "b", "a", "" } },
    {
      list {},
      list { "a", "b", "c", "d" },
      list { "a", "b", "a" },
      list { "a", "a" },
      list { "é", "x", "é" },
      list { "x", 5 },
      "new",
      object {},
      null,
    },
  },
  { "thread", { kind = "thread", depth = 2 }, { thread(0), thread(2) }, { thread(3), thread(4) } },
  {
    "time",
    format(
      "time_parsing",
      "Input should be a valid time with its offset, as in 14:30:00Z",
      { "14:30:00Z" }
    ),
    { "14:30:00Z" },
    { "14:30", "25:00:00Z", "" },
  },
  { "version", { kind = "literal", value = 2 }, { 2 }, { 1, "2", null, true } },
}

--- Fields that nobody declared, and the declared ones that they look like.
Fields.hints = { colour = "color", pag = "page" }
Fields.strangers = { "colour", "pag", "completely_else" }

local all <const> = {}
for index, field in ipairs(Fields.list) do
  all[index] = { field[1], field[2], optional = true }
end

Fields.application = {
  consumers = {
    {
      path = "^(/ws/errors)$",
      actions = {
        fields = {
          schema = { kind = "object", fields = all, forbids = true, hints = Fields.hints },
          handler = function() end,
        },
        say = {
          schema = { kind = "object", fields = { { "content", { kind = "string" } } } },
          handler = function() end,
        },
      },
    },
  },
}

return Fields
