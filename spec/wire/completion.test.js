// The order table of the protocol, row by row, for a consumer with `send_completion` and for one without.
// The application is spec/support/apps/events: /ws/done and /ws/talk are the same but for that option.

import assert from 'node:assert';
import { after, before, describe, it } from 'node:test';

import { RawClient } from '../support/raw.js';
import { Server } from '../support/server.js';

const said = (payload) => ({ action: 'said', payload });
const error = (detail) => ({ action: 'error', payload: { detail } });
const complete = (ref) => (ref === undefined ? { action: 'complete' } : { action: 'complete', ref });
const eventComplete = { action: 'event_complete' };
const groupComplete = { action: 'group_complete' };
const COMPLETIONS = ['complete', 'group_complete', 'event_complete'];

let server;
before(async () => { server = await Server.start('events'); });
after(() => server.stop());

// All frames up to the pong of a ping that is sent when `count` of them have come.
async function framesOf(client, count) {
  const frames = [];
  while (frames.length < count) frames.push(await client.nextJson());
  client.frame('ping', 'fence');
  for (;;) {
    const got = await client.nextFrame();
    if (got.opcode === 'pong') return frames;
    frames.push(JSON.parse(got.payload.toString()));
  }
}

// What `act` makes the client of /ws/done get is `expected`; that of /ws/talk gets the same without
// completions.
async function expectFrames(expected, act) {
  const without = expected.filter(({ action }) => !COMPLETIONS.includes(action));
  for (const [path, frames] of [['/ws/done/a', expected], ['/ws/talk/a', without]]) {
    const client = await RawClient.open(server.port, path);
    const teller = await RawClient.open(server.port, '/ws/talk/teller');
    client.json({ action: 'whoami' });
    const { payload: id } = await client.nextJson();
    if (path === '/ws/done/a') assert.deepStrictEqual(await client.nextJson(), complete());
    await act(client, { teller, id, path });
    assert.deepStrictEqual(await framesOf(client, frames.length), frames, path);
    client.destroy();
    teller.destroy();
  }
}

async function tell(teller, id, event, payload) {
  teller.json({ action: 'tell', payload: { to: id, event, payload } });
  assert.deepStrictEqual((await teller.nextJson()).payload, [true]);
}

const unknown = (action, ref) => ({
  action: 'error',
  payload: [{
    type: 'union_tag_invalid', loc: ['action'],
    msg: `Input tag '${action}' found using 'action' does not match any of the expected tags`,
  }],
  ...(ref === undefined ? {} : { ref }),
});

describe('connect, no authenticator', () => {
  it('ends with no completion: nobody asked', async () => {
    const client = await RawClient.open(server.port, '/ws/done/a');
    assert.deepStrictEqual(await framesOf(client, 0), []);
    client.destroy();
  });
});

describe('a message that is handled: sends in order, reply, complete', () => {
  it('with several sends', () => expectFrames([said('one'), said('two'), said('reply'), complete()],
    (client) => client.json({ action: 'sends' })));
  it('with nothing to say', () => expectFrames([complete()], (client) => client.json({ action: 'silent' })));
  it('after a wait', () => expectFrames([said('one'), said('reply'), complete()],
    (client) => client.json({ action: 'waits' })));
  it('whose ref stands on the reply and on complete', () => expectFrames(
    [said('one'), { ...said('reply'), ref: 's' }, complete('s'), complete(7)], (client) => {
      client.json({ action: 'waits', ref: 's' });
      client.json({ action: 'silent', ref: 7 });
    }));
  it('one after another, whoever waits', () => expectFrames(
    [said('one'), said('reply'), complete(), said('one'), said('two'), said('reply'), complete()], (client) => {
      client.json({ action: 'waits' });
      client.json({ action: 'sends' });
    }));
  it('as binary data', async () => {
    const client = await RawClient.open(server.port, '/ws/done/a');
    client.frame('binary', 'bytes');
    assert.deepStrictEqual(await framesOf(client, 1), [complete()]);
    client.destroy();
  });
});

