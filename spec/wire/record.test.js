// tidegate run --record: what came in is in the file, what is secret is not, and no file ends the server.

import assert from 'node:assert';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { RawClient } from '../support/raw.js';
import { run, Server } from '../support/server.js';

let folder;
let file;
let server;

const start = async (...args) => {
  server = await Server.start('record', { args: ['--record', file, ...args] });
  return server;
};

const stop = async () => {
  const stopped = server;
  server = null;
  await stopped.stop();
};

const text = () => fs.readFileSync(file, 'utf8');
const lines = () => text().split('\n').slice(0, -1).map((line) => JSON.parse(line));
const ofType = (type) => lines().filter((line) => line.type === type);

// Sends texts and waits for as many answers.
const talk = async (client, texts) => {
  for (const one of texts) client.text(one);
  const answers = [];
  for (let i = 0; i < texts.length; i++) answers.push(await client.nextText());
  return answers;
};

describe('tidegate run --record', () => {
  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tidegate-record-'));
    file = path.join(folder, 'in.jsonl');
  });

  afterEach(async () => {
    if (server) await server.forceEnd();
    server = null;
    fs.rmSync(folder, { recursive: true });
  });

  it('keeps requests, messages and ends, in the order in which they came', async () => {
    await start();
    const client = await RawClient.open(server.port, '/ws/sum?room=1', { headers: { 'user-agent': 'a spec' } });
    await talk(client, ['{"action":"add","payload":{"amount":1}}', 'no "JSON" at all €']);
    client.frame('binary', Buffer.from([0, 255, 254]));
    client.close(4001, 'bye');
    await client.end();
    await stop();
    const [head, open, ...rest] = lines();
    assert.strictEqual(head.type, 'recording');
    assert.strictEqual(head.format, 1);
    assert.match(head.at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert.deepStrictEqual([open.type, open.consumer, open.path, open.query], ['open', 'sum', '/ws/sum', 'room=1']);
    assert.deepStrictEqual(open.headers.find(([name]) => name === 'user-agent'), ['user-agent', 'a spec']);
    const { conn } = open;
    assert.deepStrictEqual(rest.map(({ ms, ...line }) => { assert.ok(ms >= open.ms); return line; }), [
      { type: 'message', conn, text: '{"action":"add","payload":{"amount":1}}' },
      { type: 'message', conn, text: 'no "JSON" at all €' },
      { type: 'message', conn, binary: 'AP/+' },
      { type: 'close', conn, code: 4001, reason: 'bye', by: 'client' },
      { type: 'end', why: 'stopped' },
    ]);
  });

  it('knows nothing of the pages that listen for new code', async () => {
    await start('--mode', 'development');
    const page = await RawClient.open(server.port, '/tidegate/dev', { headers: { Origin: 'http://127.0.0.1' } });
    assert.strictEqual((await page.nextJson()).action, 'status');
    page.json({ action: 'nothing' });
    assert.strictEqual((await page.nextJson()).action, 'error');
    page.close(1000, '');
    await page.end();
    await stop();
    assert.deepStrictEqual(lines().map(({ type }) => type), ['recording', 'end']);
  });

  it('has no secret, wherever in a message it stood', async () => {
    await start();
    const client = await RawClient.open(server.port, '/ws/login/7?token=HUSH&r=1&x%74oken=HUSH', {
      headers: { cookie: 'sid=HUSH; theme="HUSH"', authorization: 'Bearer HUSH', origin: 'http://127.0.0.1',
                 referer: 'https://example.org/in?invitation=HUSH#HUSH' },
    });
    await talk(client, [
      '{"action":"login","payload":{"user":"ann","password":"HUSH!!","pin":54321},"ref":"1"}',
      '{"action":"login","payload":{"user":"ann","pasword":"HUSH"}}',
      '{"action":"login","payload":{"user":{"a":"HUSH"},"password":["HUSH"]},"HUSH":1,"ref":["HUSH"]}',
      '{"action":"login","payload":"HUSH"}',
      '{"action":"logn","payload":{"password":"HUSH"}}',
      '{"action":"login","payload":{"password":"HUSH"',
      '["HUSH"]',
    ]);
    client.frame('binary', Buffer.from('HUSH'));
    await client.nextText();
    client.close(1000, 'HUSH');
    await client.end();
    await stop();
    assert.ok(!text().includes('HUSH'), text());
    assert.ok(!text().includes('54321'));
    const [open] = ofType('open');
    assert.strictEqual(open.query, 'token=***&r=1&xtoken=***');
    assert.deepStrictEqual(open.headers.find(([name]) => name === 'cookie'), ['cookie', 'sid=***; theme=***']);
    assert.deepStrictEqual(ofType('message').map((line) => line.text || `${line.omitted} ${line.bytes}`), [
      '{"action":"login","payload":{"user":"ann","password":"******","pin":1000},"ref":"1"}',
      '{"action":"login","payload":{"user":"ann"}}',
      '{"action":"login","payload":{"user":{},"password":[]}}',
      '{"action":"login","payload":"****"}',
      'unknown 47',
      'json_invalid 46',
      'model_type 8',
      'binary 4',
    ]);
  });

  it('has no credential that comes in a message', async () => {
    await start();
    const token = '{"action":"authenticate","payload":{"token":"HUSH"}}';
    const guarded = await RawClient.open(server.port, '/ws/guarded', {});
    await talk(guarded, [token, token]);
    const raw = await RawClient.open(server.port, '/ws/raw', {});
    raw.text(token);
    raw.text('hello');
    assert.strictEqual(await raw.nextText(), 'hello');
    for (const client of [guarded, raw]) {
      client.close(1000);
      await client.end();
    }
    await stop();
    assert.ok(!text().includes('HUSH'), text());
    const masked = token.replace('HUSH', '****');
    assert.deepStrictEqual(ofType('message').slice(0, 3).map((line) => line.text || `${line.omitted} ${line.bytes}`),
      [masked, masked, `credential ${token.length}`]);
  });

  // The names were none that sound like a credential's.
  it('has no credential in what an authenticator reads, whatever that is called', async () => {
    await start();
    const client = await RawClient.open(server.port, '/ws/visitors?who=HUSH&door=1', {
      headers: { 'X-Who': 'HUSH', 'X-Visitor': 'HUSH' },
    });
    assert.match(await client.nextText(), /"status_code":401/);
    await client.end();
    await stop();
    const [open] = ofType('open');
    assert.strictEqual(open.query, 'who=***&door=1');
    assert.deepStrictEqual(open.headers.filter(([name]) => name.startsWith('x-')), [['x-who', '***'], ['x-visitor', '***']]);
    assert.ok(!text().includes('HUSH'), text());
  });

  it('has no secret of a topic either, which it cleans by what the topic declares', async () => {
    await start();
    const client = await RawClient.open(server.port, '/ws/doors', {});
    await talk(client, [
      '{"action":"subscribe","topic":"door:a","payload":"HUSH","ref":1}',
      '{"action":"unlock","topic":"door:a","payload":{"doorCode":"HUSH!!","note":"x"},"ref":2}',
      '{"action":"unlock","topic":"door:a","payload":{"door_code":"HUSH"}}',
      '{"action":"unlock","topic":"door:b","payload":{"doorCode":"HUSH"}}',
      '{"action":"unlock","topic":"dor:a","payload":{"doorCode":"HUSH"}}',
      '{"action":"unlock","topic":["HUSH"],"payload":{"doorCode":"HUSH"}}',
      '{"action":"unlock","payload":{"doorCode":"HUSH"}}',
      '{"action":"add","payload":{"amount":1,"doorCode":"HUSH"}}',
      '{"action":"add","topic":"door:a","payload":{"doorCode":"HUSH"}}',
      '{"action":"unsubscribe","topic":"door:a"}',
    ]);
    client.close(1000, 'HUSH');
    await client.end();
    const own = await RawClient.open(server.port, '/ws/door/b', {});
    await talk(own, ['{"action":"unlock","payload":{"door_code":"HUSH"}}']);
    own.close(1000, '');
    await own.end();
    await stop();
    assert.ok(!text().includes('HUSH'), text());
    assert.deepStrictEqual(ofType('message').map((line) => line.text || `${line.omitted} ${line.bytes}`), [
      '{"action":"subscribe","topic":"door:a","payload":"****","ref":1}',
      '{"action":"unlock","topic":"door:a","payload":{"doorCode":"******","note":"x"},"ref":2}',
      '{"action":"unlock","topic":"door:a","payload":{}}',
      '{"action":"unlock","topic":"door:b","payload":{"doorCode":"****"}}',
      'topic 65',
      'topic 66',
      'unknown 49',
      '{"action":"add","payload":{"amount":1}}',
      'unknown 63',
      '{"action":"unsubscribe","topic":"door:a"}',
      '{"action":"unlock","payload":{"door_code":"****"}}',
    ]);
  });

  it('makes a file that only its owner may read, and replaces none', async () => {
    await start();
    assert.strictEqual(fs.statSync(file).mode & 0o777, 0o600);
    await stop();
    const before = text();
    const app = path.join(import.meta.dirname || path.dirname(new URL(import.meta.url).pathname), '../support/apps/record');
    const { code, stderr } = await run(['run', app, '--port', '0', '--record', file]);
    assert.strictEqual(code, 1);
    assert.match(stderr, /in\.jsonl exists, and a recording replaces no file/);
    assert.strictEqual(text(), before);
  });

  it('puts the time where the name asks for it', async () => {
    file = path.join(folder, 'in-{time}.jsonl');
    await start();
    await stop();
    assert.match(fs.readdirSync(folder).join(), /^in-\d{8}T\d{6}Z\.jsonl$/);
  });

  it('writes what it has every second', async () => {
    await start();
    const client = await RawClient.open(server.port, '/ws/sum');
    await talk(client, ['{"action":"add","payload":{"amount":1}}']);
    const deadline = Date.now() + 10000;
    while (!text().includes('amount') && Date.now() < deadline) await new Promise((done) => { setTimeout(done, 50); });
    assert.ok(text().includes('amount'));
    client.destroy();
    await stop();
  });

  it('ends at record_max_bytes with a line that says so, and the server goes on', async () => {
    await start('--record-max-bytes', '4096');
    const client = await RawClient.open(server.port, '/ws/sum');
    await talk(client, Array(100).fill('{"action":"add","payload":{"amount":1}}'));
    await server.record(({ event }) => event === 'recording_ended', 'the warning');
    assert.match((await server.http('/metrics')).body, /tidegate_recording 0\n[^]*tidegate_recordings_ended_total 1\n/);
    client.destroy();
    await stop();
    assert.ok(text().length <= 4096);
    assert.deepStrictEqual(lines().at(-1).why, 'record_max_bytes');
  });

  it('ends when the disk takes no more, and the server goes on', async () => {
    const app = path.join(path.dirname(new URL(import.meta.url).pathname), '../support/apps/record');
    const binary = path.resolve(process.env.TG_BIN || 'build/dev/tidegate');
    // A limit of file sizes is a full disk that needs no rights. 1 block of the shell's is 512 or 1024 bytes.
    const child = spawn('sh', ['-c', 'ulimit -f 4 && exec "$@"', 'sh', binary, 'run', app, '--port', '0', '--record', file]);
    let said = '';
    let logged = '';
    child.stdout.on('data', (bytes) => { said += bytes; });
    child.stderr.on('data', (bytes) => { logged += bytes; });
    const until = async (probe) => {
      const deadline = Date.now() + 15000;
      while (!probe() && Date.now() < deadline) await new Promise((done) => { setTimeout(done, 20); });
      assert.ok(probe(), logged);
    };
    try {
      await until(() => /:(\d+)\n/.test(said));
      const client = await RawClient.open(Number(/:(\d+)\n/.exec(said)[1]), '/ws/sum');
      await talk(client, Array(100).fill(`{"action":"add","payload":{"amount":1},"more":"${'x'.repeat(200)}"}`));
      await until(() => logged.includes('event=recording_ended'));
      assert.match(logged, /recording_ended why="File too large"/);
      const [answer] = await talk(client, ['{"action":"add","payload":{"amount":1}}']);
      assert.match(answer, /"total":101/);
      client.destroy();
    } finally {
      child.kill('SIGTERM');
    }
    await new Promise((done) => { child.on('close', done); });
    assert.strictEqual(child.exitCode, 0, logged);
  });
});
