local fresh <const> = require "spec.support.fresh"
local refused <const> = require "spec.support.refused"

describe("JSON Schema", function()
  local s, text_of, null

  before_each(function()
    local tide <const>, host <const> = fresh.load()
    s, null = tide.schema, host.null
    package.loaded["spec.support.json_text"] = nil
    text_of = require("spec.support.json_text").of
  end)

  -- What a schema is written as, but for the line that names the dialect.
  local function written(node, options)
    local schema <const> = node:json_schema(options)
    assert.equal("https://json-schema.org/draft/2020-12/schema", schema["$schema"])
    schema["$schema"] = nil
    return text_of(schema)
  end

  local function assert_written(expected, node, options)
    assert.equal(expected, written(node, options))
  end

  describe("is written", function()
    it("for values without parts, with their limits", function()
      assert_written("{}", s.any())
      assert_written("{}", s.any():nullable())
      assert_written('{"type":"null"}', s.null():nullable())
      assert_written('{"type":"boolean"}', s.boolean())
      assert_written(
        '{"maximum":9,"minimum":1,"multipleOf":2,"type":"integer"}',
        s.integer { min = 1, max = 9, multiple_of = 2 }
      )
      assert_written(
        '{"exclusiveMaximum":1,"exclusiveMinimum":0.5,"type":"number"}',
        s.number { exclusive_min = 0.5, exclusive_max = 1 }
      )
      assert_written(
        '{"maxLength":3,"minLength":1,"pattern":"^a","type":"string"}',
        s.string { min = 1, max = 3, pattern = "^a" }
      )
    end)

    it("with the names that its formats have there", function()
      assert_written('{"format":"uri","type":"string"}', s.url())
      assert_written('{"format":"date-time","type":"string"}', s.datetime())
      assert_written('{"format":"email","type":"string"}', s.email())
    end)

    it("for choices", function()
      assert_written('{"const":false}', s.literal(false))
      assert_written('{"enum":["a",1,2.5,true]}', s.enum { "a", 1, 2.5, true })
    end)

    it("with a list of types, or anyOf, where null is right too", function()
      assert_written('{"type":["string","null"]}', s.string():nullable())
      assert_written('{"anyOf":[{"const":"a"},{"type":"null"}]}', s.literal("a"):nullable())
      assert_written(
        '{"anyOf":[{"type":"integer"},{"type":"string"},{"type":"null"}]}',
        s.union(s.integer(), s.string()):nullable()
      )
    end)

    it("for lists and maps", function()
      assert_written(
        '{"items":{"type":"integer"},"maxItems":3,"minItems":1,"type":"array","uniqueItems":true}',
        s.array(s.integer(), { min = 1, max = 3, unique = true })
      )
      assert_written('{"type":"array"}', s.array(s.any()))
      assert_written('{"additionalProperties":true,"type":"object"}', s.map(s.any()))
      assert_written(
        '{"additionalProperties":{"type":"integer"},"maxProperties":2,"minProperties":1,'
          .. '"propertyNames":{"pattern":"^a","type":"string"},"type":"object"}',
        s.map(s.integer(), { min = 1, max = 2, keys = s.string { pattern = "^a" } })
      )
    end)

    it("for objects, in which what is optional or has a default is not required", function()
      assert_written(
        '{"properties":{"a":{"type":"string"},"b":{"type":"string"},"c":{"default":"x","type":"string"},'
          .. '"d":{"type":"string","x-tidegate-default":true}},"required":["a"],"type":"object"}',
        s.object {
          a = s.string(),
          b = s.string():optional(),
          c = s.string():default "x",
          d = s.string():default(function()
            return "y"
          end),
        }
      )
      assert_written(
        '{"additionalProperties":false,"properties":{},"type":"object"}',
        s.object({}, { additional = "forbid" })
      )
      assert_written(
        '{"properties":{},"type":"object","x-tidegate-additional":"allow"}',
        s.object({}, { additional = "allow" })
      )
    end)

    it("with lists that stay lists when they are empty", function()
      assert_written('{"default":[],"type":"array"}', s.array(s.any()):default {})
      assert_written(
        '{"default":{"a":[]},"properties":{"a":{"type":"array"}},"required":["a"],"type":"object"}',
        s.object({ a = s.array(s.any()) }):default { a = {} }
      )
    end)

    it("with what is said of it, and markers for what cannot be said", function()
      assert_written(
        '{"description":"A name","examples":["Ada","Eve"],"type":"string","writeOnly":true,'
          .. '"x-tidegate-check":true,"x-tidegate-coerce":true,"x-tidegate-secret":true,"x-tidegate-trim":true}',
        s.string({ trim = true, coerce = true })
          :describe("A name")
          :example("Ada")
          :example("Eve")
          :check(print)
          :secret()
      )
      assert_written(
        '{"default":null,"type":["string","null"]}',
        s.string():nullable():default(null)
      )
    end)

    it("for tagged unions, with the tag in each variant", function()
      assert_written(
        '{"oneOf":[{"properties":{"kind":{"const":"image"},"url":{"format":"uri","type":"string"}},'
          .. '"required":["kind","url"],"type":"object"},{"properties":{"kind":{"const":"text"}},'
          .. '"required":["kind"],"type":"object"}],"x-tidegate-tag":"kind"}',
        s.tagged("kind", {
          text = s.object { kind = s.enum({ "text", "html" }):optional() },
          image = s.object { url = s.url() },
        })
      )
    end)
  end)

  describe("has definitions", function()
    it("of named schemas, one for all that was made of them", function()
      local user <const> = s.object({ id = s.integer() }):describe("A user"):named "User"
      assert_written(
        '{"$defs":{"User":{"description":"A user","properties":{"id":{"type":"integer"}},"required":["id"],'
          .. '"title":"User","type":"object"}},"properties":{"a":{"$ref":"#/$defs/User"},'
          .. '"b":{"$ref":"#/$defs/User"},"c":{"anyOf":[{"$ref":"#/$defs/User"},{"type":"null"}],'
          .. '"description":"The owner"}},"required":["a","c"],"type":"object"}',
        s.object { a = user, b = user:optional(), c = user:nullable():describe "The owner" }
      )
    end)

    it("but stands alone when it is named itself", function()
      assert_written('{"title":"Name","type":"string"}', s.string():named "Name")
    end)

    it("of what contains itself, numbered when it has no name", function()
      local tree
      tree = s.object { children = s.array(s.ref(function()
        return tree
      end)) }
      local schema <const> = '{"$defs":{"%s":{"properties":{"children":{"items":{"$ref":"#/$defs/%s"},"type":"array"}},'
        .. '"required":["children"],%s"type":"object"}},"$ref":"#/$defs/%s"}'
      assert_written(schema:format("Node1", "Node1", "", "Node1"), tree)
      tree = tree:named "Tree"
      assert_written(schema:format("Tree", "Tree", '"title":"Tree",', "Tree"), tree)
    end)

    it("whose numbers pass over names that are taken", function()
      local any <const> = s.object({}):named "Node1"
      local inner <const> = s.string()
      assert_written(
        '{"$defs":{"Node1":{"properties":{},"title":"Node1","type":"object"},"Node2":{"type":"string"}},'
          .. '"properties":{"a":{"$ref":"#/$defs/Node2"},"b":{"$ref":"#/$defs/Node1"}},'
          .. '"required":["a","b"],"type":"object"}',
        s.object { a = s.ref(function()
          return inner
        end), b = any }
      )
    end)

    it("and refuses two of one name, with the sources of both", function()
      local one <const>, other <const> = s.string():named "Name", s.integer():named "Name"
      refused(
        function()
          local schema <const> = s.object({ a = one, b = other }):json_schema()
          return schema
        end,
        ('two schemas are called "Name": those of %s and %s; rename one'):format(
          one.source,
          other.source
        )
      )
    end)
  end)

  describe("in camel case", function()
    it(
      "has the names of declared fields, of tags and in defaults, and keeps keys of maps",
      function()
        assert_written(
          '{"default":{"mapOf":{"a_b":1},"userName":"x"},"properties":{"_a":{},"a1B2_":{},"a__b":{},'
            .. '"mapOf":{"additionalProperties":{"type":"integer"},"type":"object"},"userName":{"type":"string"}},'
            .. '"required":["_a","a1B2_","a__b","mapOf","userName"],"type":"object"}',
          s.object({
            user_name = s.string(),
            map_of = s.map(s.integer()),
            _a = s.any(),
            a__b = s.any(),
            a_1_b_2_ = s.any(),
          }):default { user_name = "x", map_of = { a_b = 1 } },
          { camelize = true }
        )
        local tagged <const> = s.tagged("the_kind", { a_b = s.object {} })
        assert_written(
          '{"oneOf":[{"properties":{"theKind":{"const":"a_b"}},"required":["theKind"],"type":"object"}],'
            .. '"x-tidegate-tag":"theKind"}',
          tagged,
          { camelize = true }
        )
      end
    )

    it("refuses two fields that become one", function()
      local node <const> = s.object { a_b = s.any(), aB = s.any() }
      refused(
        function()
          local schema <const> = node:json_schema { camelize = true }
          return schema
        end,
        ('the fields "aB" and "a_b" of the object (%s) are both "aB" in camel case'):format(
          node.source
        )
      )
    end)
  end)

  -- A schema that is read, as it would be written.
  local function read(schema)
    return written(s.from_json_schema(schema))
  end

  describe("is read", function()
    it("as it was written, for schemas of every kind", function()
      package.path = "spec/support/apps/differential/?.lua;" .. package.path
      package.loaded.random_schema = nil
      for index, node in ipairs(require("random_schema").schemas(1, 300)) do
        local schema <const> = written(node)
        assert.equal(schema, read(node:json_schema()), "schema " .. index)
      end
    end)

    it("with the markers that say how it is read and shown", function()
      local node <const> = s.from_json_schema(
        s.string({ trim = true, coerce = true }):secret():default("x"):describe("d"):json_schema()
      )
      assert.is_true(node.trim and node.coerce and node.is_secret)
      assert.equal("x", node.default_value)
      assert.equal("d", node.description)
    end)

    it("in the other spellings of null", function()
      local text <const> = '{"type":["string","null"]}'
      assert.equal(text, read { type = { "null", "string" } })
      assert.equal(text, read { anyOf = { { type = "null" }, { type = "string" } } })
      assert.equal('{"type":"null"}', read { const = null })
      assert.equal(
        '{"anyOf":[{"enum":["a",false]},{"type":"null"}]}',
        read { enum = { "a", null, false } }
      )
    end)

    it("with several types, each with its own keywords", function()
      assert.equal(
        '{"anyOf":[{"maxLength":3,"type":"string"},{"minimum":1,"type":"integer"}]}',
        read { type = { "string", "integer" }, maxLength = 3, minimum = 0.5 }
      )
    end)

    it("with definitions of both names, and with itself as one", function()
      local user <const> = { type = "object", properties = {} }
      assert.equal(
        '{"$defs":{"User":{"properties":{},"title":"User","type":"object"}},'
          .. '"items":{"$ref":"#/$defs/User"},"type":"array"}',
        read {
          type = "array",
          items = { ["$ref"] = "#/definitions/User" },
          definitions = { User = user },
        }
      )
      local list <const> = s.from_json_schema { type = "array", items = { ["$ref"] = "#" } }
      assert.equal(list, list.item.resolve())
    end)

    it("with a oneOf that a field tells apart, whatever contains what", function()
      local leaf <const> = {
        type = "object",
        properties = { kind = { const = "leaf" } },
        required = { "kind" },
      }
      local node <const> = s.from_json_schema {
        oneOf = { { ["$ref"] = "#/$defs/Branch" }, leaf },
        ["$defs"] = {
          Branch = {
            type = "object",
            properties = { kind = { const = "branch" }, child = { ["$ref"] = "#" } },
            required = { "kind", "child" },
          },
        },
      }
      assert.equal("kind", node.tag)
      assert.equal("branch", node.variants[1].tag)
      assert.equal("leaf", node.variants[2].tag)
    end)

    it("without limits that every whole number of 64 bits meets", function()
      assert.equal('{"type":"integer"}', read { type = "integer", maximum = 2 ^ 63 })
    end)
  end)

  describe("in a file", function()
    local path

    before_each(function()
      path = os.tmpname()
    end)

    after_each(function()
      os.remove(path)
    end)

    local function write(text)
      local file <close> = assert(io.open(path, "w"))
      file:write(text)
    end

    it("has whole numbers and empty lists, whatever lua-cjson makes of them", function()
      write [[{"type":"object","properties":{"tags":{"type":"array","items":{"type":"string"},"default":[]},
        "size":{"enum":[1,2.5],"default":1}}}]]
      local node <const> = s.from_json_schema(path)
      assert.equal("integer", math.type(node.fields[1].schema.default_value))
      assert.equal("integer", math.type(node.fields[1].schema.values[1]))
      assert.equal("[]", text_of(node.fields[2].schema.default_value))
    end)

    it("is refused when it cannot be read, or is no JSON", function()
      write "{"
      local is_read <const>, text <const> = pcall(s.from_json_schema, path)
      assert.is_false(is_read)
      assert.matches(path .. " is no JSON: ", text, 1, true)
      local is_found <const>, why <const> = pcall(s.from_json_schema, "/nowhere/at all.json")
      assert.is_false(is_found)
      assert.matches("cannot read the file: /nowhere/at all.json", why, 1, true)
    end)

    it("is named in front of the pointer", function()
      write '{"type":"string","not":{}}'
      refused(
        function()
          local node <const> = s.from_json_schema(path)
          return node
        end,
        "s.from_json_schema: "
          .. path
          .. "#/not: this keyword is not supported; "
          .. "write what is right, with enum or pattern, or use :check"
      )
    end)
  end)

  describe("is refused, with a pointer, at the line of the user,", function()
    local rows <const> = {
      {
        { type = "object", properties = { ["a/b"] = { type = "string", ["if"] = {} } } },
        "#/properties/a~1b/if: this keyword is not supported; write oneOf over objects "
          .. "with a const field, or use :check",
      },
      {
        { minimum = 1 },
        '#/minimum: it belongs to "type": "integer" or "number"; write that type, or remove it',
      },
      {
        { type = "string", anyOf = { true } },
        '#/type: it cannot stand beside "anyOf"; remove one of the two',
      },
      { { type = "text" }, '#/type: the string "text" is no type of JSON' },
      {
        { type = "string", minLength = "1" },
        '#/minLength: it must be a number, got the string "1"',
      },
      {
        { type = "string", minLength = 3, maxLength = 1 },
        "#: s.string: min (3) is above max (1)",
      },
      {
        { type = "string", format = "idn-email" },
        '#/format: the string "idn-email" is no format that is checked; write one of email, uri, uuid, date, '
          .. "time, date-time, hostname, ipv4, ipv6, or a pattern",
      },
      {
        { ["$ref"] = "other.json" },
        '#/$ref: the string "other.json" cannot be followed; references lead to # or #/$defs/NAME',
      },
      { { ["$ref"] = "#/$defs/A" }, '#/$ref: "#/$defs/A" does not exist' },
      {
        { oneOf = { { type = "string" } } },
        "#/oneOf: no field tells its schemas apart; give each, as an object, a required field "
          .. "with a const of its own, or write anyOf",
      },
      {
        { const = 1, type = "string" },
        "#: the number 1 is not of the type that stands beside it; remove one of the two",
      },
      {
        { type = "object", properties = { a = true }, required = { "b" } },
        '#/required: "b" is not among the properties; declare it there',
      },
      {
        { type = "array", items = { { type = "string" } } },
        "#/items: a list of schemas is not supported; write one for all items",
      },
      {
        { type = "integer", maximum = 2.0 ^ 60 },
        "#: whole numbers above 2^53 are not read exactly; leave it out, or declare the schema in Lua",
      },
      {
        { anyOf = { false } },
        "#/anyOf/0: expected a schema, which is an object or true, got the boolean false",
      },
    }
    for _, row in ipairs(rows) do
      it(row[2], function()
        refused(function()
          local node <const> = s.from_json_schema(row[1])
          return node
        end, "s.from_json_schema: " .. row[2])
      end)
    end
  end)
end)
