// What a client hears when its message is wrong, and that it lives on.

import assert from 'node:assert';
import { after, before, describe, it } from 'node:test';
import { RawClient } from '../support/raw.js';
import { Server } from '../support/server.js';

// Asks `text` on `client`; the answer must be a list of errors, and the connection must live.
async function issuesOf(client, text) {
  client.text(text);
  const answer = await client.nextJson();
  assert.strictEqual(answer.action, 'error');
  assert.ok(Array.isArray(answer.payload), JSON.stringify(answer));
  for (const item of answer.payload) {
    assert.deepStrictEqual(Object.keys(item), ['type', 'loc', 'msg']);
    assert.ok(item.msg.length > 0);
  }
  return answer;
}

const typesAndPlaces = (answer) => answer.payload.map(({ type, loc }) => [type, loc]);

describe('the envelope', () => {
  let server;
  let client;
  before(async () => {
    server = await Server.start('wire');
    client = await RawClient.open(server.port, '/ws/echo');
  });
  after(async () => {
    client.text('{"action":"ping","ref":"still here"}');
    assert.strictEqual(await client.nextText(), '{"action":"pong","ref":"still here"}');
    client.destroy();
    await server.stop();
  });

  it('answers text that is no JSON with the offset of what is wrong', async () => {
    for (const [text, offset] of [
      ['{"action":"ping",}', 17], ['nonsense', 0], ['{"action":"ping"} x', 18], ['[1,2', 4], ['{"a":01}', 5],
      ['{"action":NaN}', 10], ["{'action':1}", 1],
    ]) {
      const answer = await issuesOf(client, text);
      assert.deepStrictEqual(typesAndPlaces(answer), [['json_invalid', []]], text);
      assert.match(answer.payload[0].msg, new RegExp(`\\b${offset}\\b`), `${text}: ${answer.payload[0].msg}`);
      assert.ok(!('ref' in answer));
    }
  });

  it('answers an empty message as invalid JSON', async () => {
    assert.deepStrictEqual(typesAndPlaces(await issuesOf(client, '')), [['json_invalid', []]]);
  });

  it('refuses duplicate keys, numbers out of range and lone surrogates', async () => {
    for (const text of [
      '{"action":"ping","action":"ping"}', '{"action":"any","payload":{"a":1,"a":2}}',
      '{"action":"any","payload":9223372036854775808}', '{"action":"any","payload":1e999}',
      '{"action":"any","payload":"\\ud800"}', '{"action":"any","payload":"\\udc00\\ud800"}',
      '{"action":"any","payload":"a\nb"}', '{"action":"any","payload":-}', '{"action":"any","payload":0x10}',
    ])
      assert.deepStrictEqual(typesAndPlaces(await issuesOf(client, text)), [['json_invalid', []]], text);
  });

  it('refuses a message that is nested too deep', async () => {
    const depth = 100000;
    const text = `{"action":"any","payload":${'['.repeat(depth)}${']'.repeat(depth)}}`;
    assert.deepStrictEqual(typesAndPlaces(await issuesOf(client, text)), [['json_invalid', []]]);
  });

  it('answers a JSON value that is no object', async () => {
    for (const text of ['[]', '1', '"ping"', 'null', 'true'])
      assert.deepStrictEqual(typesAndPlaces(await issuesOf(client, text)), [['model_type', []]], text);
  });

  it('answers a message without an action', async () => {
    for (const text of ['{}', '{"payload":{}}']) {
      const [[type]] = typesAndPlaces(await issuesOf(client, text));
      assert.strictEqual(type, 'union_tag_not_found');
    }
  });

  it('answers an unknown action with what was sent and nothing of what exists', async () => {
    const answer = await issuesOf(client, '{"action":"user_mesage","payload":{},"ref":"r"}');
    assert.deepStrictEqual(typesAndPlaces(answer), [['union_tag_invalid', ['action']]]);
    assert.match(answer.payload[0].msg, /user_mesage/);
    assert.doesNotMatch(answer.payload[0].msg, /user_message|system_echo|burst|ping/);
    assert.strictEqual(answer.ref, 'r');
  });

  it('answers an action that only the server sends as unknown', async () => {
    assert.deepStrictEqual(typesAndPlaces(await issuesOf(client, '{"action":"system_echo","payload":{"message":""}}')),
                           [['union_tag_invalid', ['action']]]);
  });

  it('answers an action that is no string', async () => {
    for (const action of ['1', 'null', '[]', '{}', 'true']) {
      const answer = await issuesOf(client, `{"action":${action},"ref":"r"}`);
      assert.strictEqual(answer.payload.length, 1);
      assert.strictEqual(answer.ref, 'r');
    }
  });

  it('answers a ref that is neither a short string nor an integer, and does not echo it', async () => {
    for (const ref of ['1.5', 'true', '[]', '{}', `"${'r'.repeat(129)}"`]) {
      const answer = await issuesOf(client, `{"action":"ping","ref":${ref}}`);
      assert.deepStrictEqual(typesAndPlaces(answer), [['string_type', ['ref']]], ref);
      assert.ok(!('ref' in answer));
    }
  });

  it('repeats the ref after the payload of the error, string or integer', async () => {
    client.text('{"ref":"7","action":"user_message","payload":{}}');
    assert.strictEqual(
      await client.nextText(),
      '{"action":"error","payload":[{"type":"missing","loc":["payload","message"],"msg":"Field required"}],"ref":"7"}');
    client.text('{"ref":7,"action":"user_message","payload":{}}');
    assert.match(await client.nextText(), /\}\],"ref":7\}$/);
  });

  it('answers each of many bad messages once, in order', async () => {
    for (let number = 0; number < 50; number += 1) {
      client.text(`{"action":"nope","ref":${number}}`);
      client.text('{');
      client.text(`{"action":"ping","ref":${number}}`);
    }
    for (let number = 0; number < 50; number += 1) {
      assert.strictEqual((await client.nextJson()).ref, number);
      assert.strictEqual((await client.nextJson()).payload[0].type, 'json_invalid');
      assert.strictEqual(await client.nextText(), `{"action":"pong","ref":${number}}`);
    }
  });

  it('answers binary where nothing takes it', async () => {
    client.frame('binary', Buffer.from([0, 1, 2, 255]));
    assert.strictEqual(await client.nextText(),
                       '{"action":"error","payload":{"detail":"Binary frames are not accepted"}}');
  });

  it('hands binary to a consumer that takes it', async () => {
    const binary = await RawClient.open(server.port, '/ws/binary');
    binary.frame('binary', Buffer.from([0, 1, 2, 255]));
    const answer = await binary.nextFrame();
    assert.strictEqual(answer.opcode, 'binary');
    assert.deepStrictEqual(answer.payload, Buffer.from([255, 2, 1, 0]));
    binary.text('{"action":"ping"}');
    assert.strictEqual(await binary.nextText(), '{"action":"pong"}');
    binary.frame('binary', 'raise');
    assert.deepStrictEqual(await binary.nextJson(),
                           { action: 'error', payload: { detail: 'Failed to process message' } });
    binary.destroy();
  });
});

