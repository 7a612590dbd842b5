// Before the upgrade: who is let in, who is told what, and what a handler sees of the request.

import assert from 'node:assert';
import fs from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { RawClient, frame } from '../support/raw.js';
import { Server } from '../support/server.js';

describe('an upgrade', () => {
  let server;
  before(async () => { server = await Server.start('wire'); });
  after(() => server.stop());

  // Upgrades and reads the refusal; TCP must end after it.
  const refusal = async (target, headers) => {
    const client = await RawClient.connect(server.port);
    const answer = await client.upgrade(target, { headers });
    assert.notStrictEqual(answer.status, 101, `${target} ${JSON.stringify(headers)} was let in`);
    assert.match(answer.headers['content-type'], /^application\/json\b/);
    const body = JSON.parse(answer.body);
    assert.strictEqual(typeof body.detail, 'string');
    assert.ok(body.detail.length > 0);
    await client.end();
    return answer;
  };

  it('of a path without a consumer is refused with 404', async () => {
    for (const target of ['/', '/ws', '/ws/nobody', '/ws/echo/', '/ws/echo/more', '/WS/ECHO', '/ws/rooms/a/b'])
      assert.strictEqual((await refusal(target)).status, 404, target);
  });

  it('in another version of the protocol is refused with 426 and the version that is spoken', async () => {
    for (const version of ['8', '0', '12', '14', '013', '13, 8']) {
      const answer = await refusal('/ws/echo', { 'Sec-WebSocket-Version': version });
      assert.strictEqual(answer.status, 426, version);
      assert.strictEqual(answer.headers['sec-websocket-version'], '13');
    }
  });

  it('with a key that is not 16 bytes in base64 is refused with 400', async () => {
    for (const key of ['short', 'AAAAAAAAAAAAAAAAAAAAAA', 'AAAAAAAAAAAAAAAAAAAAAAA=', 'AAAAAAAAAAAAAAAAAAAAA*==',
                       `${'A'.repeat(30)}==`])
      assert.strictEqual((await refusal('/ws/echo', { 'Sec-WebSocket-Key': key })).status, 400, key);
  });

  it('is what a consumer asks for when it is sent a plain GET', async () => {
    const answer = await server.http('/ws/echo');
    assert.strictEqual(answer.status, 426);
    assert.strictEqual(typeof JSON.parse(answer.body).detail, 'string');
  });

  it('is counted when it is refused', async () => {
    const earlier = await server.metric('handshakes_refused_total');
    await refusal('/ws/nobody');
    assert.strictEqual(await server.metric('handshakes_refused_total'), earlier + 1);
  });

  it('may have a head of 15 kB', async () => {
    const client = await RawClient.open(server.port, '/ws/request', { headers: { 'X-Long': 'x'.repeat(15000) } });
    client.destroy();
  });

  it('with a head of 64 kB is dropped, and nobody else notices', async () => {
    const other = await RawClient.open(server.port, '/ws/echo');
    const client = await RawClient.connect(server.port);
    client.write(Buffer.from(RawClient.head('/ws/echo', { 'X-Long': 'x'.repeat(65536) }).text));
    await client.end();
    assert.ok(!client.unread.toString().startsWith('HTTP/1.1 101'));
    other.text('{"action":"ping"}');
    assert.strictEqual(await other.nextText(), '{"action":"pong"}');
    other.destroy();
  });

  it('may come one byte at a time', async () => {
    const client = await RawClient.connect(server.port);
    await client.writeByteByByte(Buffer.from(RawClient.head('/ws/echo').text));
    assert.strictEqual((await client.httpAnswer()).status, 101);
    client.text('{"action":"ping"}');
    assert.strictEqual(await client.nextText(), '{"action":"pong"}');
    client.destroy();
  });

  it('may bring the first message in the same segment', async () => {
    const client = await RawClient.connect(server.port);
    client.write(Buffer.concat([Buffer.from(RawClient.head('/ws/echo').text),
                                frame('text', '{"action":"ping"}')]));
    assert.strictEqual((await client.httpAnswer()).status, 101);
    assert.strictEqual(await client.nextText(), '{"action":"pong"}');
    client.destroy();
  });

  it('that is no HTTP at all harms nobody', async () => {
    for (const bytes of [Buffer.from('\r\n\r\n\r\n'), Buffer.from('GET\r\n\r\n'), Buffer.from([0x16, 3, 1, 2, 0, 1, 0]),
                         Buffer.alloc(1000, 0xff), Buffer.from('GET /ws/echo HTTP/1.1\r\n')]) {
      const client = await RawClient.connect(server.port);
      client.write(bytes);
      client.halfClose();
      await client.end();
    }
    assert.strictEqual((await server.http('/healthz')).status, 200);
  });
});

