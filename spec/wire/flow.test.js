// Silence and slowness: heartbeats, clients that do not read, limits of what is kept for them.

import assert from 'node:assert';
import { after, before, describe, it } from 'node:test';
import { Journal } from '../support/journal.js';
import { RawClient } from '../support/raw.js';
import { Server } from '../support/server.js';

describe('the heartbeat', () => {
  let server;
  before(async () => {
    server = await Server.start('wire', { args: ['--heartbeat-seconds', '1', '--heartbeat-timeout-seconds', '1'] });
  });
  after(() => server.stop());

  it('pings a client that is silent, and one that answers lives', async () => {
    const client = await RawClient.open(server.port, '/ws/echo');
    for (let round = 0; round < 3; round += 1)
      assert.strictEqual((await client.nextFrame({ without: [] })).opcode, 'ping');
    client.text('{"action":"ping"}');
    assert.strictEqual(await client.nextText(), '{"action":"pong"}');
    client.destroy();
  });

  it('drops a client that does not answer, and `disconnected` hears 1006', async () => {
    const journal = await Journal.open(server.port); // it answers its pings, so it lives
    const earlier = await server.metric('heartbeat_timeouts_total');
    const client = await RawClient.open(server.port, '/ws/echo', { answersPings: false });
    assert.strictEqual((await client.nextFrame({ without: [] })).opcode, 'ping');
    await client.end();
    const { consumer, code, count } = await journal.ended();
    assert.deepStrictEqual([consumer, code, count], ['echo', 1006, 1]);
    assert.strictEqual(await server.metric('heartbeat_timeouts_total'), earlier + 1);
    journal.close();
  });

  it('takes any word of the client for an answer', async () => {
    const client = await RawClient.open(server.port, '/ws/echo', { answersPings: false });
    for (let round = 0; round < 3; round += 1) {
      assert.strictEqual((await client.nextFrame({ without: [] })).opcode, 'ping');
      client.text('{"action":"silent"}');
    }
    client.text('{"action":"ping"}');
    assert.strictEqual(await client.nextText(), '{"action":"pong"}');
    client.destroy();
  });

  it('can be switched off', async () => {
    const still = await Server.start('wire', { args: ['--heartbeat-seconds', '0'] });
    try {
      const quiet = await RawClient.open(still.port, '/ws/echo', { answersPings: false });
      const pinged = await RawClient.open(server.port, '/ws/echo');
      for (let round = 0; round < 2; round += 1) await pinged.nextFrame({ without: [] }); // as long as two pings take
      assert.deepStrictEqual(quiet.queue, []);
      assert.strictEqual(quiet.ending, null);
      quiet.destroy();
      pinged.destroy();
    } finally {
      await still.stop();
    }
  });
});

// Large replies that a stalled client asks for: far more than the kernel's buffers hold.
const BLOB = 262144;
const COUNT = 200;
const LIMITS = ['--outbox-high-water-bytes', '524288', '--outbox-max-bytes', '4194304'];

function askForBlobs(client, count = COUNT) {
  for (let number = 0; number < count; number += 1)
    client.json({ action: 'blob', payload: { bytes: BLOB, number } });
}

describe('a client that does not read', () => {
  let server;
  before(async () => { server = await Server.start('wire', { args: LIMITS }); });
  after(() => server.stop());

  it('is no longer read from, and gets everything in order once it reads again', async () => {
    const other = await RawClient.open(server.port, '/ws/echo');
    const client = await RawClient.open(server.port, '/ws/echo');
    client.stall();
    askForBlobs(client);
    await server.metricUntil('reading_paused_total', (value) => value >= 1);
    assert.ok(await server.metric('outbox_bytes') <= 4194304);
    assert.ok(await server.metric('messages_received_total') < COUNT, 'all was read although nothing was sent');
    other.text('{"action":"ping"}');
    assert.strictEqual(await other.nextText(), '{"action":"pong"}');
    client.resume();
    for (let number = 0; number < COUNT; number += 1) {
      const { action, payload } = await client.nextJson();
      assert.strictEqual(action, 'blob_data');
      assert.strictEqual(payload.number, number);
      assert.strictEqual(payload.data.length, BLOB);
    }
    client.text('{"action":"ping"}');
    assert.strictEqual(await client.nextText(), '{"action":"pong"}');
    await server.metricUntil('outbox_bytes', (value) => value === 0);
    client.destroy();
    other.destroy();
  });

  it('may leave while it is not read from', async () => {
    const journal = await Journal.open(server.port);
    const paused = await server.metric('reading_paused_total');
    const client = await RawClient.open(server.port, '/ws/echo');
    client.stall();
    askForBlobs(client);
    await server.metricUntil('reading_paused_total', (value) => value > paused);
    client.reset();
    const { consumer, code, count } = await journal.ended();
    assert.deepStrictEqual([consumer, code, count], ['echo', 1006, 1]);
    await server.metricUntil('outbox_bytes', (value) => value === 0);
    journal.close();
  });
});

