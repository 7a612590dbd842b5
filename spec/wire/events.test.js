// Events between connections, in the application spec/support/apps/events.

import assert from 'node:assert';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';

import { RawClient } from '../support/raw.js';
import { Server, run } from '../support/server.js';

const said = (payload) => ({ action: 'said', payload });

let server;
let clients = [];
before(async () => { server = await Server.start('events', { args: ['--inbox-max-events', '1000'] }); });
after(() => server.stop());
afterEach(() => {
  for (const client of clients) client.destroy();
  clients = [];
});

async function open(path) {
  const client = await RawClient.open(server.port, path);
  clients.push(client);
  return client;
}

async function ask(client, action, payload) {
  client.json(payload === undefined ? { action } : { action, payload });
  return client.nextJson();
}

async function answerTo(client, action, payload) {
  return (await ask(client, action, payload)).payload;
}

const idOf = (client) => answerTo(client, 'whoami');

// Two clients, and the id of the first.
async function pair(path = '/ws/talk/a') {
  const [listener, teller] = [await open(path), await open('/ws/talk/teller')];
  return { listener, teller, id: await idOf(listener) };
}

async function expectNothing(client) {
  client.frame('ping', 'fence');
  const got = await client.nextFrame();
  assert.strictEqual(got.opcode, 'pong', got.payload.toString());
}

async function metric(name) {
  const line = (await server.http('/metrics')).body.split('\n').find((one) => one.startsWith(`tidegate_${name} `));
  return Number(line.split(' ')[1]);
}

describe('an event', () => {
  it('is handled by the connection that it is sent to, and what the handler returns goes to its client', async () => {
    const { listener, teller, id } = await pair();
    assert.deepStrictEqual(
      await answerTo(teller, 'tell', { to: id, event: 'notify', payload: { content: 'hello' } }), [true]);
    assert.deepStrictEqual(await listener.nextJson(), said('an event'));
    assert.deepStrictEqual(await listener.nextJson(), said('info: hello'));
    await expectNothing(listener);
    await expectNothing(teller);
  });

  it('that is relayed goes to the client as it is', async () => {
    const { listener, teller, id } = await pair();
    const payload = { user_name: 'ann', extra_data: { user_id_2: 1 } };
    await answerTo(teller, 'tell', { to: id, event: 'user_joined', payload });
    assert.strictEqual(await listener.nextText(),
                       '{"action":"user_joined","payload":{"extra_data":{"user_id_2":1},"user_name":"ann"}}');
  });

  it('to oneself runs after the handler that sent it', async () => {
    const client = await open('/ws/talk/a');
    client.json({ action: 'tell_self', payload: { event: 'notify', payload: { content: 'me' } } });
    assert.deepStrictEqual([await client.nextJson(), await client.nextJson(), await client.nextJson(), await client.nextJson()],
                           [said('sent to myself'), said([true]), said('an event'), said('info: me')]);
  });

  it('that tells the next ends when they end', async () => {
    const { listener, teller, id } = await pair();
    await answerTo(teller, 'tell', { to: id, event: 'chained', payload: 600 });
    for (let i = 600; i > 0; i -= 1) assert.deepStrictEqual(await listener.nextJson(), said(i));
    await expectNothing(listener);
  });

  it('that waits is handled before the message that came after it, and its own message before it', async () => {
    const { listener, teller, id } = await pair();
    listener.json({ action: 'waits' });
    assert.deepStrictEqual(await listener.nextJson(), said('one'));
    await answerTo(teller, 'tell', { to: id, event: 'gated', payload: 1 });
    listener.json({ action: 'sends' });
    assert.deepStrictEqual(await listener.nextJson(), said('reply'));
    await expectNothing(listener);
    teller.json({ action: 'open', payload: 1 });
    assert.deepStrictEqual([await listener.nextJson(), await listener.nextJson()], [said(1), said('one')]);
  });

  it('is not begun before connected has returned, nor relayed', async () => {
    const eager = await open('/ws/eager');
    const frames = [];
    for (let i = 0; i < 4; i += 1) frames.push(await eager.nextJson());
    assert.deepStrictEqual(frames, [
      said('starting'), said('started'), said('first'), { action: 'user_joined', payload: { user_name: 'ann' } },
    ]);
  });

  it('sent by disconnected reaches those who are left', async () => {
    const { listener } = await pair();
    const leaving = await open('/ws/leaving');
    leaving.destroy();
    assert.deepStrictEqual(await listener.nextJson(), { action: 'user_joined', payload: { user_name: 'gone' } });
  });

  it('whose handler failed is an error in the log, and none to the client', async () => {
    const { listener, teller, id } = await pair();
    await answerTo(teller, 'tell', { to: id, event: 'failing', payload: false });
    await answerTo(teller, 'tell', { to: id, event: 'failing', payload: true });
    assert.deepStrictEqual([await listener.nextJson(), await listener.nextJson()], [said('before'), said('before')]);
    await expectNothing(listener);
    const lines = await server.until(() => {
      const found = server.records().filter(({ event, action }) => event === 'handler_failed' && action === 'failing');
      return found.length === 2 && found;
    }, 'both failures');
    assert.match(lines[0].error, /main\.lua:\d+: oh/);
    assert.match(lines[1].error, /not_today: Not today/);
  });

  it('whose handler takes too long ends it, and the connection goes on', async () => {
    const { listener, teller, id } = await pair();
    await answerTo(teller, 'tell', { to: id, event: 'late' });
    assert.deepStrictEqual(await listener.nextJson(), said('waiting'));
    await server.record(({ event, action }) => event === 'handler_timeout' && action === 'late', 'the timeout');
    assert.deepStrictEqual(await ask(listener, 'ping'), { action: 'pong' });
  });
});

