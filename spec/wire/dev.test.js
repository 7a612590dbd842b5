// /tidegate/dev: what a page hears of the code behind it, and who may not.

import assert from 'node:assert';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, describe, it } from 'node:test';

import { RawClient } from '../support/raw.js';
import { Server } from '../support/server.js';

const module = (max, rest = '') => `local tide <const> = require "tidegate"
local s <const> = tide.schema
local say <const> = tide.message("say", { text = s.string { max = ${max} } })
local Talk <const> = tide.consumer { name = "talk", path = "/ws/talk" }
Talk:on(say, function()
  local none
  return none.field
end)
${rest}
return Talk
`;

let folder;
let server;
let clients = [];
afterEach(async () => {
  for (const client of clients) client.destroy();
  clients = [];
  const [stopped, left] = [server, folder];
  server = folder = undefined;
  if (stopped) await stopped.stop();
  if (left) fs.rmSync(left, { recursive: true, force: true });
});

function write(text) { // as most editors save
  fs.writeFileSync(path.join(folder, 'talk.lua.new~'), text);
  fs.renameSync(path.join(folder, 'talk.lua.new~'), path.join(folder, 'talk.lua'));
}

async function serve(args = ['--reload']) {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tidegate-dev-'));
  write(module(2000));
  server = await Server.start(folder, { args });
}

const origin = () => `http://127.0.0.1:${server.port}`;

async function open(target, headers = {}) {
  const client = await RawClient.open(server.port, target, { headers });
  clients.push(client);
  return client;
}

const listen = () => open('/tidegate/dev', { Host: `127.0.0.1:${server.port}`, Origin: origin() });

async function status(headers) {
  const client = await RawClient.connect(server.port);
  clients.push(client);
  return (await client.upgrade('/tidegate/dev', { headers: { Host: `127.0.0.1:${server.port}`, ...headers } })).status;
}