describe('a payload', () => {
  let server;
  let client;
  before(async () => {
    server = await Server.start('wire');
    client = await RawClient.open(server.port, '/ws/schemas');
  });
  after(async () => {
    client.destroy();
    await server.stop();
  });

  const valid = async (action, payload, seen = payload) => {
    client.text(`{"action":"${action}","payload":${payload}}`);
    assert.strictEqual(await client.nextText(), `{"action":"valid","payload":${seen}}`);
  };
  const invalid = async (action, payload, ...expected) => {
    const answer = await issuesOf(client, `{"action":"${action}","payload":${payload},"ref":"r"}`);
    assert.strictEqual(answer.ref, 'r');
    assert.deepStrictEqual(typesAndPlaces(answer), expected.map(([type, ...loc]) => [type, ['payload', ...loc]]),
                           `${action} ${payload}`);
    return answer.payload;
  };

  it('is a string of so many characters', async () => {
    await valid('string', '{"value":"ab"}');
    await valid('string', '{"value":"äöü😀"}');
    await invalid('string', '{"value":1}', ['string_type', 'value']);
    await invalid('string', '{"value":null}', ['string_type', 'value']);
    const [tooShort] = await invalid('string', '{"value":"😀"}', ['string_too_short', 'value']);
    assert.match(tooShort.msg, /\b2\b/);
    const [tooLong] = await invalid('string', '{"value":"abcde"}', ['string_too_long', 'value']);
    assert.strictEqual(tooLong.msg, 'String should have at most 4 characters');
  });

  it('is an integer in a range, and 1.0 is one', async () => {
    await valid('integer', '{"value":-5}');
    await valid('integer', '{"value":1.0}', '{"value":1}');
    for (const value of ['"1"', 'true', '1.5', '[]', 'null']) await invalid('integer', `{"value":${value}}`, ['int_type', 'value']);
    const [small] = await invalid('integer', '{"value":-6}', ['greater_than_equal', 'value']);
    assert.match(small.msg, /-5\b/);
    const [large] = await invalid('integer', '{"value":6}', ['less_than_equal', 'value']);
    assert.match(large.msg, /\b5\b/);
  });

  it('is a number in a range', async () => {
    await valid('number', '{"value":0.25}');
    await valid('number', '{"value":-0.5}');
    client.text('{"action":"number","payload":{"value":1}}');
    assert.strictEqual((await client.nextJson()).payload.value, 1);
    await invalid('number', '{"value":"1"}', ['float_type', 'value']);
    await invalid('number', '{"value":-0.75}', ['greater_than_equal', 'value']);
    await invalid('number', '{"value":2}', ['less_than_equal', 'value']);
  });

  it('is a boolean', async () => {
    await valid('boolean', '{"value":true}');
    await valid('boolean', '{"value":false}');
    for (const value of ['1', '0', '"true"', 'null']) await invalid('boolean', `{"value":${value}}`, ['bool_type', 'value']);
  });

  it('is null', async () => {
    await valid('null', '{"value":null}');
    await invalid('null', '{"value":0}', ['none_required', 'value']);
  });

  it('is a literal, or one of several', async () => {
    await valid('literal', '{"value":"a"}');
    const [literal] = await invalid('literal', '{"value":"b"}', ['literal_error', 'value']);
    assert.match(literal.msg, /a/);
    await valid('enum', '{"value":"green"}');
    const [choice] = await invalid('enum', '{"value":"blue"}', ['enum', 'value']);
    assert.match(choice.msg, /red.*green/);
    await invalid('enum', '{"value":1}', ['enum', 'value']);
  });

  it('is an array of so many items, each of them checked', async () => {
    await valid('array', '{"value":[1,2,3]}');
    await invalid('array', '{"value":{}}', ['list_type', 'value']);
    await invalid('array', '{"value":[]}', ['too_short', 'value']);
    await invalid('array', '{"value":[1,2,3,4]}', ['too_long', 'value']);
    await invalid('array', '{"value":[1,"2",3.5]}', ['int_type', 'value', 1], ['int_type', 'value', 2]);
  });

  it('is a map of so many entries, each of them checked', async () => {
    await valid('map', '{"value":{"a":1}}');
    await valid('map', '{"value":{}}');
    await invalid('map', '{"value":[]}', ['dict_type', 'value']);
    await invalid('map', '{"value":{"a":1,"b":2,"c":3}}', ['too_long', 'value']);
    await invalid('map', '{"value":{"a":1,"b":"2"}}', ['int_type', 'value', 'b']);
  });

  it('is an object inside an object', async () => {
    await valid('object', '{"value":{"inner":{"leaf":1}}}');
    await invalid('object', '{"value":{"inner":[]}}', ['model_type', 'value', 'inner']);
    await invalid('object', '{"value":{"inner":{"leaf":"1"}}}', ['int_type', 'value', 'inner', 'leaf']);
    await invalid('object', '{"value":{"inner":{}}}', ['missing', 'value', 'inner', 'leaf']);
    await invalid('object', '[]', ['model_type']);
  });

  it('has fields that may be absent, may be null, or have a default', async () => {
    await valid('optional', '{}');
    await valid('optional', '{"value":1}');
    await invalid('optional', '{"value":null}', ['int_type', 'value']);
    await valid('nullable', '{"value":null}');
    await valid('nullable', '{"value":1}');
    await invalid('nullable', '{}', ['missing', 'value']);
    await valid('default', '{}', '{"value":7}');
    await valid('default', '{"value":8}');
    await invalid('default', '{"value":"8"}', ['int_type', 'value']);
  });

  it('is missed when a handler needs one', async () => {
    for (const text of ['{"action":"integer"}', '{"action":"integer","payload":null}']) {
      const answer = await issuesOf(client, text);
      assert.deepStrictEqual(answer.payload[0].loc[0], 'payload');
    }
  });

  it('drops, keeps or refuses what is not declared', async () => {
    await valid('ignoring', '{"value":1,"more":2}', '{"value":1}');
    client.text('{"action":"allowing","payload":{"value":1,"more":[2]}}');
    assert.deepStrictEqual((await client.nextJson()).payload, { value: 1, more: [2] });
    await invalid('forbidding', '{"value":1,"more":2}', ['extra_forbidden', 'more']);
  });

  it('may be a list itself', async () => {
    await valid('list', '[1,2]');
    await invalid('list', '[1,null]', ['int_type', 1]);
    await invalid('list', '{}', ['list_type']);
  });

  it('is told all that is wrong with it in one frame: the missing fields first, then as they stand', async () => {
    await invalid('many', '{"d":"x","b":2}', ['missing', 'a'], ['missing', 'c'], ['float_type', 'd'], ['string_type', 'b']);
    await invalid('ordered', '{}', ['missing', 'zebra'], ['missing', 'apple']);
  });

  it('is told of the one item that is too long, byte for byte', async () => {
    client.text(`{"action":"tags","payload":{"tags":["a","b","c","${'d'.repeat(21)}"]},"ref":"7"}`);
    assert.strictEqual(
      await client.nextText(),
      '{"action":"error","payload":[{"type":"string_too_long","loc":["payload","tags",3],' +
      '"msg":"String should have at most 20 characters"}],"ref":"7"}');
  });

  it('is repeated in an error only when it is a short scalar, and never in the log', async () => {
    const long = 'topsecret'.repeat(20);
    for (const [action, payload] of [
      ['string', `{"value":["topsecret"]}`], ['integer', `{"value":"${long}"}`], ['literal', `{"value":"${long}"}`],
      ['enum', `{"value":"${long}"}`], ['array', '{"value":{"topsecret":1}}'], ['ignoring', `"${long}"`],
    ]) {
      client.text(`{"action":"${action}","payload":${payload}}`);
      assert.doesNotMatch(await client.nextText(), /topsecret/);
    }
    client.text('{"action":"integer","payload":{"value":"topsecret"}}');
    assert.match((await client.nextJson()).payload[0].msg, /got 'topsecret'$/);
    assert.doesNotMatch(server.stderr, /topsecret/);
  });
});

