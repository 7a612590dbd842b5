// The main job, byte for byte: a message in, a reply out. What the system consumer says is in seeds.test.js.

import assert from 'node:assert';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import path from 'node:path';
import WebSocket from 'ws';
import { RawClient } from '../support/raw.js';
import { ROOT, Server } from '../support/server.js';

describe('the system consumer', () => {
  let server;
  before(async () => { server = await Server.start(path.join(ROOT, 'consumers')); });
  after(() => server.stop());

  it('serves a client that uses a library', async () => {
    const client = new WebSocket(`ws://127.0.0.1:${server.port}/ws/system`);
    const [welcome, isBinary] = await once(client, 'message');
    assert.strictEqual(isBinary, false);
    assert.strictEqual(welcome.toString(),
                       '{"action":"system_echo","payload":{"message":"🔧 System: Connection established!"}}');
    client.send('{"action":"user_message","payload":{"message":"Hello"}}');
    const [echo] = await once(client, 'message');
    assert.strictEqual(echo.toString(), '{"action":"system_echo","payload":{"message":"🔧 System Echo: Hello"}}');
    client.close(1000, 'done');
    const [code, reason] = await once(client, 'close');
    assert.strictEqual(code, 1000);
    assert.strictEqual(reason.toString(), 'done');
  });

  it('offers no compression to a client that asks for it', async () => {
    const client = new WebSocket(`ws://127.0.0.1:${server.port}/ws/system`, { perMessageDeflate: true });
    await once(client, 'message');
    assert.strictEqual(client.extensions, '');
    client.close();
    await once(client, 'close');
  });
});

