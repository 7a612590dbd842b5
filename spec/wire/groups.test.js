// Groups and users with several clients: the application is spec/support/apps/groups.

import assert from 'node:assert';
import { after, before, describe, it } from 'node:test';

import { RawClient } from '../support/raw.js';
import { Server } from '../support/server.js';

class Session {
  static async open(options) {
    const session = new Session();
    session.clients = [];
    session.server = await Server.start('groups', options);
    return session;
  }

  async join(path, options) {
    const client = await RawClient.open(this.server.port, path, options);
    this.clients.push(client);
    return client;
  }

  // In the groups, which are told apart by commas; its first deed is behind it, so that it is in them.
  async talk(groups, user) {
    const query = new URLSearchParams({ groups, ...(user === undefined ? {} : { user }) });
    const client = await this.join(`/ws/talk?${query}`);
    await deed(client, 'groups');
    return client;
  }

  async leaveAll() {
    for (const client of this.clients.splice(0)) client.destroy();
    await this.server.metricUntil('connections', (count) => count === 0);
    assert.strictEqual(await this.server.metric('groups'), 0);
    assert.strictEqual(await this.server.metric('group_memberships'), 0);
    assert.strictEqual(await this.server.metric('payload_bytes'), 0);
  }

  close() { return this.server.stop(); }
}

// What a deed answers; what comes before the answer is put into `early`.
async function deed(client, what, given, early = []) {
  client.json({ action: 'do', payload: { what, with: given }, ref: what });
  for (;;) {
    const got = await client.nextJson();
    if (got.ref === what) {
      assert.strictEqual(got.action, 'said', JSON.stringify(got));
      return got.payload;
    }
    early.push(got);
  }
}

const chatGroup = (text, isMine = false, isCurrent = false) =>
  `{"action":"chat_group","payload":{"text":"${text}"},"is_mine":${isMine},"is_current":${isCurrent}}`;
const note = (text) => `{"action":"note","payload":{"text":"${text}"}}`;

// Nothing has come to the client: the answer to a deed is the next frame.
async function expectNothing(client) {
  const early = [];
  await deed(client, 'groups', undefined, early);
  assert.deepStrictEqual(early, []);
}

const each = (clients, work) => Promise.all(clients.map(work));

// Every spec ends with nobody left, in no group.
function withSession(title, options, specs) {
  describe(title, () => {
    let session;
    before(async () => { session = await Session.open(options); });
    after(() => session.close());
    const spec = (name, run) => it(name, async () => {
      await run(session);
      await session.leaveAll();
    });
    specs(spec);
  });
}