describe('max_errors', () => {
  let server;
  before(async () => { server = await Server.start('wire', { args: ['--max-errors', '3'] }); });
  after(() => server.stop());

  it('bounds the list, whose last item then counts the rest', async () => {
    const client = await RawClient.open(server.port, '/ws/schemas');
    client.text(JSON.stringify({ action: 'list', payload: Array(10).fill('x') }));
    const { payload } = await client.nextJson();
    assert.deepStrictEqual(payload.slice(0, 3).map(({ type, loc }) => [type, loc]),
                           [0, 1, 2].map((index) => ['int_type', ['payload', index]]));
    assert.deepStrictEqual(payload.slice(3), [{ type: 'too_many_errors', loc: [], msg: '7 more errors' }]);
    client.text(JSON.stringify({ action: 'list', payload: Array(3).fill('x') }));
    assert.strictEqual((await client.nextJson()).payload.length, 3);
    client.destroy();
  });
});

describe('a handler that raises in production', () => {
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

  it('is answered with one sentence, after what it had sent, whatever it raised', async () => {
    for (const how of ['string', 'table', 'nil', 'index', 'tostring']) {
      client.text(`{"action":"fail","payload":{"how":"${how}"},"ref":"${how}"}`);
      assert.strictEqual(await client.nextText(), '{"action":"part","payload":{"number":1}}');
      assert.strictEqual(
        await client.nextText(),
        `{"action":"error","payload":{"detail":"Failed to process message"},"ref":"${how}"}`);
    }
    client.text('{"action":"ping"}');
    assert.strictEqual(await client.nextText(), '{"action":"pong"}');
  });

  it('is found in the log: the action, the place and the traceback', async () => {
    client.text('{"action":"fail","payload":{"how":"string"}}');
    await client.nextText();
    await client.nextText();
    const record = await server.record((fields) => fields.level === 'error' && fields.action === 'fail',
                                       'a line about the failed handler');
    assert.match(JSON.stringify(record), /echo\.lua:\d+/);
    assert.match(JSON.stringify(record), /secret words/);
    assert.match(JSON.stringify(record), /traceback/i);
  });

  it('may raise a declared error, which its client gets', async () => {
    client.text('{"action":"fail","payload":{"how":"declared"},"ref":"d"}');
    await client.nextText();
    assert.strictEqual(await client.nextText(),
                       '{"action":"error","payload":{"code":"not_found","detail":"No such room"},"ref":"d"}');
  });

  it('closes with 1011 when it is `connected`, and `disconnected` still runs', async () => {
    const refused = await RawClient.open(server.port, '/ws/raises');
    assert.deepStrictEqual(await refused.nextJson(), { action: 'hello', payload: { text: 'before' } });
    const error = await refused.nextText();
    assert.match(error, /^\{"action":"error","payload":\{"detail":/);
    assert.doesNotMatch(error, /secret/);
    assert.strictEqual((await refused.nextClose()).code, 1011);
    refused.close(1011);
    await refused.end();
    await server.record((fields) => fields.hook === 'disconnected' && fields.consumer === 'raises',
                        'the hook of the refused connection');
  });

  it('keeps the handler from running when it is `before`', async () => {
    const guarded = await RawClient.open(server.port, '/ws/guarded');
    guarded.text('{"action":"ask","payload":{"word":"now"},"ref":1}');
    assert.strictEqual(await guarded.nextText(),
                       '{"action":"error","payload":{"code":"impolite","detail":"Say please"},"ref":1}');
    guarded.text('{"action":"ask","payload":{"word":"please"},"ref":2}');
    assert.strictEqual(await guarded.nextText(), '{"action":"hello","payload":{"text":"since you ask"},"ref":2}');
    guarded.destroy();
  });

  it('harms nobody when it is `disconnected`', async () => {
    const clumsy = await RawClient.open(server.port, '/ws/clumsy');
    await clumsy.nextText();
    clumsy.close(1000);
    await clumsy.nextClose();
    await clumsy.end();
    client.text('{"action":"ping"}');
    assert.strictEqual(await client.nextText(), '{"action":"pong"}');
  });

  it('leaves a plain text connection open', async () => {
    const text = await RawClient.open(server.port, '/ws/text');
    assert.strictEqual(await text.nextText(), 'Welcome');
    text.text('raise');
    text.text('on');
    let answer = await text.nextText();
    if (answer !== 'Echo: on') {
      assert.doesNotMatch(answer, /secret/);
      answer = await text.nextText();
    }
    assert.strictEqual(answer, 'Echo: on');
    text.destroy();
  });
});

describe('a handler that raises in development', () => {
  let server;
  before(async () => { server = await Server.start('wire', { args: ['--dev'] }); });
  after(() => server.stop());

  it('shows its client the traceback, the file and the line', async () => {
    const client = await RawClient.open(server.port, '/ws/echo');
    client.text('{"action":"fail","payload":{"how":"string"},"ref":1}');
    await client.nextText();
    const { action, payload, ref } = await client.nextJson();
    assert.strictEqual(action, 'error');
    assert.strictEqual(ref, 1);
    assert.strictEqual(payload.detail, 'Failed to process message');
    assert.match(payload.traceback, /secret words/);
    assert.match(payload.file, /echo\.lua$/);
    assert.ok(Number.isInteger(payload.line) && payload.line > 0);
    assert.strictEqual(payload.generation, 1);
    const { first_line: first, lines } = payload.source;
    assert.strictEqual(lines.length, 5);
    assert.strictEqual(first, payload.line - 2);
    assert.match(lines[2], /error/);
    client.destroy();
  });
});
