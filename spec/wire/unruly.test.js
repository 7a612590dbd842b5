// What handlers do that a gateway has to live through.
import assert from 'node:assert';
import { after, before, describe, it } from 'node:test';

import { RawClient } from '../support/raw.js';
import { Server } from '../support/server.js';

const failed = '{"action":"error","payload":{"detail":"Failed to process message"}}';

describe('a handler', () => {
  let server;
  let client;
  before(async () => {
    server = await Server.start('unruly', { args: ['--outbox-high-water-bytes', '100'] });
    client = await RawClient.open(server.port, '/ws/unruly');
  });
  after(async () => {
    client.destroy();
    await server.stop();
  });

  const attempt = async (trick) => {
    client.text(JSON.stringify({ action: 'try', payload: trick }));
    return client.nextText();
  };

  // A finalizer that sends would take away the buffer in which a message is being written, and one that loops
  // could not be stopped.
  it('has no finalizers', async () => {
    const { payload } = JSON.parse(await attempt('finalizer'));
    assert.match(payload, /unruly\.lua:\d+: setmetatable: scripts have no __gc/);
  });

  it('leaves the collector running when a map cannot be written', async () => {
    const { payload } = JSON.parse(await attempt('broken_map'));
    assert.strictEqual(payload.runs, true);
    assert.match(payload.why, /big: payload\.a: expected a value that JSON can say, got function/);
  });
});

describe('the program', () => {
  let server;
  let client;
  before(async () => {
    server = await Server.start('unruly');
    client = await RawClient.open(server.port, '/ws/unruly');
  });
  after(async () => {
    client.destroy();
    await server.stop();
  });

  const attempt = async (trick) => {
    client.text(JSON.stringify({ action: 'try', payload: trick }));
    return client.nextText();
  };

  // Coroutines are used again: one that a handler kept and resumed or closed must not fail the next message.
  it('does not care what is done to the coroutine of a handler that has ended', async () => {
    assert.strictEqual(await attempt('keep_coroutine'), '{"action":"done","payload":"kept"}');
    await attempt('resume_kept');
    assert.strictEqual(await attempt('keep_coroutine'), '{"action":"done","payload":"kept"}');
    await attempt('close_kept');
    assert.strictEqual(await attempt('keep_coroutine'), '{"action":"done","payload":"kept"}');
  });

  // Each declaration stays as long as the code that was loaded.
  it('refuses declarations by a handler', async () => {
    assert.strictEqual(await attempt('declare_message'), failed);
    assert.strictEqual(await attempt('declare_consumer'), failed);
  });

  it('takes no forged error for a declared one', async () => {
    assert.strictEqual(await attempt('forge_error'), failed);
  });

  it('keeps the metatable of a message to itself', async () => {
    assert.strictEqual(await attempt('metatable_of_message'), '{"action":"done","payload":{"seen":false,"set":false}}');
  });

  // A field's name was used after the table had lost it.
  it('logs fields whose values take the names away', async () => {
    assert.strictEqual(await attempt('log_that_forgets'), '{"action":"done","payload":"logged"}');
  });

  it('tells a hook that returns a message to send it', async () => {
    const other = await RawClient.open(server.port, '/ws/returning');
    assert.strictEqual(await other.nextText(), failed);
    const line = await server.record((fields) => fields.action === 'connected', 'a line about the hook');
    assert.match(line.error, /connected returned a message: .* a hook sends with conn:send/);
    other.destroy();
  });

  it('tells `before` what it may return', async () => {
    const other = await RawClient.open(server.port, '/ws/before');
    other.text('{"action":"ping"}');
    assert.strictEqual(await other.nextText(), failed);
    const line = await server.record((fields) => fields.consumer === 'before' && fields.level === 'error', 'a line');
    assert.match(line.error, /`before` returned a number/);
    other.destroy();
  });

  it('writes what is marked as an array as one, even when it is empty', async () => {
    assert.strictEqual(await attempt('array'), '{"action":"done","payload":{"empty":[],"list":[1,2],"object":{}}}');
    assert.strictEqual(await attempt('array_of_message'), '{"action":"done","payload":{"refused":true}}');
  });

  it('refuses to write names where an array is meant', async () => {
    assert.strictEqual(await attempt('names_for_array'), failed);
  });
});
