// Topics: several streams over one connection, frame by frame as docs/protocol.md has them. The rooms of
// spec/support/apps/topics say by their names how they behave.

import assert from 'node:assert';
import { after, before, describe, it } from 'node:test';
import { RawClient } from '../support/raw.js';
import { Server } from '../support/server.js';

let server;
before(async () => {
  server = await Server.start('topics', { args: ['--handler-timeout-ms', '300', '--log-level', 'info'] });
});
after(() => server.stop());

const open = (path = '/ws/hub') => RawClient.open(server.port, path);

const frameOf = (action, topic, ref) => JSON.stringify({ action, topic, ref });
const said = (action, text, topic, ref) => JSON.stringify({ action, payload: { text }, topic, ref });
const state = (runs, topic) => JSON.stringify({ action: 'state', payload: { runs }, topic });
const left = (reason, topic) => JSON.stringify({ action: 'left', payload: { reason }, topic });
const refusal = (reason, detail, topic, ref) =>
  JSON.stringify({ action: 'error', payload: { reason, detail }, topic, ref });
const posted = (text, topic, isCurrent) =>
  JSON.stringify({ action: 'posted', payload: { text }, topic, is_mine: false, is_current: isCurrent });

async function expect(client, ...frames) {
  for (const wanted of frames) assert.strictEqual(await client.nextText(), wanted);
}

// Nothing else has come: the next frame answers this.
async function expectNothing(client) {
  client.text('{"action":"nope","ref":"nothing"}');
  assert.match(await client.nextText(), /"ref":"nothing"\}$/);
}

async function join(client, topic, runs = 1) {
  client.text(frameOf('subscribe', topic));
  await expect(client, frameOf('subscribed', topic), state(runs, topic));
}

// What the hooks of the connection that says to be `who` have said in the log, in their order.
const farewells = (who) => server.records().filter((line) => line.who === who)
  .map(({ text, topic, reason }) => (text === 'left' ? `left ${topic} ${reason}` : text));

async function farewellsOf(who) {
  await server.until(() => farewells(who).includes('gone'), 'the line of `disconnected`');
  return farewells(who);
}

async function leave(client) {
  client.close(1000);
  await client.end();
}

