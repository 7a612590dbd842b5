// Messages made to cost as much as they can: each is answered, with a clear error where it is wrong, and the
// connection and everybody else's live. A limit in milliseconds would test the machine; what is asserted are the
// answers, their order, and that another client's ping is answered behind each.

import assert from 'node:assert';
import { after, before, describe, it } from 'node:test';
import { WebSocket } from 'ws';
import { Server } from '../support/server.js';

const MIB = 1024 * 1024;

describe('hostile messages', () => {
  let server;
  let socket;
  let received;
  before(async () => {
    server = await Server.start('hostile', {
      args: ['--max-message-bytes', String(16 * MIB), '--max-json-depth', '512'],
    });
    socket = new WebSocket(`ws://127.0.0.1:${server.port}/ws/hostile`, { perMessageDeflate: false });
    received = [];
    socket.on('message', (data) => received.push(JSON.parse(data)));
    await new Promise((resolve, reject) => { socket.once('open', resolve); socket.once('error', reject); });
  });
  after(async () => {
    socket.terminate();
    await server.stop();
  });

  async function ask(text) {
    const answered = new Promise((resolve, reject) => {
      socket.once('message', resolve);
      socket.once('close', (code) => reject(new Error(`closed with ${code}`)));
    });
    socket.send(text);
    await answered;
    socket.removeAllListeners('close');
    return received.pop();
  }

  const say = (action, json) => ask(`{"action":"${action}","payload":${json}}`);

  async function refused(action, json) {
    const answer = await say(action, json);
    assert.strictEqual(answer.action, 'error', JSON.stringify(answer).slice(0, 200));
    return answer.payload;
  }

  async function taken(action, json) {
    assert.deepStrictEqual(await say(action, json), { action: 'taken', payload: action });
  }

  it('refuses 100,000 open brackets where the limit of depth is', async () => {
    for (const bracket of ['[', '{"a":']) {
      const [issue] = await refused('any', bracket.repeat(100000));
      assert.strictEqual(issue.type, 'json_invalid');
      assert.match(issue.msg, /512/);
    }
  });

  it('takes and refuses a string of 10 MB', async () => {
    const text = JSON.stringify('x'.repeat(10 * MIB));
    await taken('text', text);
    assert.deepStrictEqual(await refused('short', text), [
      { type: 'string_too_long', loc: ['payload'], msg: 'String should have at most 10 characters' },
    ]);
  });

  it('takes 100,000 keys, and refuses them with a bounded answer', async () => {
    const keys = Array.from({ length: 100000 }, (_, i) => `"key${i}":${i}`).join(',');
    await taken('any', `{${keys}}`);
    const unknown = await refused('forbidding', `{${keys},"known":1}`);
    assert.strictEqual(unknown.length, 51);
    assert.deepStrictEqual(unknown[50], { type: 'too_many_errors', loc: [], msg: '99950 more errors' });
    assert.deepStrictEqual((await refused('counted', `{${keys}}`)).map(({ type }) => type), ['too_long']);
  });

  it('finds the duplicate among 100,000 keys that share their beginning', async () => {
    const prefix = 'k'.repeat(60);
    const keys = Array.from({ length: 100000 }, (_, i) => `"${prefix}${i}":0`).join(',');
    await taken('any', `{${keys}}`);
    const [issue] = await refused('any', `{${keys},"${prefix}7":1}`);
    assert.strictEqual(issue.type, 'json_invalid');
  });

  it('compares 100,000 items that have to be unique', async () => {
    const items = Array.from({ length: 100000 }, (_, i) => `{"a":1,"b":[${i}]}`);
    await taken('unique', `[${items.join(',')}]`);
    assert.deepStrictEqual(await refused('unique', `[${items.join(',')},{"b":[7],"a":1.0}]`), [
      { type: 'not_unique', loc: ['payload', 100000], msg: 'Item should be unique, but it equals item 7' },
    ]);
  });

  it('stops a pattern that tries too much, says so, and counts it', async () => {
    const before = await server.metric('check_steps_hit_total');
    await taken('bomb', '"abc"');
    const [issue] = await refused('bomb', JSON.stringify(`${'a'.repeat(5000)}!`));
    assert.deepStrictEqual([issue.type, issue.loc], ['value_error', ['payload']]);
    assert.match(issue.msg, /too many steps/);
    assert.strictEqual(await server.metric('check_steps_hit_total'), before + 1);
  });

  it('bounds the patterns of a whole message', async () => {
    const items = Array.from({ length: 20000 }, () => JSON.stringify(`${'a'.repeat(40)}!`));
    const issues = await refused('bombs', `[${items.join(',')}]`);
    assert.strictEqual(issues.length, 51);
    assert.match(issues[0].msg, /too many steps/);
  });

  it('bounds a union that tries every branch on every level', async () => {
    await taken('tree', '[["leaf",["leaf"]],"leaf"]');
    const [issue] = await refused('tree', `${'['.repeat(200)}1${']'.repeat(200)}`);
    assert.strictEqual(issue.type, 'value_error');
    assert.match(issue.msg, /too many steps/);
  });
});