describe('a client that makes no progress', () => {
  let server;
  before(async () => { server = await Server.start('wire', { args: [...LIMITS, '--slow-client-seconds', '1'] }); });
  after(() => server.stop());

  it('is closed after slow_client_seconds, and the others go on', async () => {
    const journal = await Journal.open(server.port);
    const other = await RawClient.open(server.port, '/ws/echo');
    const client = await RawClient.open(server.port, '/ws/echo');
    client.stall();
    askForBlobs(client);
    const { consumer, code, count } = await journal.ended();
    assert.deepStrictEqual([consumer, count], ['echo', 1]);
    assert.ok([1013, 1006].includes(code), `${code}`); // 1006 when our close frame could not be answered
    assert.strictEqual(await server.metric('slow_clients_total'), 1);
    await server.metricUntil('outbox_bytes', (value) => value === 0);
    other.text('{"action":"ping"}');
    assert.strictEqual(await other.nextText(), '{"action":"pong"}');
    client.resume();
    await client.end();
    other.destroy();
    journal.close();
  });

  it('is not one that reads slowly but steadily', async () => {
    const client = await RawClient.open(server.port, '/ws/echo');
    const slow = await server.metric('slow_clients_total');
    client.stall();
    askForBlobs(client, 80);
    for (let number = 0; number < 80; number += 1) {
      client.resume();
      const { payload } = await client.nextJson();
      client.stall();
      assert.strictEqual(payload.number, number);
    }
    assert.strictEqual(await server.metric('slow_clients_total'), slow);
    client.destroy();
  });
});

describe('a handler that sends too much', () => {
  let server;
  before(async () => { server = await Server.start('wire', { args: LIMITS }); });
  after(() => server.stop());

  it('is told `full`, and its client gets what was queued and 1013', async () => {
    const journal = await Journal.open(server.port);
    const client = await RawClient.open(server.port, '/ws/echo');
    client.stall();
    client.json({ action: 'blobs', payload: { bytes: BLOB, count: COUNT } });
    const { number, why } = await journal.noted();
    client.resume();
    assert.strictEqual(why, 'full');
    // What the kernel took meanwhile is not in the queue: how many fit is not ours to say.
    assert.ok(number > 1 && number < COUNT, `${number}`);
    const frames = await client.untilClose();
    assert.strictEqual(frames.length, number); // number - 1 messages and the close
    frames.slice(0, -1).forEach((got, index) =>
      assert.strictEqual(JSON.parse(got.payload.toString()).payload.number, index + 1));
    assert.strictEqual(frames[frames.length - 1].payload.readUInt16BE(0), 1013);
    client.close(1013);
    await client.end();
    const { code, count } = await journal.ended();
    assert.deepStrictEqual([code, count], [1013, 1]);
    assert.strictEqual(await server.metric('outbox_full_total'), 1);
    journal.close();
  });
});

describe('the count of queued messages', () => {
  let server;
  before(async () => { server = await Server.start('wire', { args: ['--outbox-max-messages', '64'] }); });
  after(() => server.stop());

  it('is limited as well', async () => {
    const journal = await Journal.open(server.port);
    const client = await RawClient.open(server.port, '/ws/echo');
    client.stall();
    client.json({ action: 'blobs', payload: { bytes: 65536, count: 1000 } });
    const { number, why } = await journal.noted();
    client.resume();
    assert.strictEqual(why, 'full');
    assert.ok(number > 64, `${number}`);
    const frames = await client.untilClose();
    assert.strictEqual(frames.length, number);
    assert.strictEqual(frames[number - 1].payload.readUInt16BE(0), 1013);
    client.close(1013);
    await client.end();
    journal.close();
  });

  it('is no limit for a client that takes them', async () => {
    const client = await RawClient.open(server.port, '/ws/echo');
    client.text('{"action":"burst","payload":{"count":1000},"ref":1}');
    let text;
    let parts = 0;
    while (!(text = await client.nextText()).includes('burst_done')) parts += 1;
    assert.strictEqual(parts, 1000);
    client.destroy();
  });
});