describe('a topic', () => {
  it('is subscribed to with the ref echoed, and then comes what on_subscribe sends, without it', async () => {
    const client = await open();
    client.text(frameOf('subscribe', 'room:a', '1'));
    await expect(client, frameOf('subscribed', 'room:a', '1'), state(1, 'room:a'));
    client.text(said('echo', 'hi', 'room:a', 2));
    await expect(client, said('echoed', 'hi', 'room:a', 2));
    client.text(said('echo', 'hi', 'room:a'));
    await expect(client, said('echoed', 'hi', 'room:a'));
    await leave(client);
  });

  it('is left with the ref echoed, behind what on_unsubscribe sends', async () => {
    const client = await open();
    await join(client, 'room:a');
    client.text(frameOf('unsubscribe', 'room:a', 'u'));
    await expect(client, left('client', 'room:a'), frameOf('unsubscribed', 'room:a', 'u'));
    client.text(said('echo', 'hi', 'room:a', 'x'));
    await expect(client, refusal('not_subscribed', "Not subscribed to 'room:a'", 'room:a', 'x'));
    await leave(client);
  });

  it('that is not held is left all the same', async () => {
    const client = await open();
    client.text(frameOf('unsubscribe', 'room:a', 'u'));
    await expect(client, frameOf('unsubscribed', 'room:a', 'u'));
    await expectNothing(client);
    await leave(client);
  });

  it('answers a frame of a topic that is not subscribed to, and of one that is none', async () => {
    const client = await open();
    client.text(said('echo', 'hi', 'room:b', '7'));
    client.text(said('echo', 'hi', 'zzz:b', '8'));
    client.text(frameOf('subscribe', 'room:a:b'));
    client.text(frameOf('subscribe', 'room:', '9'));
    client.text(frameOf('unsubscribe', '', '10'));
    await expect(client, refusal('not_subscribed', "Not subscribed to 'room:b'", 'room:b', '7'),
                 refusal('unknown_topic', "Unknown topic 'zzz:b'", 'zzz:b', '8'),
                 refusal('unknown_topic', "Unknown topic 'room:a:b'", 'room:a:b'),
                 refusal('unknown_topic', "Unknown topic 'room:'", 'room:', '9'),
                 refusal('unknown_topic', "Unknown topic ''", '', '10'));
    await leave(client);
  });

  it('has a name of any UTF-8 up to 200 bytes', async () => {
    const client = await open();
    for (const name of ['日本/語 ?#', '\u0000"\\', 'é'.repeat(97) + 'x']) {
      const topic = `room:${name}`;
      client.text(frameOf('subscribe', topic));
      await expect(client, frameOf('subscribed', topic));
      assert.match(await client.nextText(), /^\{"action":"state"/);
      client.text(said('echo', 'hi', topic));
      await expect(client, said('echoed', 'hi', topic));
    }
    client.text(frameOf('subscribe', `room:${'é'.repeat(98)}`, 'r'));
    await expect(client, refusal('unknown_topic', 'The name of a topic has at most 200 bytes', undefined, 'r'));
    await leave(client);
  });

  it('answers what is invalid with a list that carries topic and ref', async () => {
    const client = await open();
    await join(client, 'room:a');
    client.text('{"action":"echo","payload":{},"topic":"room:a","ref":"1"}');
    await expect(client, '{"action":"error","payload":[{"type":"missing","loc":["payload","text"],'
      + '"msg":"Field required"}],"topic":"room:a","ref":"1"}');
    client.text('{"action":"shout","payload":{"text":"x"},"topic":"room:a","ref":"2"}');
    assert.match(await client.nextText(), /"union_tag_invalid".*,"topic":"room:a","ref":"2"\}$/);
    client.text('{"action":"echo","payload":{"text":"x"},"ref":"3"}');
    assert.match(await client.nextText(), /"union_tag_invalid".*\],"ref":"3"\}$/);
    await leave(client);
  });

  it('answers for a handler that broke with topic and ref', async () => {
    const client = await open();
    await join(client, 'room:a');
    client.text(frameOf('fail', 'room:a', '1'));
    await expect(client, '{"action":"error","payload":{"detail":"Failed to process message"},"topic":"room:a","ref":"1"}');
    await leave(client);
  });

  it('is stayed in when on_subscribe broke, which is answered', async () => {
    const client = await open();
    client.text(frameOf('subscribe', 'room:broken', '1'));
    await expect(client, frameOf('subscribed', 'room:broken', '1'),
                 '{"action":"error","payload":{"detail":"Failed to process message"},"topic":"room:broken","ref":"1"}');
    client.text(said('echo', 'hi', 'room:broken'));
    await expect(client, said('echoed', 'hi', 'room:broken'));
    await leave(client);
  });

  it('knows two topics apart on one connection', async () => {
    const client = await open();
    await join(client, 'room:a');
    client.text(frameOf('subscribe', 'presence:a'));
    client.text(said('echo', 'x', 'presence:a'));
    client.text(said('echo', 'x', 'room:a'));
    await expect(client, frameOf('subscribed', 'presence:a'), said('echoed', 'a x', 'presence:a'),
                 said('echoed', 'x', 'room:a'));
    await leave(client);
  });
});

describe('an authoriser', () => {
  const cases = [
    ['private', "Not allowed to subscribe to 'room:private'", 'returns false'],
    ['members', 'Members only', 'returns false and a sentence'],
    ['boom', "Not allowed to subscribe to 'room:boom'", 'raises (D9)'],
    ['declared', 'You are banned', 'raises a declared error (D9)'],
    ['odd', "Not allowed to subscribe to 'room:odd'", 'returns something else'],
    ['never', 'The authoriser took too long', 'waits longer than handler_timeout_ms'],
  ];
  for (const [room, detail, what] of cases) {
    it(`that ${what} always answers`, async () => {
      const client = await open();
      client.text(frameOf('subscribe', `room:${room}`, 'r'));
      await expect(client, refusal('unauthorized', detail, `room:${room}`, 'r'));
      client.text(said('echo', 'x', `room:${room}`));
      await expect(client, refusal('not_subscribed', `Not subscribed to 'room:${room}'`, `room:${room}`));
      await join(client, 'room:a');
      await leave(client);
    });
  }
});