describe('an event for several', () => {
  it('reaches all connections of a consumer, and the sender knows how many', async () => {
    const camel = [await open('/ws/camel'), await open('/ws/camel')];
    const teller = await open('/ws/talk/a');
    assert.deepStrictEqual(
      await answerTo(teller, 'tell_consumer', { consumer: 'camel', event: 'notify', payload: { content: 'x' } }), [2]);
    for (const client of camel) assert.deepStrictEqual(await client.nextJson(), said('x'));
    assert.deepStrictEqual(await answerTo(teller, 'tell_consumer', { consumer: 'camel', event: 'nobody' }), [0]);
    assert.deepStrictEqual(await answerTo(teller, 'tell_consumer', { consumer: 'eager', event: 'notify', payload: { content: 'x' } }), [0]);
  });

  it('reaches a member of two of the groups once, and those who do not handle it not at all', async () => {
    const [a, b, deaf] = [await open('/ws/talk/a'), await open('/ws/talk/b'), await open('/ws/deaf')];
    const groups = ['all', 'of_a', 'of_nobody'];
    const payload = { user_name: 'ann' };
    assert.deepStrictEqual(await answerTo(b, 'tell_groups', { groups: 'of_a', event: 'user_joined', payload }), [1]);
    assert.deepStrictEqual(await a.nextJson(), { action: 'user_joined', payload });
    b.json({ action: 'tell_groups', payload: { groups, event: 'user_joined', payload } });
    assert.deepStrictEqual(await a.nextJson(), { action: 'user_joined', payload });
    assert.deepStrictEqual([await b.nextJson(), await b.nextJson()], [{ action: 'user_joined', payload }, said([2])]);
    for (const client of [a, b, deaf]) await expectNothing(client);
  });
});

describe('the sender of an event', () => {
  // D9: what nobody could answer was answered by nobody.
  it('hears why nobody got it, and is never left in silence (D9)', async () => {
    const { listener, teller, id } = await pair();
    const deaf = await open('/ws/camel');
    const tell = (to, event, payload) => answerTo(teller, 'tell', { to, event, payload });
    assert.deepStrictEqual(await tell(id, 'nobody'), [false, 'not handled']);
    assert.deepStrictEqual(await tell('0000000000000001', 'notify', { content: 'x' }), [false, 'no such connection']);
    assert.deepStrictEqual(await tell('someone', 'notify', { content: 'x' }), [false, 'no such connection']);
    listener.close(1000);
    await listener.end();
    assert.deepStrictEqual(await tell(id, 'notify', { content: 'x' }), [false, 'no such connection']);
    deaf.destroy();
  });

  it('hears that the receiver declares another payload, and the log says what is wrong', async () => {
    const { listener, teller, id } = await pair();
    const before = await metric('events_invalid_total');
    assert.deepStrictEqual(await answerTo(teller, 'tell_wrong', id), [false, 'invalid']);
    await expectNothing(listener);
    const line = await server.record(({ event }) => event === 'event_invalid', 'the line');
    assert.strictEqual(line.consumer, 'talk');
    assert.match(line.errors, /payload\.content: Input should be a valid string/);
    assert.strictEqual(await metric('events_invalid_total'), before + 1);
  });

  it('of what a check refuses hears nothing, but the log does', async () => {
    const { listener, teller, id } = await pair();
    await answerTo(teller, 'tell', { to: id, event: 'checked', payload: 10 });
    await server.record(({ event, errors }) => event === 'event_invalid' && /is too large/.test(errors), 'the line');
    await answerTo(teller, 'tell', { to: id, event: 'checked', payload: 9 });
    assert.deepStrictEqual(await listener.nextJson(), said(9));
  });

  it('hears that too many wait, and the client is read from all the same', async () => {
    const { listener, teller, id } = await pair();
    const before = await metric('events_dropped_total');
    assert.deepStrictEqual(await answerTo(teller, 'storm', { to: id, count: 1010 }), [1000, 'full']);
    assert.strictEqual(await metric('events_dropped_total'), before + 10);
    teller.json({ action: 'open', payload: 1000 });
    for (let i = 1; i <= 1000; i += 1) assert.deepStrictEqual(await listener.nextJson(), said(i));
    assert.strictEqual(await metric('inbox_events'), 0);
  });
});

