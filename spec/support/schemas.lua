--- Schemas of every kind, with every option, for the specs that make values of them.

---@param s table tide.schema
---@return { name: string, schema: tidegate.Schema, camelize: boolean? }[]
return function(s)
  local tree, chain, either, list
  tree = s.object {
    name = s.string { max = 3 },
    children = s.array(s.ref(function()
      return tree
    end)):default {},
  }
  chain = s.object {
    value = s.integer(),
    next = s.ref(function()
      return chain
    end, { max_depth = 5 }):nullable(),
  }
  either = s.union(
    s.integer(),
    s.array(s.ref(function()
      return either
    end, { max_depth = 4 }))
  )
  list = s.map(
    s.ref(function()
      return list
    end, { max_depth = 3 }),
    { max = 2 }
  )
  local forbids <const> = { additional = "forbid" }
  return {
    { name = "null", schema = s.null() },
    { name = "boolean", schema = s.boolean() },
    { name = "boolean coerced", schema = s.boolean { coerce = true } },
    { name = "integer", schema = s.integer() },
    { name = "integer limits", schema = s.integer { min = -3, max = 7 } },
    { name = "integer exclusive", schema = s.integer { exclusive_min = 0, exclusive_max = 3 } },
    {
      name = "integer both",
      schema = s.integer { min = 5, exclusive_min = 3, max = 9, exclusive_max = 9 },
    },
    { name = "integer step", schema = s.integer { multiple_of = 7, min = 1 } },
    { name = "integer coerced", schema = s.integer { coerce = true, max = 100 } },
    {
      name = "integer widest",
      schema = s.integer { min = math.mininteger, max = math.maxinteger },
    },
    { name = "number", schema = s.number() },
    { name = "number limits", schema = s.number { min = 0, exclusive_max = 1 } },
    { name = "number step", schema = s.number { multiple_of = 0.25, max = 10 } },
    { name = "number decimal", schema = s.number { multiple_of = 0.1 } },
    { name = "number coerced", schema = s.number { coerce = true, exclusive_min = -1.5 } },
    { name = "string", schema = s.string() },
    { name = "string lengths", schema = s.string { min = 2, max = 5 } },
    { name = "string trimmed", schema = s.string { min = 1, max = 4, trim = true } },
    { name = "string coerced", schema = s.string { coerce = true, max = 4 } },
    { name = "string empty", schema = s.string { max = 0 } },
    { name = "pattern", schema = s.string { pattern = "^[a-z][a-z0-9_]{2,7}$" } },
    { name = "pattern inside", schema = s.string { pattern = "a+(b|cd)?e" } },
    { name = "pattern unicode", schema = s.string { pattern = "^[\\u{1f600}-\\u{1f64f}é]+$" } },
    { name = "pattern category", schema = s.string { pattern = "^\\p{Lu}\\p{Ll}*$" } },
    { name = "pattern looks", schema = s.string { pattern = "^(?=.*[0-9])(?!a)[a-z0-9]{3,6}$" } },
    { name = "pattern behind", schema = s.string { pattern = "(?<=a)b\\b" } },
    { name = "pattern negated", schema = s.string { pattern = "^[^\\s<>]+$", max = 6 } },
    { name = "pattern lengths", schema = s.string { pattern = "^\\w+$", min = 10, max = 12 } },
    { name = "email", schema = s.email() },
    { name = "url", schema = s.url() },
    { name = "uuid", schema = s.uuid() },
    { name = "datetime", schema = s.datetime() },
    { name = "date", schema = s.string { format = "date" } },
    { name = "time", schema = s.string { format = "time" } },
    { name = "hostname", schema = s.string { format = "hostname" } },
    { name = "ipv4", schema = s.string { format = "ipv4" } },
    { name = "ipv6", schema = s.string { format = "ipv6" } },
    { name = "literal", schema = s.literal "yes" },
    { name = "literal number", schema = s.literal(1) },
    { name = "enum", schema = s.enum { "red", "green", 3, true } },
    { name = "array", schema = s.array(s.integer(), { min = 1, max = 3 }) },
    { name = "array unique", schema = s.array(s.number(), { unique = true, min = 2 }) },
    {
      name = "array of trimmed",
      schema = s.array(s.string { trim = true }, { unique = true, max = 5 }),
    },
    { name = "object", schema = s.object { a = s.integer(), b = s.string():optional() } },
    {
      name = "object forbids",
      schema = s.object({ name = s.string(), age = s.integer() }, forbids),
    },
    { name = "object allows", schema = s.object({ name = s.string() }, { additional = "allow" }) },
    {
      name = "defaults",
      schema = s.object {
        a = s.integer():default(3),
        b = s.string():default(function()
          return "made"
        end),
        c = s.boolean():nullable(),
      },
    },
    {
      name = "camel case",
      camelize = true,
      schema = s.object({
        user_name = s.string(),
        line_2 = s.integer():optional(),
        _private = s.boolean():optional(),
      }, { additional = "allow" }),
    },
    {
      name = "camel case forbids",
      camelize = true,
      schema = s.object(
        { user_name = s.string(), inner_part = s.object { a_b = s.null() } },
        forbids
      ),
    },
    { name = "map", schema = s.map(s.integer(), { min = 1, max = 3 }) },
    {
      name = "map of keys",
      schema = s.map(s.boolean(), { keys = s.string { pattern = "^[a-z]+$" } }),
    },
    {
      name = "map of choices",
      schema = s.map(s.any(), { keys = s.enum { "a", "b", "c" }, max = 2 }),
    },
    { name = "union", schema = s.union(s.integer { min = 0 }, s.string { max = 3 }, s.null()) },
    {
      name = "union of objects",
      schema = s.union(
        s.object({ kind = s.literal "a", value = s.integer() }, forbids),
        s.object({ kind = s.literal "b", text = s.string { min = 1 } }, forbids)
      ),
    },
    {
      name = "union of texts",
      schema = s.union(s.uuid(), s.string { pattern = "^x+$" }, s.literal "z"),
    },
    {
      name = "union of unions",
      schema = s.union(
        s.array(s.union(s.integer { max = 5 }, s.string { coerce = true, max = 2 })),
        s.array(s.boolean()),
        s.map(s.string())
      ),
    },
    {
      name = "tagged",
      schema = s.tagged("kind", {
        text = s.object { text = s.string { min = 1 } },
        image = s.object({ url = s.url(), width = s.integer { min = 1 } }, forbids),
      }),
    },
    {
      name = "tagged camel case",
      camelize = true,
      schema = s.tagged("what_kind", {
        [1] = s.object { a_b = s.integer() },
        [true] = s.object({ c = s.boolean():nullable() }, forbids),
      }),
    },
    { name = "tree", schema = tree },
    { name = "chain", schema = chain },
    { name = "recursive union", schema = either },
    { name = "recursive map", schema = list },
    {
      name = "check",
      schema = s.object({ from = s.integer(), till = s.integer() }):check(function(value)
        if value.till < value.from then
          return "till must come after from"
        end
      end),
    },
    {
      name = "check inside",
      schema = s.array(s.integer():check(function(value)
        return value % 2 == 0
      end)),
    },
    { name = "secret", schema = s.object { password = s.string({ min = 8 }):secret() } },
    { name = "nullable", schema = s.integer { min = 1 }:nullable() },
    {
      name = "odd names",
      schema = s.object { ["__proto__"] = s.integer(), ["a.b"] = s.string { min = 1 } },
    },
  }
end