withSession('a broadcast', { args: ['--mode', 'development'] }, (spec) => {
  spec('reaches every member of the groups of its sender, and nobody else', async (session) => {
    const [a, b, c] = await each(['red', 'red', 'blue'], (group) => session.talk(group));
    assert.deepStrictEqual(await deed(a, 'note', { text: 'hi' }, []), [2]);
    assert.strictEqual(await b.nextText(), note('hi'));
    await expectNothing(c);
  });

  spec('tells each receiver whether it is its own, and of its user', async (session) => {
    const [a, b, c, d] = await each(['7', '7', '8', 'nameless'], (user) => session.talk('red', user));
    a.json({ action: 'do', payload: { what: 'say', with: 'hi' } });
    assert.strictEqual(await a.nextText(), chatGroup('hi', true, true));
    assert.strictEqual(await b.nextText(), chatGroup('hi', true, false));
    assert.strictEqual(await c.nextText(), chatGroup('hi', false, false));
    assert.strictEqual(await d.nextText(), chatGroup('hi', false, false));
  });

  spec('of an anonymous sender is nobody\'s, not even of others without a user', async (session) => {
    const [a, b] = await each([1, 2], () => session.talk('red', 'nameless'));
    a.json({ action: 'do', payload: { what: 'say', with: 'hi' } });
    assert.strictEqual(await a.nextText(), chatGroup('hi', false, true));
    assert.strictEqual(await b.nextText(), chatGroup('hi', false, false));
  });

  spec('compares users by the text of their ids, integers and fields too', async (session) => {
    const [a, b, c] = await each(['7', '{7}', '{07}'], (user) => session.talk('red', user));
    a.json({ action: 'do', payload: { what: 'say', with: 'hi' } });
    assert.strictEqual(await b.nextText(), chatGroup('hi', true, false));
    assert.strictEqual(await c.nextText(), chatGroup('hi', false, false));
  });

  spec('comes to its sender in the order of the calls, before the reply', async (session) => {
    const a = await session.talk('red');
    a.text('{"action":"do","payload":{"what":"before_and_after","with":"hi"},"ref":1}');
    const got = [];
    for (let i = 0; i < 4; i += 1) got.push(await a.nextText());
    assert.deepStrictEqual(got, [note('before'), chatGroup('hi', false, true), note('after'),
                                 '{"action":"said","payload":"reply","ref":1}']);
  });

  spec('comes to every receiver in the order of the calls', async (session) => {
    const [a, b] = await each(['red', 'red'], (group) => session.talk(group));
    for (let i = 0; i < 100; i += 1) a.json({ action: 'do', payload: { what: 'say', with: `${i}` } });
    for (let i = 0; i < 100; i += 1) assert.strictEqual(await b.nextText(), chatGroup(i));
  });

  spec('leaves its sender out when it is asked to, and only then', async (session) => {
    const [a, b] = await each(['red', 'red'], (group) => session.talk(group, '7'));
    const early = [];
    assert.deepStrictEqual(await deed(a, 'say_to_others', 'hi', early), [1]);
    assert.deepStrictEqual(early, []);
    assert.strictEqual(await b.nextText(), chatGroup('hi', true, false));
  });

  spec('reaches a connection that is in several of the groups once (D18)', async (session) => {
    const [a, b, c] = await each(['red,blue', 'blue,red', 'blue'], (groups) => session.talk(groups));
    assert.deepStrictEqual(await deed(a, 'note', { text: 'hi', groups: ['red', 'blue', 'red'] }, []), [3]);
    assert.strictEqual(await b.nextText(), note('hi'));
    assert.strictEqual(await c.nextText(), note('hi'));
    await each([b, c], expectNothing);
  });

  spec('can be for a group that its sender is not in, or that nobody is in', async (session) => {
    const [a, b] = await each(['red', 'blue'], (group) => session.talk(group));
    assert.deepStrictEqual(await deed(a, 'note', { text: 'hi', groups: 'blue' }), [1]);
    assert.strictEqual(await b.nextText(), note('hi'));
    assert.deepStrictEqual(await deed(a, 'note', { text: 'hi', groups: ['green', 'grey'] }), [0]);
    assert.deepStrictEqual(await deed(a, 'note', { text: 'hi', groups: [] }), [0]);
  });

  spec('that can reach nobody is a line of the log in development', async (session) => {
    const alone = await session.join('/ws/alone');
    assert.deepStrictEqual(await deed(alone, 'x'), [0, null]);
    const line = await session.server.record(
      ({ event, consumer }) => event === 'broadcast_without_groups' && consumer === 'alone', 'the warning');
    assert.match(line.source, /groups\.lua:\d+$/);
    assert.deepStrictEqual([line.level, line.action], ['warning', 'note']);
  });

  spec('is in camel case for those who read that, like a reply (D4)', async (session) => {
    const [a, camel, plain] = await each(['/ws/talk', '/ws/camel', '/ws/shared'], (path) => session.join(path));
    const payload = { user_name: 'ann', labels: { user_id_2: 1, v1_api: 2, some_key: 3 }, free_form: { a_b: [{ c_d: 1 }] } };
    assert.deepStrictEqual(await deed(a, 'profile', payload), [2]);
    const tail = ',"is_mine":false,"is_current":false}';
    assert.strictEqual(await plain.nextText(),
                       '{"action":"profile","payload":{"free_form":{"a_b":[{"c_d":1}]},' +
                       `"labels":{"some_key":3,"user_id_2":1,"v1_api":2},"user_name":"ann"}${tail}`);
    assert.strictEqual(await camel.nextText(),
                       '{"action":"profile","payload":{"freeForm":{"a_b":[{"c_d":1}]},' +
                       `"labels":{"some_key":3,"user_id_2":1,"v1_api":2},"userName":"ann"}${tail}`);
  });

  spec('leaves keys that are data as they are in camel case (D5)', async (session) => {
    const [a, camel] = await each(['/ws/talk', '/ws/camel'], (path) => session.join(path));
    const labels = { user_id_2: 1, userId2: 2, v1_api: 3, _x: 4, a__b: 5 };
    await deed(a, 'profile', { user_name: 'ann', labels });
    assert.deepStrictEqual((await camel.nextJson()).payload, { labels, userName: 'ann' });
  });

  spec('of a type without names in camel case fails when somebody needs them, and only then', async (session) => {
    const [a, plain] = await each(['/ws/talk?groups=red', '/ws/talk?groups=red'], (path) => session.join(path));
    assert.deepStrictEqual(await deed(a, 'clashing', 'red', []), [2]);
    assert.strictEqual(await plain.nextText(), '{"action":"clashing","payload":{"userName":"b","user_name":"a"}}');
    const camel = await session.join('/ws/camel');
    a.json({ action: 'do', payload: { what: 'clashing', with: 'shared' } });
    const { action, payload } = await a.nextJson();
    assert.strictEqual(action, 'error');
    assert.match(payload.traceback, /groups\.lua:\d+: the message 'clashing' has no names in camel case/);
    camel.destroy();
  });

  spec('runs `serialise` once, however many read it and how', async (session) => {
    const clients = await each(['/ws/talk', '/ws/camel', '/ws/shared', '/ws/text?user=1'], (path) => session.join(path));
    const [a, ...receivers] = clients;
    assert.deepStrictEqual(await deed(a, 'counted'), [3]);
    for (const client of receivers) assert.strictEqual(await client.nextText(), '{"action":"counted","payload":{"n":2}}');
  });

  spec('from a task reaches the group, but for a connection that is named', async (session) => {
    const [a, b] = await each(['red', 'red'], (group) => session.talk(group, '7'));
    a.json({ action: 'do', payload: { what: 'from_anywhere', with: { groups: 'red', text: 'hi' } } });
    assert.strictEqual(await a.nextText(), chatGroup('hi'));
    assert.strictEqual(await a.nextText(), '{"action":"said","payload":[2]}');
    assert.strictEqual(await b.nextText(), chatGroup('hi'));
    a.json({ action: 'do', payload: { what: 'from_anywhere', with: { groups: ['red'], text: 'a', exclude: 'me' } } });
    assert.strictEqual(await a.nextText(), '{"action":"said","payload":[1]}');
    assert.strictEqual(await b.nextText(), chatGroup('a'));
    const exclude = await deed(b, 'id');
    a.json({ action: 'do', payload: { what: 'from_anywhere', with: { groups: ['red'], text: 'b', exclude } } });
    assert.strictEqual(await a.nextText(), chatGroup('b'));
    assert.strictEqual(await a.nextText(), '{"action":"said","payload":[1]}');
    await expectNothing(b);
  });

  spec('is refused where it is wrong, at the line of the application', async (session) => {
    const a = await session.talk('red');
    const texts = await deed(a, 'mistakes');
    assert.deepStrictEqual(texts, [
      'conn:join: the name of a group has 1 to 200 bytes, got 0',
      'conn:join: the name of a group has 1 to 200 bytes, got 201',
      'conn:join: the name of a group is not UTF-8',
      'conn:join: the name of a group is a string, got a number',
      'conn:leave: the name of a group is a string, got nothing',
      "conn:broadcast: the event 'happened' is not for clients: tide.broadcast_event tells it to consumers",
      "conn:broadcast: a message is expected (a message type called with its payload), got the message type 'note' " +
        'itself: call it to make a message, as in note(payload)',
      "conn:broadcast: unknown option 'group' (options: exclude_current, groups)",
      'conn:broadcast: exclude_current is true or false, got a number',
      'conn:broadcast: the name of a group is a string, got a number',
      'conn:broadcast: groups are a name or a list of names, got a table with other keys',
      'note: payload.text: expected a string, got number',
      "tide.broadcast: the event 'happened' is not for clients: tide.broadcast_event tells it to consumers",
      "tide.broadcast: unknown option 'except' (options: exclude)",
      'tide.broadcast: exclude is a connection or the id of one, got a string',
      'note: payload: expected an object, got nil',
      'tide.group: the name of a group is a string, got nothing',
      'tide.user: the id of a user is a string that is not empty or an integer, got a table',
      'tide.user: the id of a user is a string that is not empty or an integer, got a string',
      'count is called with a colon: tide.group(name):count()',
      "bad argument #1 to 'close' (not a close code that may be sent: 1000 to 1014 less 1004 to 1006, or 3000 to " +
        '4999 (RFC 6455 7.4))',
    ]);
  });

  spec('cannot be sent while modules load', async (session) => {
    const a = await session.talk('red');
    const [broadcast, count] = await deed(a, 'loading');
    const text = 'nobody is connected while modules load; tide.on_start runs when they have';
    assert.match(broadcast, new RegExp(`tide\\.broadcast: ${text}$`));
    assert.match(count, new RegExp(`groups\\.lua:\\d+: tide\\.group: ${text}$`));
  });
});

