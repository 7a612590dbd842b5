local fresh <const> = require "spec.support.fresh"
local refused <const> = require "spec.support.refused"

describe("tide.schema", function()
  local s, null

  before_each(function()
    local tide <const>, host <const> = fresh.load()
    s, null = tide.schema, host.null
  end)

  describe("makes nodes that", function()
    it("name their kind and are required, never null, without a default", function()
      for _, kind in ipairs { "any", "null", "boolean", "integer", "number", "string" } do
        local node <const> = s[kind]()
        assert.equal(kind, node.kind)
        assert.is_false(node.is_optional)
        assert.is_false(node.is_nullable)
        assert.is_false(node.has_default)
      end
    end)

    it("keep their limits, whole ones as integers", function()
      local node <const> = s.integer { min = 1.0, max = 9 }
      assert.equal("integer", math.type(node.min))
      assert.equal(1, node.min)
      assert.equal(9, node.max)
      assert.equal(0.5, s.number({ min = 0.5 }).min)
      assert.equal(3, s.string({ max = 3 }).max)
      assert.equal(2, s.array(s.any(), { min = 2 }).min)
      assert.equal(7, s.map(s.any(), { max = 7 }).max)
    end)

    it("hold what their items and values look like", function()
      local item <const> = s.string()
      assert.equal(item, s.array(item).item)
      assert.equal(item, s.map(item).value)
    end)

    it("hold the values of a choice in the order in which they were written", function()
      assert.same({ "a" }, s.literal("a").values)
      assert.same({ "b", 2, true }, s.enum({ "b", 2, true }).values)
    end)

    it("do not follow a later change of the list of an enum", function()
      local values <const> = { "a", "b" }
      local node <const> = s.enum(values)
      values[3] = "c"
      assert.same({ "a", "b" }, node.values)
    end)

    it("cannot be changed", function()
      local node <const> = s.string()
      refused(function()
        node.limit = 3
      end, 'a schema cannot be changed ("limit"); its methods return a new one')
    end)
  end)

  describe("objects", function()
    ---@param node tidegate.Schema
    ---@return string
    local function names(node)
      local list <const> = {}
      for index, field in ipairs(node.fields) do
        list[index] = field.name
      end
      return table.concat(list, " ")
    end

    it("put named fields in byte order", function()
      local any <const> = s.any()
      assert.equal(
        "B _x a a1 b ä",
        names(s.object { b = any, a1 = any, a = any, B = any, _x = any, ["ä"] = any })
      )
    end)

    it("keep a listed order", function()
      assert.equal(
        "b a c",
        names(s.object { { "b", s.any() }, { "a", s.any() }, { "c", s.any() } })
      )
    end)

    it("may be empty", function()
      assert.same({}, s.object({}).fields)
    end)

    it("drop other fields unless told otherwise", function()
      assert.equal("ignore", s.object({}).additional)
      assert.equal("forbid", s.object({}, { additional = "forbid" }).additional)
    end)

    it("may have a field called additional", function()
      assert.equal("additional", names(s.object { additional = s.string() }))
    end)

    it("refuse what is no schema, with what was probably meant", function()
      refused(
        function()
          s.object { name = "string" }
        end,
        's.object: field "name": expected a schema, got the string "string"; write s.string(...)'
      )
      refused(function()
        s.object { name = s.string }
      end, 's.object: field "name": expected a schema, got a function; call it, as in s.string()')
      refused(
        function()
          s.object { name = { first = s.string() } }
        end,
        's.object: field "name": expected a schema, got a table; '
          .. "for an object write s.object { ... }"
      )
    end)

    it("refuse options among the fields", function()
      refused(
        function()
          s.object { name = s.string(), additional = "forbid" }
        end,
        's.object: options stand in a second table: s.object({ ... }, { additional = "forbid" })'
      )
    end)

    it("refuse unknown options and values of them", function()
      refused(function()
        s.object({}, { aditional = "forbid" })
      end, 's.object: unknown option "aditional"; did you mean "additional"? (options: additional)')
      refused(
        function()
          s.object({}, { additional = "drop" })
        end,
        's.object: option "additional" must be "ignore", "allow" or "forbid", got the string "drop"'
      )
    end)

    -- The field behind the hole was dropped without a word.
    it("refuse a list of fields with a hole", function()
      refused(function()
        s.object { { "a", s.any() }, nil, { "c", s.any() } }
      end, "s.object: the list of fields has a hole at 2")
    end)

    it("refuse a field that stands twice", function()
      refused(function()
        s.object { { "a", s.any() }, { "a", s.any() } }
      end, 's.object: the field "a" stands twice; remove one')
    end)

    it("refuse names beside a list, and list items that are no pairs", function()
      refused(function()
        s.object { { "a", s.any() }, b = s.any() }
      end, 's.object: "b" stands beside a list of fields; write { "b", schema }')
      refused(function()
        s.object { { "a", s.any() }, s.any() }
      end, 's.object: item 2 of the fields must be { "name", schema }, got a schema of kind any')
    end)

    it("refuse names that are not UTF-8 text", function()
      refused(function()
        s.object { [true] = s.any() }
      end, "s.object: a field name must be a string of UTF-8, got the boolean true")
      refused(function()
        s.object { ["\xff"] = s.any() }
      end, 's.object: a field name must be a string of UTF-8, got the string "\xff"')
    end)

    it("refuse what is no table of fields", function()
      refused(function()
        s.object "name"
      end, 's.object: expected fields, as in s.object { name = s.string() }, got the string "name"')
      refused(
        function()
          s.object(s.string())
        end,
        "s.object: expected fields, as in s.object { name = s.string() }, got a schema of kind string"
      )
    end)
  end)

  describe("methods", function()
    it("leave the node as it is and return a new one", function()
      local plain <const> = s.string()
      local node <const> = plain:optional():nullable():default("x"):describe "A name"
      assert.is_true(node.is_optional and node.is_nullable and node.has_default)
      assert.equal("x", node.default_value)
      assert.equal("A name", node.description)
      assert.is_false(plain.is_optional or plain.is_nullable or plain.has_default)
      assert.is_nil(plain.description)
    end)

    it("collect examples", function()
      local one <const> = s.integer():example(1)
      local two <const> = one:example(2)
      assert.same({ 1, 2 }, { two.examples[1].value, two.examples[2].value })
      assert.equal(1, #one.examples)
    end)

    it("take false and null as defaults", function()
      assert.is_false(s.boolean():default(false).default_value)
      assert.equal(null, s.string():nullable():default(null).default_value)
    end)

    it("say that they are called with a colon", function()
      local node <const> = s.string()
      refused(function()
        node.optional()
      end, "optional is a method of schemas; call it with a colon, as in s.string():optional(...)")
    end)

    it("refuse a missing default and a description that is no text", function()
      refused(function()
        s.string():default()
      end, ':default needs a value; null is require("cjson").null')
      refused(function()
        s.string():describe {}
      end, ":describe needs a string that is not empty, got a table")
    end)
  end)

  describe("refuses", function()
    it("an unknown option, with the name that was probably meant", function()
      refused(
        function()
          s.string { maximum = 3 }
        end,
        's.string: unknown option "maximum"; did you mean "max"? (options: coerce, format, max, min, pattern, trim)'
      )
      refused(
        function()
          s.integer { mim = 3 }
        end,
        's.integer: unknown option "mim"; did you mean "min"? '
          .. "(options: coerce, exclusive_max, exclusive_min, max, min, multiple_of)"
      )
      refused(function()
        s.string { 3 }
      end, "s.string: unknown option [1] (options: coerce, format, max, min, pattern, trim)")
    end)

    it("a limit of the wrong type", function()
      refused(function()
        s.string { max = "3" }
      end, 's.string: option "max" must be a whole number, 0 or more, got the string "3"')
      refused(function()
        s.array(s.any(), { min = -1 })
      end, 's.array: option "min" must be a whole number, 0 or more, got the number -1')
      refused(function()
        s.integer { min = 1.5 }
      end, 's.integer: option "min" must be a whole number, got the number 1.5')
      refused(function()
        s.number { max = 1 / 0 }
      end, 's.number: option "max" must be a number, got the number inf')
    end)

    it("limits that nothing can meet", function()
      refused(function()
        s.integer { min = 5, max = 2 }
      end, "s.integer: min (5) is above max (2)")
    end)

    it("options where there are none", function()
      refused(function()
        s.boolean { default = true }
      end, 's.boolean: "default" is a method, not an option; write s.boolean(...):default(...)')
    end)

    it("an enum without values, with a value twice, with a value that is no scalar", function()
      local empty <const> =
        's.enum: expected a list of at least one value, as in s.enum { "a", "b" }'
      refused(function()
        s.enum {}
      end, empty)
      refused(function()
        s.enum { a = 1 }
      end, empty)
      refused(function()
        s.enum { "a", "b", "a" }
      end, 's.enum: the string "a" stands twice; remove one')
      refused(function()
        s.enum { 1, 1.0 }
      end, "s.enum: the number 1.0 stands twice; remove one")
      refused(function()
        s.enum { "a", {} }
      end, "s.enum: value 2: expected a string, a number or a boolean, got a table")
    end)

    it("null as a literal, with how to say it", function()
      refused(
        function()
          s.literal(null)
        end,
        "s.literal: expected a string, a number or a boolean, got null; write s.null(), "
          .. "or :nullable() on another schema"
      )
    end)

    it("an array without items", function()
      refused(function()
        s.array()
      end, "s.array: the item: expected a schema, got nothing")
    end)

    it("a kind that there is not", function()
      refused(
        function()
          s.strng()
        end,
        'tide.schema has no "strng"; did you mean "string"? (it has: any, array, boolean, '
          .. "datetime, email, enum, from_json_schema, integer, literal, map, null, number, object, "
          .. "ref, string, tagged, union, url, uuid)"
      )
    end)
  end)
end)
