--- Reads what `/metrics` says.

local fail <const> = require "tidegate.testing.fail"

local Metrics <const> = {}

local unescaped <const> = { ["\\n"] = "\n", ['\\"'] = '"', ["\\\\"] = "\\" }

---@param text string 'consumer="chat",action="ping"'
---@return table<string, string>
local function read_labels(text)
  local labels <const> = {}
  local at = 1
  while true do
    local name <const>, begins <const> = text:match('([%a_][%w_]*)="()', at)
    if not name then
      return labels
    end
    local ends = begins
    while text:sub(ends, ends) ~= '"' do
      ends = ends + (text:sub(ends, ends) == "\\" and 2 or 1)
    end
    labels[name] = text:sub(begins, ends - 1):gsub("\\.", unescaped)
    at = ends + 1
  end
end

---@class tidegate.Sample
---@field name string
---@field labels table<string, string>
---@field value number

--- The samples of a text in Prometheus's format, in its order.
---@param text string
---@return tidegate.Sample[]
function Metrics.read(text)
  local samples <const> = {}
  for line in text:gmatch "[^\n]+" do
    local name <const>, rest <const> = line:match "^([%a_:][%w_:]*)(.*)$"
    if name then
      local labels <const>, value <const> = rest:match "^{(.*)} ([^ ]+)"
      local number <const> = tonumber(value or rest:match "^ ([^ ]+)")
      samples[#samples + 1] = {
        name = name,
        labels = read_labels(labels or ""),
        value = number and math.tointeger(number) or number or math.huge,
      }
    end
  end
  return samples
end

---@param sample tidegate.Sample
---@param labels table<string, any>
---@return boolean
local function has(sample, labels)
  for name, value in pairs(labels) do
    if sample.labels[name] ~= tostring(value) then
      return false
    end
  end
  return true
end

--- The sum of the samples with a name and with at least these labels.
---@param samples tidegate.Sample[]
---@param name string
---@param labels table<string, any>
---@return number? # nil: no sample has the name
function Metrics.sum(samples, name, labels)
  local sum = nil
  for _, sample in ipairs(samples) do
    if sample.name == name then
      sum = (sum or 0) + (has(sample, labels) and sample.value or 0)
    end
  end
  return sum
end

--- The same, for a spec that asks for it.
---@param what string "app:metric"
---@param samples tidegate.Sample[]
---@param name string
---@param labels? table<string, string>
---@return number
function Metrics.one(what, samples, name, labels)
  local sum <const> = Metrics.sum(samples, name, labels or {})
  if not sum then
    fail.misuse('%s: there is no metric "%s"', what, tostring(name))
  end
  return sum
end

--- The sums of all, by name.
---@param samples tidegate.Sample[]
---@return table<string, number>
function Metrics.totals(samples)
  local totals <const> = {}
  for _, sample in ipairs(samples) do
    totals[sample.name] = (totals[sample.name] or 0) + sample.value
  end
  return totals
end

return Metrics
