local fresh <const> = require "spec.support.fresh"
local refused <const> = require "spec.support.refused"

describe("tide.schema makes", function()
  local s, null

  before_each(function()
    local tide <const>, host <const> = fresh.load()
    s, null = tide.schema, host.null
  end)

  --- What each name of the fields of an object looks like: "a integer, b string".
  ---@param node tidegate.Schema
  ---@return string
  local function fields_of(node)
    local list <const> = {}
    for index, field in ipairs(node.fields) do
      list[index] = field.name .. " " .. field.schema.kind
    end
    return table.concat(list, ", ")
  end

  describe("numbers", function()
    it("that keep their limits", function()
      local node <const> = s.integer {
        exclusive_min = 0.0,
        exclusive_max = 10,
        multiple_of = 2.0,
        coerce = true,
      }
      assert.equal("integer", math.type(node.exclusive_min))
      assert.equal(10, node.exclusive_max)
      assert.equal("integer", math.type(node.multiple_of))
      assert.is_true(node.coerce)
      assert.equal(0.25, s.number({ multiple_of = 0.25 }).multiple_of)
      assert.is_false(s.number().coerce)
    end)

    it("but not of a step that is none", function()
      refused(function()
        s.integer { multiple_of = 0 }
      end, 's.integer: option "multiple_of" must be a whole number above 0, got the number 0')
      refused(function()
        s.number { multiple_of = -0.5 }
      end, 's.number: option "multiple_of" must be a number above 0, got the number -0.5')
    end)

    it("but not between limits that leave nothing", function()
      refused(function()
        s.number { exclusive_min = 1, exclusive_max = 1 }
      end, "s.number: nothing lies between exclusive_min (1) and exclusive_max (1)")
      refused(function()
        s.number { min = 2, exclusive_max = 2 }
      end, "s.number: nothing lies between min (2) and exclusive_max (2)")
      refused(function()
        s.integer { exclusive_min = 2, max = 2 }
      end, "s.integer: nothing lies between exclusive_min (2) and max (2)")
      refused(function()
        s.integer { exclusive_min = 1, exclusive_max = 2 }
      end, "s.integer: nothing lies between exclusive_min (1) and exclusive_max (2)")
      assert.equal(2, s.number({ exclusive_min = 1, exclusive_max = 2 }).exclusive_max)
    end)
  end)

  describe("strings", function()
    it("with a pattern, a format and trimming", function()
      local node <const> = s.string { pattern = "^a+$", format = "hostname", trim = true }
      assert.equal("^a+$", node.pattern)
      assert.equal("hostname", node.format)
      assert.is_true(node.trim)
    end)

    -- A pattern of digits was turned into the integer that it looks like.
    it("whose pattern stays text", function()
      assert.equal("12", s.string({ pattern = "12" }).pattern)
    end)

    it("of the formats that are short to write", function()
      for _, format in ipairs { "email", "url", "uuid", "datetime" } do
        local node <const> = s[format] { max = 99 }
        assert.equal("string", node.kind)
        assert.equal(format, node.format)
        assert.equal(99, node.max)
      end
      refused(function()
        s.email { format = "url" }
      end, 's.email: unknown option "format" (options: coerce, max, min, pattern, trim)')
    end)

    it("but not of a format that there is not", function()
      refused(
        function()
          s.string { format = "date-time" }
        end,
        's.string: option "format" must be one of email, url, uuid, date, time, datetime, hostname, '
          .. 'ipv4, ipv6 (did you mean "datetime"?), got the string "date-time"'
      )
    end)

    it("but not of a pattern that is none", function()
      refused(function()
        s.string { pattern = "(" }
      end, 's.string: the pattern "(": a group is not closed; write \\( for the character')
    end)
  end)

  it("booleans that may be coerced, and nothing else that has no text to read", function()
    assert.is_true(s.boolean({ coerce = true }).coerce)
    refused(function()
      s.array(s.any(), { coerce = true })
    end, 's.array: unknown option "coerce" (options: max, min, unique)')
    refused(function()
      s.literal(1, { coerce = true })
    end, "s.literal takes no options, got a table")
    refused(function()
      s.enum({ 1, 2 }, { trim = true })
    end, "s.enum takes no options, got a table")
  end)

  it("arrays without equal items, but not with the item in braces", function()
    assert.is_true(s.array(s.any(), { unique = true }).unique)
    refused(function()
      s.array { s.string() }
    end, "s.array: the item: expected a schema, got a table; take the schema out of its braces")
  end)

  describe("maps", function()
    it("that know what keys look like", function()
      local keys <const> = s.string { pattern = "^user:" }
      local node <const> = s.map(s.any(), { keys = keys, min = 1 })
      assert.equal(keys, node.keys)
      assert.equal(1, node.min)
      assert.same({ "a", "b" }, s.map(s.any(), { keys = s.enum { "a", "b" } }).keys.values)
    end)

    it("but not with the schema of the keys in front", function()
      refused(function()
        s.map(s.string(), s.integer())
      end, "s.map: takes the schema of the values; that of the keys is an option, { keys = ... }")
    end)

    it("but not with keys that are no strings", function()
      refused(function()
        s.map(s.any(), { keys = s.integer() })
      end, "s.map: the keys must be of s.string, s.enum or s.literal, got a schema of kind integer")
      refused(function()
        s.map(s.any(), { keys = s.enum { "a", 1 } })
      end, "s.map: the keys of a message are strings, and the number 1 is none")
      refused(function()
        s.map(s.any(), { keys = "string" })
      end, 's.map: the keys: expected a schema, got the string "string"; write s.string(...)')
    end)

    it("but not with keys that would have to be changed", function()
      local cases <const> = {
        [":default"] = s.string():default "a",
        [":check"] = s.string():check(function() end),
        [":secret"] = s.string():secret(),
        [":optional"] = s.string():optional(),
        [":nullable"] = s.string():nullable(),
        coerce = s.string { coerce = true },
        trim = s.string { trim = true },
      }
      for name, keys in pairs(cases) do
        refused(function()
          s.map(s.any(), { keys = keys })
        end, ("s.map: the schema of the keys has %s, which means nothing there"):format(
          name
        ))
      end
    end)
  end)

  describe("unions", function()
    it("of schemas in the order in which they are tried", function()
      local a <const>, b <const> = s.integer(), s.string()
      local node <const> = s.union(a, b)
      assert.equal(a, node.branches[1])
      assert.equal(b, node.branches[2])
      assert.equal(2, #node.branches)
    end)

    it("but not of fewer than two", function()
      refused(function()
        s.union(s.any())
      end, "s.union: needs at least two schemas, got 1")
      refused(function()
        s.union { s.integer(), s.string() }
      end, "s.union: its schemas stand side by side, as in s.union(s.integer(), s.string())")
      refused(function()
        s.union(s.any(), nil)
      end, "s.union: schema 2: expected a schema, got nothing")
    end)
  end)

  describe("tagged unions", function()
    it("of variants in byte order of their tags, each with its tag", function()
      local node <const> = s.tagged("kind", {
        text = s.object { content = s.string() },
        [2] = s.object { { "url", s.string() }, { "alt", s.string() } },
        [true] = s.object {},
      })
      assert.equal("kind", node.tag)
      local tags <const> = {}
      for index, variant in ipairs(node.variants) do
        tags[index] = variant.tag
      end
      assert.same({ 2, "text", true }, tags)
      assert.equal("url string, alt string, kind literal", fields_of(node.variants[1].schema))
      assert.equal("content string, kind literal", fields_of(node.variants[2].schema))
      assert.same({ true }, node.variants[3].schema.fields[1].schema.values)
    end)

    it("of variants that declare their tag themselves", function()
      local one <const> = s.object { kind = s.literal "a" }
      local two <const> = s.object { kind = s.enum { "b", "c" } }
      local node <const> = s.tagged("kind", { a = one, b = two })
      assert.equal(one, node.variants[1].schema)
      assert.equal(two, node.variants[2].schema)
    end)

    it("but not of a variant whose tag is another", function()
      local expected <const> = 's.tagged: the variant "a" declares the tag "kind" itself: '
        .. 'it must be s.literal("a"), or left out'
      refused(function()
        s.tagged("kind", { a = s.object { kind = s.literal "b" } })
      end, expected)
      refused(function()
        s.tagged("kind", { a = s.object { kind = s.string() } })
      end, expected)
    end)

    it("but not of a variant that is no object, or null", function()
      refused(
        function()
          s.tagged("kind", { a = s.string() })
        end,
        's.tagged: the variant "a" must be an object, got a schema of kind string; '
          .. "wrap it in s.object { ... }"
      )
      refused(
        function()
          s.tagged("kind", { a = { b = s.any() } })
        end,
        's.tagged: the variant "a": expected a schema, got a table; '
          .. "for an object write s.object { ... }"
      )
      refused(
        function()
          s.tagged("kind", { a = s.ref(function() end) })
        end,
        's.tagged: the variant "a" must be an object, got a schema of kind ref; '
          .. "wrap it in s.object { ... }"
      )
      refused(function()
        s.tagged("kind", { a = s.object({}):nullable() })
      end, 's.tagged: the variant "a" is nullable; write :nullable() behind s.tagged(...)')
    end)

    it("but not with a tag that JSON has no exact word for", function()
      refused(function()
        s.tagged("kind", { [1.5] = s.object {} })
      end, "s.tagged: a tag must be a string, a whole number or a boolean, got the number 1.5")
    end)

    it("but not without a name and variants", function()
      refused(function()
        s.tagged { a = s.object {} }
      end, 's.tagged: the first argument names the field of the tag, as in "kind", got a table')
      refused(function()
        s.tagged("kind", {})
      end, "s.tagged: expected variants by tag, as in { text = s.object { ... } }, got none")
    end)
  end)

  describe("references", function()
    it("that keep their function for later", function()
      local asked = 0
      local function resolve()
        asked = asked + 1
      end
      local node <const> = s.ref(resolve)
      assert.equal(0, asked)
      assert.equal(resolve, node.resolve)
      assert.equal(32, node.max_depth)
      assert.equal(5, s.ref(resolve, { max_depth = 5 }).max_depth)
    end)

    it("but not of what is no function", function()
      refused(
        function()
          s.ref(s.any())
        end,
        "s.ref: expected a function that returns a schema, as in s.ref(function() return Node end), "
          .. "got a schema of kind any"
      )
    end)
  end)

  describe("schemas of JSON Schema", function()
    local imported

    before_each(function()
      package.loaded["tidegate.json_schema"] = {
        import = function(source)
          imported = source
          return s.any()
        end,
      }
    end)

    it("in a file beside the one that asks for it", function()
      assert.equal("any", s.from_json_schema("chat.json").kind)
      assert.matches("spec/lua/chat%.json$", imported)
      local _ <const> = s.from_json_schema "/etc/chat.json"
      assert.equal("/etc/chat.json", imported)
    end)

    it("in a table", function()
      local source <const> = { type = "string" }
      local _ <const> = s.from_json_schema(source)
      assert.equal(source, imported)
    end)

    it("but not in anything else", function()
      refused(function()
        s.from_json_schema(null)
      end, "s.from_json_schema: expected the path of a file or a table, got null")
    end)
  end)

  it("nothing with an option that is a method", function()
    refused(function()
      s.string { optional = true }
    end, 's.string: "optional" is a method, not an option; write s.string(...):optional(...)')
  end)
end)
