// For how long a client stays who it is: until its credential ends, is taken back, or is guessed too often. The
// application is spec/support/apps/credentials. Real time passes here, so nothing is said of how fast: an end
// comes not before it may, and comes.

import assert from 'node:assert';
import { after, afterEach, before, describe, it } from 'node:test';
import { RawClient } from '../support/raw.js';
import { Server } from '../support/server.js';

const authentication = (status, text, detail) => ({
  action: 'authentication',
  payload: { status_code: status, status_text: text, ...(detail ? { data: { detail } } : {}) },
});
const OK = authentication(200, 'OK');

let server;
let clients = [];

const start = (...args) => Server.start('credentials', { args: ['--login-attempts', '0', ...args] });

const knock = async (target, headers = {}) => {
  const client = await RawClient.open(server.port, target, { headers });
  clients.push(client);
  return client;
};

const enter = async (target) => {
  const client = await knock(target);
  assert.deepStrictEqual(await client.nextJson(), OK);
  return client;
};

const ask = async (client, action, payload) => {
  client.json({ action, payload });
  return (await client.nextJson()).payload;
};

const ban = async (text) => {
  const desk = await knock('/ws/desk');
  const count = await ask(desk, 'ban', text);
  desk.destroy();
  return count;
};

const renew = (client, token, more = {}) => client.json({ action: 'authenticate', payload: { token }, ...more });

const leave = async () => {
  for (const client of clients.splice(0)) client.destroy();
  await server.metricUntil('connections', (count) => count === 0);
  assert.strictEqual(await server.metric('tasks'), 0);
};

describe('a credential', () => {
  before(async () => { server = await start('--authentication-timeout-ms', '100'); });
  after(() => server.stop());
  afterEach(leave);

  it('ends its connection when it expires, not before', async () => {
    const expired = await server.metric('credentials_expired_total');
    const began = Date.now();
    const client = await enter('/ws/door?token=ann:0.4');
    assert.deepStrictEqual(await client.nextClose(), { code: 4401, reason: 'expired' });
    assert.ok(Date.now() - began >= 400);
    assert.strictEqual(await server.metric('credentials_expired_total'), expired + 1);
    await server.record(({ event, consumer }) => event === 'credential_expired' && consumer === 'door', 'the line');
  });

  it('is put up with for the grace of its consumer', async () => {
    const began = Date.now();
    const client = await enter('/ws/patient?token=ann:0.3');
    assert.deepStrictEqual(await client.nextClose(), { code: 4401, reason: 'expired' });
    assert.ok(Date.now() - began >= 800);
  });

  it('that is renewed in time ends with the new one', async () => {
    const began = Date.now();
    const client = await enter('/ws/door?token=ann:5');
    renew(client, 'ann:0.3', { ref: 7 });
    assert.deepStrictEqual(await client.nextJson(), { ...OK, ref: 7 });
    assert.deepStrictEqual(await ask(client, 'who'), { id: 'ann', token: 'ann:0.3' });
    renew(client, 'ann:0.6');
    assert.deepStrictEqual(await client.nextJson(), OK);
    assert.deepStrictEqual(await client.nextClose(), { code: 4401, reason: 'expired' });
    const passed = Date.now() - began;
    assert.ok(passed >= 600 && passed < 4500, `${passed} ms`);
    assert.strictEqual(await server.metric('credentials_renewed_total'), 2);
  });

  it('that is renewed for ever does not end', async () => {
    const client = await enter('/ws/door?token=ann:0.4');
    renew(client, 'ann');
    assert.deepStrictEqual(await client.nextJson(), OK);
    assert.strictEqual(await ask(client, 'nap', 0.6), 'slept');
  });

  it('stays what it is when a renewal is refused, another\'s, or late', async () => {
    const client = await enter('/ws/door?token=ann:1.2');
    await ban('eve');
    renew(client, '!');
    assert.deepStrictEqual(await client.nextJson(), authentication(401, 'Unauthorized', 'The token is not valid'));
    renew(client, 'bob');
    assert.deepStrictEqual(await client.nextJson(), authentication(403, 'Forbidden', 'This credential is another user\'s'));
    renew(client, 'eve');
    assert.deepStrictEqual(await client.nextJson(), authentication(403, 'Forbidden', 'Banned'));
    renew(client, 'slow');
    assert.deepStrictEqual(await client.nextJson(), authentication(401, 'Unauthorized'));
    assert.deepStrictEqual(await ask(client, 'who'), { id: 'ann', token: 'ann:1.2' });
    assert.deepStrictEqual(await client.nextClose(), { code: 4401, reason: 'expired' });
  });

  it('is renewed beside a handler that waits', async () => {
    const client = await enter('/ws/door?token=ann:0.4');
    client.json({ action: 'nap', payload: 0.6 });
    renew(client, 'ann:9');
    assert.deepStrictEqual(await client.nextJson(), OK);
    assert.strictEqual((await client.nextJson()).payload, 'slept');
  });

  it('is renewed without a word where the consumer sends no frames', async () => {
    const client = await knock('/ws/open?token=ann:0.3');
    renew(client, 'ann:0.6');
    assert.deepStrictEqual(await ask(client, 'who'), { id: 'ann', token: 'ann:0.6' });
    assert.deepStrictEqual(await client.nextClose(), { code: 4401, reason: 'expired' });
  });
});