describe('a request', () => {
  let server;
  before(async () => { server = await Server.start('wire'); });
  after(() => server.stop());

  const show = async (target, ask = {}, headers = {}) => {
    const client = await RawClient.open(server.port, target, { headers });
    client.json({ action: 'show', payload: ask });
    const { action, payload } = await client.nextJson();
    assert.strictEqual(action, 'shown');
    const { localPort } = client.socket;
    client.destroy();
    return { ...payload, localPort };
  };
  const status = async (target) => {
    const client = await RawClient.connect(server.port);
    const answer = await client.upgrade(target);
    client.destroy();
    return answer.status;
  };

  it('has parameters that are any text of a segment', async () => {
    const seen = await show('/ws/rooms/the-room.1');
    assert.strictEqual(seen.room_name, 'the-room.1');
    assert.strictEqual(seen.path, '/ws/rooms/the-room.1');
    assert.strictEqual((await show('/ws/rooms/caf%C3%A9%20%F0%9F%98%80')).room_name, 'café 😀');
  });

  it('finds a literal segment before a parameter', async () => {
    assert.strictEqual((await show('/ws/rooms/lobby')).room_name, undefined);
  });

  it('has integers that are integers', async () => {
    const seen = await show('/ws/orders/42');
    assert.strictEqual(seen.param_id, 42);
    assert.strictEqual(seen.id_type, 'integer');
    assert.strictEqual((await show('/ws/orders/-7')).param_id, -7);
    for (const id of ['x', '1.5', '0x10', '9223372036854775808', '1e3', '%20']) assert.strictEqual(await status(`/ws/orders/${id}`), 404, id);
  });

  it('has slugs', async () => {
    assert.strictEqual((await show('/ws/posts/My-first_post-2')).slug, 'My-first_post-2');
    for (const slug of ['a.b', 'a%20b', 'caf%C3%A9']) assert.strictEqual(await status(`/ws/posts/${slug}`), 404, slug);
  });

  it('has UUIDs', async () => {
    const id = '123e4567-e89b-12d3-a456-426614174000';
    assert.strictEqual((await show(`/ws/objects/${id}`)).param_id, id);
    for (const bad of ['123e4567', `${id}0`, id.replace(/-/g, ''), id.replace('1', 'g')])
      assert.strictEqual(await status(`/ws/objects/${bad}`), 404, bad);
  });

  it('has the rest of a path, slashes included', async () => {
    assert.strictEqual((await show('/ws/files/a/b/c.txt')).rest, 'a/b/c.txt');
    assert.strictEqual(await status('/ws/files/'), 404);
  });

  it('has several parameters', async () => {
    const seen = await show('/ws/pairs/one/2');
    assert.deepStrictEqual([seen.first, seen.second], ['one', 2]);
  });

  it('is decoded once and never twice', async () => {
    assert.strictEqual((await show('/ws/files/a%2Fb')).rest, 'a/b');
    assert.strictEqual((await show('/ws/rooms/%2541')).room_name, '%41');
    assert.strictEqual((await show('/ws/rooms/%41')).room_name, 'A');
    assert.strictEqual(await status('/ws/rooms/a%2Fb'), 404);
  });

  it('has a query, decoded', async () => {
    assert.strictEqual((await show('/ws/request?page=2&q=a%20b+c&empty=', { query: 'page' })).query, '2');
    assert.strictEqual((await show('/ws/request?page=2&q=a%26b', { query: 'q' })).query, 'a&b');
    assert.strictEqual((await show('/ws/request?q=caf%C3%A9', { query: 'q' })).query, 'café');
    assert.strictEqual((await show('/ws/request?page=2', { query: 'other' })).query, undefined);
    assert.strictEqual((await show('/ws/request', { query: 'page' })).query, undefined);
  });

  it('has the common headers and those that its consumer names', async () => {
    const headers = { 'User-Agent': 'spec/1.0', 'X-Request-Id': 'r-1', 'X-Other': 'o' };
    assert.strictEqual((await show('/ws/request', { header: 'user-agent' }, headers)).header, 'spec/1.0');
    assert.strictEqual((await show('/ws/request', { header: 'x-request-id' }, headers)).header, 'r-1');
    assert.strictEqual((await show('/ws/request', { header: 'x-request-id' })).header, undefined);
  });

  it('has cookies', async () => {
    const headers = { Cookie: 'session=abc123; theme="dark"; empty=' };
    assert.strictEqual((await show('/ws/request', { cookie: 'session' }, headers)).cookie, 'abc123');
    assert.strictEqual((await show('/ws/request', { cookie: 'none' }, headers)).cookie, undefined);
    assert.strictEqual((await show('/ws/request', { cookie: 'session' })).cookie, undefined);
  });

  it('has the address of its peer, and an id of its own', async () => {
    const one = await show('/ws/request');
    assert.strictEqual(one.peer, `127.0.0.1:${one.localPort}`);
    assert.notStrictEqual(one.id, (await show('/ws/request')).id);
  });
});

describe('the listener', () => {
  // The addresses on which `port` is bound, by the kernel's own table: hex, as it prints them.
  const bound = (port) => {
    const found = [];
    for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
      if (!fs.existsSync(table)) continue;
      for (const line of fs.readFileSync(table, 'utf8').split('\n').slice(1)) {
        const [, local, , state] = line.trim().split(/\s+/);
        if (state !== '0A') continue;
        const [address, hex] = local.split(':');
        if (parseInt(hex, 16) === port) found.push(address);
      }
    }
    return found;
  };

  it('is bound to the address that was asked for and to no other', async () => {
    for (const [host, addresses] of [['127.0.0.1', ['0100007F']], ['127.0.0.2', ['0200007F']]]) {
      const server = await Server.start('wire', { args: ['--host', host] });
      try {
        assert.strictEqual(server.host, host);
        assert.deepStrictEqual(bound(server.port), addresses);
      } finally {
        await server.stop();
      }
    }
  });

  it('refuses upgrades with 503 when the gateway is full', async () => {
    const server = await Server.start('wire', { args: ['--max-connections', '2'] });
    try {
      const clients = [await RawClient.open(server.port, '/ws/echo'), await RawClient.open(server.port, '/ws/echo')];
      const third = await RawClient.connect(server.port);
      assert.strictEqual((await third.upgrade('/ws/echo')).status, 503);
      await third.end();
      assert.strictEqual(await server.metric('connections_refused_total'), 1);
      clients[0].close(1000);
      await clients[0].end();
      await server.metricUntil('connections', (value) => value === 1);
      clients.push(await RawClient.open(server.port, '/ws/echo'));
      clients.forEach((client) => client.destroy());
    } finally {
      await server.stop();
    }
  });
});