describe('a wrong way to send an event', () => {
  it('is an error at the line that sends', async () => {
    assert.deepStrictEqual(await answerTo(await open('/ws/talk/a'), 'misuse'), [
      'main.lua: tide.send_event: expected a connection or the id of one, got a number',
      "main.lua: tide.send_event: an event is expected (what tide.event returned, called with its payload), got the message type 'notify' itself: call it to make a message, as in notify(payload)",
      "main.lua: tide.send_event: 'said' is a message for clients, and no event: tide.event declares one",
      "main.lua: the event 'notify' is not for clients: send them a message that tells of it",
      'main.lua: tide.broadcast_event: the name of a group has 1 to 200 bytes, got 0',
      'main.lua: tide.broadcast_event: the name of a group is a string, got nothing',
      "main.lua: tide.broadcast_event: 'said' is a message for clients, and no event: tide.event declares one",
      'main.lua: tide.broadcast_event: expected groups or a consumer of messages, got a table',
    ]);
  });

  it('while modules load is an error of the application', async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tidegate-events-'));
    fs.writeFileSync(path.join(folder, 'main.lua'), [
      'local tide <const> = require "tidegate"',
      'local started <const> = tide.event "started"',
      'tide.broadcast_event("all", started())',
    ].join('\n'));
    const { code, stderr } = await run(['check', folder]);
    fs.rmSync(folder, { recursive: true });
    assert.strictEqual(code, 1);
    assert.match(stderr, /main\.lua:3: tide\.broadcast_event: nobody is connected while modules load; tide\.on_start runs/);
  });
});

