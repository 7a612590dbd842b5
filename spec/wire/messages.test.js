// What the script layer does with schemas: defaults, checks, constructors, and payloads on their way out.

import assert from 'node:assert';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';

import { RawClient } from '../support/raw.js';
import { Server, run } from '../support/server.js';

const FAILED = { action: 'error', payload: { detail: 'Failed to process message' } };

// A server with a client in each naming; `ask` sends text and resolves with the text of the answer.
class Session {
  static async open(args) {
    const session = new Session();
    session.server = await Server.start('messages', { args });
    session.plain = await RawClient.open(session.server.port, '/ws/plain');
    session.camel = await RawClient.open(session.server.port, '/ws/camel');
    return session;
  }

  async ask(action, payload, client = this.plain) {
    client.text(payload === undefined ? `{"action":"${action}"}` : `{"action":"${action}","payload":${payload}}`);
    return client.nextText();
  }

  async payload(action, payload, client) {
    return JSON.parse(await this.ask(action, payload, client)).payload;
  }

  async deed(what) { return this.ask('do', JSON.stringify({ what })); }

  // What the failure says that the deed ends in. The log comes through a pipe of its own: it may be later.
  async failureOf(what) {
    const failures = () => this.server.records().filter(({ event }) => event === 'handler_failed');
    const before = failures().length;
    await this.deed(what);
    return (await this.server.until(() => failures()[before], 'the line of the failure')).error;
  }

  async close() {
    this.plain.destroy();
    this.camel.destroy();
    await this.server.stop();
  }
}

const locs = (payload) => payload.map(({ type, loc, msg }) => [type, loc.join('.'), msg]);

