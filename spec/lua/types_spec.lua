--- The definitions that `tidegate types` writes, read back and compared with what was declared. Both
--- sides are brought into one form, so nothing may be missing and nothing may stand there beside it.

local fresh <const> = require "spec.support.fresh"
local program <const> = require "spec.support.program"

local folder <const> = "spec/support/apps/kinds"

-- ---- reading ----

---@param text string
---@return table<string, table> # by name: the blocks of annotations
local function read_blocks(text)
  local blocks <const> = {}
  for block in (text .. "\n"):gmatch "(.-)\n\n" do
    local name <const> = block:match "%-%-%-@class %(exact%) ([%w_.]+)"
      or block:match "%-%-%-@class ([%w_.]+)"
      or block:match "%-%-%-@alias ([%w_.]+)"
    if name and name:find "^app%." then
      assert.is_nil(blocks[name], name .. " is defined twice")
      local found <const> = { fields = {}, overloads = {}, names = {}, text = block }
      found.alias = block:match "%-%-%-@alias %S+ ([^\n]*)"
      found.parent = block:match "@class [^\n]-: ([%w_.]+)"
      for line in block:gmatch "%-%-%-@field ([^\n]*)" do
        local field, mark, rest = line:match '^%["(.-)"%](%??) (.*)$'
        if not field then
          field, mark, rest = line:match "^(%S-)(%??) (.*)$"
        end
        field = field:gsub("\\(.)", "%1")
        found.fields[field] = { is_optional = mark == "?", type = rest:gsub(" #.*$", "") }
        table.insert(found.names, field)
      end
      for overload in block:gmatch "%-%-%-@overload ([^\n]*)" do
        table.insert(found.overloads, overload)
      end
      blocks[name] = found
    end
  end
  return blocks
end

