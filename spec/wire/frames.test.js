// RFC 6455 on the wire: segments, fragments, control frames, breaches, and every way to end.

import assert from 'node:assert';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { Journal } from '../support/journal.js';
import { RawClient, closePayload, frame } from '../support/raw.js';
import { Server } from '../support/server.js';

// After a breach TCP follows within 250 ms; ten times that tells "soon" from the 5 s of the library.
const SOON_MS = 2500;

const half = (text) => [text.slice(0, text.length / 2), text.slice(text.length / 2)];

describe('a message', () => {
  let server;
  let client;
  before(async () => {
    server = await Server.start('wire');
    client = await RawClient.open(server.port, '/ws/echo');
  });
  after(async () => {
    client.text('{"action":"ping"}');
    assert.strictEqual(await client.nextText(), '{"action":"pong"}');
    client.destroy();
    await server.stop();
  });

  it('may come one byte in each segment', async () => {
    await client.writeByteByByte(frame('text', '{"action":"user_message","payload":{"message":"schön 😀"},"ref":1}'));
    assert.strictEqual(await client.nextText(),
                       '{"action":"system_echo","payload":{"message":"🔧 System Echo: schön 😀"},"ref":1}');
  });

  it('may come one byte in each segment with a 16-bit and a 64-bit length', async () => {
    const text = JSON.stringify({ action: 'any', payload: 'x'.repeat(300) });
    await client.writeByteByByte(frame('text', text));
    assert.strictEqual(await client.nextText(), text);
    const long = JSON.stringify({ action: 'any', payload: 'y'.repeat(70000) });
    const bytes = frame('text', long);
    await client.writeByteByByte(bytes.subarray(0, 20));
    client.write(bytes.subarray(20));
    assert.strictEqual(await client.nextText(), long);
  });

  it('may share its segment with many others', async () => {
    const frames = Array.from({ length: 100 }, (_, number) => frame('text', `{"action":"any","payload":${number}}`));
    client.write(Buffer.concat(frames));
    for (let number = 0; number < 100; number += 1)
      assert.strictEqual(await client.nextText(), `{"action":"any","payload":${number}}`);
  });

  it('may come in 20 fragments with a ping between each two, all in segments of their own', async () => {
    const text = JSON.stringify({ action: 'any', payload: 'äöü😀'.repeat(20) });
    const bytes = Buffer.from(text);
    const size = Math.ceil(bytes.length / 20);
    const pieces = [];
    for (let index = 0; index < 20; index += 1) {
      pieces.push(frame(index === 0 ? 'text' : 'continuation', bytes.subarray(index * size, (index + 1) * size),
                        { fin: index === 19 }));
      if (index < 19) pieces.push(frame('ping', `ping ${index}`));
    }
    await client.writeInPieces(pieces);
    for (let index = 0; index < 19; index += 1) {
      const pong = await client.nextFrame();
      assert.strictEqual(pong.opcode, 'pong');
      assert.strictEqual(pong.payload.toString(), `ping ${index}`);
    }
    assert.strictEqual(await client.nextText(), text);
  });

  it('may come in fragments that all share one segment, pings among them', async () => {
    const [first, second] = half('{"action":"any","payload":[1,2,3]}');
    client.write(Buffer.concat([
      frame('text', first, { fin: false }), frame('ping', 'one'), frame('continuation', '', { fin: false }),
      frame('ping', 'two'), frame('continuation', second)]));
    for (const ping of ['one', 'two']) {
      const pong = await client.nextFrame();
      assert.strictEqual(pong.opcode, 'pong');
      assert.strictEqual(pong.payload.toString(), ping);
    }
    assert.strictEqual(await client.nextText(), '{"action":"any","payload":[1,2,3]}');
  });

  it('of nearly 1 MiB goes in and out unharmed', async () => {
    const text = JSON.stringify({ action: 'any', payload: '0123456789abcdef'.repeat(65000) });
    client.text(text);
    assert.strictEqual(await client.nextText(), text);
  });

  it('of exactly max_message_bytes is taken', async () => {
    const shell = '{"action":"any","payload":""}';
    const text = `{"action":"any","payload":"${'z'.repeat(1048576 - shell.length)}"}`;
    assert.strictEqual(text.length, 1048576);
    client.text(text);
    assert.strictEqual(await client.nextText(), text);
  });

  it('is plain text to a consumer of plain text', async () => {
    const text = await RawClient.open(server.port, '/ws/text');
    assert.strictEqual(await text.nextText(), 'Welcome');
    for (const words of ['Hello', '', '{"action":"ping"}', 'schön 😀', '\u0000']) {
      text.text(words);
      assert.strictEqual(await text.nextText(), `Echo: ${words}`);
    }
    text.frame('binary', Buffer.from([0, 255]));
    const answer = await text.nextFrame();
    assert.strictEqual(answer.opcode, 'binary');
    assert.deepStrictEqual(answer.payload, Buffer.from([0, 255]));
    text.destroy();
  });
});

