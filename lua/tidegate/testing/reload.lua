--- New code for an application that serves: what `app:reload` answers.

local Reload <const> = {}

local report_metatable <const> = {
  __name = "tidegate.reload_report",
  __tostring = function(report)
    return ("reloaded generation %d: %s"):format(report.generation, report.text)
  end,
}

--- Where nothing was found in the code: why it does not serve all the same.
local reasons <const> = {
  failed = "not enough memory",
  restless = "the files change as often as they are read",
  cancelled = "max_generations are alive, and none of them comes to its end",
}

local problems_metatable <const> = {
  __name = "tidegate.reload_problems",
  __tostring = function(problems)
    return "the new code does not load:\n" .. problems.text
  end,
}

---@param change table
---@return string
local function stricter(change)
  return ("%s: %s"):format(change.name, change.detail)
end

---@param change table
---@return string
local function for_new_connections(change)
  return ("%s: a changed %s %s"):format(change.consumer, change.name, change.detail)
end

--- Puts a change where a spec looks for it.
---@param report tidegate.ReloadReport
---@param change table as the API of the gateway has it
local function add(report, change)
  local kind <const> = change.kind
  local function append(field, text)
    report[field][#report[field] + 1] = text
  end
  if kind == "module" then
    append("modules", change.name)
  elseif kind == "schema" then
    append("stricter", stricter(change))
  elseif kind == "connection" then
    append("for_new_connections", for_new_connections(change))
  else
    append(change.way, ("%s %s"):format(kind, change.name))
  end
end

---@param app tidegate.TestApp
---@param generation integer
---@param json? string nil: there was no memory for a report
---@param details string
---@return tidegate.ReloadReport
local function report_of(app, generation, json, details)
  local changes <const> = json and app:decode(json) or { summary = "", changes = {} }
  local lines <const> = details and details ~= "" and "\n" .. details:gsub("\n$", "") or ""
  local report <const> = {
    generation = generation,
    text = changes.summary .. lines,
    modules = {},
    added = {},
    removed = {},
    stricter = {},
    for_new_connections = {},
  }
  for _, change in ipairs(changes.changes) do
    add(report, change)
  end
  return setmetatable(report, report_metatable)
end

---@param app tidegate.TestApp
---@param outcome string
---@param json? string
---@param text? string
---@return tidegate.ReloadProblems
local function problems_of(app, outcome, json, text)
  local problems <const> = json and app:decode(json) or {}
  problems.outcome, problems.text = outcome, text or reasons[outcome]
  return setmetatable(problems, problems_metatable)
end

--- Loads new code into an application, and lets it serve if it loads.
---@param app tidegate.TestApp that is open
---@param options? table as the module of the kit wants them
---@return tidegate.ReloadReport? report
---@return tidegate.ReloadProblems? problems
function Reload.run(app, options)
  local generation <const>, second <const>, third <const>, text <const> = app.core:reload(options)
  if generation then
    return report_of(app, generation, second, third)
  end
  return nil, problems_of(app, second, third, text)
end

--- The generations that are alive, the oldest first.
---@param app tidegate.TestApp
---@return tidegate.Generation[]
function Reload.generations(app)
  return app:decode(app.core:generations()).generations
end

return Reload
