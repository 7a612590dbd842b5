--- The assertions of the test kit, and what they say when they fail.

local null <const> = require("cjson").null
local testing_assert <const> = require "tidegate.testing.assert"
local testing <const> = require "tidegate.testing.matchers"

testing_assert.install()

--- What a failing function says, without the position.
---@param assertion function
---@return string
local function failure(assertion)
  local is_fine <const>, raised <const> = pcall(assertion)
  assert.is_false(is_fine, "it did not fail")
  return (tostring(raised):gsub("^[^\n]-:%d+: ", ""))
end

local function empty_list()
  return setmetatable({}, { __name = "tidegate.array" })
end

describe("assert.frame", function()
  it("passes a frame that has more than was expected", function()
    assert.frame({ action = "echo" }, { action = "echo", payload = { a = 1 }, ref = "7" })
    assert.frame(
      { payload = { room = { name = "blue" } } },
      { action = "joined", payload = { room = { name = "blue", members = 3 } } }
    )
  end)

  it("names the path that differs, and shows the frame", function()
    assert.equal(
      [[The frame is not as expected.
  at payload.message
    expected: "Echo: Hello"
    got:      "Echo: hello"
    (they differ in upper and lower case only)
Expected at least: {"action":"echo","payload":{"message":"Echo: Hello"}}
The frame: {"action":"echo","payload":{"message":"Echo: hello"}}]],
      failure(function()
        assert.frame(
          { action = "echo", payload = { message = "Echo: Hello" } },
          { action = "echo", payload = { message = "Echo: hello" } }
        )
      end)
    )
  end)

  it("names all paths, and what stands where a field is missing", function()
    assert.equal(
      [[The frame is not as expected.
  at action
    expected: "chat"
    got:      "chats"
  at payload.contnet
    expected: "hi"
    got:      nothing
    (the object there has content, level)
Expected at least: {"action":"chat","payload":{"contnet":"hi"}}
The frame: {"action":"chats","payload":{"content":"hi","level":3}}]],
      failure(function()
        assert.frame(
          { action = "chat", payload = { contnet = "hi" } },
          { action = "chats", payload = { content = "hi", level = 3 } }
        )
      end)
    )
  end)

  it("tells numbers from texts, and not 3 from 3.0", function()
    assert.frame({ payload = 3 }, { payload = 3.0 })
    assert.equal(
      [[The frame is not as expected.
  at payload
    expected: 3 (an integer)
    got:      "3" (a string)
Expected at least: {"payload":3}
The frame: {"payload":"3"}]],
      failure(function()
        assert.frame({ payload = 3 }, { payload = "3" })
      end)
    )
  end)

  it("tells 64-bit integers apart", function()
    assert.is_truthy(failure(function()
      assert.frame({ payload = 9007199254740993 }, { payload = 9007199254740992 })
    end):find("expected: 9007199254740993\n    got:      9007199254740992", 1, true))
  end)

  it("tells null from nothing", function()
    assert.frame({ payload = { a = null } }, { payload = { a = null } })
    assert.is_truthy(
      failure(function()
        assert.frame({ payload = { a = null } }, { payload = {} })
      end):find(
        "expected: null\n    got:      nothing\n    (the object there is empty)",
        1,
        true
      )
    )
  end)

  it("matches lists whole, and their objects partly", function()
    assert.frame(
      { payload = { { id = 1 }, { id = 2 } } },
      { payload = { { id = 1, x = 0 }, { id = 2 } } }
    )
    assert.equal(
      [[The frame is not as expected.
  at payload.tags
    expected: 2 items
    got:      3 items, ["a","c","d"]
  at payload.tags[2]
    expected: "b"
    got:      "c"
Expected at least: {"payload":{"tags":["a","b"]}}
The frame: {"payload":{"tags":["a","c","d"]}}]],
      failure(function()
        assert.frame(
          { payload = { tags = { "a", "b" } } },
          { payload = { tags = { "a", "c", "d" } } }
        )
      end)
    )
  end)

  it("takes {} for an empty list and for any object", function()
    assert.frame({ payload = {} }, { payload = empty_list() })
    assert.frame({ payload = {} }, { payload = { a = 1 } })
    assert.frame({ payload = empty_list() }, { payload = empty_list() })
    assert.is_truthy(failure(function()
      assert.frame({ payload = {} }, { payload = { "a" } })
    end):find('expected: an empty list\n    got:      ["a"]', 1, true))
    assert.is_truthy(failure(function()
      assert.frame({ payload = empty_list() }, { payload = {} })
    end):find("expected: [] (an array)\n    got:      {} (an object)", 1, true))
  end)

  it("shows where long texts part", function()
    local text <const> = failure(function()
      assert.frame(
        { payload = "The quick brown fox jumps over the lazy dog" },
        { payload = "The quick brown fox leaps over the lazy dog" }
      )
    end)
    assert.is_truthy(
      text:find('they are the same up to byte 20, behind "k brown fox "', 1, true),
      text
    )
  end)

  it("cuts what is long", function()
    local text <const> = failure(function()
      assert.frame({ payload = "x" }, { payload = ("é"):rep(5000) })
    end)
    assert.is_true(#text < 1000, #text)
    assert.is_truthy(text:find("... (10002 bytes)", 1, true), text)
    assert.is_truthy(utf8.len(text))
  end)

  it("shows six differences, and counts the others", function()
    local text <const> = failure(function()
      assert.frame(
        { payload = { 1, 2, 3, 4, 5, 6, 7, 8 } },
        { payload = { 0, 0, 0, 0, 0, 0, 0, 0 } }
      )
    end)
    assert.is_truthy(text:find("payload[6]", 1, true))
    assert.is_nil(text:find("payload[7]", 1, true))
    assert.is_truthy(text:find("and 2 more", 1, true))
  end)

  it("says in words what the server refused", function()
    assert.equal(
      [[The frame is not as expected.
  at action
    expected: "echo"
    got:      "error"
Expected at least: {"action":"echo"}
The frame: {"action":"error","payload":[{"loc":["payload","message"],"msg":"Field required","type":"missing"}]}
The server refused a message:
  payload.message: Field required (missing)]],
      failure(function()
        assert.frame({ action = "echo" }, {
          action = "error",
          payload = { { type = "missing", loc = { "payload", "message" }, msg = "Field required" } },
        })
      end)
    )
  end)

  it("says that there is no frame", function()
    assert.equal(
      'Expected a frame, and there is none.\nExpected: {"action":"echo"}',
      failure(function()
        assert.frame({ action = "echo" }, nil)
      end)
    )
  end)

  it("puts a message of the spec in front", function()
    assert.is_truthy(failure(function()
      assert.frame({ action = "a" }, { action = "b" }, "the second answer")
    end):find "^the second answer\nThe frame is not as expected")
  end)

  it("is exact on request", function()
    assert.frame({ action = "a" }, { action = "a" }, "exact")
    local expected <const> = [[The frame is not as expected.
  at payload.b
    expected: nothing
    got:      2
Expected exactly: {"action":"a","payload":{"a":1}}
The frame: {"action":"a","payload":{"a":1,"b":2}}]]
    local function one()
      assert.frame(
        { action = "a", payload = { a = 1 } },
        { action = "a", payload = { a = 1, b = 2 } },
        "exact"
      )
    end
    local function other()
      assert.exact_frame(
        { action = "a", payload = { a = 1 } },
        { action = "a", payload = { a = 1, b = 2 } }
      )
    end
    assert.equal(expected, failure(one))
    assert.equal(expected, failure(other))
    assert.exact_frame({ action = "a", payload = {} }, { action = "a", payload = {} })
    assert.is_truthy(failure(function()
      assert.exact_frame({ payload = {} }, { payload = { a = 1 } })
    end))
  end)

  it("can be negated", function()
    assert.is_not.frame({ action = "a" }, { action = "b" })
    assert.not_frame({ action = "a" }, nil)
    assert.equal(
      'Expected a frame that is not like {"action":"a"}.\nThe frame: {"action":"a","ref":"1"}',
      failure(function()
        assert.is_not.frame({ action = "a" }, { action = "a", ref = "1" })
      end)
    )
  end)

  it("names the line of the spec when it is used wrongly", function()
    local is_fine <const>, text <const> = pcall(function()
      assert.frame("echo", { action = "echo" })
    end)
    assert.is_false(is_fine)
    assert.is_truthy(tostring(text):find "assert_spec.lua:%d+: ", text)
    assert.is_truthy(
      tostring(text):find(
        'assert.frame(expected, frame): expected must be a table, got "echo"',
        1,
        true
      )
    )
  end)

  it("returns what it was given", function()
    local _, got <const> = assert.frame({ action = "a" }, { action = "a", ref = "5" })
    assert.equal("5", got.ref)
  end)
end)

describe("an expected value", function()
  local frame <const> =
    { action = "chat", payload = { id = 7, at = "2026-01-02", rate = 1.5, tags = empty_list() } }

  it("may be anything, or nothing", function()
    assert.frame({ payload = { id = testing.any, secret = testing.absent } }, frame)
    assert.is_truthy(failure(function()
      assert.frame({ payload = { name = testing.any } }, frame)
    end):find("at payload.name\n    expected: anything\n    got:      nothing", 1, true))
    assert.is_truthy(failure(function()
      assert.frame({ payload = { id = testing.absent } }, frame)
    end):find("at payload.id\n    expected: nothing\n    got:      7", 1, true))
  end)

  it("may be a kind", function()
    assert.frame({
      action = testing.a "string",
      payload = {
        id = testing.a "integer",
        rate = testing.a "number",
        tags = testing.a "array",
      },
    }, frame)
    assert.frame({ payload = testing.a "object" }, frame)
    assert.frame({ payload = testing.a "object" }, { payload = {} })
    assert.frame({ payload = testing.a "null" }, { payload = null })
    assert.is_truthy(failure(function()
      assert.frame({ payload = { rate = testing.a "integer" } }, frame)
    end):find("expected: an integer\n    got:      1.5", 1, true))
    assert.has_error(
      function()
        testing.a "strnig"
      end,
      'testing.a: there is no kind "strnig" '
        .. "(kinds: string, number, integer, boolean, null, array, object)"
    )
  end)

  it("may be a pattern", function()
    assert.frame({ payload = { at = testing.matching "^%d+-%d+-%d+$" } }, frame)
    local text <const> = failure(function()
      assert.frame({ payload = { at = testing.matching "^x" } }, frame)
    end)
    assert.is_truthy(
      text:find('expected: a string that matches "^x"\n    got:      "2026-01-02"', 1, true),
      text
    )
    assert.is_truthy(
      text:find('Expected at least: {"payload":{"at":<a string that matches "^x">}}', 1, true),
      text
    )
  end)

  it("may be a function with a sentence", function()
    local even <const> = testing.satisfying("an even number", function(value)
      return value % 2 == 0
    end)
    assert.frame({ even, even }, { 2, 4 })
    assert.is_truthy(failure(function()
      assert.frame({ payload = { id = even } }, frame)
    end):find("expected: an even number\n    got:      7", 1, true))
  end)

  it("may be a matcher of luassert", function()
    assert.frame({ action = match.is_string(), payload = { id = match.is_number() } }, frame)
    assert.is_truthy(failure(function()
      assert.frame({ action = match.is_number() }, frame)
    end):find('at action\n    expected: match.number\n    got:      "chat"', 1, true))
  end)
end)

describe("assert.error_at", function()
  local frame <const> = {
    action = "error",
    payload = {
      { type = "missing", loc = { "payload", "content" }, msg = "Field required" },
      {
        type = "string_too_long",
        loc = { "payload", "tags", 3 },
        msg = "String should have at most 20 characters",
      },
    },
  }

  it("finds an error by path and type", function()
    assert.error_at(frame, { "payload", "content" }, "missing")
    assert.error_at(frame, { "payload", "tags", 3 })
    assert.error_at(frame, { "payload", "tags", 3 }, testing.matching "^string_")
    assert.is_not.error_at(frame, { "payload", "content" }, "string_type")
  end)

  it("lists the errors that there are", function()
    assert.equal(
      [[Expected an error at payload.user of type "missing", and there is none.
The errors:
  at payload.content: missing (Field required)
  at payload.tags.3: string_too_long (String should have at most 20 characters)]],
      failure(function()
        assert.error_at(frame, { "payload", "user" }, "missing")
      end)
    )
  end)

  it("says that a frame is no list of errors", function()
    assert.equal(
      [[Expected a frame with an error at payload.user, and this is no list of errors.
The frame: {"action":"pong"}]],
      failure(function()
        assert.error_at({ action = "pong" }, { "payload", "user" })
      end)
    )
    assert.is_truthy(failure(function()
      assert.error_at({ action = "error", payload = { detail = "no" } }, { "payload" })
    end):find "this is no list of errors")
    assert.is_truthy(failure(function()
      assert.error_at(nil, { "payload" })
    end):find "The frame: nothing")
  end)

  it("can be negated", function()
    assert.equal(
      [[Expected no error at payload.content of type "missing".
The errors:
  at payload.content: missing (Field required)
  at payload.tags.3: string_too_long (String should have at most 20 characters)]],
      failure(function()
        assert.is_not.error_at(frame, { "payload", "content" }, "missing")
      end)
    )
  end)

  it("wants a path", function()
    assert.is_truthy(
      failure(function()
        assert.error_at(frame, "payload.content", "missing")
      end):find(
        [[the path must be a list such as { "payload", "content" }, got "payload.content"]],
        1,
        true
      )
    )
  end)
end)
