--- Arbitrary and broken values against the real validator: what the kit makes is right, and what it
--- breaks gets the very error that the kit says, which it knows from its own reading of the rules.

local failure <const> = require "spec.support.failure"
local schemas <const> = require "spec.support.schemas"
local show <const> = require "tidegate.testing.show"
local testing <const> = require "tidegate.testing"
local tide <const> = require "tidegate"

local s <const> = tide.schema

--- Of each schema; 2,000 of each take twelve seconds.
local VALUES <const> = 100

--- Serves a message with such a payload, and gives a function that says what the validator thinks of
--- one: nil, or type and loc of everything that is wrong, as text.
---@param schema tidegate.Schema
---@param is_camel? boolean
local function judge_of(schema, is_camel)
  local Probe <const>, Right <const> = tide.message("probe", schema), tide.message "right"
  local Prober <const> = tide.consumer { path = "/probe", name = "probe", camelize = is_camel }
  Prober:on(Probe, { output = Right }, function()
    return Right()
  end)
  local app <const> = testing.app(Prober)
  local client <const> = assert(app:connect "/probe")
  return Probe,
    function(message)
      client:send(message)
      local frame <const> = client:receive()
      local issues <const> = {}
      for index, issue in ipairs(frame.action == "error" and frame.payload or {}) do
        issues[index] = issue.type .. " at " .. show.json(issue.loc)
      end
      return #issues > 0 and table.concat(issues, ", ") or nil
    end
end

describe("arbitrary values", function()
  for _, case in ipairs(schemas(s)) do
    it("of " .. case.name .. " are right", function()
      local Probe <const>, judged <const> = judge_of(case.schema, case.camelize)
      local next_message <const> = testing.arbitrary(Probe, { seed = 7, camelize = case.camelize })
      for _ = 1, VALUES do
        local message <const> = next_message()
        assert.is_nil(judged(message), show.value(message))
      end
    end)
  end

  it("are others each time, and the same for a seed", function()
    local function texts(seed)
      local list <const>, distinct, count = {}, {}, 0
      local next_value <const> = testing.arbitrary(s.array(s.string()), { seed = seed })
      for index = 1, 50 do
        list[index] = show.json(next_value())
        count = count + (distinct[list[index]] and 0 or 1)
        distinct[list[index]] = true
      end
      return list, count
    end
    local list <const>, count <const> = texts(1)
    assert.same(list, (texts(1)))
    assert.not_same(list, (texts(2)))
    assert.is_true(count > 25, "only " .. count)
  end)

  it("prefer the edges", function()
    local seen <const> = {}
    local next_value <const> = testing.arbitrary(s.integer { min = -5, max = 1000000 })
    for _ = 1, 200 do
      seen[next_value()] = true
    end
    for _, edge in ipairs { -5, -4, 0, 1, 999999, 1000000 } do
      assert.is_true(seen[edge], tostring(edge))
    end
  end)

  it("shrink to the smallest that a specification does not like", function()
    local next_value <const> = testing.arbitrary(s.array(s.integer { min = 0 }), { seed = 3 })
    local function is_bad(list)
      for _, item in ipairs(list) do
        if item > 10 then
          return true
        end
      end
      return false
    end
    repeat
      local value <const> = next_value()
    until #value > 1 and is_bad(value)
    assert.equal("[11]", show.json((next_value:shrink(is_bad))))
  end)

  it("run through a property, which fails with the smallest", function()
    local text <const> = failure(function()
      testing
        .arbitrary(s.object { name = s.string(), age = s.integer { min = 0, max = 200 } }, { seed = 5 })
        :each(200, function(value)
          assert(value.age < 18, "too old")
        end)
    end)
    assert.is_truthy(text:find "^value %d+ of 200 %(seed 5%) is not as it should be; the smallest")
    assert.is_truthy(text:find('{"age":18,"name":""}', 1, true), text)
    assert.is_truthy(text:find("too old", 1, true), text)
  end)

  it("use an example where a pattern is too hard, and ask for one", function()
    local pattern <const> = "^(?=.*z)(?=.*y)(?=.*x)(?=.*w)[a-z]{4}$"
    local hard <const> = s.string { pattern = pattern }
    local next_value <const> = testing.arbitrary(hard:example "wxyz")
    assert.equal("wxyz", next_value())
    local text <const> = failure(function()
      testing.arbitrary(hard)()
    end)
    assert.is_truthy(text:find "no value of this s.string was found: .*; give it an :example", 1)
    assert.is_truthy(text:find("property_spec.lua:", 1, true), text)
  end)

  it("ask for an example of what a check always refuses", function()
    local text <const> = failure(function()
      testing.arbitrary(s.integer():check(function()
        return "never"
      end))()
    end)
    assert.is_truthy(text:find("its :check refused 50 of them; give it an :example(...)", 1, true))
  end)

  it("are made of schemas and types only", function()
    assert.equal(
      "testing.arbitrary: expected a schema or a message type, got 7",
      failure(function()
        testing.arbitrary(7)
      end)
    )
  end)
end)

describe("broken values", function()
  for _, case in ipairs(schemas(s)) do
    it("of " .. case.name .. " get the error that is expected", function()
      local Probe <const>, judged <const> = judge_of(case.schema, case.camelize)
      local next_message <const> = testing.broken(Probe, { seed = 7, camelize = case.camelize })
      for _ = 1, VALUES do
        local message <const>, issue <const> = next_message()
        local expected <const> = issue.type .. " at " .. show.json(issue.loc)
        assert.equal(expected, judged(message), show.value(message))
      end
    end)
  end

  it("have every error that a schema can give", function()
    local all <const> = "missing string_type string_too_short string_too_long "
      .. "string_pattern_mismatch int_type int_parsing float_type float_parsing bool_type "
      .. "bool_parsing greater_than greater_than_equal less_than less_than_equal multiple_of "
      .. "literal_error enum dict_type model_type list_type too_short too_long not_unique "
      .. "none_required extra_forbidden value_error url_parsing uuid_parsing date_parsing "
      .. "time_parsing datetime_parsing ip_v4_address ip_v6_address recursion_loop "
      .. "union_tag_invalid union_tag_not_found"
    local types <const>, count = {}, 0
    for _, case in ipairs(schemas(s)) do
      local next_value <const> = testing.broken(case.schema, { camelize = case.camelize })
      for _ = 1, VALUES do
        types[select(2, next_value()).type] = true
      end
    end
    for name in all:gmatch "%S+" do
      assert.is_true(types[name], name)
      count = count + 1
    end
    for _ in pairs(types) do
      count = count - 1
    end
    assert.equal(0, count)
  end)

  it("come with a path from the value itself, of a schema alone", function()
    local value <const>, issue <const> = testing.broken(s.object { a = s.null() })()
    assert.is_not_nil(value)
    assert.is_true(#issue.loc <= 1 and (issue.loc[1] or "a") == "a")
  end)

  it("shrink as others do", function()
    local next_value <const> = testing.broken(s.array(s.integer()), { seed = 2 })
    local issue
    repeat
      issue = select(2, next_value())
    until #issue.loc == 1
    local smallest <const>, its_issue <const> = next_value:shrink(function(_, candidate)
      return #candidate.loc == 1
    end)
    assert.equal("int_type", its_issue.type)
    assert.equal(1, #smallest)
  end)

  it("are not there where everything is right", function()
    local text <const> = failure(function()
      testing.broken(s.any())()
    end)
    assert.is_truthy(
      text:find "^testing.broken: nothing was found that is wrong with the s.any of "
    )
  end)
end)