describe('the development socket', () => {
  it('says first which generation serves', async () => {
    await serve();
    const page = await listen();
    assert.deepStrictEqual(await page.nextJson(), { action: 'status', payload: { generation: 1 } });
  });

  it('tells of a reload what has changed', async () => {
    await serve();
    const page = await listen();
    await page.nextJson();
    write(module(200, 'Talk:on(tide.message("more"), function() end)'));
    const { action, payload } = await page.nextJson();
    assert.strictEqual(action, 'reloaded');
    assert.strictEqual(payload.generation, 2);
    assert.ok(Number.isInteger(payload.took_ms));
    assert.strictEqual(payload.report.summary, '1 module, +1 action (more), stricter in 1 place');
    assert.deepStrictEqual(payload.report.changes.slice(1), [
      { kind: 'schema', way: 'changed', consumer: 'talk', name: 'say payload.text', detail: 'max was 2000, is 200' },
      { kind: 'action', way: 'added', consumer: 'talk', name: 'more' },
    ]);
    assert.deepStrictEqual(await page.nextJson(), { action: 'status', payload: { generation: 2 } });
  });

  it('tells what does not load to whoever listens or comes later, until it is mended', async () => {
    await serve();
    const page = await listen();
    await page.nextJson();
    write(module(2000, 'local a = = 1'));
    const failed = await page.nextJson();
    assert.strictEqual(failed.action, 'reload_failed');
    const [problem] = failed.payload.problems;
    assert.match(problem.file, /talk\.lua$/);
    assert.deepStrictEqual([problem.message, problem.line, problem.column], ["unexpected symbol near '='", 9, 11]);
    assert.strictEqual(problem.source.lines[9 - problem.source.first_line], 'local a = = 1');
    const late = await listen();
    await late.nextJson();
    assert.deepStrictEqual(await late.nextJson(), failed);
    write(module(2000));
    for (const each of [page, late])
      assert.deepStrictEqual(await each.nextJson(), { action: 'mended', payload: { generation: 1 } });
    const last = await listen();
    await last.nextJson();
    write(module(1999));
    assert.strictEqual((await last.nextJson()).action, 'reloaded');
  });

  it('tells of handlers that raise, which nobody else hears of but their client', async () => {
    await serve();
    const [page, client, other] = [await listen(), await open('/ws/talk'), await open('/ws/talk')];
    await page.nextJson();
    client.json({ action: 'say', payload: { text: 'a' } });
    const answer = await client.nextJson();
    const { action, payload } = await page.nextJson();
    assert.strictEqual(action, 'handler_failed');
    assert.deepStrictEqual([payload.consumer, payload.handler, payload.line, payload.generation], ['talk', 'say', 7, 1]);
    assert.match(payload.message, /attempt to index a nil value/);
    assert.match(payload.file, /talk\.lua$/);
    for (const key of ['file', 'line', 'source', 'traceback', 'generation'])
      assert.deepStrictEqual(payload[key], answer.payload[key], key);
    other.text('{');
    assert.strictEqual((await other.nextJson()).action, 'error'); // of its own, and the first
  });

  it('tells of routes that raise as the answer does', async () => {
    await serve();
    write(module(2000, 'tide.route("GET", "/fail", function() local user; return 200, user.name end)'));
    const page = await listen();
    while ((await page.nextJson()).payload.generation !== 2) /* it comes later, or before it is loaded */;
    const answer = await (await fetch(`${origin()}/fail`)).json();
    let told = await page.nextJson();
    if (told.action === 'status') told = await page.nextJson();
    assert.strictEqual(told.action, 'handler_failed');
    assert.deepStrictEqual([told.payload.handler, told.payload.consumer, told.payload.line], ['GET /fail', undefined, 9]);
    assert.strictEqual(answer.detail, 'Internal server error');
    assert.deepStrictEqual([answer.generation, answer.source.lines.length > 0], [2, true]);
    for (const key of ['file', 'line', 'source', 'traceback', 'generation'])
      assert.deepStrictEqual(told.payload[key], answer[key], key);
  });

  it('tells of no more failures in a second than a page can show', async () => {
    await serve();
    const [page, client] = [await listen(), await open('/ws/talk')];
    await page.nextJson();
    for (let i = 0; i < 100; i += 1) client.json({ action: 'say', payload: { text: 'a' } });
    for (let i = 0; i < 100; i += 1) await client.nextJson();
    write(module(1));
    let failures = 0;
    while ((await page.nextJson()).action === 'handler_failed') failures += 1;
    assert.ok(failures >= 20 && failures < 100, `${failures}`);
  });

  it('answers what is sent to it as an action that nobody knows', async () => {
    await serve();
    const page = await listen();
    await page.nextJson();
    page.json({ action: 'reload' });
    const { action, payload } = await page.nextJson();
    assert.deepStrictEqual([action, payload[0].type], ['error', 'union_tag_invalid']);
  });

  it('is for pages of the same origin alone', async () => {
    await serve();
    assert.strictEqual(await status({}), 403);
    for (const other of ['null', 'http://127.0.0.1', `http://localhost:${server.port}`, `http://evil${origin()}`,
      `${origin()}.evil`, `http://127.0.0.1:${server.port}1`, `ftp://127.0.0.1:${server.port}`])
      assert.strictEqual(await status({ Origin: other }), 403, other);
    assert.strictEqual(await status({ Origin: origin() }), 101);
    assert.strictEqual((await server.http('/tidegate/dev')).status, 426);
  });

  // DNS rebinding: a page of the owner's of a name, who then has the name point here, is of the same origin.
  it('is for no page of a name that anybody can have point here', async () => {
    await serve();
    const at = (host) => status({ Host: `${host}:${server.port}`, Origin: `http://${host}:${server.port}` });
    for (const host of ['evil.example', 'localhost.evil.example', 'localhost.', '127.0.0.1.example', 'xlocalhost.com'])
      assert.strictEqual(await at(host), 403, host);
    for (const host of ['localhost', 'LOCALHOST', 'app.localhost', 'box', 'box.local', '192.0.2.7', '[::1]'])
      assert.strictEqual(await at(host), 101, host);
    assert.match(server.stderr, /event=origin_refused .*host=evil\.example:\d+ .*hint="a page that is developed/);
  });

  it('is not there in production, where its script does nothing', async () => {
    await serve(['--mode', 'production']);
    assert.strictEqual(await status({ Origin: origin() }), 404);
    assert.strictEqual((await server.http('/tidegate/dev')).status, 404);
    const script = await server.http('/tidegate/dev.js');
    assert.deepStrictEqual([script.status, script.body], [200, '']);
    assert.match(script.headers['content-type'], /^text\/javascript/);
  });

  it('has a script that no browser keeps', async () => {
    await serve(['--dev']);
    const script = await server.http('/tidegate/dev.js');
    assert.strictEqual(script.status, 200);
    assert.strictEqual(script.headers['cache-control'], 'no-store');
    assert.match(script.body, /tidegate\/dev/);
  });
});