withSession('the name of a group', {}, (spec) => {
  spec('is kept exactly: no two names meet (D10)', async (session) => {
    const names = ['room a b', 'room a-b', 'room a_b', 'room  a b', 'Room a b', 'é', 'e\u0301', '日本', '日本 ', '日本\u0000', 'a'.repeat(200),
                   'a'.repeat(199), '\u{1f600}', '../../x', '%2e'];
    const clients = await each(names, async (name) => {
      const client = await session.talk('');
      assert.deepStrictEqual(await deed(client, 'join', name), [true]);
      assert.deepStrictEqual(await deed(client, 'groups'), [name]);
      return client;
    });
    for (const [i, client] of clients.entries()) assert.deepStrictEqual(await deed(client, 'count', names[i]), 1);
    for (const [i, client] of clients.entries())
      assert.deepStrictEqual(await deed(client, 'note', { text: `${i}` }), [1]);
    await each(clients, expectNothing);
  });
});

withSession('a connection', { args: ['--max-groups-per-connection', '3'] }, (spec) => {
  spec('is in its groups before `connected`, in their order, each once', async (session) => {
    const a = await session.join('/ws/talk?groups=b,a,b&fail=1');
    assert.strictEqual(await a.nextText(), note('in b,a'));
  });

  spec('has groups of a list and of mixins', async (session) => {
    const a = await session.join('/ws/listed');
    assert.deepStrictEqual(await deed(a, 'x'), ['é', 'room a b', '日本']);
  });

  spec('joins and leaves while it lives', async (session) => {
    const [a, b] = await each(['red', ''], (groups) => session.talk(groups));
    assert.deepStrictEqual(await deed(b, 'join', 'red'), [true]);
    assert.deepStrictEqual(await deed(b, 'join', 'red'), [true]);
    assert.deepStrictEqual(await deed(a, 'count', 'red'), 2);
    await deed(a, 'note', { text: '1' }, []);
    assert.strictEqual(await b.nextText(), note('1'));
    assert.deepStrictEqual(await deed(b, 'leave', 'red'), [true]);
    assert.deepStrictEqual(await deed(b, 'leave', 'red'), [false]);
    assert.deepStrictEqual(await deed(b, 'groups'), []);
    assert.deepStrictEqual(await deed(a, 'note', { text: '2' }, []), [1]);
    await expectNothing(b);
  });

  spec('is in no more groups than it may be', async (session) => {
    const a = await session.talk('a,b');
    assert.deepStrictEqual(await deed(a, 'join', 'c'), [true]);
    assert.deepStrictEqual(await deed(a, 'join', 'd'), [null, 'full']);
    assert.deepStrictEqual(await deed(a, 'join', 'c'), [true]);
    assert.deepStrictEqual(await deed(a, 'leave', 'a'), [true]);
    assert.deepStrictEqual(await deed(a, 'join', 'd'), [true]);
    assert.deepStrictEqual(await deed(a, 'groups'), ['b', 'c', 'd']);
    assert.strictEqual(await session.server.metric('groups_full_total'), 1);
  });

  const refused = async (session, path, pattern) => {
    const client = await session.join(path);
    assert.strictEqual(await client.nextText(), '{"action":"error","payload":{"detail":"Failed to process message"}}');
    assert.deepStrictEqual(await client.nextClose(), { code: 1011, reason: 'the consumer could not start' });
    await session.server.record(({ error }) => pattern.test(error || ''), `a line with ${pattern}`);
    assert.strictEqual(await session.server.metric('group_memberships'), 0);
  };

  spec('does not begin when its function of groups raises, or returns what is none', async (session) => {
    await refused(session, '/ws/talk?groups=a&raise=1', /no groups$/);
    await refused(session, '/ws/talk?groups=a&raise=1&slow=0.01', /no groups$/);
    await refused(session, '/ws/wrong', /groups\.lua:\d+: groups returned nothing: it returns a list of names$/);
    await refused(session, '/ws/wrong?returns=number', /groups returned a number: it returns a list of names$/);
    await refused(session, '/ws/talk?groups=a,b,c,d', /a connection is in at most 3 groups \(max_groups_per_connection\)$/);
    await refused(session, `/ws/talk?groups=${'a'.repeat(201)}`, /the name of a group has 1 to 200 bytes, got 201$/);
    const hooks = session.server.records().filter(({ error }) => /disconnected/.test(error || ''));
    assert.deepStrictEqual(hooks, []);
  });

  spec('is handled first when it is in its groups, whatever comes meanwhile', async (session) => {
    const a = await session.join('/ws/talk?groups=a,b&slow=0.05');
    a.json({ action: 'do', payload: { what: 'groups' } });
    assert.deepStrictEqual((await a.nextJson()).payload, ['a', 'b']);
  });

  spec('that has ended is in no group, and says so', async (session) => {
    const [a, b] = await each(['red', 'red'], (groups) => session.talk(groups));
    assert.deepStrictEqual(await deed(b, 'keep', 'b'), [1]);
    b.close(1000);
    await b.end();
    assert.strictEqual(await a.nextText(), chatGroup('left red with 1000'));
    await session.server.metricUntil('connections', (count) => count === 1);
    assert.deepStrictEqual(await deed(a, 'kept', 'b'), [0, null, 'closed', null, 'closed', '(closed)']);
  });

  spec('that closes itself has left before it can join again', async (session) => {
    const [a, b] = await each(['red', 'red'], (groups) => session.talk(groups));
    b.json({ action: 'do', payload: { what: 'close' } });
    assert.deepStrictEqual(await b.nextClose(), { code: 4000, reason: 'bye' });
    assert.deepStrictEqual(await deed(a, 'count', 'red'), 1);
  });
});

