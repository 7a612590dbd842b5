// Who is let in: the application is spec/support/apps/groups, its doors.lua.

import assert from 'node:assert';
import { after, afterEach, before, describe, it } from 'node:test';

import { RawClient } from '../support/raw.js';
import { Server } from '../support/server.js';

const authentication = (status, text, data = '') =>
  `{"action":"authentication","payload":{"status_code":${status},"status_text":"${text}"${data}}}`;
const OK = authentication(200, 'OK');

describe('authenticate', () => {
  let server;
  let clients = [];
  before(async () => {
    server = await Server.start('groups', {
      args: ['--authentication-timeout-ms', '200', '--handler-cpu-ms', '50', '--inbox-messages', '4', '--close-timeout-ms', '300'],
    });
  });
  after(() => server.stop());
  afterEach(async () => {
    for (const client of clients.splice(0)) client.destroy();
    await server.metricUntil('connections', (count) => count === 0);
    assert.strictEqual(await server.metric('group_memberships'), 0);
  });

  const knock = async (who, { path = '/ws/door', more = '' } = {}) => {
    const client = await RawClient.open(server.port, `${path}?who=${who}${more}`);
    clients.push(client);
    return client;
  };
  const ask = async (client, what) => {
    client.json({ action: 'ask', payload: what });
    return (await client.nextJson()).payload;
  };

  it('lets in who has a user: first the frame that says so, then the groups, then `connected`', async () => {
    const users = { table: '{"id":7,"name":"ann"}', text: '"ann"', integer: '7', is_true: 'true' };
    for (const [who, user] of Object.entries(users)) {
      const client = await knock(who);
      assert.strictEqual(await client.nextText(), OK);
      assert.strictEqual(await client.nextText(), `{"action":"welcome","payload":{"user":${user}}}`);
    }
  });

  it('refuses everybody else with a status, and then with the code of the close', async () => {
    const refusals = {
      refused: [401, 'Unauthorized', ''],
      is_false: [401, 'Unauthorized', ''],
      null: [401, 'Unauthorized', ''],
      unauthorised: [401, 'Unauthorized', ',"data":{"detail":"Log in first"}'],
      forbidden: [403, 'Forbidden', ''],
      slowly_refused: [403, 'Forbidden', ''],
      missing: [404, 'Not Found', ',"data":{"detail":"No room \\"é\\""}'],
    };
    const before = await server.metric('authentications_refused_total');
    for (const [who, [status, text, data]] of Object.entries(refusals)) {
      const client = await knock(who);
      assert.strictEqual(await client.nextText(), authentication(status, text, data));
      assert.deepStrictEqual(await client.nextClose(), { code: 4000 + status, reason: text });
    }
    assert.strictEqual(await server.metric('authentications_refused_total'), before + 7);
    const { status } = await server.record(({ event, detail }) => event === 'authentication_refused' && detail, 'a refusal');
    assert.strictEqual(status, '401');
  });

  it('that raises, or returns what is no verdict, lets nobody in and says nothing of why', async () => {
    const failures = {
      raises: /doors\.lua:\d+: the database is down$/,
      declared: /nobody reads this$/,
      wrong_status: /doors\.lua:\d+: authenticate returned 402 as a status: it is 401, 403 or 404$/,
      status_of_ours: /authenticate returned 500 as a status/,
      no_status: /authenticate returned why as a status/,
      wrong_detail: /authenticate returned a table as a detail: it is a sentence$/,
      bad_text: /the detail that authenticate returned is not UTF-8$/,
      endless: /handler_cpu_ms/,
    };
    for (const [who, pattern] of Object.entries(failures)) {
      const client = await knock(who);
      assert.strictEqual(await client.nextText(), authentication(500, 'Internal Server Error'));
      assert.deepStrictEqual(await client.nextClose(), { code: 1011, reason: 'the consumer could not start' });
      await server.record(({ action, error }) => action === 'authenticate' && pattern.test(error), `${pattern}`);
    }
  });

  it('that takes too long is ended: 401, close 4408', async () => {
    const before = await server.metric('authentication_timeouts_total');
    for (const who of ['late', 'swallowing']) {
      const client = await knock(who);
      assert.strictEqual(await client.nextText(), authentication(401, 'Unauthorized'));
      assert.deepStrictEqual(await client.nextClose(), { code: 4408, reason: 'authentication took too long' });
    }
    assert.strictEqual(await server.metric('authentication_timeouts_total'), before + 2);
    assert.strictEqual(await server.metric('tasks'), 0);
  });

  it('runs `disconnected` for those alone who were let in', async () => {
    const left = () => server.records().filter(({ text }) => text === 'left').length;
    const before = left();
    for (const who of ['refused', 'raises', 'late']) {
      const client = await knock(who);
      await client.untilClose();
      client.close(1000);
      await client.end();
    }
    const client = await knock('text');
    await client.nextText();
    client.destroy();
    await server.until(() => left() > before, 'the hook');
    await server.metricUntil('connections', (count) => count === 0);
    assert.strictEqual(left(), before + 1);
  });

  it('keeps what the client sends meanwhile, in its order, up to the limit of the inbox', async () => {
    const paused = await server.metric('inbox_full_total');
    const client = await knock('slow', { more: '&seconds=0.1' });
    for (let i = 0; i < 20; i += 1) client.json({ action: 'ask', payload: `${i}` });
    assert.strictEqual(await client.nextText(), OK);
    assert.strictEqual(await client.nextText(), '{"action":"welcome","payload":{"user":"slow"}}');
    for (let i = 0; i < 20; i += 1) assert.strictEqual((await client.nextJson()).payload, `${i} of slow`);
    assert.ok(await server.metric('inbox_full_total') > paused);
  });

  it('has its client in no group and as nobody\'s until it has ended', async () => {
    const other = await knock('text');
    await other.nextText();
    await other.nextText();
    const client = await knock('slow', { more: '&seconds=0.15' });
    assert.deepStrictEqual(await ask(other, 'count'), { inside: 1, slow: 0, ann: 1 });
    await client.nextText();
    await client.nextText();
    assert.deepStrictEqual(await ask(other, 'count'), { inside: 2, slow: 1, ann: 1 });
  });

  it('ends with a client that does not wait for it', async () => {
    for (const leave of [(client) => client.close(1000), (client) => client.reset()]) {
      const client = await knock('slow', { more: '&seconds=0.1' });
      await server.metricUntil('tasks', (count) => count === 1);
      leave(client);
      await server.metricUntil('connections', (count) => count === 0);
      assert.strictEqual(await server.metric('tasks'), 0);
      assert.deepStrictEqual(client.queue.filter(({ opcode }) => opcode === 'text'), []);
    }
  });

  it('writes names in camel case for a consumer that does', async () => {
    const client = await knock('text', { path: '/ws/camel_door' });
    assert.strictEqual(await client.nextText(), '{"action":"authentication","payload":{"statusCode":200,"statusText":"OK"}}');
  });

  it('sends no frames when the consumer wants none: the code of the close says it', async () => {
    const inside = await knock('text', { path: '/ws/quiet' });
    assert.strictEqual(await inside.nextText(), '{"action":"welcome","payload":{"user":"ann"}}');
    for (const [who, code] of [['missing', 4404], ['raises', 1011], ['late', 4408]]) {
      const client = await knock(who, { path: '/ws/quiet' });
      assert.strictEqual((await client.nextClose()).code, code);
    }
  });

  it('is told the request', async () => {
    const client = await RawClient.open(server.port, '/ws/request/lobby/7?a=1&b=%C3%A9', {
      headers: { 'X-Token': 't', Cookie: 'session=abc; theme=dark' } });
    clients.push(client);
    assert.deepStrictEqual((await client.nextJson()).payload, {
      path: '/ws/request/lobby/7', params: { room: 'lobby', number: 7 }, query: { a: '1', b: 'é' }, token: 't',
      cookies: { session: 'abc', theme: 'dark' }, has_peer: true, keys: 'cookies headers params path peer query',
    });
  });

  it('that is not there leaves conn.user nil, and sends nothing', async () => {
    const client = await RawClient.open(server.port, '/ws/open');
    clients.push(client);
    assert.strictEqual(await ask(client, 'x'), 'nil');
  });

  it('guards consumers of plain text by the code of the close alone', async () => {
    const refused = await RawClient.open(server.port, '/ws/text');
    assert.deepStrictEqual(await refused.nextClose(), { code: 4401, reason: 'Unauthorized' });
    const client = await RawClient.open(server.port, '/ws/text?user=ann');
    clients.push(refused, client);
    client.text('hi');
    assert.strictEqual(await client.nextText(), 'user ann');
  });
});

