--- Arbitrary and broken values against the real validator: what the kit makes is right, and what it
--- breaks gets the very error that the kit says, which it knows from its own reading of the rules.

local failure <const> = require "spec.support.failure"
local schemas <const> = require "spec.support.schemas"
local show <const> = require "tidegate.testing_show"
local testing <const> = require "tidegate.testing"

local tide <const> = require "tidegate"

local s <const> = tide.schema

--- Opens an application whose one message has a payload of that schema.
local function probe(schema, is_camel)
  local Probe <const> = tide.message("probe", schema)
  local Consumer <const> =
    tide.consumer { path = "/probe", name = "probe", camelize = is_camel, sends = { tide.message "right" } }
  Consumer:on(Probe, function()
    return { action = "right" }
  end)
  return Probe, Consumer
end

--- What the validator says of a message: nil: it is right; else type and loc of all that is wrong.
local function judged(client, message)
  client:send(message)
  local frame <const> = client:receive()
  if frame.action ~= "error" then
    return nil
  end
  local issues <const> = {}
  for index, issue in ipairs(frame.payload) do
    issues[index] = { type = issue.type, loc = table.move(issue.loc, 1, #issue.loc, 1, {}) }
  end
  return issues
end
