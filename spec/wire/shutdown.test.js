// How the gateway leaves: clients are told, what is queued goes out, hooks run, nothing hangs.

import assert from 'node:assert';
import net from 'node:net';
import { afterEach, describe, it } from 'node:test';
import { RawClient } from '../support/raw.js';
import { Server } from '../support/server.js';

let running = null;

const start = async (...args) => {
  running = await Server.start('wire', { args });
  return running;
};

// Whether somebody listens on the port.
const isOpen = (port) => new Promise((resolve) => {
  const socket = net.connect({ port, host: '127.0.0.1' });
  socket.on('connect', () => { socket.destroy(); resolve(true); });
  socket.on('error', () => resolve(false));
});

describe('SIGTERM', () => {
  afterEach(async () => {
    if (running && !running.exit) await running.forceEnd(); // a spec has failed
  });

  it('tells every client 1001, runs every hook, and ends with 0', async () => {
    const server = await start();
    const clients = await Promise.all(['/ws/echo', '/ws/echo', '/ws/strict'].map((target) => RawClient.open(server.port, target)));
    server.signal('SIGTERM');
    for (const client of clients) {
      assert.strictEqual((await client.nextClose()).code, 1001);
      client.close(1001);
      await client.end();
    }
    assert.deepStrictEqual(await server.ended(), { code: 0, signal: null });
    server.checkSanitizers();
    const hooks = server.records().filter(({ hook }) => hook === 'disconnected');
    assert.deepStrictEqual(hooks.map(({ consumer, code }) => `${consumer} ${code}`).sort(),
                           ['echo 1001', 'echo 1001', 'strict 1001']);
  });

  it('is what SIGINT is', async () => {
    const server = await start();
    const client = await RawClient.open(server.port, '/ws/echo');
    server.signal('SIGINT');
    assert.strictEqual((await client.nextClose()).code, 1001);
    client.close(1001);
    assert.deepStrictEqual(await server.ended(), { code: 0, signal: null });
    server.checkSanitizers();
  });

  it('ends a gateway without clients at once', async () => {
    const server = await start('--drain-seconds', '60');
    await server.stop();
  });

  it('ends a gateway whose clients have said nothing yet', async () => {
    const server = await start('--drain-seconds', '1');
    const silent = await RawClient.connect(server.port);
    const partial = await RawClient.connect(server.port);
    partial.write(Buffer.from('GET /ws/echo HTTP/1.1\r\n'));
    await server.metric('connections'); // by now both have been accepted
    await server.stop();
    await silent.end();
    await partial.end();
  });

  it('flushes what is queued before the 1001', async () => {
    const server = await start('--outbox-high-water-bytes', '16777216', '--outbox-max-bytes', '33554432');
    const client = await RawClient.open(server.port, '/ws/echo');
    client.stall();
    for (let number = 0; number < 24; number += 1) client.json({ action: 'blob', payload: { bytes: 262144, number } });
    await server.metricUntil('messages_received_total', (value) => value === 24);
    server.signal('SIGTERM');
    client.resume();
    for (let number = 0; number < 24; number += 1) assert.strictEqual((await client.nextJson()).payload.number, number);
    assert.strictEqual((await client.nextClose()).code, 1001);
    client.close(1001);
    await client.end();
    assert.deepStrictEqual(await server.ended(), { code: 0, signal: null });
    server.checkSanitizers();
  });

  it('stops listening while clients are still being told', async () => {
    const server = await start('--close-timeout-ms', '10000', '--drain-seconds', '60');
    const client = await RawClient.open(server.port, '/ws/echo');
    server.signal('SIGTERM');
    assert.strictEqual((await client.nextClose()).code, 1001);
    assert.strictEqual(server.exit, null);
    assert.strictEqual(await isOpen(server.port), false);
    client.close(1001);
    await client.end();
    assert.deepStrictEqual(await server.ended(), { code: 0, signal: null });
    server.checkSanitizers();
  });

  it('waits no longer than drain_seconds for clients that never answer', async () => {
    const server = await start('--close-timeout-ms', '10000', '--drain-seconds', '1');
    const client = await RawClient.open(server.port, '/ws/echo');
    server.signal('SIGTERM');
    assert.strictEqual((await client.nextClose()).code, 1001);
    const since = Date.now();
    assert.deepStrictEqual(await server.ended(), { code: 0, signal: null });
    assert.ok(Date.now() - since < 9000, 'the close timeout was waited for');
    await client.end();
    const hooks = server.records().filter(({ hook }) => hook === 'disconnected');
    assert.strictEqual(hooks.length, 1);
    server.checkSanitizers();
  });

  it('waits no longer than drain_seconds for clients that do not read', async () => {
    const server = await start('--drain-seconds', '1');
    const client = await RawClient.open(server.port, '/ws/echo');
    client.stall();
    for (let number = 0; number < 100; number += 1) client.json({ action: 'blob', payload: { bytes: 262144, number } });
    await server.metricUntil('outbox_bytes', (value) => value > 0);
    await server.stop();
    client.destroy();
  });

  it('sent twice ends at once, and no hook runs any more', async () => {
    const server = await start('--close-timeout-ms', '10000', '--drain-seconds', '60');
    const client = await RawClient.open(server.port, '/ws/echo');
    server.signal('SIGTERM');
    assert.strictEqual((await client.nextClose()).code, 1001);
    const since = Date.now();
    server.signal('SIGTERM');
    await server.ended();
    assert.ok(Date.now() - since < 9000, 'the drain was waited for');
    await client.end();
    assert.deepStrictEqual(server.records().filter(({ hook }) => hook === 'disconnected'), []);
    server.checkSanitizers();
  });
});