describe('in development', () => {
  let session;
  before(async () => { session = await Session.open(['--dev']); });
  after(() => session.close());

  describe('a default', () => {
    it('stands in for what is absent: a constant, what a function makes, and one inside the other', async () => {
      const { id, author, ...rest } = await session.payload('made', '{}');
      assert.deepStrictEqual(rest, { kind: 'note', tags: [] });
      assert.ok(Number.isInteger(id));
      assert.strictEqual(author.name, 'nobody');
      const again = await session.payload('made', '{"author":{"name":"ann"},"tags":["a"]}');
      assert.ok(again.id > id && again.author.rank > author.rank, 'the function runs for each message');
      assert.deepStrictEqual([again.author.name, again.tags], ['ann', ['a']]);
    });

    it('that does not fit its own schema is the failure of the handler, at the line of the default', async () => {
      const { payload } = JSON.parse(await session.ask('made_badly', '{}'));
      assert.match(payload.traceback, /types\.lua:\d+: :default: .*value: Input should be greater than or equal to 1/);
    });

    it('is put into a copy of what the caller gave, and only where one is missing', async () => {
      const { author, ...rest } = JSON.parse(await session.deed('defaults')).payload;
      assert.deepStrictEqual(rest, { id: 7, kind: 'note', tags: [] });
      assert.strictEqual(author.name, 'me');
    });
  });

  describe('a check', () => {
    it('sees what is right already, the inner before the outer, all of one value', async () => {
      await session.deed('seen');
      await session.ask('checked', '{"pair":[2,4],"note":"x"}');
      const once = JSON.parse(await session.deed('seen')).payload;
      // Once for the incoming message in its own order, once for the reply, in byte order of its keys.
      assert.deepStrictEqual(once.slice(0, 6), ['even', 'even', 'pair', 'note', 'note again', 'whole']);
      assert.deepStrictEqual(once.slice(6), ['note', 'note again', 'even', 'even', 'pair', 'whole']);
    });

    it('tells what is wrong, in document order, and keeps those around it from running', async () => {
      const wrong = await session.payload('checked', '{"pair":[2,3],"note":"bad"}');
      assert.deepStrictEqual(locs(wrong), [
        ['value_error', 'payload.pair.1', 'Value error, must be even'],
        ['value_error', 'payload.note', 'Value error, first'],
        ['value_error', 'payload.note', 'Value error, not a valid value'],
      ]);
      assert.deepStrictEqual(JSON.parse(await session.deed('seen')).payload, ['even', 'even', 'note', 'note again']);
    });

    it('does not run while anything else is wrong, nor for null and what is absent', async () => {
      await session.ask('checked', '{"pair":[2,"3"],"note":"bad"}');
      assert.deepStrictEqual(JSON.parse(await session.deed('seen')).payload, []);
      await session.ask('checked', '{"pair":[2,4],"note":null}');
      const seen = JSON.parse(await session.deed('seen')).payload;
      assert.ok(seen.includes('whole') && !seen.includes('note'), seen.join());
    });

    it('of the whole payload is about the payload', async () => {
      assert.deepStrictEqual(locs(await session.payload('checked', '{"pair":[4,200]}')),
                             [['value_error', 'payload', 'Value error, too large']]);
    });

    for (const [how, error] of [
      ['raise', /types\.lua:\d+: the check fell over/], ['yield', /types\.lua:\d+: cannot wait here/],
      ['number', /a check returned a number/],
    ])
      it(`that does something else fails the handler: ${how}`, async () => {
        const { payload } = JSON.parse(await session.ask('checked', `{"pair":[2,4],"how":"${how}"}`));
        assert.strictEqual(payload.detail, FAILED.payload.detail);
        assert.match(payload.traceback, error);
      });
  });

  describe('one of several', () => {
    for (const value of ['1', '{"b":"x","list":[]}', '{"a":{"q":1}}', '["x"]', '[]'])
      it(`comes back as it went in: ${value}`, async () => {
        assert.strictEqual(await session.ask('union', `{"value":${value}}`),
                           `{"action":"union","payload":{"value":${value}}}`);
      });

    // A list was read along the first object among the branches: "keys of JSON objects are strings".
    for (const [what, value] of [['list_by_hand', '["x"]'], ['member_by_hand', '{"data":[1,2],"size":1}']])
      it(`is told by what it holds, whatever stands first: ${value}`, async () => {
        assert.strictEqual(await session.deed(what), `{"action":"shapes","payload":{"value":${value}}}`);
      });

    it('that is no JSON is told with its path when its branch is looked for', async () => {
      assert.match(await session.failureOf('no_shape'), /shapes: payload\.value\.data: keys of JSON objects are strings/);
    });

    it('takes an empty table of Lua for a list where only that fits', async () => {
      assert.strictEqual(await session.deed('branches'), '{"action":"union","payload":{"value":{"b":"x","list":[]}}}');
    });

    it('that its tag chooses is written as that one, with its defaults', async () => {
      assert.strictEqual(await session.ask('tagged', '{"width":1,"kind":"image"}'),
                         '{"action":"tagged","payload":{"alt":"none","kind":"image","width":1}}');
      assert.deepStrictEqual(locs(await session.payload('tagged', '{"kind":"sound"}')).map(([type]) => type),
                             ['union_tag_invalid']);
    });

    it('that none accepts is told with its path when it is written', async () => {
      assert.match(await session.failureOf('no_branch'), /union: payload\.value: no branch of the union accepts this value/);
    });
  });

  it('a reference leads back to the schema, as deep as it may', async () => {
    assert.strictEqual(await session.ask('tree', '{"name":"a","children":[{"name":"b"}]}'),
                       '{"action":"tree","payload":{"children":[{"children":[],"name":"b"}],"name":"a"}}');
    let deep = '{"name":"x"}';
    for (let level = 0; level < 4; level += 1) deep = `{"name":"x","children":[${deep}]}`;
    assert.deepStrictEqual(locs(await session.payload('tree', deep)).map(([type]) => type), ['recursion_loop']);
  });

  describe('in camel case', () => {
    it('declared names change both ways, and keys of maps do not', async () => {
      assert.strictEqual(
        await session.ask('camel', '{"userName":"x","extraData":{"a_b":1},"subObject":{}}', session.camel),
        '{"action":"camel","payload":{"extraData":{"a_b":1},"subObject":{"deepName":"d"},"userName":"x"}}');
    });

    it('a default has the names of the wire as well', async () => {
      assert.strictEqual(await session.ask('camel', '{"userName":"x"}', session.camel),
                         '{"action":"camel","payload":{"subObject":{"deepName":"x"},"userName":"x"}}');
    });

    it('what is wrong is called as the client calls it', async () => {
      assert.deepStrictEqual(locs(await session.payload('camel', '{"user_name":"x","messageText":1}', session.camel))
        .map(([type, loc]) => [type, loc]),
                             [['missing', 'payload.userName'], ['string_type', 'payload.messageText']]);
    });

    // The script would have found the unchecked value under the name of the declared field.
    it('no key that is let through takes the place of a declared field', async () => {
      assert.deepStrictEqual(
        locs(await session.payload('open', '{"userName":"x","user_name":1}', session.camel)),
        [['extra_forbidden', 'payload.user_name', "Extra inputs are not permitted; did you mean 'userName'?"]]);
      assert.strictEqual(await session.ask('open', '{"userName":"x","other_key":1}', session.camel),
                         '{"action":"open","payload":{"userName":"x","other_key":1}}');
    });
  });

  it('keys of a map follow a pattern, and values a format', async () => {
    const right = '{"a":"01234567-89ab-cdef-0123-456789abcdef"}';
    assert.strictEqual(await session.ask('keyed', right), `{"action":"keyed","payload":${right}}`);
    assert.deepStrictEqual(locs(await session.payload('keyed', '{"A":"x"}')).map(([type]) => type),
                           ['string_pattern_mismatch', 'uuid_parsing']);
  });

  it('integers keep their 64 bits, and what is empty stays what it was', async () => {
    assert.strictEqual(await session.ask('numbers', '{"big":-9223372036854775808,"float":0.5}'),
                       '{"action":"numbers","payload":{"big":-9223372036854775808,"float":0.5}}');
    for (const [action, payload] of [
      ['empties', '{"list":[],"map":{},"object":{}}'], ['any', '{"a":[],"b":{},"c":null}'], ['any', '[]'],
    ])
      assert.strictEqual(await session.ask(action, payload), `{"action":"${action}","payload":${payload}}`);
  });

  describe('a constructor', () => {
    for (const [what, error] of [
      ['wrong', /^\S*main\.lua:\d+: secret: payload\.user_name: Field required; payload\.password: String should have at least 4 characters$/],
      ['checked_wrong', /main\.lua:\d+: checked: payload\.note: Value error, first; .*; payload\.pair\[2\]: Value error, must be even$/],
      // Filled in to the full depth by every way through the table, of which there are 2 to the power of 256.
      ['holds_itself', /main\.lua:\d+: tree: nested deeper than 512 levels: does a table hold itself\?$/],
      ['mixed', /main\.lua:\d+: any: payload: a table is a list or an object; this one has \[1\] and 'name'$/],
      ['holes', /main\.lua:\d+: any: payload: .*\[5\]/],
      ['keys', /main\.lua:\d+: empties: payload\.map: keys of JSON objects are strings, got a number$/],
    ])
      it(`says what is wrong at the line of the caller: ${what}`, async () => {
        assert.match(await session.failureOf(what), error);
      });

    it('cannot foresee what is put in later, which writing tells with its path', async () => {
      assert.match(await session.failureOf('late'), /numbers: payload\.big: expected an integer, got string/);
    });
  });

  it('a message shows itself without its secrets, right or wrong', async () => {
    assert.strictEqual(
      await session.payload('do', '{"what":"shown"}'),
      'secret {"inner":{"pin":"***"},"password":"***","user_name":"ann"} | served {"a":1,"b":2} | ping');
    const broken = await session.payload('do', '{"what":"shown_broken"}');
    assert.doesNotMatch(broken, /topsecret|5566/);
    assert.match(broken, /payload\.user_name: expected a value that JSON can say, got function$/);
  });

  it('a group message says whose it is, an event goes to no client', async () => {
    assert.strictEqual(await session.deed('group'),
                       '{"action":"group","payload":{"text":"hi"},"is_mine":false,"is_current":false}');
    assert.match(await session.failureOf('event'), /the event 'event' is not for clients/);
    assert.match(await session.failureOf('send_event'), /main\.lua:\d+: the event 'event' is not for clients/);
  });

  it('serialise may add fields, which follow the declared ones', async () => {
    assert.strictEqual(await session.deed('served'),
                       '{"action":"served","payload":{"a":1,"b":2,"extra":{},"z_sum":3}}');
  });
});

