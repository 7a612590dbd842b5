--- A message for everything that a schema can be.

local tide <const> = require "tidegate"
local s <const> = tide.schema

local author <const> = s.object {
  name = s.string { max = 40 },
  role = s.enum({ "admin", "member" }):default("member"),
}
  :named("Author")
  :describe("Who wrote\nit")

local id <const> = s.string { pattern = "^[a-z]+$" }:named "Id"

local tree
tree = s.object {
  label = s.string(),
  children = s.array(s.ref(function()
    return tree
  end)):optional(),
}

local list
list = s.array(s.ref(function()
  return list
end))

local named_tree
named_tree = s.object {
  value = s.integer(),
  next = s.ref(function()
    return named_tree
  end):nullable(),
}:named "Chain"

return {
  kinds = tide.message("kinds", {
    any = s.any(),
    null = s.null(),
    boolean = s.boolean(),
    integer = s.integer { min = 1 },
    number = s.number(),
    string = s.string():describe "Said once",
    literal = s.literal "only",
    enum = s.enum { "a", 'say "b\\c"', 3, -4, true },
    half = s.enum { 1.5, 2.5, "x" },
    strings = s.array(s.string()),
    mixed = s.array(s.union(s.integer(), s.null())),
    object = s.object { inner = s.object { deep = s.boolean() } },
    map = s.map(s.array(s.number())),
    keyed = s.map(s.integer(), { keys = s.enum { "left", "right" } }),
    union = s.union(s.string(), s.object { code = s.integer() }, s.enum { 1, 2 }),
    tagged = s.tagged("kind", {
      text = s.object { content = s.string() },
      image = s.object { url = s.url(), size = s.integer():optional() },
    }),
    uuid = s.uuid(),
    coerced = s.integer { coerce = true },
    optional = s.string():optional(),
    nullable = s.string():nullable(),
    both = s.object { x = s.integer() }:nullable():optional(),
    ["x-y"] = s.string(),
    ['a"b'] = s.string():optional(),
    ["end"] = s.boolean():optional(),
    open = s.object({ known = s.string() }, { additional = "allow" }),
    closed = s.object({ known = s.string() }, { additional = "forbid" }),
  }, { description = "Every kind\nthere is" }),
  defaults = tide.message("defaults", {
    limit = s.integer():default(10),
    tags = s.array(s.string()):default({}),
    maybe = s.string():optional():default "x",
    nested = s.object { deep = s.object { page = s.integer():default(1) } },
    plain = s.object { a = s.string() },
  }),
  named = tide.message(
    "named",
    { author = author, editor = author:optional(), id = id, ids = s.array(id) }
  ),
  author = tide.message("author", author),
  tree = tide.message("tree", tree),
  chain = tide.message("chain", named_tree),
  list = tide.message("list", list),
  note = tide.message("note", s.string { max = 10 }),
  numbers = tide.message("numbers", s.array(s.integer())),
  nothing = tide.message("nothing", s.null()),
  maybe = tide.message("maybe", s.object { a = s.string() }:nullable()),
  empty = tide.message("empty"),
  odd = tide.message("2 odd.names", { a = s.string() }),
  group = tide.group_message("group", { text = s.string() }),
  event = tide.event("event", { text = s.string() }),
  same = tide.message("same", { a = s.string() }),
  same_again = tide.message("same", { b = s.string() }),
}
