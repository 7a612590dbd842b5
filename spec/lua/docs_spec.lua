--- Keeps the documentation true: what it lists is compared with the program and its tables, its
--- applications are loaded. An application is a block of Lua that begins with `-- app: NAME`, and those that
--- begin with `-- app: NAME file: PATH`. The frames under them are played in spec/wire/docs.test.js.

local program <const> = require "spec.support.program"

--- The first page, the one about the source, and all in docs/.
---@return string[]
local function list_pages()
  local list <const> = { "README.md", "ARCHITECTURE.md" }
  local listing <close> = assert(io.popen "ls docs/*.md")
  for path in listing:lines() do
    list[#list + 1] = path
  end
  return list
end

local pages <const> = list_pages()

---@param path string
---@return string
local function read(path)
  local file <close> = assert(io.open(path, "rb"))
  return (file:read "a")
end

---@param path string
---@return boolean
local function exists(path)
  local file <const> = io.open(path, "rb")
  return file ~= nil and file:close()
end

--- What the captures of `pattern` find in `text`: the first as keys, the second (or true) as values.
---@param text string
---@param pattern string
---@return table<string, string | true>
local function found(text, pattern)
  local result <const> = {}
  for key, value in text:gmatch(pattern) do
    result[key] = value or true
  end
  return result
end

--- The anchors of a page's headings, as GitHub makes them.
---@param path string
---@return table<string, boolean>
local function anchors(path)
  local result <const> = {}
  for heading in ("\n" .. read(path)):gmatch "\n#+ ([^\n]+)" do
    result[heading:lower():gsub("[^%w _-]", ""):gsub(" ", "-")] = true
  end
  return result
end

--- The page or file that a link of `page` names, and the heading in it.
---@param page string
---@param link string
---@return string path
---@return string? anchor
local function target(page, link)
  local path <const>, anchor <const> = link:match "^([^#]*)#?(.*)$"
  if path == "" then
    return page, anchor
  end
  local folder <const> = page:match "^(.*/)" or ""
  local resolved <const> = (folder .. path):gsub("[%w_.-]+/%.%./", "")
  return resolved, anchor ~= "" and anchor or nil
end

--- The files of every application, by its page and name ("README.md: hello") and by theirs.
---@return table<string, table<string, string>>
local function applications()
  local result <const> = {}
  for _, page in ipairs(pages) do
    for word, rest, body in read(page):gmatch "```lua\n%-%- app: (%w+)([^\n]*)\n(.-)```" do
      local name <const> = ("%s: %s"):format(page, word)
      local file <const> = rest:match "^ file: (%S+)$"
      assert(rest == "" or file, ("%s: what is %q behind it?"):format(name, rest))
      assert((result[name] ~= nil) == (file ~= nil), ("%s: which is the first?"):format(name))
      result[name] = result[name] or {}
      result[name][file or word .. ".lua"] = body
    end
  end
  return result
end

describe("the documentation", function()
  setup(function()
    assert(program.exists(), program.path .. " is not built (TG_BIN names another)")
  end)

  it("has a first page that is short", function()
    local _, lines <const> = read("README.md"):gsub("\n", "")
    assert.is_true(lines < 120, ("README.md has %d lines"):format(lines))
  end)

  it("names every page on the first", function()
    local linked <const> = found(read "README.md", "%]%(([%w_./]+%.md)%)")
    for _, page in ipairs(pages) do
      assert.is_true(page == "README.md" or linked[page] ~= nil, "README.md does not name " .. page)
    end
  end)

  it("links to pages and headings that exist", function()
    for _, page in ipairs(pages) do
      for link in read(page):gmatch "%]%(([^)]+)%)" do
        if not link:find "^https?:" then
          local path <const>, anchor <const> = target(page, link)
          assert.is_true(exists(path), ("%s links to %s"):format(page, link))
          assert.is_true(
            not anchor or anchors(path)[anchor] ~= nil,
            ("%s links to %s, which has no such heading"):format(page, link)
          )
        end
      end
    end
  end)

  it("lists every setting with its default, and no other", function()
    local help <const>, status <const> = program.run("help", ".")
    assert.equal(0, status, help)
    local settings <const> = {}
    for flag, default in help:gmatch "%-%-([%w-]+) %u+ %(default: ([^)]*)%)" do
      settings[flag:gsub("-", "_")] = default
    end
    assert.is_not_nil(next(settings), help)
    local documented <const> = {}
    for name, default in read("docs/settings.md"):gmatch "\n| `([%w_]+)` | ([^|]*) |" do
      documented[name] = default:gsub("`", "")
    end
    assert.same(settings, documented)
  end)

  it("has applications that load, without a warning", function()
    local found_apps <const> = applications()
    for name, files in pairs(found_apps) do
      local app <close> = program.app(files)
      local output <const>, status <const> = program.run("check", app.path)
      assert.equal(0, status, ("%s: %s"):format(name, output))
      assert.is_nil(output:find("warning:", 1, true), ("%s: %s"):format(name, output))
    end
    assert.is_not_nil(found_apps["README.md: hello"], "README.md has lost its application")
  end)

  it("explains every metric in one place, and names no other", function()
    local kinds <const> = {}
    for _, list in ipairs { "src/core/metrics.h", "src/core/series.h" } do
      for name, kind in read(list):gmatch 'X%(([%w_]+), (%l+),[%s\\]+"' do
        kinds["tidegate_" .. name .. (kind == "counter" and "_total" or "")] = kind
      end
    end
    assert.equal("gauge", kinds.tidegate_connections, "src/core/metrics.h has another shape")
    assert.equal("histogram", kinds.tidegate_handler_seconds, "src/core/series.h has another shape")
    assert.same(kinds, found(read "docs/operations.md", "\n| `(tidegate_[%w_]+)` | (%l+) |"))
    for _, page in ipairs(pages) do
      for name in pairs(found(read(page), "`(tidegate_[%w_]+)`")) do
        assert.is_not_nil(kinds[name], ("%s names %s"):format(page, name))
      end
    end
  end)

  it("shows every type of error, and no other", function()
    local counts <const> = { too_many_errors = 1 }
    for name in read("src/wire/issue.c"):gmatch '%[TG_ISSUE_[%u%d_]+%] = {"([%l%d_]+)"' do
      counts[name] = (counts[name] or 0) + 1
    end
    assert.is_not_nil(counts.missing, "src/wire/issue.c has another shape")
    local shown <const> = {}
    for name in read("docs/protocol.md"):gmatch '\n| `([%l%d_]+)` | `{"type":"' do
      shown[name] = (shown[name] or 0) + 1
    end
    assert.same(counts, shown)
  end)
end)