describe('validate_outgoing', () => {
  for (const [args, isChecked] of [
    [[], false], [['--validate-outgoing', 'always'], true],
    [['--dev', '--validate-outgoing', 'never'], false],
  ])
    it(`${isChecked ? 'checks' : 'does not check'} what is sent with ${args.join(' ') || 'no flags'}`, async () => {
      const session = await Session.open(args);
      try {
        if (isChecked)
          assert.match(await session.failureOf('unchecked'), /plain: payload: String should have at most 5 characters/);
        else
          assert.strictEqual(await session.deed('unchecked'), '{"action":"plain","payload":"longer than five"}');
        // Closing the box of a check once used a stack that had moved (Lua 5.4.4's lua_settop).
        assert.match(await session.deed('deep'), /^\{"action":"made",/);
        // Types are checked always, since the text depends on them.
        assert.match(await session.failureOf('late'), /payload\.big: expected an integer/);
      } finally {
        await session.close();
      }
    });
});

describe('a secret', () => {
  it('is masked in the log of somebody who debugs', async () => {
    const session = await Session.open(['--log-level', 'debug']);
    await session.ask('secret', '{"user_name":"ann","password":"topsecret","inner":{"pin":4711}}');
    await session.ask('secret', '{"user_name":"ann","password":"tps"}');
    await session.close();
    assert.doesNotMatch(session.server.stderr, /topsecret|4711|tps/);
    const { payload } = session.server.records().find(({ event, action }) => event === 'received' && action === 'secret');
    assert.strictEqual(payload, '{\\"user_name\\":\\"ann\\",\\"password\\":\\"***\\",\\"inner\\":{\\"pin\\":\\"***\\"}}');
  });
});

describe('tidegate check', () => {
  let folder;
  before(() => { folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tidegate-spec-')); });
  after(() => fs.rmSync(folder, { recursive: true }));

  // What it says of a module that declares `declarations` and a consumer with `options` for the type m.
  const complaint = async (declarations, options = '') => {
    fs.writeFileSync(path.join(folder, 'main.lua'), `local tide = require "tidegate"
local s = tide.schema
${declarations}
local C = tide.consumer { name = "c", path = "/c", ${options} }
C:on(m, function() end)
return C
`);
    const { code, stdout, stderr } = await run(['check', folder]);
    assert.notStrictEqual(code, 0, stdout);
    return stdout + stderr;
  };

  for (const [name, declarations, options, said] of [
    ['a default that breaks its own schema', 'local a = s.array(s.string { max = 2 })\na = a:default { "abc" }\nlocal m = tide.message("m", { a = a })',
     '', /main\.lua:4: :default: value\[1\]: String should have at most 2 characters/],
    ['an example that breaks its own schema', 'local a = s.integer()\n\na = a:example "x"\nlocal m = tide.message("m", { a = a })',
     '', /main\.lua:5: :example: value: Input should be a valid integer, got 'x'/],
    ['an example that its check refuses', 'local m = tide.message("m", { a = s.integer():check(function() return "odd" end):example(1) })',
     '', /main\.lua:3: :example: value: Value error, odd/],
    ['a reference that is its own target', 'local r r = s.ref(function() return r end) local m = tide.message("m", { a = r })',
     '', /s\.ref at \S*main\.lua:3: it leads back to itself/],
    ['a reference to something else', 'local m = tide.message("m", { a = s.ref(function() return {} end) })',
     '', /s\.ref at \S*main\.lua:3: its function must return a schema, got a table/],
    ['two fields with one name in camel case', 'local m = tide.message("m", { a = s.array(s.object { user_name = s.any(), userName = s.any() }) })',
     'camelize = true', /main\.lua:3: the message 'm' has no names in camel case, .*: payload\.a\[1\] has the fields "userName" and "user_name", which are both "userName"/],
  ])
    it(`names the line of ${name}`, async () => {
      assert.match(await complaint(declarations, options), said);
    });

  it('runs no function of a default, and no check around one', async () => {
    fs.writeFileSync(path.join(folder, 'main.lua'), `local tide = require "tidegate"
local s = tide.schema
local m = tide.message("m", s.object({
  id = s.integer():default(function() error "too early" end),
}):check(function() error "too early" end):example {}:default {})
local C = tide.consumer { name = "c", path = "/c" }
C:on(m, function() end)
return C
`);
    const { code, stdout, stderr } = await run(['check', folder]);
    assert.strictEqual(code, 0, stdout + stderr);
  });
});
