local fresh <const> = require "spec.support.fresh"
local refused <const> = require "spec.support.refused"

describe("the methods of schemas", function()
  local s

  before_each(function()
    s = fresh.load().schema
  end)

  ---@return string # where it is called
  local function here()
    local info <const> = debug.getinfo(2, "Sl")
    return info.source:sub(2) .. ":" .. info.currentline
  end

  ---@param node tidegate.Schema
  ---@return string
  local function names(node)
    local list <const> = {}
    for index, field in ipairs(node.fields) do
      list[index] = field.name
    end
    return table.concat(list, " ")
  end

  it("are named when one is misspelt", function()
    refused(
      function()
        s.string():optionel()
      end,
      'a schema has no method "optionel"; did you mean "optional"? (methods: check, default, '
        .. "describe, example, extend, json_schema, named, nullable, omit, optional, partial, pick, "
        .. "secret)"
    )
  end)

  it("leave what there is unchangeable", function()
    local node <const> = s.string { max = 3 }
    refused(function()
      node.max = 4
    end, 'a schema cannot be changed ("max"); its methods return a new one')
    assert.equal(3, node.max)
  end)

  it("keep the line of the constructor", function()
    local node <const>, line <const> = s.string(), here()
    local other <const> = node:optional()
    assert.equal(line, node.source)
    assert.equal(line, other.source)
  end)

  describe("for values", function()
    it("remember where a default and an example were given", function()
      local node <const>, line <const> = s.string():default("a"):example "b", here()
      assert.equal(line, node.default_source)
      assert.same({ { value = "b", source = line } }, node.examples)
    end)

    it("take a function for a default, which another default replaces", function()
      local function now()
        return 1
      end
      local node <const> = s.integer():default(now)
      assert.is_true(node.has_default)
      assert.equal(now, node.default_function)
      assert.is_nil(node.default_value)
      local constant <const> = node:default(2)
      assert.equal(2, constant.default_value)
      assert.is_nil(constant.default_function)
    end)

    it("refuse a schema where a value belongs", function()
      refused(function()
        s.string():default(s.string())
      end, ":default: expected a value such as messages have, got a schema of kind string")
      refused(function()
        s.string():example()
      end, ':example needs a value; null is require("cjson").null')
    end)

    it("collect checks in their order", function()
      local function first() end
      local function second() end
      local node <const> = s.string():check(first)
      assert.same({ first, second }, node:check(second).checks)
      assert.same({ first }, node.checks)
      refused(function()
        s.string():check "x"
      end, ':check needs a function that returns nothing, or what is wrong, got the string "x"')
    end)

    it("make a secret", function()
      assert.is_true(s.string():secret().is_secret)
      assert.is_false(s.string().is_secret)
    end)
  end)

  describe("named", function()
    it("gives a name, once", function()
      local node <const> = s.string():named "Chat.Text_1-a"
      assert.equal("Chat.Text_1-a", node.name)
      refused(function()
        node:named "Other"
      end, ':named: the schema is called "Chat.Text_1-a" already; name it once')
    end)

    it("refuses what cannot stand in a reference", function()
      for _, name in ipairs { "", "a b", "a/b" } do
        refused(
          function()
            s.any():named(name)
          end,
          (':named needs a name of letters, digits, "_", "." and "-", got the string "%s"'):format(
            name
          )
        )
      end
    end)
  end)

  describe("extend", function()
    it("puts fields by name in byte order", function()
      local node <const> = s.object { b = s.any(), d = s.any() }
      assert.equal("a b c d", names(node:extend { c = s.any(), a = s.any() }))
      assert.equal("b d", names(node))
    end)

    it("keeps a listed order, and new fields follow", function()
      local node <const> = s.object { { "d", s.any() }, { "b", s.any() } }
      assert.equal("d b a c", names(node:extend { c = s.any(), a = s.any() }))
      assert.equal("d b c a", names(node:extend { { "c", s.any() }, { "a", s.any() } }))
      local named <const> = s.object { b = s.any(), d = s.any() }
      local mixed <const> = named:extend { { "c", s.any() }, { "a", s.any() } }
      assert.equal("b d c a", names(mixed))
      assert.is_true(mixed.is_ordered)
      assert.equal("b d c a Z", names(mixed:extend { Z = s.any() }))
    end)

    it("replaces a field in its place", function()
      local node <const> = s.object { { "b", s.any() }, { "a", s.any() } }
      local other <const> = node:extend { b = s.integer() }
      assert.equal("b a", names(other))
      assert.equal("integer", other.fields[1].schema.kind)
    end)

    it("keeps what the object does with other fields, but not its name and examples", function()
      local function check() end
      local node <const> = s.object({}, { additional = "forbid" })
        :nullable()
        :check(check)
        :named("Base")
        :example {}
      local other <const> = node:extend { a = s.any() }
      assert.equal("forbid", other.additional)
      assert.is_true(other.is_nullable)
      assert.same({ check }, other.checks)
      assert.is_nil(other.name)
      assert.is_nil(other.examples)
      assert.equal("Other", other:named("Other").name)
    end)

    it("refuses what are no fields", function()
      refused(
        function()
          s.object({}):extend(s.object {})
        end,
        ":extend: expected fields, as in :extend { name = s.string() }, got a schema of kind object"
      )
      refused(function()
        s.object({}):extend { a = "string" }
      end, ':extend: field "a": expected a schema, got the string "string"; write s.string(...)')
    end)
  end)

  describe("pick and omit", function()
    local node

    before_each(function()
      node = s.object { { "c", s.any() }, { "a", s.any() }, { "b", s.any() } }
    end)

    it("keep the order of the object", function()
      assert.equal("c b", names(node:pick("b", "c")))
      assert.equal("c b", names(node:omit "a"))
      assert.equal("c a b", names(node))
      assert.is_true(node:pick("a").is_ordered)
    end)

    it("name the field that was probably meant", function()
      local user <const> = s.object { user_name = s.string(), email = s.email() }
      local expected <const> = 'the object has no field "username"; did you mean "user_name"? '
        .. "(fields: email, user_name)"
      refused(function()
        user:pick "username"
      end, ":pick: " .. expected)
      refused(function()
        user:omit("email", "username")
      end, ":omit: " .. expected)
    end)

    it("name no other field of one letter: all are equally near", function()
      refused(function()
        node:omit "d"
      end, ':omit: the object has no field "d" (fields: c, a, b)')
    end)

    it("want names", function()
      refused(function()
        node:pick()
      end, ':pick needs the names of fields, as in :pick("a", "b")')
      refused(function()
        node:omit { "a" }
      end, ':omit: names stand side by side, as in :omit("a", "b"), got a table')
    end)

    -- What a check reads would be gone, and the check would fail in a handler's stead.
    it("refuse an object with a check", function()
      local checked <const> = node:check(function() end)
      for _, method in ipairs { "pick", "omit", "partial" } do
        refused(
          function()
            checked[method](checked, "a")
          end,
          (":%s: the object has a :check, which reads its fields; write :check behind it"):format(
            method
          )
        )
      end
    end)
  end)

  describe("partial", function()
    it("makes every field optional", function()
      local node <const> = s.object { a = s.integer(), b = s.string():optional() }
      for _, field in ipairs(node:partial().fields) do
        assert.is_true(field.schema.is_optional)
      end
      assert.is_false(node.fields[1].schema.is_optional)
    end)

    -- A client that sends one field to change would have set all others back.
    it("leaves defaults behind", function()
      local field <const> = s.object({ a = s.integer():default(1) }):partial().fields[1].schema
      assert.is_false(field.has_default)
      assert.is_nil(field.default_value)
      assert.is_nil(field.default_source)
    end)
  end)

  it("of objects are refused on others", function()
    for _, method in ipairs { "extend", "pick", "omit", "partial" } do
      refused(function()
        local node <const> = s.array(s.any())
        node[method](node, {})
      end, (":%s is for objects, and this is a schema of kind array"):format(method))
    end
  end)

  describe("json_schema", function()
    local exported

    before_each(function()
      package.loaded["tidegate.json_schema"] = {
        export = function(node, options)
          exported = { node = node, options = options }
          return { type = "string" }
        end,
      }
    end)

    it("hands the schema and its options on", function()
      local node <const> = s.string()
      assert.same({ type = "string" }, node:json_schema { camelize = true })
      assert.equal(node, exported.node)
      assert.is_true(exported.options.camelize)
      node:json_schema()
      assert.same({}, exported.options)
    end)

    it("refuses options that it does not have", function()
      refused(function()
        s.any():json_schema { camelise = true }
      end, ':json_schema: unknown option "camelise"; did you mean "camelize"? (options: camelize)')
    end)
  end)
end)