describe('an echo', () => {
  let server;
  let client;
  before(async () => {
    server = await Server.start('wire');
    client = await RawClient.open(server.port, '/ws/echo');
  });
  after(async () => {
    client.destroy();
    await server.stop();
  });

  const ask = async (text) => {
    client.text(text);
    return client.nextText();
  };

  it('answers on every path of its consumer', async () => {
    const other = await RawClient.open(server.port, '/ws/other/echo');
    other.text('{"action":"ping"}');
    assert.strictEqual(await other.nextText(), '{"action":"pong"}');
    other.destroy();
  });

  it('answers on the paths of nested routers', async () => {
    for (const target of ['/ws/nested/a', '/ws/nested/inner/deep/b']) {
      const nested = await RawClient.open(server.port, target);
      nested.text('{"action":"ping"}');
      assert.strictEqual(await nested.nextText(), '{"action":"pong"}');
      nested.destroy();
    }
  });

  it('carries the string ref of its question', async () => {
    assert.strictEqual(await ask('{"action":"ping","ref":"7"}'), '{"action":"pong","ref":"7"}');
  });

  it('carries the integer ref of its question, all 64 bits of it', async () => {
    assert.strictEqual(await ask('{"action":"ping","ref":7}'), '{"action":"pong","ref":7}');
    assert.strictEqual(await ask('{"action":"ping","ref":-9223372036854775808}'),
                       '{"action":"pong","ref":-9223372036854775808}');
  });

  it('carries a ref of 128 bytes, and one that needs escapes', async () => {
    const ref = 'r'.repeat(128);
    assert.strictEqual(await ask(`{"action":"ping","ref":"${ref}"}`), `{"action":"pong","ref":"${ref}"}`);
    assert.strictEqual(await ask('{"action":"ping","ref":"\\"\\u00e9\\n"}'), '{"action":"pong","ref":"\\"é\\n"}');
  });

  it('carries the ref on its reply, and not on what its handler sends besides', async () => {
    client.text('{"action":"burst","payload":{"count":2},"ref":"b"}');
    assert.strictEqual(await client.nextText(), '{"action":"part","payload":{"number":1}}');
    assert.strictEqual(await client.nextText(), '{"action":"part","payload":{"number":2}}');
    assert.strictEqual(await client.nextText(), '{"action":"burst_done","ref":"b"}');
  });

  it('does not carry the ref of an earlier message', async () => {
    await ask('{"action":"ping","ref":"old"}');
    assert.strictEqual(await ask('{"action":"ping"}'), '{"action":"pong"}');
  });

  it('does not care about the order of keys, about blanks, or about unknown keys', async () => {
    assert.strictEqual(
      await ask(' { "ref" : "x" , "extra" : [ { } ] , "payload" : { "message" : "a" } , "action" : "user_message" } '),
      '{"action":"system_echo","payload":{"message":"🔧 System Echo: a"},"ref":"x"}');
  });

  it('takes a null payload for an absent one', async () => {
    assert.strictEqual(await ask('{"action":"ping","payload":null}'), '{"action":"pong"}');
  });

  it('keeps text as it is and escapes nothing but what JSON demands', async () => {
    assert.strictEqual(await ask('{"action":"any","payload":"\\u00e9 \\ud83d\\ude00 \\/ é 😀 \\u2028 \\u007f"}'),
                       '{"action":"any","payload":"é 😀 / é 😀 \u2028 \u007f"}');
    const controls = JSON.parse(await ask('{"action":"any","payload":"\\u0000\\u001f\\t\\n\\"\\\\"}'));
    assert.strictEqual(controls.payload, '\u0000\u001f\t\n"\\');
  });

  it('keeps all 64 bits of an integer', async () => {
    for (const number of ['9007199254740993', '9223372036854775807', '-9223372036854775808', '0'])
      assert.strictEqual(await ask(`{"action":"any","payload":[${number}]}`), `{"action":"any","payload":[${number}]}`);
  });

  it('keeps the value of a float', async () => {
    for (const number of [0.1, -1.5e-7, 1e300, 5e-324, 1.7976931348623157e308])
      assert.strictEqual(JSON.parse(await ask(`{"action":"any","payload":${number}}`)).payload, number);
  });

  it('tells an empty array from an empty object, and null from nothing', async () => {
    for (const value of ['[]', '{}', '[[],{},null]', '{"a":[]}', '{"a":{}}', '{"a":null}', '[null]', 'false', '""'])
      assert.strictEqual(await ask(`{"action":"any","payload":${value}}`), `{"action":"any","payload":${value}}`);
  });

  it('keeps a deep and mixed value', async () => {
    const value = { list: [1, 'two', null, { three: [true, false] }], empty: {}, none: [], 'a key': { ü: 0.5 } };
    assert.deepStrictEqual(JSON.parse(await ask(JSON.stringify({ action: 'any', payload: value }))).payload, value);
  });

  it('sends nothing when the handler has nothing to say', async () => {
    client.text('{"action":"silent","ref":"s"}');
    assert.strictEqual(await ask('{"action":"ping","ref":"p"}'), '{"action":"pong","ref":"p"}');
  });

  it('keeps the order of the messages of one connection', async () => {
    for (let number = 0; number < 200; number += 1) client.text(`{"action":"any","payload":${number}}`);
    for (let number = 0; number < 200; number += 1)
      assert.strictEqual(await client.nextText(), `{"action":"any","payload":${number}}`);
  });

  it('puts what a handler sends before its reply, in the order of the calls', async () => {
    client.text('{"action":"burst","payload":{"count":100}}');
    for (let number = 1; number <= 100; number += 1)
      assert.strictEqual(await client.nextText(), `{"action":"part","payload":{"number":${number}}}`);
    assert.strictEqual(await client.nextText(), '{"action":"burst_done"}');
  });

  it('keeps a state for each connection', async () => {
    const other = await RawClient.open(server.port, '/ws/echo');
    assert.strictEqual(await ask('{"action":"count"}'), '{"action":"counted","payload":{"number":1}}');
    assert.strictEqual(await ask('{"action":"count"}'), '{"action":"counted","payload":{"number":2}}');
    other.text('{"action":"count"}');
    assert.strictEqual(await other.nextText(), '{"action":"counted","payload":{"number":1}}');
    other.destroy();
  });

  it('serves a hundred clients side by side', async () => {
    const clients = await Promise.all(Array.from({ length: 100 }, () => RawClient.open(server.port, '/ws/echo')));
    clients.forEach((one, number) => one.text(`{"action":"any","payload":${number}}`));
    const answers = await Promise.all(clients.map((one) => one.nextText()));
    answers.forEach((answer, number) => assert.strictEqual(answer, `{"action":"any","payload":${number}}`));
    clients.forEach((one) => one.destroy());
  });
});