// How a connection ends, by name, and what its groups are told of it.
const endings = {
  'by a close frame': [(client) => client.close(4321, 'x'), 4321],
  'by a close frame without a code': [(client) => client.close(), 1005],
  'by the end of TCP': [(client) => client.halfClose(), 1006],
  'by a reset of TCP': [(client) => client.reset(), 1006],
  'by a message that is too long': [(client) => client.text('x'.repeat(2000)), 1009],
  'by text that is not UTF-8': [(client) => client.frame('text', Buffer.from([0xff])), 1007],
  'by a breach of the protocol': [(client) => client.frame('text', 'x', { rsv: 4 }), 1002],
  'by its handler': [(client) => client.json({ action: 'do', payload: { what: 'close' } }), 4000],
  'by silence': [(client) => { client.answersPings = false; }, 1006],
};

withSession('the groups of a connection', {
  args: ['--max-message-bytes', '1000', '--heartbeat-seconds', '1', '--heartbeat-timeout-seconds', '1', '--close-timeout-ms', '300'],
}, (spec) => {
  for (const [name, [end, code]] of Object.entries(endings))
    spec(`are left when it ends ${name}, and told so`, async (session) => {
      const [a, b] = await each(['red,blue', 'red,blue'], (groups) => session.talk(groups));
      end(b);
      assert.strictEqual(await a.nextText(), chatGroup(`left red,blue with ${code}`));
      assert.strictEqual(await deed(a, 'count', 'red'), 1);
      assert.strictEqual(await deed(a, 'count', 'blue'), 1);
      assert.deepStrictEqual(await deed(a, 'say_to_others', 'x'), [0]);
    });

  spec('are left when `connected` raises, and `disconnected` still tells them (D24)', async (session) => {
    const a = await session.talk('red');
    const b = await session.join('/ws/talk?groups=red&fail=1');
    assert.strictEqual(await b.nextText(), note('in red'));
    assert.strictEqual((await b.nextJson()).action, 'error');
    assert.strictEqual((await b.nextClose()).code, 1011);
    assert.strictEqual(await deed(a, 'count', 'red'), 1);
    b.close(1011);
    assert.strictEqual(await a.nextText(), chatGroup('left red with 1011'));
  });

  spec('are kept while it takes nothing: nothing of a member expires (D22)', async (session) => {
    const [a, b] = await each(['red', 'red'], (groups) => session.talk(groups));
    b.stall();
    const text = 'x'.repeat(900);
    for (let i = 0; i < 200; i += 1) assert.deepStrictEqual(await deed(a, 'say_to_others', text), [1]);
    assert.strictEqual(await deed(a, 'count', 'red'), 2);
    b.resume();
    for (let i = 0; i < 200; i += 1) assert.strictEqual(await b.nextText(), chatGroup(text));
    assert.strictEqual(await deed(b, 'count', 'red'), 2);
  });
});

