local fresh <const> = require "spec.support.fresh"
local refused <const> = require "spec.support.refused"

describe("tide", function()
  local tide, host

  before_each(function()
    tide, host = fresh.load()
  end)

  it("says which name was probably meant", function()
    refused(
      function()
        tide.consumr {}
      end,
      'tide has no "consumr"; did you mean "consumer"? (it has: after, array, broadcast, broadcast_event, '
        .. "clock, consumer, error, event, every, gather, group, group_message, http, keep, log, message, "
        .. "messages, mixin, now, on_start, on_stop, process, queue, race, router, schema, send_event, "
        .. "sleep, spawn, tcp, text_consumer, topic, user, with_timeout)"
    )
  end)

  it("leaves globals alone", function()
    local before <const> = {}
    for name in pairs(_G) do
      before[name] = true
    end
    fresh.load()
    for name in pairs(_G) do
      assert.is_true(before[name], name)
    end
  end)

  describe("error", function()
    it("raises what the host knows by its metatable", function()
      local is_fine <const>, raised <const> =
        pcall(tide.error, { code = "not_found", detail = "No such room" })
      assert.is_false(is_fine)
      assert.equal(require("tidegate.errors").metatable, getmetatable(raised))
      assert.equal("not_found", raised.code)
      assert.equal("No such room", raised.detail)
      assert.equal("not_found: No such room", tostring(raised))
    end)

    it("needs a code and a sentence", function()
      local needs <const> =
        'tide.error: needs both, as in { code = "not_found", detail = "No such room" }'
      refused(function()
        tide.error { code = "not_found" }
      end, needs)
      refused(function()
        tide.error()
      end, needs)
      refused(
        function()
          tide.error { code = "not found", detail = "x" }
        end,
        'tide.error: option "code" must be a name of letters, digits and "_" such as "not_found", '
          .. 'got the string "not found"'
      )
      refused(function()
        tide.error { code = "a", detial = "x" }
      end, 'tide.error: unknown option "detial"; did you mean "detail"? (options: code, detail)')
    end)
  end)

  describe("log", function()
    it("writes a line of its level", function()
      for _, level in ipairs { "debug", "info", "warning", "error" } do
        tide.log[level]("it happened", { count = 3 })
      end
      local first <const> = host.lines[1]
      assert.equal("debug", first.level)
      assert.equal("it happened", first.text)
      assert.same({ count = 3 }, first.fields)
      assert.equal("error", host.lines[4].level)
      assert.equal(4, #host.lines)
    end)

    it("refuses what is no text and no fields", function()
      refused(function()
        tide.log.info(3)
      end, "tide.log.info: the text must be a string that is not empty, got the number 3")
      refused(function()
        tide.log.info("it happened", 3)
      end, "tide.log.info: the fields must be a table, got the number 3")
      refused(function()
        tide.log.warn "it happened"
      end, 'tide.log has no "warn"; did you mean "warning"? (it has: debug, error, info, warning)')
    end)
  end)
end)