describe('reauthenticate_seconds', () => {
  before(async () => { server = await start(); });
  after(() => server.stop());
  afterEach(leave);

  it('lets stay who still may, without a word', async () => {
    const client = await enter('/ws/watched?token=ann');
    const asked = await server.metric('credentials_asked_again_total');
    await server.metricUntil('credentials_asked_again_total', (count) => count >= asked + 3);
    assert.deepStrictEqual(await ask(client, 'who'), { id: 'ann', token: 'ann' });
  });

  it('sends away who may not any more, and says why', async () => {
    const client = await enter('/ws/watched?token=bob');
    await ban('bob');
    assert.deepStrictEqual(await client.nextJson(), authentication(403, 'Forbidden', 'Banned'));
    assert.deepStrictEqual(await client.nextClose(), { code: 4403, reason: 'Forbidden' });
    await ban('bob:lift');
    await enter('/ws/watched?token=bob');
  });

  it('sends away about whom nothing can be said', async () => {
    const client = await enter('/ws/watched?token=cat');
    await ban('cat:raise');
    assert.deepStrictEqual(await client.nextJson(), authentication(500, 'Internal Server Error'));
    assert.deepStrictEqual(await client.nextClose(), { code: 1011, reason: 'the credential could not be checked' });
  });
});

describe('a user', () => {
  before(async () => { server = await start(); });
  after(() => server.stop());
  afterEach(leave);

  it('can be sent away, with all connections and no other, and come again unless somebody minds', async () => {
    const anns = [await enter('/ws/door?token=ann'), await enter('/ws/patient?token=ann:60')];
    const bob = await enter('/ws/door?token=bob');
    assert.strictEqual(await ban('ann:kick'), 2);
    for (const ann of anns) assert.deepStrictEqual(await ann.nextClose(), { code: 4401, reason: 'logged out' });
    assert.deepStrictEqual(await ask(bob, 'who'), { id: 'bob', token: 'bob' });
    const again = await knock('/ws/door?token=ann');
    assert.strictEqual((await again.nextJson()).payload.status_code, 403);
    await ban('ann:lift');
    await enter('/ws/door?token=ann');
  });

  it('is not sent away before being let in', async () => {
    const client = await knock('/ws/door?token=slow');
    await server.metricUntil('tasks', (count) => count === 1);
    assert.strictEqual(await ban('slow:kick'), 0);
    assert.deepStrictEqual(await client.nextJson(), OK);
  });
});

describe('login attempts', () => {
  before(async () => {
    server = await Server.start('credentials', { args: ['--login-attempts', '3', '--trusted-proxies', '127.0.0.1'] });
  });
  after(() => server.stop());
  afterEach(leave);

  const from = (address) => ({ 'X-Forwarded-For': address });

  // The status of the answer, or of the frame.
  const attempt = async (token, address) => {
    const client = await RawClient.connect(server.port);
    clients.push(client);
    const { status, headers, body } = await client.upgrade(`/ws/door?token=${token}`, { headers: from(address) });
    if (status !== 101) return { status, headers, body };
    return { status: (await client.nextJson()).payload.status_code };
  };

  it('are limited for each address, before the upgrade, whoever comes from there then', async () => {
    for (let i = 0; i < 3; i += 1) assert.strictEqual((await attempt('!', '203.0.113.1')).status, 401);
    const { status, headers, body } = await attempt('ann', '203.0.113.1');
    assert.strictEqual(status, 429);
    assert.match(headers['retry-after'], /^\d+$/);
    assert.deepStrictEqual(JSON.parse(body), { detail: 'Too many attempts to log in' });
    assert.strictEqual((await attempt('ann', '203.0.113.2')).status, 200);
  });

  it('are neither successes nor what is forbidden', async () => {
    await ban('eve');
    for (let i = 0; i < 6; i += 1) assert.strictEqual((await attempt('ann', '203.0.113.3')).status, 200);
    for (let i = 0; i < 6; i += 1) assert.strictEqual((await attempt('eve', '203.0.113.3')).status, 403);
    assert.strictEqual((await attempt('ann', '203.0.113.3')).status, 200);
  });

  it('are those too that a client makes by renewing', async () => {
    const client = await knock('/ws/door?token=ann', from('203.0.113.4'));
    assert.deepStrictEqual(await client.nextJson(), OK);
    for (let i = 0; i < 3; i += 1) {
      renew(client, '!');
      assert.strictEqual((await client.nextJson()).payload.status_code, 401);
    }
    assert.strictEqual((await attempt('ann', '203.0.113.4')).status, 429);
  });

  it('have one limit for the network of an address of IPv6', async () => {
    for (let i = 1; i < 4; i += 1) assert.strictEqual((await attempt('!', `2001:db8:1:2::${i}`)).status, 401);
    assert.strictEqual((await attempt('ann', '2001:db8:1:2:ffff::1')).status, 429);
    assert.strictEqual((await attempt('ann', '2001:db8:1:3::1')).status, 200);
  });
});