describe('a ping', () => {
  let server;
  before(async () => { server = await Server.start('wire'); });
  after(() => server.stop());

  it('is answered with its own payload, the longest included', async () => {
    const client = await RawClient.open(server.port, '/ws/echo');
    for (const payload of [Buffer.alloc(0), Buffer.from('hi'), Buffer.alloc(125, 7)]) {
      client.frame('ping', payload);
      const pong = await client.nextFrame();
      assert.strictEqual(pong.opcode, 'pong');
      assert.ok(pong.fin);
      assert.deepStrictEqual(pong.payload, payload);
    }
    client.destroy();
  });

  it('is answered each time, however many come in one segment', async () => {
    const client = await RawClient.open(server.port, '/ws/echo');
    client.write(Buffer.concat(Array.from({ length: 1000 }, (_, number) => frame('ping', `${number}`))));
    for (let number = 0; number < 1000; number += 1) {
      const pong = await client.nextFrame();
      assert.strictEqual(pong.opcode, 'pong');
      assert.strictEqual(pong.payload.toString(), `${number}`);
    }
    client.destroy();
  });

  it('holds up the messages behind it only until it is answered, and changes their order in nothing', async () => {
    const client = await RawClient.open(server.port, '/ws/echo');
    const numbers = Array.from({ length: 100 }, (_, number) => `${number}`);
    client.write(Buffer.concat(numbers.flatMap((number) =>
      [frame('ping', number), frame('text', `{"action":"any","payload":${number}}`)])));
    const got = { pong: [], text: [] };
    for (let count = 0; count < 200; count += 1) {
      const { opcode, payload } = await client.nextFrame();
      got[opcode].push(payload.toString());
    }
    assert.deepStrictEqual(got.pong, numbers);
    assert.deepStrictEqual(got.text, numbers.map((number) => `{"action":"any","payload":${number}}`));
    client.destroy();
  });

  it('does not hide what comes behind it in its segment, a close or a breach', async () => {
    for (const [last, code] of [[frame('close', closePayload(1000)), 1000], [frame(3, 'x'), 1002]]) {
      const client = await RawClient.open(server.port, '/ws/echo');
      client.write(Buffer.concat([frame('ping', 'a'), frame('ping', 'b'), last]));
      for (const ping of ['a', 'b']) assert.strictEqual((await client.nextFrame()).payload.toString(), ping);
      assert.strictEqual((await client.nextClose()).code, code);
      await client.end();
    }
  });

  it('that nobody asked for an answer to, a pong, is ignored', async () => {
    const client = await RawClient.open(server.port, '/ws/echo');
    client.frame('pong', 'unasked');
    client.text('{"action":"ping"}');
    assert.strictEqual(await client.nextText(), '{"action":"pong"}');
    client.destroy();
  });
});