--- The parts of a type at the outermost level: those of "a"|(B|C)[] are two.
---@param text string
---@param separator string
---@return string[]
local function split(text, separator)
  local parts <const>, depth = {}, 0
  local start, at = 1, 1
  while at <= #text do
    local byte <const> = text:sub(at, at)
    if byte == '"' then
      at = at + 1
      while text:sub(at, at) ~= '"' do
        at = at + (text:sub(at, at) == "\\" and 2 or 1)
      end
    elseif byte:find "[<(]" then
      depth = depth + 1
    elseif byte:find "[>)]" then
      depth = depth - 1
    elseif byte == separator and depth == 0 then
      parts[#parts + 1] = text:sub(start, at - 1)
      start = at + 1
    end
    at = at + 1
  end
  parts[#parts + 1] = text:sub(start)
  return parts
end

-- ---- the common form ----

local DEPTH <const> = 7 -- recursion is compared so far

---@param parts table<string, boolean>
---@return string
local function joined(parts)
  local list <const> = {}
  for part in pairs(parts) do
    list[#list + 1] = part
  end
  table.sort(list)
  return table.concat(list, "|")
end

---@param fields string[]
---@param is_open boolean
---@return string
local function object_form(fields, is_open)
  table.sort(fields)
  return "{" .. table.concat(fields, ",") .. (is_open and ",*" or "") .. "}"
end

--- The form of a type that was written.
---@param blocks table<string, table>
---@param text string
---@param depth integer
---@param into? table<string, boolean>
---@return string
local function form_of_text(blocks, text, depth, into)
  local parts <const> = into or {}
  for _, part in ipairs(split(text, "|")) do
    local block <const> = blocks[part]
    if block then
      block.is_used = true
    end
    if block and block.alias then
      form_of_text(blocks, block.alias, depth, parts)
    elseif part:find "%[%]$" then
      local item <const> = part:sub(1, -3):gsub("^%((.*)%)$", "%1")
      parts["[" .. (depth == 0 and "..." or form_of_text(blocks, item, depth - 1)) .. "]"] = true
    elseif part:find "^table<" then
      local pair <const> = split(part:sub(7, -2), ",")
      local value <const> = depth == 0 and "..." or form_of_text(blocks, pair[2]:sub(2), depth - 1)
      parts["<" .. form_of_text(blocks, pair[1], depth) .. ":" .. value .. ">"] = true
    elseif block then
      local fields <const> = {}
      for name, field in pairs(block.fields) do
        if name ~= "[string]" then
          local inner <const> = depth == 0 and "..." or form_of_text(blocks, field.type, depth - 1)
          fields[#fields + 1] = name .. (field.is_optional and "?" or "") .. ":" .. inner
        end
      end
      assert.equal(block.fields["[string]"] == nil, block.text:find("(exact)", 1, true) ~= nil)
      parts[object_form(fields, block.fields["[string]"] ~= nil)] = true
    else
      assert.is_nil(part:find "^app%.", part .. " is not defined")
      parts[part] = true
    end
  end
  return joined(parts)
end

local form_of_node

---@param node table
---@param depth integer
---@param view string
---@return string
local function form_of_object(node, depth, view)
  local fields <const> = {}
  for index, field in ipairs(node.fields) do
    local inner <const> = depth == 0 and "..." or form_of_node(field.schema, depth - 1, view)
    local may_miss = field.schema.is_optional and not field.schema.has_default
    may_miss = may_miss or view == "draft" and field.schema.has_default
    fields[index] = field.name .. (may_miss and "?" or "") .. ":" .. inner
  end
  return object_form(fields, node.additional == "allow")
end

---@param value any
---@return string
local function form_of_value(value)
  if type(value) == "string" then
    return '"' .. value:gsub('[\\"]', "\\%0") .. '"'
  end
  return math.type(value) == "float" and "number" or tostring(value)
end

--- The form of a schema that was declared, seen by who receives it or by who makes it.
---@param node table
---@param depth integer
---@param view string
---@param into? table<string, boolean>
---@return string
function form_of_node(node, depth, view, into)
  local parts <const>, kind <const> = into or {}, node.kind
  if kind == "ref" then
    form_of_node(node.resolve(), depth, view, parts)
  elseif kind == "union" or kind == "tagged" then
    for _, branch in ipairs(node.branches or node.variants) do
      form_of_node(kind == "tagged" and branch.schema or branch, depth, view, parts)
    end
  elseif kind == "literal" or kind == "enum" then
    for _, value in ipairs(node.values) do
      parts[form_of_value(value)] = true
    end
  elseif kind == "array" then
    parts["[" .. (depth == 0 and "..." or form_of_node(node.item, depth - 1, view)) .. "]"] = true
  elseif kind == "map" then
    local key <const> = node.keys and form_of_node(node.keys, depth, view) or "string"
    local value <const> = depth == 0 and "..." or form_of_node(node.value, depth - 1, view)
    parts["<" .. key .. ":" .. value .. ">"] = true
  elseif kind == "object" then
    parts[form_of_object(node, depth, view)] = true
  else
    parts[kind == "null" and "lightuserdata" or kind] = true
  end
  if node.is_nullable and kind ~= "any" then
    parts.lightuserdata = true
  end
  return joined(parts)
end

-- ---- the specs ----

describe("tidegate types", function()
  local text, blocks, messages

  setup(function()
    assert(program.exists(), program.path .. " is not built (TG_BIN names another)")
    local status
    text, status = program.run("types", folder)
    assert.equal(0, status, text)
    blocks = read_blocks(text)
    fresh.load()
    messages = dofile(folder .. "/messages.lua")
  end)

  --- Marks a block as one that belongs there.
  ---@param name string
  ---@return table
  local function block(name)
    local found <const> = blocks[name]
    assert.is_not_nil(found, name .. " is not in\n" .. text)
    found.is_used = true
    return found
  end

  --- Checks the type of a message and of what it carries.
  ---@param declared table
  ---@param stem string
  local function check_type(declared, stem)
    local node <const> = declared.schema
    local own <const> = block(stem .. ".Type")
    assert.equal(form_of_value(declared.action), own.fields.action.type)
    local mark <const>, draft <const> =
      own.overloads[1]:match "^fun%(payload(%??): ([^)]*)%): tidegate.Outgoing$"
    assert.equal(1, #own.overloads)
    if not node then
      assert.equal("fun(): tidegate.Outgoing", own.overloads[1])
    else
      local may_miss <const> = node.is_nullable or node.kind == "null"
      assert.equal(may_miss and "?" or "", mark)
      assert.equal(form_of_node(node, DEPTH, "draft"), form_of_text(blocks, draft, DEPTH), stem)
    end
    if declared.role == "group_message" then
      assert.is_nil(blocks[stem .. ".Message"])
      assert.same({ "action" }, own.names)
      return node and form_of_text(blocks, stem .. ".Payload", DEPTH)
    end
    assert.same({ "action", "[integer]" }, own.names)
    assert.equal(stem .. ".Message", own.fields["[integer]"].type)
    local incoming <const> = block(stem .. ".Message")
    assert.same({ "action", "payload", "ref", "topic" }, incoming.names)
    assert.equal("tidegate.Message", incoming.parent)
    assert.equal(own.fields.action.type, incoming.fields.action.type)
    local expected <const> = node and form_of_node(node, DEPTH, "received") or "nil"
    assert.equal(expected, form_of_text(blocks, incoming.fields.payload.type, DEPTH), stem)
  end

  local stems <const> = {
    odd = "app._2_odd_names",
    same_again = "app.same_2",
  }

  it("describe every message as it was declared, and nothing else", function()
    for name, declared in pairs(messages) do
      check_type(declared, stems[name] or "app." .. name)
    end
    for name, found in pairs(blocks) do
      assert.is_true(found.is_used, name .. " belongs to nothing that was declared")
    end
  end)

  it("are Lua that does nothing when it runs", function()
    local environment <const> = {}
    local chunk <const> = assert(load(text, "=types", "t", environment))
    assert.equal(0, select("#", chunk()))
    assert.is_nil(next(environment))
    assert.equal("---@meta _\n", text:match "^[^\n]*\n")
  end)

  it("are the same each time", function()
    assert.equal(text, (program.run("types", folder)))
  end)

  it("give a schema with a name a class of that name, whoever uses it", function()
    assert.equal("app.Author", blocks["app.named.Payload"].fields.author.type)
    assert.equal("app.Author", blocks["app.named.Payload"].fields.editor.type)
    assert.equal("app.Author", blocks["app.author.Payload"].alias)
    assert.equal("app.Id[]", blocks["app.named.Payload"].fields.ids.type)
    assert.equal("string", blocks["app.Id"].alias)
    assert.equal("app.Chain|lightuserdata", blocks["app.Chain"].fields.next.type)
  end)

  it("name fields as Lua does, and those that are no names in brackets", function()
    for _, line in ipairs {
      '---@field ["x-y"] string',
      '---@field ["a\\"b"]? string',
      '---@field ["end"]? boolean',
      '---@field enum "a"|"say \\"b\\\\c\\""|3|-4|true',
      "---@field mixed (integer|lightuserdata)[]",
      '---@field keyed table<"left"|"right", integer>',
      "---@field string string # Said once",
    } do
      assert.is_truthy(text:find("\n" .. line .. "\n", 1, true), line)
    end
  end)

  it("leave a field with a default out only where a message is made", function()
    local received <const>, draft <const> =
      blocks["app.defaults.Payload"], blocks["app.defaults.Draft"]
    for _, name in ipairs { "limit", "tags", "maybe" } do
      assert.is_false(received.fields[name].is_optional, name)
      assert.is_true(draft.fields[name].is_optional, name)
    end
    assert.equal(received.fields.plain.type, draft.fields.plain.type)
  end)

  it("say what descriptions say, in one line", function()
    assert.is_truthy(text:find("--- Who wrote it\n---@class (exact) app.Author\n", 1, true))
    assert.is_truthy(text:find("--- Every kind there is\n---@class app.kinds.Type:", 1, true))
  end)

  it("tell for each action what its declaration returns", function()
    local function returned(role, action)
      local functions <const> = text:match("%-%-%-@class tidegate%.Library\n.*$")
      for overloads, name in functions:gmatch "@return %S+\n(.-)function tide%.([%w_]+)%(" do
        if name == role then
          return overloads:match('%(action: "' .. action .. '",[^\n]*%): (%S+)\n')
        end
      end
    end
    assert.equal("app.kinds.Type", returned("message", "kinds"))
    assert.equal("app.same.Type|app.same_2.Type", returned("message", "same"))
    assert.equal("app.group.Type", returned("group_message", "group"))
    assert.equal("app.event.Type", returned("event", "event"))
    assert.is_nil(returned("message", "group"))
  end)
end)