describe('a message that is invalid: error, complete', () => {
  it('with an unknown action', () => expectFrames([unknown('nope', 1), complete(1)],
    (client) => client.json({ action: 'nope', ref: 1 })));
  it('with a payload that is not right', () => expectFrames(
    [{ action: 'error', payload: [{ type: 'missing', loc: ['payload'], msg: 'Field required' }] }, complete()],
    (client) => client.json({ action: 'tell' })));
  it('whose ref is none', () => expectFrames(
    [{ action: 'error', payload: [{ type: 'string_type', loc: ['ref'], msg: 'Input should be a valid string' }] },
     complete()], (client) => client.json({ action: 'silent', ref: [] })));
  it('that is no JSON', () => expectFrames(
    [{ action: 'error', payload: [{ type: 'json_invalid', loc: [], msg: 'Invalid JSON at byte 1: expected a value' }] },
     complete()], (client) => client.text(' ')));
  it('that is binary', async () => {
    const client = await RawClient.open(server.port, '/ws/no_binary');
    client.frame('binary', 'bytes');
    client.json({ action: 'ping' });
    assert.deepStrictEqual(await framesOf(client, 4),
                           [error('Binary frames are not accepted'), complete(), { action: 'pong' }, complete()]);
    client.destroy();
  });
});

describe('a handler that raised: what it sent, error, complete', () => {
  it('at once', () => expectFrames([said('one'), error('Failed to process message'), complete()],
    (client) => client.json({ action: 'raises' })));
  it('after a wait', () => expectFrames([{ ...error('Failed to process message'), ref: 3 }, complete(3)],
    (client) => client.json({ action: 'raises_after_wait', ref: 3 })));
  it('what the client may read', () => expectFrames(
    [{ action: 'error', payload: { code: 'not_today', detail: 'Not today' } }, complete()],
    (client) => client.json({ action: 'refuses' })));
  it('or took too long', () => expectFrames(
    [{ action: 'error', payload: { code: 'handler_timeout', detail: 'The handler took too long' }, ref: 9 }, complete(9)],
    (client) => client.json({ action: 'late', ref: 9 })));
});

describe('a group message: frame, group_complete, at each receiver', () => {
  it('and the copy of the sender before its own complete', async () => {
    const [one, two] = [await RawClient.open(server.port, '/ws/done/g'), await RawClient.open(server.port, '/ws/done/g')];
    one.json({ action: 'shout', payload: { groups: 'of_g' } });
    assert.deepStrictEqual(await framesOf(one, 4), [said('shouted'), groupComplete, said(2), complete()]);
    assert.deepStrictEqual(await framesOf(two, 2), [said('shouted'), groupComplete]);
    one.json({ action: 'shout', payload: { groups: 'of_g', exclude_current: true } });
    assert.deepStrictEqual(await framesOf(one, 2), [said(1), complete()]);
    assert.deepStrictEqual(await framesOf(two, 2), [said('shouted'), groupComplete]);
    one.destroy();
    two.destroy();
  });
});

describe('an event: sends, reply, event_complete', () => {
  it('when it was handled', () => expectFrames([said('an event'), said('info: x'), eventComplete],
    (client, { teller, id }) => tell(teller, id, 'notify', { content: 'x' })));
  it('when its handler raised', () => expectFrames([said('before'), eventComplete],
    (client, { teller, id }) => tell(teller, id, 'failing', false)));
  it('when its handler took too long', () => expectFrames([said('waiting'), eventComplete],
    (client, { teller, id }) => tell(teller, id, 'late')));
  it('when it was relayed', () => expectFrames(
    [{ action: 'user_joined', payload: { user_name: 'ann' } }, eventComplete],
    (client, { teller, id }) => tell(teller, id, 'user_joined', { user_name: 'ann' })));
  it('behind the complete of the message that sent it to its own connection', () => expectFrames(
    [said('sent to myself'), said([true]), complete(), said('an event'), said('info: x'), eventComplete],
    (client) => client.json({ action: 'tell_self', payload: { event: 'notify', payload: { content: 'x' } } })));
  it('when a check refused it, which only the log tells', () => expectFrames([eventComplete, said(1), eventComplete],
    async (client, { teller, id }) => {
      await tell(teller, id, 'checked', 10);
      await tell(teller, id, 'checked', 1);
    }));
});

describe('a connection that ends', () => {
  it('gets no completion behind its close frame', async () => {
    const client = await RawClient.open(server.port, '/ws/done/a');
    client.json({ action: 'closes' });
    client.json({ action: 'silent' });
    const frames = await client.untilClose();
    assert.deepStrictEqual(frames.map(({ opcode }) => opcode), ['close']);
    client.close(4000);
    await client.end();
  });
});

describe('a consumer of plain text', () => {
  it('has no completion', async () => {
    const client = await RawClient.open(server.port, '/ws/text');
    client.text('hello');
    assert.strictEqual(await client.nextText(), 'hello');
    client.frame('ping', 'fence');
    assert.strictEqual((await client.nextFrame()).opcode, 'pong');
    client.destroy();
  });
});