describe('an end', () => {
  let server;
  let journal;
  let client;
  before(async () => { server = await Server.start('wire'); });
  after(() => server.stop());
  beforeEach(async () => {
    client = null;
    journal = await Journal.open(server.port);
  });
  // Nothing is left open, and no hook ran that the spec did not ask for: exactly once means once.
  afterEach(async () => {
    if (client) client.destroy();
    try {
      await server.metricUntil('connections', (value) => value === 1);
      await journal.fence();
    } finally {
      journal.close();
    }
    await server.metricUntil('connections', (value) => value === 0);
  });

  // What `disconnected` was told.
  const ended = async (code, reason, consumer = 'echo') => {
    const end = await journal.ended();
    assert.deepStrictEqual(
      { consumer: end.consumer, code: end.code, reason: end.reason, sent: end.sent, closed: end.closed, count: end.count },
      { consumer, code, reason, sent: 'closed', closed: 'closed', count: 1 });
  };
  const open = async (target = '/ws/echo', options) => {
    client = await RawClient.open(server.port, target, options);
    return client;
  };
  // The server closes with `code`, and TCP ends soon, whether the client answers the close or not.
  const closesWith = async (code) => {
    const close = await client.nextClose();
    const since = Date.now();
    assert.strictEqual(close.code, code);
    await client.end();
    assert.ok(Date.now() - since < SOON_MS, `TCP ended ${Date.now() - since} ms after the close frame`);
    return close;
  };

  it('of the client is answered with its code and reason', async () => {
    for (const [code, reason] of [[1000, ''], [1000, 'bye'], [1001, ''], [3000, 'x'], [4999, 'é'.repeat(60)]]) {
      await open();
      client.close(code, reason);
      const close = await client.nextClose();
      assert.strictEqual(close.code, code);
      await client.end();
      await ended(code, reason);
    }
  });

  it('without a code is 1005', async () => {
    await open();
    client.close();
    await client.nextClose();
    await client.end();
    await ended(1005, '');
  });

  it('without a close frame is 1006', async () => {
    await open();
    client.destroy();
    await ended(1006, '');
    await open();
    client.reset();
    await ended(1006, '');
    await open();
    client.halfClose();
    await client.end();
    await ended(1006, '');
  });

  it('in the middle of a frame is 1006', async () => {
    await open();
    client.write(frame('text', '{"action":"ping"}').subarray(0, 9));
    client.halfClose();
    await client.end();
    await ended(1006, '');
  });

  it('in the middle of a message is a close like any other', async () => {
    await open();
    client.frame('text', '{"action":', { fin: false });
    client.close(1000, 'enough');
    assert.strictEqual((await client.nextClose()).code, 1000);
    await client.end();
    await ended(1000, 'enough');
  });

  it('that follows a message at once does not eat the reply', async () => {
    for (let round = 0; round < 20; round += 1) {
      await open();
      client.write(Buffer.concat([frame('text', `{"action":"any","payload":${round}}`), frame('close', closePayload(1000))]));
      assert.strictEqual(await client.nextText(), `{"action":"any","payload":${round}}`);
      assert.strictEqual((await client.nextClose()).code, 1000);
      await client.end();
      await ended(1000, '');
    }
  });

  it('that follows many messages at once comes after all their replies', async () => {
    await open();
    client.write(Buffer.concat([frame('text', '{"action":"burst","payload":{"count":200}}'),
                                frame('close', closePayload(1000))]));
    for (let number = 1; number <= 200; number += 1) assert.strictEqual((await client.nextJson()).payload.number, number);
    assert.strictEqual(await client.nextText(), '{"action":"burst_done"}');
    assert.strictEqual((await client.nextClose()).code, 1000);
    await client.end();
    await ended(1000, '');
  });

  it('that follows the upgrade in the same segment is answered', async () => {
    client = await RawClient.connect(server.port);
    client.write(Buffer.concat([Buffer.from(RawClient.head('/ws/echo').text), frame('close', closePayload(1000))]));
    assert.strictEqual((await client.httpAnswer()).status, 101);
    assert.strictEqual((await client.nextClose()).code, 1000);
    await client.end();
    await ended(1000, '');
  });

  it('by a handler reaches the client after what was queued, and the connection is dead to the handler', async () => {
    await open();
    client.text('{"action":"bye","payload":{"code":4002,"reason":"enough für heute"}}');
    assert.strictEqual(await client.nextText(), '{"action":"part","payload":{"number":1}}');
    assert.strictEqual(await client.nextText(), '{"action":"part","payload":{"number":2}}');
    assert.deepStrictEqual(await client.nextClose(), { code: 4002, reason: 'enough für heute' });
    assert.deepStrictEqual(await journal.noted(), { sent: 'closed', closed: 'closed' });
    client.close(4002);
    await client.end();
    await ended(4002, 'enough für heute');
  });

  it('by a handler that names no code is 1000', async () => {
    await open();
    client.text('{"action":"bye","payload":{}}');
    await client.nextText();
    await client.nextText();
    assert.deepStrictEqual(await client.nextClose(), { code: 1000, reason: '' });
    await journal.noted();
    client.close(1000);
    await client.end();
    await ended(1000, '');
  });

  it('by a handler is final: what the client sent afterwards is not handled', async () => {
    await open();
    client.write(Buffer.concat([frame('text', '{"action":"bye","payload":{}}'), frame('text', '{"action":"ping"}')]));
    await client.nextText();
    await client.nextText();
    assert.strictEqual((await client.nextClose()).code, 1000);
    await journal.noted();
    client.close(1000);
    await client.end();
    assert.deepStrictEqual(client.queue, []);
    await ended(1000, '');
  });

  it('by `connected` reaches the client after what it sent', async () => {
    await open('/ws/closes');
    assert.deepStrictEqual(await client.nextJson(), { action: 'hello', payload: { text: 'before' } });
    assert.deepStrictEqual(await client.nextClose(), { code: 4001, reason: 'not today' });
    client.close(4001);
    await client.end();
    await ended(4001, 'not today', 'closes');
  });

  it('by a `connected` that raised is 1011', async () => {
    await open('/ws/raises');
    await client.nextText();
    assert.strictEqual((await client.nextJson()).action, 'error');
    assert.strictEqual((await client.nextClose()).code, 1011);
    client.close(1011);
    await client.end();
    const { code, count } = await journal.ended();
    assert.deepStrictEqual([code, count], [1011, 1]);
  });

  it('comes to a client that never answers our close', async () => {
    await open();
    client.text('{"action":"bye","payload":{"code":4003}}');
    assert.strictEqual((await client.untilClose()).length, 3);
    await journal.noted();
    await client.end();
    const { code, count } = await journal.ended();
    assert.strictEqual(count, 1);
    assert.ok([4003, 1006].includes(code), `${code}`);
  });

  it('leaves a connection object that others may still hold', async () => {
    await open();
    client.text('{"action":"keep"}');
    assert.strictEqual(await client.nextText(), '{"action":"kept"}');
    client.close(1000);
    await client.end();
    await ended(1000, '');
    await open();
    client.text('{"action":"call_kept"}');
    const { payload } = await client.nextJson();
    assert.strictEqual(payload.sent, 'closed');
    assert.strictEqual(payload.closed, 'closed');
    assert.strictEqual(typeof payload.id, 'string');
    client.close(1000);
    await client.end();
    await ended(1000, '');
  });

  // ---- breaches: 1002 ----

  const [first] = half('{"action":"ping"}');
  for (const [what, bytes] of [
    ['a reserved bit', frame('text', '{"action":"ping"}', { rsv: 4 })],
    ['another reserved bit', frame('text', '{"action":"ping"}', { rsv: 1 })],
    ['a reserved bit on a ping', frame('ping', '', { rsv: 2 })],
    ['a reserved data opcode', frame(3, 'x')],
    ['a reserved control opcode', frame(11, 'x')],
    ['a ping in fragments', frame('ping', 'x', { fin: false })],
    ['a close in fragments', frame('close', closePayload(1000), { fin: false })],
    ['a ping of 126 bytes', frame('ping', Buffer.alloc(126))],
    ['a continuation of nothing', frame('continuation', 'x')],
    ['a new message inside a message', Buffer.concat([frame('text', first, { fin: false }), frame('text', first)])],
  ]) {
    it(`after ${what} is 1002, and TCP follows soon`, async () => {
      await open();
      client.write(bytes);
      await closesWith(1002);
      const { code, count } = await journal.ended();
      assert.deepStrictEqual([code, count], [1002, 1]);
    });
  }

  it('after a breach is as quick when the client answers the close', async () => {
    await open();
    client.write(frame(3, 'x'));
    assert.strictEqual((await client.nextClose()).code, 1002);
    const since = Date.now();
    client.close(1002);
    await client.end();
    assert.ok(Date.now() - since < SOON_MS);
    assert.strictEqual((await journal.ended()).code, 1002);
  });

  // RFC 6455 5.5.1: one close frame is all that each side sends.
  for (const [what, bytes] of [
    ['a reserved bit', frame('text', '{"action":"ping"}', { rsv: 4 })],
    ['a reserved data opcode', frame(3, 'x')],
    ['a ping of 126 bytes', frame('ping', Buffer.alloc(126))],
    ['an illegal length', Buffer.from([0x81, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4])],
    ['a close with one byte of payload', frame('close', Buffer.from([3]))],
  ]) {
    it(`that a client answers with ${what} is not followed by another close frame`, async () => {
      await open();
      client.text('{"action":"bye","payload":{"code":4003}}');
      assert.strictEqual((await client.untilClose()).length, 3);
      await journal.noted();
      const since = Date.now();
      client.write(bytes);
      await client.end();
      assert.ok(Date.now() - since < SOON_MS);
      assert.deepStrictEqual(client.queue, []);
      const { code, count } = await journal.ended();
      assert.deepStrictEqual([code, count], [4003, 1]);
    });
  }

  it('before which a breach comes in the same segment is one close frame all the same', async () => {
    await open();
    client.write(Buffer.concat([frame('text', '{"action":"bye","payload":{"code":4003}}'), frame(3, 'x')]));
    await journal.noted();
    await client.end();
    assert.strictEqual(client.queue.filter(({ opcode }) => opcode === 'close').length, 1);
    assert.strictEqual((await journal.ended()).count, 1);
  });

  it('with one byte of payload is a breach', async () => {
    await open();
    client.frame('close', Buffer.from([3]));
    await closesWith(1002);
    const { code, count } = await journal.ended();
    assert.deepStrictEqual([code, count], [1002, 1]);
  });

  it('with a code that nobody may send is a breach', async () => {
    for (const code of [0, 999, 1004, 1005, 1006, 1015, 5000]) {
      await open();
      client.close(code);
      await closesWith(1002);
      assert.strictEqual((await journal.ended()).count, 1);
    }
  });

  it('with a reason that is not UTF-8 is 1007', async () => {
    await open();
    client.frame('close', Buffer.from([0x03, 0xe8, 0xff, 0xfe]));
    await closesWith(1007);
    const { count, reason } = await journal.ended();
    assert.strictEqual(count, 1);
    assert.doesNotMatch(reason, /\ufffd/);
  });

  // ---- text: 1007 ----

  const badTexts = [
    ['a byte that never occurs', [0x61, 0xff]], ['an overlong slash', [0xc0, 0xaf]], ['a surrogate', [0xed, 0xa0, 0x80]],
    ['a character beyond the last', [0xf4, 0x90, 0x80, 0x80]], ['a lone continuation byte', [0x80]],
    ['a character cut short by another', [0xc3, 0x61]],
  ];
  for (const [what, bytes] of badTexts) {
    it(`after ${what} is 1007`, async () => {
      for (const target of ['/ws/echo', '/ws/text']) {
        await open(target);
        if (target === '/ws/text') await client.nextText();
        client.frame('text', Buffer.from(bytes));
        await closesWith(1007);
        const { code, count } = await journal.ended();
        assert.deepStrictEqual([code, count], [1007, 1]);
      }
    });
  }

  it('after a character that the message cuts off is 1007', async () => {
    await open('/ws/text');
    await client.nextText();
    client.frame('text', Buffer.from([0x61, 0xe2, 0x82]));
    await closesWith(1007);
    assert.strictEqual((await journal.ended()).code, 1007);
  });

  it('comes at the bad byte, before the message is complete', async () => {
    await open();
    client.frame('text', Buffer.from([0x22, 0xff]), { fin: false });
    await closesWith(1007);
    assert.strictEqual((await journal.ended()).code, 1007);
    await open();
    client.frame('text', Buffer.from([0x22, 0xe2]), { fin: false });
    client.frame('continuation', Buffer.from([0x82]), { fin: false });
    client.frame('continuation', Buffer.from([0x22]), { fin: false });
    await closesWith(1007);
    assert.strictEqual((await journal.ended()).code, 1007);
  });

  it('does not come to a character that two fragments share', async () => {
    await open('/ws/text');
    await client.nextText();
    client.frame('text', Buffer.from([0xe2]), { fin: false });
    client.frame('continuation', Buffer.from([0x82]), { fin: false });
    client.frame('continuation', Buffer.from([0xac]));
    assert.strictEqual(await client.nextText(), 'Echo: €');
    client.close(1000);
    await client.end();
    await ended(1000, '', 'text');
  });

  // ---- size: 1009, type: 1003 ----

  it('after a message that is too large is 1009, in one frame or in many', async () => {
    await open();
    client.frame('text', Buffer.alloc(1048577, 0x20));
    await closesWith(1009);
    assert.strictEqual((await journal.ended()).code, 1009);
    await open();
    client.frame('text', Buffer.alloc(1000000, 0x20), { fin: false });
    client.frame('continuation', Buffer.alloc(48577, 0x20), { fin: false });
    await closesWith(1009);
    assert.strictEqual((await journal.ended()).code, 1009);
  });

  it('after binary to a consumer of strict frames is 1003', async () => {
    await open('/ws/strict');
    client.text('{"action":"ping"}');
    assert.strictEqual(await client.nextText(), '{"action":"pong"}');
    client.frame('binary', 'x');
    assert.strictEqual((await client.nextClose()).code, 1003);
    client.close(1003);
    await client.end();
    const { code, count } = await journal.ended();
    assert.deepStrictEqual([code, count], [1003, 1]);
  });

  it('is counted by its cause, and leaves nothing queued', async () => {
    assert.ok(await server.metric('protocol_errors_total') >= 10);
    assert.ok(await server.metric('bad_utf8_total') >= 10);
    assert.strictEqual(await server.metric('too_large_total'), 2);
    assert.strictEqual(await server.metric('outbox_bytes'), 0);
  });
});

describe('clients without manners', () => {
  let server;
  before(async () => { server = await Server.start('wire'); });
  after(() => server.stop());

  it('do not disturb the others', async () => {
    const good = await RawClient.open(server.port, '/ws/echo');
    const bad = [];
    for (let round = 0; round < 10; round += 1) {
      bad.push(await RawClient.connect(server.port)); // says nothing
      const partial = await RawClient.connect(server.port);
      partial.write(Buffer.from('GET /ws/echo HTT'));
      bad.push(partial);
      const cut = await RawClient.open(server.port, '/ws/echo');
      cut.write(frame('text', '{"action":"ping"}').subarray(0, 5));
      bad.push(cut);
      const gone = await RawClient.open(server.port, '/ws/echo');
      gone.text('{"action":"burst","payload":{"count":1000}}');
      gone.reset();
      const early = await RawClient.connect(server.port);
      early.write(Buffer.from(RawClient.head('/ws/echo').text));
      early.reset();
    }
    good.text('{"action":"ping"}');
    assert.strictEqual(await good.nextText(), '{"action":"pong"}');
    bad.forEach((client) => client.destroy());
    await server.metricUntil('connections', (value) => value === 1);
    good.destroy();
  });
});
