--- Which lines of a Lua file hold code, of functions that never ran as well: debug.getinfo knows a
--- function only once it exists. So the file is compiled, and the line table of each function is
--- read from what string.dump writes. Not counted is the `return` that ends every function by
--- itself, since behind an explicit one nobody gets there.

local HEADER <const> = "\27Lua\x54\0\x19\x93\r\n\x1a\n"
local ABSOLUTE <const> = -128

--- Constants by their tag: how many bytes follow. Strings have a length of their own.
local BYTES_OF_CONSTANT <const> = { [0x00] = 0, [0x01] = 0, [0x11] = 0, [0x03] = 8, [0x13] = 8 }

---@class tidegate.Dump
---@field text string
---@field at integer

---@param dump tidegate.Dump
---@return integer
local function read_byte(dump)
  local byte <const> = dump.text:byte(dump.at)
  dump.at = dump.at + 1
  return byte
end

--- Seven bits to a byte, the highest first; the last byte has its top bit set.
---@param dump tidegate.Dump
---@return integer
local function read_number(dump)
  local number = 0
  repeat
    local byte <const> = read_byte(dump)
    number = number << 7 | byte & 0x7F
  until byte & 0x80 ~= 0
  return number
end

---@param dump tidegate.Dump
local function skip_string(dump)
  local size <const> = read_number(dump)
  dump.at = dump.at + math.max(size - 1, 0)
end

---@param dump tidegate.Dump
---@param read fun(dump: tidegate.Dump)
local function skip_list(dump, read)
  for _ = 1, read_number(dump) do
    read(dump)
  end
end

---@param dump tidegate.Dump
local function skip_constant(dump)
  local bytes <const> = BYTES_OF_CONSTANT[read_byte(dump)]
  if bytes then
    dump.at = dump.at + bytes
  else
    skip_string(dump)
  end
end

---@param dump tidegate.Dump
local function skip_upvalue(dump)
  dump.at = dump.at + 3
end

---@param dump tidegate.Dump
local function skip_variable(dump)
  skip_string(dump)
  read_number(dump)
  read_number(dump)
end

--- Adds the lines of a function; its line table is next in the dump.
---@param dump tidegate.Dump
---@param line integer where the function begins
---@param is_vararg boolean its first instruction belongs to no line
---@param lines table<integer, true>
local function read_lines(dump, line, is_vararg, lines)
  local count <const> = read_number(dump)
  local steps <const> = { dump.text:byte(dump.at, dump.at + count - 1) }
  dump.at = dump.at + count
  local absolute <const> = {}
  for _ = 1, read_number(dump) do
    local instruction <const> = read_number(dump)
    absolute[instruction] = read_number(dump)
  end
  for instruction = 0, count - 2 do
    local step = steps[instruction + 1]
    step = step < 128 and step or step - 256
    line = step == ABSOLUTE and absolute[instruction] or line + step
    if instruction > 0 or not is_vararg then
      lines[line] = true
    end
  end
end

---@param dump tidegate.Dump
---@param lines table<integer, true>
local function read_function(dump, lines)
  skip_string(dump)
  local first <const> = read_number(dump)
  read_number(dump)
  read_byte(dump)
  local is_vararg <const> = read_byte(dump) ~= 0
  read_byte(dump)
  local instructions <const> = read_number(dump)
  dump.at = dump.at + 4 * instructions
  skip_list(dump, skip_constant)
  skip_list(dump, skip_upvalue)
  for _ = 1, read_number(dump) do
    read_function(dump, lines)
  end
  read_lines(dump, first, is_vararg, lines)
  skip_list(dump, skip_variable)
  skip_list(dump, skip_string)
end

local Lines <const> = {}

--- The lines that hold code; nil and what is wrong when the file does not compile.
---@param path string
---@return table<integer, true>? lines
---@return string? problem
function Lines.of_file(path)
  local chunk <const>, problem <const> = loadfile(path, "t")
  if not chunk then
    return nil, problem
  end
  local text <const> = string.dump(chunk)
  assert(text:sub(1, #HEADER) == HEADER, "this Lua writes another format than that of Lua 5.4")
  -- Behind the header: the sizes of three types, an integer and a float, and the count of upvalues.
  local dump <const> = { text = text, at = #HEADER + 3 + 8 + 8 + 1 + 1 }
  local lines <const> = {}
  read_function(dump, lines)
  return lines
end

return Lines
