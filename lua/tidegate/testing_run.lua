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

---@param path string
---@return boolean
local function is_there(path)
  local file <const> = io.open(path)
  if file then
    file:close()
  end
  return file ~= nil
end

--- The application's modules come first, as `tidegate run` finds them.
local function find_application()
  local own <const> = "./?.lua;./?/init.lua;"
  local consumers <const> = is_there "consumers" and "./consumers/?.lua;./consumers/?/init.lua;"
    or ""
  package.path = consumers .. own .. package.path
end

--- Modules of tidegate are those that the program carries. The test kit lives with the specs; the
--- rest is the world's, so that everything that waits does it on the program's loop.
---@param test table
local function carry_modules(test)
  table.insert(package.searchers, 2, function(name)
    if name ~= "tidegate" and not name:find "^tidegate%." then
      return nil
    end
    local text <const>, chunk <const> = test.embedded(name)
    if not text then
      return ("\n\tno module '%s' in the program"):format(name)
    end
    if name:find "^tidegate%.testing" then
      return assert(load(text, chunk, "t"))
    end
    return function()
      return test.require(name)
    end
  end)
end

---@param test table
local function require_busted(test)
  local is_there_too <const>, why <const> = pcall(require, "busted.core")
  if is_there_too then
    return
  end
  if tostring(why):find("'busted.core'", 1, true) then
    io.stderr:write(
      "tidegate: busted is not installed for Lua 5.4: install the package lua-busted, "
        .. "or name its folder in LUA_PATH\n"
    )
  else
    io.stderr:write("tidegate: busted cannot be loaded: " .. tostring(why) .. "\n")
  end
  test.exit(1)
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
  local finish <const> = {}
  if options.coverage or options.loaded then
    test.cover(root)
  end
  follow_busted(function(busted)
    stop_when_interrupted(test, busted)
    if options.loaded then
      local trace <const> = require "tidegate.testing_trace"
      finish[#finish + 1] = trace.follow(test, busted, options.loaded)
    end
    if options.coverage then
      local coverage <const> = require "tidegate.testing_coverage"
      finish[#finish + 1] = function()
        coverage.report(root, test.covered(), options.coverage)
      end
    end
  end)
  local exit <const> = test.exit
  local function leave(status)
    for _, done in ipairs(finish) do
      done()
    end
    if test.is_interrupted() then
      exit(130)
    end
    exit(status)
  end
  -- What a spec does to os.exit while it runs is its own business.
  local compatibility <const> = require "busted.compatibility"
  compatibility.exit = function(code)
    leave(code == 0 and 0 or 1)
  end
  _G.arg = { [0] = "tidegate test", "--ignore-lua", table.unpack(options.busted) }
  call_runner(require "busted.runner", { standalone = false })
  leave(0)
end

---@param test table
---@param arguments string[]
return function(test, arguments)
  local options <const> = divide(arguments)
  local function failed(problem)
    return debug.traceback(tostring(problem), 2)
  end
  local is_done <const>, problem <const> = xpcall(function()
    find_application()
    carry_modules(test)
    if options.helps then
      io.stdout:write(help)
    end
    require_busted(test)
    if options.helps then
      local _, usage <const> =
        require "busted.modules.cli" { output = "utfTerminal" }:parse { "--help" }
      io.stdout:write((tostring(usage):gsub("^.-\n\n", "")))
      test.exit(0)
    elseif options.watches then
      require "tidegate.testing_watch"(test, options)
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