describe('what went wrong in the founding server', () => {
  it('a broken text, an empty frame and a binary frame leave the connection its events (D1)', async () => {
    const { listener, teller, id } = await pair('/ws/talk/a');
    listener.text('{"action":');
    listener.text('');
    listener.frame('binary', 'bytes');
    for (let i = 0; i < 3; i += 1) assert.strictEqual((await listener.nextJson()).action, 'error');
    assert.deepStrictEqual(
      await answerTo(teller, 'tell_groups', { groups: 'of_a', event: 'user_joined', payload: { user_name: 'ann' } }), [1]);
    assert.strictEqual((await listener.nextJson()).action, 'user_joined');
    assert.strictEqual(id, await idOf(listener));
  });

  it('the frames of one client and its events are handled one after another (D2)', async () => {
    const { listener, teller, id } = await pair();
    const expected = [];
    for (let i = 1; i <= 20; i += 1) {
      await answerTo(teller, 'tell', { to: id, event: 'gated', payload: i });
      listener.json({ action: 'waits' });
      expected.push(said(i), said('one'), said('reply'));
    }
    // The messages are on their way; the gate opens for all.
    teller.json({ action: 'open', payload: 20 });
    const frames = [];
    for (let i = 0; i < expected.length; i += 1) frames.push(await listener.nextJson());
    const kinds = frames.map(({ payload }) => payload);
    assert.deepStrictEqual(kinds.filter((one) => typeof one === 'number'), Array.from({ length: 20 }, (_, i) => i + 1));
    const messages = kinds.filter((one) => typeof one === 'string');
    assert.deepStrictEqual(messages, Array.from({ length: 40 }, (_, i) => (i % 2 ? 'reply' : 'one')));
    for (let i = 0; i < kinds.length; i += 1)
      if (kinds[i] === 'one') assert.strictEqual(kinds[i + 1], 'reply', 'nothing comes between');
  });

  it('250 events to a handler that is slow are all handled, and nobody else waits (D3)', async () => {
    const { listener, teller, id } = await pair();
    const other = await open('/ws/talk/other');
    assert.deepStrictEqual(await answerTo(teller, 'storm', { to: id, count: 250 }), [250]);
    assert.deepStrictEqual(await ask(other, 'ping'), { action: 'pong' });
    await answerTo(teller, 'tell', { to: await idOf(other), event: 'notify', payload: { content: 'x' } });
    assert.deepStrictEqual([await other.nextJson(), await other.nextJson()], [said('an event'), said('info: x')]);
    await expectNothing(listener); // none has been handled so far
    teller.json({ action: 'open', payload: 250 });
    for (let i = 1; i <= 250; i += 1) assert.deepStrictEqual(await listener.nextJson(), said(i));
  });

  it('what is relayed has the names of the client, and keys of a map stay as they are (D4, D5)', async () => {
    const camel = await open('/ws/camel');
    const teller = await open('/ws/talk/a');
    const payload = { user_name: 'ann', extra_data: { user_id_2: 1, v1_api: 2 } };
    await answerTo(teller, 'tell_consumer', { consumer: 'camel', event: 'user_joined', payload });
    const { payload: got } = await camel.nextJson();
    assert.deepStrictEqual(got, { userName: 'ann', extraData: { user_id_2: 1, v1_api: 2 } });
  });

  it('the error of an unknown action lists neither actions nor events (D14)', async () => {
    const client = await open('/ws/talk/a');
    client.json({ action: 'nope' });
    const text = await client.nextText();
    for (const name of ['whoami', 'notify', 'user_joined', 'gated']) assert.ok(!text.includes(name), text);
    assert.ok(text.includes("'nope'"), text);
    // An event is nothing that a client could send.
    assert.strictEqual((await ask(client, 'notify', { content: 'x' })).payload[0].type, 'union_tag_invalid');
  });

  it('fields called version, topic, ref and seq stay in an event (D15)', async () => {
    const { listener, teller, id } = await pair();
    const payload = { version: '1', topic: 'room:a', ref: 7, seq: 3 };
    await answerTo(teller, 'tell', { to: id, event: 'envelope', payload });
    assert.deepStrictEqual(await listener.nextJson(), said(payload));
  });

  it('a handler of an event ends with its connection (D16)', async () => {
    const { listener, teller, id } = await pair();
    await answerTo(teller, 'tell', { to: id, event: 'gated', payload: 1 });
    await answerTo(teller, 'tell', { to: id, event: 'notify', payload: { content: 'x' } });
    const failures = server.records().filter(({ event }) => event === 'handler_failed').length;
    listener.destroy();
    await server.record(({ event, conn }) => event === 'disconnected' && conn === id, 'the end');
    assert.strictEqual(await metric('inbox_events'), 0);
    // The gate is not opened by one that has gone: what is put is taken by the next.
    const next = await pair();
    await answerTo(next.teller, 'tell', { to: next.id, event: 'gated', payload: 2 });
    teller.json({ action: 'open', payload: 1 });
    assert.deepStrictEqual(await next.listener.nextJson(), said(2));
    assert.strictEqual(server.records().filter(({ event }) => event === 'handler_failed').length, failures);
    assert.ok(!server.stderr.includes('went on'));
  });
});

describe('the metrics of events', () => {
  it('count them by consumer and event, with how long their handlers take', async () => {
    const { listener, teller, id } = await pair('/ws/done/a');
    await answerTo(teller, 'tell', { to: id.payload || id, event: 'nobody' });
    const { body } = await server.http('/metrics');
    for (const line of ['tidegate_events_total{consumer="talk",event="notify",generation="1"}',
                        'tidegate_events_total{consumer="camel",event="user_joined",generation="1"}',
                        'tidegate_handler_seconds_count{consumer="talk",event="notify",generation="1"}'])
      assert.match(body, new RegExp(`^${line.replace(/[{}"]/g, '\\$&')} [1-9]`, 'm'));
    listener.destroy();
  });
});

describe('a server that stops', () => {
  it('ends the handlers of events that wait, and begins no more', async () => {
    const own = await Server.start('events', { args: ['--drain-seconds', '1'] });
    const listener = await RawClient.open(own.port, '/ws/talk/a');
    listener.json({ action: 'whoami' });
    const { payload: id } = await listener.nextJson();
    listener.json({ action: 'storm', payload: { to: id, count: 3 } });
    assert.deepStrictEqual(await listener.nextJson(), said([3]));
    const ended = own.stop();
    await listener.end();
    await ended;
    assert.ok(!own.stderr.includes('handler_failed'), own.stderr);
  });
});
