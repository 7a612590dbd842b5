// Who may open a connection, header by header: what only bytes can show. spec/kit/upgrade_spec.lua has the rest.

import assert from 'node:assert';
import { after, before, describe, it } from 'node:test';
import { RawClient } from '../support/raw.js';
import { Server } from '../support/server.js';

const SELF = 'http://gate.example';

describe('an upgrade', () => {
  let server;
  before(async () => { server = await Server.start('upgrade', { args: ['--trusted-proxies', '127.0.0.1', '--login-attempts', '0'] }); });
  after(() => server.stop());

  // The head as a client writes it, with lines of our own, whatever their order and number.
  const ask = async (target, ...lines) => {
    const client = await RawClient.connect(server.port);
    const { text } = RawClient.head(target, { Host: 'gate.example' });
    client.write(Buffer.from(text.replace(/\r\n\r\n$/, `\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`)));
    const answer = await client.httpAnswer();
    return { client, answer, status: answer.status };
  };
  const status = async (...asked) => {
    const asking = await ask(...asked);
    asking.client.destroy();
    return asking.status;
  };
  const seen = async (...asked) => {
    const { client, answer } = await ask(...asked);
    assert.strictEqual(answer.status, 101, JSON.stringify(asked));
    const { payload } = await client.nextJson();
    client.destroy();
    return { ...payload, answered: answer.headers['sec-websocket-protocol'] };
  };

  it('with two headers Origin is refused, whatever they say', async () => {
    assert.strictEqual(await status('/ws/plain', `Origin: ${SELF}`), 101);
    assert.strictEqual(await status('/ws/plain', `Origin: ${SELF}`, `Origin: ${SELF}`), 403);
    assert.strictEqual(await status('/ws/plain', `Origin: ${SELF}`, 'Origin: http://evil.example'), 403);
    assert.strictEqual(await status('/ws/plain', 'Origin:'), 403);
    assert.strictEqual(await status('/ws/plain', 'Origin : http://evil.example', `Origin: ${SELF}`), 101);
  });

  it('of a page is refused where there is no one Host to compare with', async () => {
    const client = await RawClient.connect(server.port);
    const { text } = RawClient.head('/ws/plain', { Host: 'gate.example', Origin: SELF });
    client.write(Buffer.from(text.replace('Host: gate.example\r\n', 'Host: gate.example\r\nHost: evil.example\r\n')));
    assert.notStrictEqual((await client.httpAnswer()).status, 101);
    client.destroy();
  });

  it('names no subprotocol in its answer unless one was agreed on', async () => {
    assert.strictEqual((await seen('/ws/spoken', 'Sec-WebSocket-Protocol: chat.v1, chat.v2')).answered, 'chat.v2');
    assert.strictEqual((await seen('/ws/spoken', 'Sec-WebSocket-Protocol: wamp')).answered, undefined);
    assert.strictEqual((await seen('/ws/plain', 'Sec-WebSocket-Protocol: chat.v1')).answered, undefined);
    assert.strictEqual((await seen('/ws/spoken')).answered, undefined);
    assert.strictEqual((await seen('/ws/spoken', 'Sec-WebSocket-Protocol: wamp', 'Sec-WebSocket-Protocol: chat.v1'))
      .answered, 'chat.v1');
  });

  it('agrees on the subprotocol of its own consumer when many come at once', async () => {
    const offers = ['chat.v1', 'chat.v2', 'wamp', 'chat.v1, wamp', 'wamp, chat.v2'];
    const agreed = ['chat.v1', 'chat.v2', undefined, 'chat.v1', 'chat.v2'];
    const all = await Promise.all([...Array(100).keys()].map((i) =>
      seen('/ws/spoken', `Sec-WebSocket-Protocol: ${offers[i % offers.length]}`)));
    for (const [i, { answered, more }] of all.entries()) {
      assert.strictEqual(answered, agreed[i % agreed.length]);
      assert.strictEqual(more.subprotocol, agreed[i % agreed.length]);
    }
  });

  it('knows the client from all the lines of X-Forwarded-For together', async () => {
    assert.strictEqual((await seen('/ws/plain', 'X-Forwarded-For: 198.51.100.1', 'X-Forwarded-For: 203.0.113.9')).peer,
                       '203.0.113.9');
    assert.strictEqual((await seen('/ws/plain', 'X-Forwarded-For: 203.0.113.9', 'X-Forwarded-For: 127.0.0.1')).peer,
                       '203.0.113.9');
    assert.strictEqual((await seen('/ws/plain', 'Forwarded: for=203.0.113.9')).peer, '127.0.0.1');
  });

  it('that fails behind its grant costs nothing', async () => {
    // An extension that the library cannot read ends the handshake after we have let it in.
    for (let i = 0; i < 20; i += 1) {
      const client = await RawClient.connect(server.port);
      const { text } = RawClient.head('/ws/plain', { 'Sec-WebSocket-Extensions': 'x'.repeat(300) });
      client.write(Buffer.from(text));
      client.halfClose();
      await client.end();
    }
    assert.strictEqual(await status('/ws/plain'), 101);
    await server.metricUntil('connections', (value) => value === 0);
  });

  it('of another origin is logged once, however many come, with what to do', async () => {
    const refused = await server.metric('origins_refused_total');
    for (let i = 0; i < 10; i += 1) await status('/ws/plain', 'Origin: http://evil.example');
    assert.strictEqual(await server.metric('origins_refused_total'), refused + 10);
    const lines = server.records().filter(({ event }) => event === 'origin_refused');
    assert.ok(lines.length >= 1 && lines.length <= 2, `${lines.length} lines`);
    assert.strictEqual(lines[0].host, 'gate.example');
  });

  it('logs nothing of what could be a secret', async () => {
    await seen('/ws/plain?token=HUSH', 'Cookie: sid=HUSH', 'Authorization: Bearer HUSH');
    await status('/ws/admitting/raising?token=HUSH', 'Cookie: sid=HUSH', 'Authorization: Bearer HUSH');
    assert.ok(!server.lines().join('\n').includes('HUSH'));
  });
});
