-- Handlers that go around the limits, through C functions that no hook interrupts, or wait where nobody can.
local tricks <const> = {}

function tricks.child_that_does_not_end()
  os.execute "exec sleep 20 >/dev/null 2>&1"
end

-- 26 seconds without a bound.
function tricks.find_backtracking()
  return ("a"):rep(200):find((".-"):rep(4) .. "b")
end

function tricks.match_backtracking_at_the_end()
  return ("a"):rep(5000):match "(.*)(.*)(.*)b$"
end

function tricks.gsub_backtracking()
  return (("a"):rep(300):gsub(("a*"):rep(20) .. "b", ""))
end

function tricks.gmatch_backtracking()
  return ("a"):rep(3000):gmatch "(a*)(a*)(a*)b"()
end

function tricks.find_plain()
  local needle <const> = ("a"):rep(200000)
  local hay <const> = needle .. needle
  return hay:find(needle .. "b", 1, true)
end

function tricks.swallowed_find()
  while true do
    pcall(tricks.find_backtracking)
  end
end

function tricks.sort_of_many()
  local all <const> = {}
  for i = 1, 100000 do
    all[i] = -i
  end
  while true do
    table.sort(all)
    all[1] = 0
  end
end

function tricks.collecting()
  while true do
    collectgarbage()
  end
end

function tricks.compiling()
  local text <const> = ("f() "):rep(2000000)
  return load(text) ~= nil
end

local refused <const> = {
  rep = function()
    return ("x"):rep(500000000)
  end,
  rep_of_nothing = function()
    return (""):rep(math.maxinteger, "xy")
  end,
  insert = function()
    local list <const> = setmetatable({}, {
      __len = function()
        return 1000000000
      end,
    })
    table.insert(list, 1, "x")
  end,
  move = function()
    return table.move({}, 1, 1000000000, 2)
  end,
  format = function()
    return ("%99999d"):format(1)
  end,
  finalizer = function()
    return setmetatable({}, { __gc = print })
  end,
  stopped_collector = function()
    return collectgarbage "stop"
  end,
  order = function()
    local all <const> = {}
    for i = 1, 100 do
      all[i] = i % 7
    end
    table.sort(all, function()
      return true
    end)
  end,
  setting_a_global = function()
    counter = 1 -- luacheck: ignore
  end,
  reading_a_global = function()
    return strnig.upper "x" -- luacheck: ignore
  end,
}

function tricks.refusals()
  local why <const> = {}
  for name, try in pairs(refused) do
    local is_fine <const>, what <const> = pcall(try)
    why[name] = is_fine and "it did not fail" or what
  end
  return why
end

function tricks.what_is_not_there()
  return {
    exit = os.exit == nil,
    setlocale = os.setlocale == nil,
    loadlib = package.loadlib == nil,
    getlocal = debug.getlocal == nil,
    sethook = debug.sethook == nil,
    bytecode = load(string.dump(function() end)) == nil,
    metatable_of_files = getmetatable(io.stdout) == nil,
  }
end

-- As the manual says.
function tricks.what_is_as_ever()
  local long <const> = ("a"):rep(100) .. "b"
  local words <const> = {}
  for word in (("one two "):rep(500)):gmatch "(%a+)%s*" do
    words[#words + 1] = word
  end
  local many <const> = {}
  for i = 1, 2000 do
    many[i] = (i * 7919) % 2003
  end
  table.sort(many)
  return {
    rep = { ("ab"):rep(3, "-"), ("x"):rep(1, ","), ("x"):rep(0), (""):rep(9), (""):rep(3, "-") },
    find = { long:find "(a-)(a-)b$" },
    tied = { long:match "^.-.-.-(b)$", long:match "(a*)(a*)%$" == nil, (long .. "$"):match "b(%$)" },
    sets = { long:find "[]a]*[^]a$][$b]?$", (long .. "$"):find "a*a*b[$]" },
    gsub = { long:gsub("(a*)(a*)b$", "%1c") },
    plain = { long:find(long:sub(50), 1, true) },
    words = #words,
    last = words[1000],
    sorted = many[1] < many[2] and many[1999] < many[2000],
    xpcall = select(
      2,
      xpcall(error, function(why)
        return why .. "!"
      end, "oops")
    ),
    wrap = coroutine.wrap(function(...)
      return coroutine.yield(...) .. "?"
    end)(1),
    resume = { coroutine.resume(coroutine.create(function()
      error "in it"
    end)) },
    message = select(2, pcall(string.find, "a", "[a")),
    global = rawget(_G, "not_there") == nil,
  }
end

return tricks
