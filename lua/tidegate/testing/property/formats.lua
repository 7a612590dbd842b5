--- The formats of strings, as the test kit knows them by itself: texts of each, texts that are
--- nearly of each, and whether a text is of one. Where a text is rarer than what the kit makes, the
--- answer is nil: nobody can tell here.

local Formats <const> = {}

--- Texts that are right, the simplest first.
Formats.right = {
  email = { "a@b.c", "a.b+c@example.org", "x_1@sub.example.com", ("l"):rep(64) .. "@example.org" },
  url = {
    "http://a",
    "https://example.org/a?b#c",
    "http://[::1]:65535/",
    "ftp://u:p@h:/%41",
    "a+b-1.c://example.org?q=/?",
  },
  uuid = {
    "00000000-0000-0000-0000-000000000000",
    "ffffffff-ffff-ffff-ffff-ffffffffffff",
    "6BA7B810-9dad-11d1-80b4-00c04fd430c8",
  },
  date = { "2000-01-01", "2024-02-29", "0000-12-31", "9999-12-31" },
  time = { "00:00:00Z", "23:59:60Z", "14:30:00.5+02:00", "23:59:59-23:59", "00:59:60+01:00" },
  datetime = {
    "2000-01-01T00:00:00Z",
    "2024-02-29t23:59:60z",
    "9999-12-31T23:59:59.123456789-12:00",
  },
  hostname = { "a", "example.org", "example.org.", ("l"):rep(63) .. ".x", "1.2.3.4" },
  ipv4 = { "0.0.0.0", "127.0.0.1", "255.255.255.255" },
  ipv6 = { "::", "::1", "2001:db8::ff00:42:8329", "1:2:3:4:5:6:7:8", "::ffff:127.0.0.1" },
}

--- Texts that are wrong by a little.
Formats.wrong = {
  email = {
    "",
    "a",
    "a@b",
    "@b.c",
    "a@",
    "a..b@c.d",
    "a b@c.d",
    ("l"):rep(65) .. "@c.d",
    "a@b.c@d.e",
  },
  url = {
    "",
    "a",
    "http:/a",
    "http://",
    "//a",
    "1a://b",
    "http://a b",
    "http://a:65536",
    "http://a/%4",
  },
  uuid = { "", "0", "00000000-0000-0000-0000-00000000000", "g0000000-0000-0000-0000-000000000000" },
  date = { "", "2000-13-01", "2023-02-29", "1900-02-29", "2000-1-1", "2000-00-10", "2000-01-01 " },
  time = { "", "00:00:00", "24:00:00Z", "00:60:00Z", "00:00:60Z", "00:00Z", "00:00:00.Z" },
  datetime = {
    "",
    "2000-01-01",
    "2000-01-01T00:00:00",
    "2000-01-01 00:00:00Z",
    "2023-02-29T00:00:00Z",
    "2000-01-01T00:00:00+24:00",
  },
  hostname = { "", "-a", "a-", "a..b", "a_b", ("l"):rep(64), "é" },
  ipv4 = { "", "1.2.3", "256.0.0.1", "01.2.3.4", "1.2.3.4.5", "1.2.3.4 " },
  ipv6 = { "", ":", "1::2::3", "12345::", "1:2:3:4:5:6:7", "::1%lo", "g::" },
}

local known <const> = {}
for format, texts in pairs(Formats.right) do
  known[format] = {}
  for _, text in ipairs(texts) do
    known[format][text] = true
  end
  for _, text in ipairs(Formats.wrong[format]) do
    known[format][text] = false
  end
end

--- Whether a text without dots is one label.
---@param text string
---@return boolean
local function is_label(text)
  return #text <= 63 and text:find "^%w[%w-]*$" ~= nil and text:sub(-1) ~= "-"
end

---@param format string
---@param text string
---@return boolean? # nil: this cannot be told here
function Formats.matches(format, text)
  local answer <const> = known[format][text]
  if answer ~= nil then
    return answer
  elseif format == "uuid" then
    local shape <const> = ("%x"):rep(8) .. ("%-%x%x%x%x"):rep(4) .. ("%x"):rep(8)
    return text:find("^" .. shape .. "$") ~= nil
  elseif format == "hostname" then
    if not text:find("%.", 1) then
      return is_label(text)
    end
    return text:find "[^%w.-]" and false or nil
  elseif not text:find "[.:@-]" then
    return false
  end
  return nil
end

return Formats