describe('a crowd that waits', () => {
  const CROWD = 300;

  it('is in nobody\'s way, and ends by its timeout, all of it', async () => {
    const server = await Server.start('groups', { args: ['--authentication-timeout-ms', '5000', '--log-level', 'error'] });
    const other = await RawClient.open(server.port, '/ws/open');
    const answered = async () => {
      other.json({ action: 'ask', payload: 'x' });
      return (await other.nextJson()).payload;
    };
    const crowd = await Promise.all(Array.from({ length: CROWD }, () => RawClient.open(server.port, '/ws/door?who=late')));
    for (const client of crowd) client.json({ action: 'ask', payload: 'x' });
    await server.metricUntil('tasks', (count) => count === CROWD);
    assert.strictEqual(await answered(), 'nil');
    assert.strictEqual(await server.metric('group_memberships'), 0);
    for (const client of crowd) {
      assert.strictEqual(await client.nextText(), authentication(401, 'Unauthorized'));
      assert.deepStrictEqual(await client.nextClose(), { code: 4408, reason: 'authentication took too long' });
      client.destroy();
    }
    assert.strictEqual(await server.metric('authentication_timeouts_total'), CROWD);
    await server.metricUntil('connections', (count) => count === 1);
    assert.strictEqual(await server.metric('tasks'), 0);
    assert.strictEqual(await server.metric('inbox_messages'), 0);
    assert.strictEqual(await answered(), 'nil');
    other.destroy();
    await server.stop();
  });
});

describe('a server that goes away', () => {
  it('waits for no authenticator', async () => {
    const server = await Server.start('groups', { args: ['--drain-seconds', '30'] });
    const client = await RawClient.open(server.port, '/ws/door?who=slow&seconds=20');
    await server.metricUntil('tasks', (count) => count === 1);
    server.signal('SIGTERM');
    assert.strictEqual((await client.nextClose()).code, 1001);
    client.close(1001);
    await client.end();
    assert.deepStrictEqual(await server.ended(), { code: 0, signal: null });
    server.checkSanitizers();
  });
});