describe('the order of a connection', () => {
  it('lets no message pass a subscribe that waits', async () => {
    const client = await open();
    client.text(frameOf('subscribe', 'room:slow', '1'));
    client.text(said('echo', 'a', 'room:slow', '2'));
    client.text(frameOf('unsubscribe', 'room:slow', '3'));
    client.text(said('echo', 'b', 'room:slow', '4'));
    await expect(client, frameOf('subscribed', 'room:slow', '1'), state(1, 'room:slow'),
                 said('echoed', 'a', 'room:slow', '2'), left('client', 'room:slow'),
                 frameOf('unsubscribed', 'room:slow', '3'),
                 refusal('not_subscribed', "Not subscribed to 'room:slow'", 'room:slow', '4'));
    await leave(client);
  });

  it('runs on_subscribe once for two quick subscribes, and acknowledges both (D13)', async () => {
    const client = await open();
    client.text(frameOf('subscribe', 'room:slow', '1'));
    client.text(frameOf('subscribe', 'room:slow', '2'));
    await expect(client, frameOf('subscribed', 'room:slow', '1'), state(1, 'room:slow'),
                 frameOf('subscribed', 'room:slow', '2'));
    await expectNothing(client);
    await leave(client);
  });

  it('does without a client that leaves while the authoriser waits: no hook of the topic runs', async () => {
    const client = await open('/ws/hub?who=early');
    const other = await open();
    client.text(frameOf('subscribe', 'room:slow'));
    client.text('{"action":"nope"}');
    client.destroy();
    assert.deepStrictEqual(await farewellsOf('early'), ['gone']);
    other.text('{"action":"count","payload":{"room":"room:slow"}}');
    await expect(other, '{"action":"counted","payload":{"answer":0}}');
    assert.strictEqual(await server.metric('subscriptions'), 0);
    await leave(other);
  });

  it('tells a client that left while on_subscribe waited of the end all the same', async () => {
    const client = await open('/ws/hub?who=midway');
    client.text(frameOf('subscribe', 'room:slow'));
    await expect(client, frameOf('subscribed', 'room:slow'));
    client.destroy();
    assert.deepStrictEqual(await farewellsOf('midway'), ['left room:slow closed', 'gone']);
  });
});

describe('what is sent to a topic', () => {
  it('reaches its subscribers with the topic, and tells whose it is', async () => {
    const [a, b, c] = [await open(), await open(), await open()];
    await join(a, 'room:x');
    await join(b, 'room:x');
    await join(c, 'room:y');
    a.text(said('post', 'hello', 'room:x', '1'));
    a.text(said('post_others', 'again', 'room:x', '2'));
    await expect(a, posted('hello', 'room:x', true));
    await expect(b, posted('hello', 'room:x', false), posted('again', 'room:x', false));
    for (const client of [a, b, c]) await expectNothing(client);
    await leave(c);
    await leave(b);
    await expect(a, left('closed', 'room:x'));
    await leave(a);
  });

  it('comes from anywhere, by name or by parameters', async () => {
    const client = await open();
    await join(client, 'room:x');
    client.text('{"action":"tell","payload":{"room":"room:x","text":"one"}}');
    client.text('{"action":"tell","payload":{"room":{"room_name":"x"},"text":"two"}}');
    await expect(client, posted('one', 'room:x', false), posted('two', 'room:x', false));
    client.text('{"action":"count","payload":{"room":{"room_name":"x"}}}');
    await expect(client, '{"action":"counted","payload":{"answer":1}}');
    await leave(client);
  });

  it('is an event too, handled in the topic or relayed', async () => {
    const client = await open();
    const other = await open();
    await join(client, 'room:x');
    client.text('{"action":"notify","payload":{"room":"room:x","text":"news"}}');
    other.text('{"action":"notify","payload":{"room":"room:y","text":"news"}}');
    await expect(client, '{"action":"passed","payload":{"the_text":"news"},"topic":"room:x"}',
                 '{"action":"counted","payload":{"answer":1}}',
                 '{"action":"noticed","payload":{"the_text":"room:x news"},"topic":"room:x"}');
    await expect(other, '{"action":"counted","payload":{"answer":0}}');
    await leave(client);
    await leave(other);
  });

  it('never reaches a topic of another pattern with the same name (D11)', async () => {
    const room = await open();
    const stranger = await open('/ws/strangers');
    await join(room, 'room:x');
    stranger.text(frameOf('subscribe', 'room:x'));
    await expect(stranger, frameOf('subscribed', 'room:x'));
    room.text(said('post', 'a', 'room:x'));
    stranger.text(said('post', 'b', 'room:x'));
    await expect(room, posted('a', 'room:x', true));
    await expect(stranger, posted('b', 'room:x', true));
    await leave(stranger);
    room.text(said('post', 'c', 'room:x'));
    await expect(room, posted('c', 'room:x', true));
    await expectNothing(room);
    await leave(room);
  });

  it('is not what a host broadcasts to its own groups (D12)', async () => {
    const [a, b] = [await open(), await open()];
    await join(a, 'room:x');
    await join(b, 'room:x');
    a.text('{"action":"shout","payload":{"text":"!"}}');
    await expect(a, '{"action":"loud","payload":{"text":"!"}}');
    await expect(b, '{"action":"loud","payload":{"text":"!"}}');
    await expectNothing(a);
    await expectNothing(b);
    await leave(a);
    await leave(b);
  });

  it('has the names that each receiver reads', async () => {
    const client = await open('/ws/camel');
    const other = await open();
    await join(client, 'room:x');
    other.text('{"action":"notify","payload":{"room":"room:x","text":"news"}}');
    await expect(client, '{"action":"passed","payload":{"theText":"news"},"topic":"room:x"}',
                 '{"action":"noticed","payload":{"theText":"room:x news"},"topic":"room:x"}');
    await leave(client);
    await leave(other);
  });
});

