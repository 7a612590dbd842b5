--- Data that outlives the code, as long as one load of it lives. That it does outlive it is shown by
--- spec/unit/script/reload_test.c.

local testing <const> = require "tidegate.testing"

local keep, same, inside

--- Declares two keeps of one name; what a spec calls while modules load is `inside`.
local function declare(tide)
  local Consumer <const> = tide.consumer { path = "/ws" }
  keep = tide.keep("scores", { ann = 1 })
  same = tide.keep("scores", "not this")
  if inside then
    inside(tide)
  end
  return Consumer
end

describe("what is kept", function()
  local app

  --- What `fn` raises as a task of the app, without its place.
  local function refused(fn, ...)
    local is_fine <const>, text <const> = pcall(app.call, app, fn, ...)
    assert.is_false(is_fine)
    return (tostring(text):gsub("^[^:]+:%d+: ", ""))
  end

  before_each(function()
    inside = nil
    app = testing.app(declare)
  end)

  after_each(function()
    app:close()
  end)

  it("is the initial value until it is set, of the first that names it", function()
    assert.same({ ann = 1 }, app:call(keep.get, keep))
    assert.same({ ann = 1 }, app:call(same.get, same))
    assert.equal(7, app:call(keep.set, keep, 7))
    assert.equal(7, app:call(same.get, same))
    assert.equal('keep "scores"', tostring(keep))
  end)

  it("is given out as a copy", function()
    local got <const> = app:call(keep.get, keep)
    got.ann = 100
    assert.same({ ann = 1 }, app:call(keep.get, keep))
  end)

  it("is updated by a function that returns the new value", function()
    local function add(value)
      value.ann = value.ann + 1
      return value
    end
    assert.same({ ann = 2 }, app:call(keep.update, keep, add))
    assert.same({ ann = 3 }, app:call(keep.update, keep, add))
    assert.same({ ann = 3 }, app:call(keep.get, keep))
  end)

  it("may be nil, which is no initial value", function()
    app:call(keep.set, keep, nil)
    assert.is_nil(app:call(keep.get, keep))
  end)

  it("stays as it is when the function raises, waits or returns nothing", function()
    assert.equal(
      "broken",
      refused(keep.update, keep, function()
        error("broken", 0)
      end)
    )
    assert.equal(
      "keep:update: the function returned nothing: it returns the value that is kept",
      refused(keep.update, keep, function() end)
    )
    local tide <const> = app:require "tidegate"
    local text <const> = refused(keep.update, keep, function(value)
      tide.sleep(1)
      return value
    end)
    assert.truthy(text:find("cannot wait inside", 1, true), text)
    assert.same({ ann = 1 }, app:call(keep.get, keep))
  end)

  it("is plain data", function()
    assert.equal(
      "keep:set: the value.list[2].f is a function; what is kept is plain data: booleans, "
        .. "numbers, strings, null, and tables of them",
      refused(keep.set, keep, { list = { 1, { f = print } } })
    )
    assert.same({ ann = 1 }, app:call(keep.get, keep))
  end)

  it("is bounded", function()
    app:close()
    app = testing.app(declare, { keep_max_bytes = 2000 })
    assert.same({ "x" }, { app:call(keep.set, keep, "x") })
    assert.same({ nil, "full" }, { app:call(keep.set, keep, ("x"):rep(2000)) })
    assert.same({ nil, "full" }, {
      app:call(keep.update, keep, function()
        return ("x"):rep(2000)
      end),
    })
    assert.equal("x", app:call(keep.get, keep))
    assert.equal(2, app:metric "tidegate_keep_full_total")
    assert.equal(3, app:metric "tidegate_keep_bytes")
  end)

  it("is not there while modules load", function()
    app:close()
    local texts <const> = {}
    function inside()
      texts[1] = select(2, pcall(keep.get, keep))
      texts[2] = select(2, pcall(keep.set, keep, 1))
    end
    app = testing.app(declare)
    local said <const> = "nothing is kept while modules load, since this code may never serve: "
      .. "read and set it in handlers, hooks and tide.on_start"
    assert.truthy(texts[1]:find("keep:get: " .. said, 1, true), texts[1])
    assert.truthy(texts[2]:find("keep:set: " .. said, 1, true), texts[2])
  end)

  it("has a name that is declared while modules load", function()
    local tide <const> = app:require "tidegate"
    assert.equal(
      "tide.keep: declared while modules load, not by a handler: what is kept has a name that the "
        .. "code knows",
      refused(tide.keep, "late", 1)
    )
    local function fails(text, ...)
      local given <const> = table.pack(...)
      function inside(of)
        of.keep(table.unpack(given, 1, given.n))
      end
      local is_fine <const>, raised <const> = pcall(testing.app, declare)
      assert.is_false(is_fine)
      assert.truthy(tostring(raised):find(text, 1, true), tostring(raised))
    end
    fails "tide.keep: expected a name, a string, got nothing"
    fails("tide.keep: expected a name, a string, got a table", {})
    fails("tide.keep: a name has 1 to 200 bytes of UTF-8", "")
    fails("tide.keep: a name has 1 to 200 bytes of UTF-8", ("x"):rep(201))
    fails("tide.keep: the value.f is a function; what is kept is plain data", "x", { f = print })
  end)

  it("answers that the app is closed", function()
    app:close()
    assert.has_error(function()
      keep:get()
    end, "keep:get: the app is closed, or serves newer code")
  end)
end)
