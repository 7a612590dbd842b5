--- What tide.http makes of what it is given; what is sent of it is seen with the program
--- (spec/wire/http_client.test.js).

local fresh <const> = require "spec.support.fresh"

describe("tide.http", function()
  local tide
  local url <const> = "http://127.0.0.1/"

  before_each(function()
    tide = fresh.load()
  end)

  it("leaves to the host what it is not told", function()
    local parts <const> = table.pack(tide.http.get(url))
    assert.same({ url, "GET", {}, n = 7 }, parts)
  end)

  it("hands over what it is told, times in milliseconds", function()
    local options <const> = {
      url = url,
      method = "PUT",
      body = "text",
      timeout = 1.0001,
      max_bytes = 10,
      redirects = 0,
    }
    local parts <const> = table.pack(tide.http.request(options))
    assert.same({ url, "PUT", {}, "text", 1001, 10, 0, n = 7 }, parts)
  end)

  it("takes a body for a POST, and gives those that want a body an empty one", function()
    local function method_and_body(options)
      options.url = url
      local _, method <const>, _, body <const> = tide.http.request(options)
      return { method, body }
    end
    assert.same({ "POST", "a" }, method_and_body { body = "a" })
    assert.same({ "POST", "[1]" }, method_and_body { json = { 1 } })
    assert.same({ "GET", "a" }, method_and_body { method = "GET", body = "a" })
    assert.same({ "POST", "" }, method_and_body { method = "POST" })
    assert.same({ "DELETE" }, method_and_body { method = "DELETE" })
  end)

  it("lists headers in the order of their names", function()
    local headers <const> = { b = "2", a = 1, ["A-b"] = "", c = 0.5 }
    local _, _, list <const> = tide.http.get(url, { headers = headers })
    assert.same({ "A-b", "", "a", "1", "b", "2", "c", "0.5" }, list)
  end)

  it("names the type of JSON unless the caller does", function()
    local _, _, list <const> = tide.http.post(url, { json = 1, headers = { a = "b" } })
    assert.same({ "a", "b", "content-type", "application/json" }, list)
    local _, _, own <const> =
      tide.http.post(url, { json = 1, headers = { ["Content-type"] = "b" } })
    assert.same({ "Content-type", "b" }, own)
  end)

  it("does not change the options that it is given", function()
    local options <const> = { json = { 1 }, headers = { a = "b" } }
    tide.http.post(url, options)
    assert.same({ json = { 1 }, headers = { a = "b" } }, options)
  end)

  it("sends false and null as JSON as well", function()
    local _, _, _, body <const> = tide.http.post(url, { json = false })
    assert.equal("false", body)
  end)

  it("refuses a header that would begin another line", function()
    for _, value in ipairs { "a\r\nb: c", "a\nb", "a\rb", "a\0b" } do
      local _, problem <const> = pcall(tide.http.get, url, { headers = { ["x-a"] = value } })
      assert.matches('tide.http.get: the header "x%-a" has a line break or a zero byte', problem)
    end
  end)

  it("refuses options that the short forms decide", function()
    local _, problem <const> = pcall(tide.http.get, url, { method = "GET" })
    assert.matches('tide.http.get: unknown option "method"', problem)
    local _, no_url <const> = pcall(tide.http.post, { url = url })
    assert.matches(
      "tide.http.post: the URL must be a string that is not empty, got a table",
      no_url
    )
  end)
end)