describe('the server', () => {
  it('ends a subscription by itself, and says so', async () => {
    const client = await open();
    await join(client, 'room:a');
    client.text(frameOf('leave', 'room:a', '1'));
    client.text(said('echo', 'x', 'room:a', '2'));
    await expect(client, left('server', 'room:a'), frameOf('unsubscribed', 'room:a'),
                 refusal('not_subscribed', "Not subscribed to 'room:a'", 'room:a', '2'));
    await leave(client);
  });

  it('may do so while it is being begun', async () => {
    const client = await open();
    client.text(frameOf('subscribe', 'room:brief', '1'));
    await expect(client, frameOf('subscribed', 'room:brief', '1'), left('server', 'room:brief'),
                 frameOf('unsubscribed', 'room:brief'));
    await leave(client);
  });

  it('runs on_unsubscribe of each topic before `disconnected`, when a client has gone', async () => {
    const client = await open('/ws/hub?who=whole');
    await join(client, 'room:one');
    await join(client, 'room:slow', 2);
    await join(client, 'room:two', 3);
    client.destroy();
    assert.deepStrictEqual(await farewellsOf('whole'), ['left room:one closed', 'left room:slow closed',
                                                         'left room:two closed', 'gone']);
    assert.strictEqual(await server.metric('subscriptions'), 0);
  });

  it('lets a connection have max_topics_per_connection topics', async () => {
    const small = await Server.start('topics', { args: ['--max-topics-per-connection', '2'] });
    const client = await RawClient.open(small.port, '/ws/hub');
    await join(client, 'room:1');
    await join(client, 'room:2', 2);
    client.text(frameOf('subscribe', 'room:3', 'r'));
    await expect(client, refusal('too_many_topics', 'A connection has at most 2 topics', 'room:3', 'r'));
    client.text(frameOf('unsubscribe', 'room:1'));
    await expect(client, left('client', 'room:1'), frameOf('unsubscribed', 'room:1'));
    await join(client, 'room:3', 3);
    await leave(client);
    await small.stop();
  });
});

