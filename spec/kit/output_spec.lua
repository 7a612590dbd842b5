--- What busted prints for a spec that fails in each of the usual ways: shown in docs/testing.md, where
--- it has to stand as it is printed.

---@param path string
---@return string
local function read(path)
  local file <close> = assert(io.open(path))
  return (file:read "a")
end

describe("the output of failing specs", function()
  local output

  setup(function()
    local pipe <close> = assert(
      io.popen "lua5.4 /usr/bin/busted --ignore-lua -o plainTerminal spec/support/failing 2>&1"
    )
    output = pipe:read "a"
  end)

  ---@param name string of the `it`
  ---@return string # what follows it, without the line of the position
  local function failure_of(name)
    local at <const> = assert(output:find("the notes " .. name .. "\n", 1, true), output)
    return (output:sub(at):match "\n(.-)\n\nFailure " or output:sub(at):match "\n(.*)\n$")
  end

  it("counts all of them as failures, none as an error", function()
    assert.is_truthy(
      output:find("0 successes / 5 failures / 0 errors / 0 pending", 1, true),
      output
    )
  end)

  it("names the line of the spec", function()
    for _, line in ipairs { 20, 26, 32, 38, 42 } do
      assert.is_truthy(
        output:find(("\nspec/support/failing/notes_spec.lua:%d: "):format(line), 1, true),
        output
      )
    end
  end)

  it("is as the manual shows it", function()
    local manual <const> = read("docs/testing.md"):gsub("\n    ", "\n")
    for _, name in ipairs { "are numbered", "may be empty", "are forgotten", "need a text" } do
      local text <const> = failure_of(name)
      assert.is_truthy(manual:find(text, 1, true), "docs/testing.md does not show:\n" .. text)
    end
  end)

  it("tells of a refused connection", function()
    assert.is_truthy(
      failure_of("are not found elsewhere"):find(
        'the server refused the connection to /ws/note with 404: {"detail":"Not found"}',
        1,
        true
      )
    )
  end)
end)