describe('the groups of all connections', () => {
  it('are left when the server goes away', async () => {
    const session = await Session.open();
    const clients = await each(['red', 'red', 'red'], (groups) => session.talk(groups));
    session.server.signal('SIGTERM');
    for (const client of clients) {
      const frames = await client.untilClose();
      assert.strictEqual(frames[frames.length - 1].payload.readUInt16BE(0), 1001);
      client.close(1001);
      await client.end();
    }
    assert.deepStrictEqual(await session.server.ended(), { code: 0, signal: null });
    session.server.checkSanitizers();
    const ends = session.server.records().filter(({ event }) => event === 'disconnected');
    assert.deepStrictEqual(ends.map(({ code }) => code), ['1001', '1001', '1001']);
  });
});

withSession('tide.group', {}, (spec) => {
  spec('counts and lists members in the order in which they joined', async (session) => {
    const a = await session.talk('red', '7');
    const b = await session.talk('red', '{ann}');
    await session.talk('blue', '8');
    assert.strictEqual(await deed(a, 'count', 'red'), 2);
    assert.strictEqual(await deed(a, 'count', 'green'), 0);
    assert.deepStrictEqual(await deed(a, 'members', 'red'), [7, { id: 'ann', name: 'somebody' }]);
    assert.deepStrictEqual(await deed(b, 'members', 'green'), []);
    assert.deepStrictEqual(await deed(b, 'names'), ['group 日本', 'user 7']);
  });

  spec('sends to its members', async (session) => {
    const [a, b] = await each(['red', 'blue'], (groups) => session.talk(groups));
    assert.deepStrictEqual(await deed(a, 'send_group', { name: 'blue', text: 'hi' }), [1]);
    assert.strictEqual(await b.nextText(), note('hi'));
    assert.deepStrictEqual(await deed(a, 'send_group', { name: 'green', text: 'hi' }), [0]);
  });

  spec('closes its members, one by one', async (session) => {
    const [a, b, c] = await each(['red', 'blue', 'blue'], (groups) => session.talk(groups));
    assert.deepStrictEqual(await deed(a, 'close_group', { name: 'blue', code: 4001, reason: 'the room is closed' }), [2]);
    for (const client of [b, c])
      assert.deepStrictEqual(await client.nextClose(), { code: 4001, reason: 'the room is closed' });
    assert.deepStrictEqual(await deed(a, 'close_group', { name: 'blue' }), [0]);
  });
});