describe('a path that is a topic', () => {
  it('is subscribed to by itself, and takes frames with and without the name', async () => {
    const client = await open('/ws/room/x');
    const hub = await open();
    await expect(client, frameOf('subscribed', 'room:x'), state(1, 'room:x'));
    client.text('{"action":"echo","payload":{"text":"a"},"ref":"1"}');
    client.text(said('echo', 'b', 'room:x', '2'));
    client.text(said('echo', 'b', 'room:y', '3'));
    await expect(client, said('echoed', 'a', 'room:x', '1'), said('echoed', 'b', 'room:x', '2'),
                 refusal('not_subscribed', "Not subscribed to 'room:y'", 'room:y', '3'));
    await join(hub, 'room:x');
    hub.text(said('post', 'all', 'room:x'));
    await expect(client, posted('all', 'room:x', false));
    await leave(hub);
    await expect(client, left('closed', 'room:x'));
    await leave(client);
  });

  it('is subscribed to before the first message, however long that takes', async () => {
    const client = await open('/ws/room/slow');
    client.text('{"action":"echo","payload":{"text":"a"}}');
    await expect(client, frameOf('subscribed', 'room:slow'), state(1, 'room:slow'),
                 said('echoed', 'a', 'room:slow'));
    await leave(client);
  });

  it('closes with 4403 what its authoriser refuses, and with 4404 what is no name', async () => {
    for (const [room, code, reason, detail] of [
      ['private', 4403, 'unauthorized', "Not allowed to subscribe to 'room:private'"],
      ['a:b', 4404, 'unknown_topic', "Unknown topic 'room:a:b'"]]) {
      const client = await open(`/ws/room/${room}`);
      await expect(client, refusal(reason, detail, `room:${room}`));
      assert.strictEqual((await client.nextClose()).code, code);
      client.destroy();
    }
  });

  it('stays open when another name is refused: that was only asked for', async () => {
    const client = await open('/ws/room/mine');
    await expect(client, frameOf('subscribed', 'room:mine'), state(1, 'room:mine'));
    client.text(frameOf('subscribe', 'room:private'));
    await expect(client, refusal('unauthorized', "Not allowed to subscribe to 'room:private'", 'room:private'));
    client.text('{"action":"echo","payload":{"text":"still here"}}');
    await expect(client, said('echoed', 'still here', 'room:mine'));
    await leave(client);
  });
});

describe('with send_completion', () => {
  it('every frame of a topic ends with one `complete`, which has no topic', async () => {
    const client = await open('/ws/complete');
    const complete = (ref) => JSON.stringify({ action: 'complete', ref });
    client.text(frameOf('subscribe', 'room:slow', '1'));
    client.text(frameOf('subscribe', 'room:slow', '2'));
    client.text(said('slow_echo', 'a', 'room:slow', '3'));
    client.text(said('post', 'a', 'room:slow', '4'));
    client.text(frameOf('subscribe', 'room:private', '5'));
    client.text(said('echo', 'a', 'room:z', '6'));
    client.text(frameOf('unsubscribe', 'room:slow', '7'));
    client.text(frameOf('unsubscribe', 'room:slow'));
    await expect(client, frameOf('subscribed', 'room:slow', '1'), state(1, 'room:slow'), complete('1'),
                 frameOf('subscribed', 'room:slow', '2'), complete('2'),
                 said('echoed', 'a', 'room:slow', '3'), complete('3'),
                 posted('a', 'room:slow', true), '{"action":"group_complete"}', complete('4'),
                 refusal('unauthorized', "Not allowed to subscribe to 'room:private'", 'room:private', '5'),
                 complete('5'),
                 refusal('not_subscribed', "Not subscribed to 'room:z'", 'room:z', '6'), complete('6'),
                 left('client', 'room:slow'), frameOf('unsubscribed', 'room:slow', '7'), complete('7'),
                 frameOf('unsubscribed', 'room:slow'), complete());
    await leave(client);
  });
});

describe('metrics', () => {
  it('count subscriptions and refusals, and name handlers by their topic', async () => {
    const client = await open();
    await join(client, 'room:a');
    const { body } = await server.http('/metrics');
    assert.match(body, /^tidegate_subscriptions 1$/m);
    assert.match(body, /^tidegate_subscribes_refused_total [1-9]/m);
    assert.match(body, /^tidegate_topic_frames_refused_total [1-9]/m);
    assert.match(body, /^tidegate_action_messages_total\{topic="room:\{room_name\}",action="echo",generation="1"\} [1-9]/m);
    assert.match(body, /topic="room:\{room_name\}",hook="on_subscribe"/);
    await leave(client);
  });
});
