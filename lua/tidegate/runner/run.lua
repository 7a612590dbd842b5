--- `tidegate test`: busted inside the program. Runs as a task of the host, so that everything that
--- busted calls may wait. `test` is what the host offers (src/script/testbed.c).

local help <const> = [[
tidegate test [DIR] [options]    runs the specs of DIR (default: this folder) with busted

They run inside the gateway, so they may wait: tide.sleep, tide.http, tide.tcp and tide.process
wait in real time. DIR/.busted is honoured; without it specs are the files *_spec.lua in DIR/spec.
`require` finds modules as `tidegate run DIR` does.

  --coverage[=FILE]    count which lines of the application run; print a summary, and write FILE
                       in lcov's format (default: tidegate.lcov)
  --watch              run again what a change touches, until Ctrl-C
  --loaded=FILE        write into FILE which files of DIR each spec file has run

and all options of busted:
]]

---@class tidegate.TestOptions
---@field busted string[] what is busted's
---@field coverage? string
---@field watches? boolean
---@field helps? boolean
---@field loaded? string

---@param arguments string[]
---@return tidegate.TestOptions
local function divide(arguments)
  local options <const> = { busted = {} }
  for _, argument in ipairs(arguments) do
    if argument == "--coverage" or argument == "-c" then
      options.coverage = "tidegate.lcov"
    elseif argument:find "^%-%-coverage=." then
      options.coverage = argument:match "=(.*)"
    elseif argument == "--watch" then
      options.watches = true
    elseif argument:find "^%-%-loaded=." then
      options.loaded = argument:match "=(.*)"
    elseif argument == "--help" or argument == "-h" then
      options.helps = true
    else
      options.busted[#options.busted + 1] = argument
    end
  end
  return options
end

--- What busted needs, by the names with which it asks for it.
local TOOLS <const> = {
  "busted.compatibility",
  "busted",
  "busted.core",
  "busted.execute",
  "busted.modules.cli",
  "busted.modules.files.lua",
  "busted.modules.filter_loader",
  "busted.modules.helper_loader",
  "busted.modules.luacov",
  "busted.modules.output_handler_loader",
  "busted.modules.test_file_loader",
  "busted.outputHandlers.base",
  "busted.runner",
  "luassert",
  "pl.dir",
  "pl.xml",
}

--- Whether the function at `level` of the stack comes from a file of the folder.
---@param test table
---@param root string
---@param level integer
---@return boolean
local function is_application(test, root, level)
  local source <const> = debug.getinfo(level + 1, "S").source
  local path <const> = source:sub(1, 1) == "@" and test.real_path(source:sub(2))
  return path and path:sub(1, #root + 1) == root .. "/" or false
end

--- The application's modules come first, as `tidegate run` finds them. One of them may be called as
--- one that busted uses ("system" is): who asks decides then which it gets.
---@param test table
local function find_application(test)
  local own <const> = "./?.lua;./?/init.lua;"
  local has_consumers <const> = test.real_path "consumers" ~= nil
  local path <const> = (has_consumers and "./consumers/?.lua;./consumers/?/init.lua;" or "") .. own
  local tools <const>, root <const> = {}, test.real_path "."
  for name, module in pairs(package.loaded) do
    if not _G[name] and package.searchpath(name, path) then
      tools[name] = module
      package.loaded[name] = nil
    end
  end
  package.path = path .. package.path
  local stock <const> = require
  function _G.require(name)
    local tool <const> = tools[name]
    if tool ~= nil and not is_application(test, root, 2) then
      return tool
    end
    return stock(name)
  end
end

--- The tide of the specs: the program's, joined with that of the test kit, which each spec file
--- loads anew.
---@param test table
---@return fun(kit: table?): table
local function make_tide(test)
  local joined, of
  return function(kit)
    local kits <const> = kit and kit.tide()
    if not kits then
      return test.require "tidegate"
    elseif kits ~= of then
      joined = require "tidegate.runner.tide"(test.require "tidegate", kits, test.is_own)
      of = kits
    end
    return joined
  end
end

--- Whether a module lives with the specs.
---@param name string
---@return boolean
local function is_of_testing(name)
  return name == "tidegate.testing"
    or name:find "^tidegate%.testing%." ~= nil
    or name:find "^tidegate%.runner%." ~= nil
end

--- How a module that the program carries is loaded. What belongs to testing lives with the specs;
--- the rest is the world's, so that everything that waits does it on the program's loop.
---@param test table
---@param tide_of fun(kit: table?): table
---@param name string
---@return function | string loader or why there is none
local function carried(test, tide_of, name)
  local text <const>, chunk <const> = test.embedded(name)
  if name == "tidegate" then
    return function()
      local has_kit <const>, kit <const> = pcall(require, "tidegate.testing.kit")
      return tide_of(has_kit and kit or nil)
    end
  elseif not text then
    return ("\n\tno module '%s' in the program"):format(name)
  elseif name == "tidegate.testing.kit" then
    return function(...)
      local kit <const> = assert(load(text, chunk, "t"))(...)
      package.loaded.tidegate = tide_of(kit)
      return kit
    end
  elseif is_of_testing(name) then
    return assert(load(text, chunk, "t"))
  end
  return function()
    return test.require(name)
  end
end

---@param test table
local function carry_modules(test)
  local tide_of <const> = make_tide(test)
  table.insert(package.searchers, 2, function(name)
    local is_ours <const> = name == "tidegate" or name:find "^tidegate%."
    return is_ours and carried(test, tide_of, name) or nil
  end)
end

--- What is to be done before the end.
---@type fun()[]
local finish <const> = {}

---@param test table
---@param status integer
local function leave(test, status)
  for _, done in ipairs(finish) do
    done()
  end
  test.exit(test.is_interrupted() and 130 or status)
end

---@param test table
local function require_busted(test)
  for _, name in ipairs(TOOLS) do
    local is_loaded <const>, why <const> = pcall(require, name)
    if not is_loaded and test.is_interrupted() then
      test.exit(130)
    elseif not is_loaded and tostring(why):find("module '" .. name .. "' not found", 1, true) then
      io.stderr:write(
        "tidegate: busted is not installed for Lua 5.4: install the package lua-busted, "
          .. "or name its folder in LUA_PATH\n"
      )
      test.exit(1)
    elseif not is_loaded then
      io.stderr:write("tidegate: busted cannot be loaded: " .. tostring(why) .. "\n")
      test.exit(1)
    elseif name == "busted.compatibility" then
      -- What a spec does to os.exit is its own business; and the status of all failures is 1.
      require("busted.compatibility").exit = function(code)
        leave(test, code == 0 and 0 or 1)
      end
    end
  end
end

--- Has `follow` called with busted's object, which its runner keeps to itself.
---@param follow fun(busted: table)
local function follow_busted(follow)
  local make <const> = require "busted.core"
  package.loaded["busted.core"] = function()
    local busted <const> = make()
    follow(busted)
    return busted
  end
end

--- After Ctrl-C nothing more is begun.
---@param test table
---@param busted table
local function stop_when_interrupted(test, busted)
  local function look()
    if test.is_interrupted() then
      busted.skipAll = true
    end
    return nil, true
  end
  busted.subscribe({ "error" }, look)
  busted.subscribe({ "test", "end" }, look)
  busted.subscribe({ "file", "end" }, look)
end

--- The runner names the program in its messages by the chunk that calls it.
local call_runner <const> = load("local run, options = ... run(options)", "@tidegate test", "t")

---@param test table
---@param options tidegate.TestOptions
local function run(test, options)
  local root <const> = test.real_path "."
  if options.coverage or options.loaded then
    test.cover(root)
  end
  follow_busted(function(busted)
    stop_when_interrupted(test, busted)
    if options.loaded then
      local trace <const> = require "tidegate.runner.trace"
      finish[#finish + 1] = trace.follow(test, busted, options.loaded)
    end
    if options.coverage then
      local coverage <const> = require "tidegate.runner.coverage"
      finish[#finish + 1] = function()
        coverage.report(root, test.covered(), options.coverage, test.real_path)
      end
    end
  end)
  _G.arg = { [0] = "tidegate test", "--ignore-lua", table.unpack(options.busted) }
  call_runner(require "busted.runner", { standalone = false })
  leave(test, 0)
end

---@param test table
---@param arguments string[]
return function(test, arguments)
  local options <const> = divide(arguments)
  local function failed(problem)
    return debug.traceback(tostring(problem), 2)
  end
  local is_done <const>, problem <const> = xpcall(function()
    if test.is_interrupted() then -- before there was anything to interrupt
      test.exit(130)
    elseif options.helps then
      io.stdout:write(help)
    end
    require_busted(test)
    find_application(test)
    carry_modules(test)
    if options.helps then
      local _, usage <const> =
        require "busted.modules.cli" { output = "utfTerminal" }:parse { "--help" }
      io.stdout:write((tostring(usage):gsub("^.-\n\n", "")))
      test.exit(0)
    elseif options.watches then
      require "tidegate.runner.watch"(test, options)
    else
      run(test, options)
    end
  end, failed)
  if test.is_interrupted() then
    test.exit(130)
  end
  if not is_done then
    io.stderr:write("tidegate: " .. problem .. "\n")
  end
  test.exit(1)
end