withSession('tide.user', {}, (spec) => {
  spec('finds the connections of a user, oldest first, by the text of the id', async (session) => {
    const a = await session.talk('', '7');
    const b = await session.talk('', '{7}');
    const c = await session.talk('', '07');
    assert.strictEqual(await deed(a, 'user_count', 7), 2);
    assert.strictEqual(await deed(a, 'user_count', '7'), 2);
    assert.strictEqual(await deed(c, 'user_count', 'nobody'), 0);
    assert.deepStrictEqual(await deed(b, 'user_connections', 7), [false, true]);
    assert.deepStrictEqual(await deed(a, 'user'), [7]);
    assert.deepStrictEqual(await deed(b, 'user'), [{ id: '7', name: 'somebody' }]);
  });

  spec('sends to all connections of a user', async (session) => {
    const [a, b, c] = await each(['7', '7', '8'], (user) => session.talk('', user));
    assert.deepStrictEqual(await deed(c, 'send_user', { id: 7, text: 'hi' }), [2]);
    for (const client of [a, b]) assert.strictEqual(await client.nextText(), chatGroup('hi'));
    await expectNothing(c);
  });

  spec('closes all connections of a user: a kick', async (session) => {
    const [a, b, c] = await each(['ann', 'ann', 'bob'], (user) => session.talk('red', user));
    assert.deepStrictEqual(await deed(c, 'close_user', { id: 'ann', code: 4403, reason: 'kicked' }), [2]);
    for (const client of [a, b]) assert.deepStrictEqual(await client.nextClose(), { code: 4403, reason: 'kicked' });
    assert.strictEqual(await deed(c, 'user_count', 'ann', []), 0);
    assert.strictEqual(await deed(c, 'count', 'red', []), 1);
  });
});
