// Code that is replaced while clients talk: what has it loaded anew, what is said of it, and that nobody notices
// but by other answers. Each spec serves a folder of its own, which it edits as editors and people do.
//
// What is waited for is a line on standard output or of the log, and the answer on a socket that stays open.

import assert from 'node:assert';
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { afterEach, describe, it } from 'node:test';

import { RawClient } from '../support/raw.js';
import { PATIENCE_MS, Server, run } from '../support/server.js';

const TOKEN = 'a-token-for-specs';

// A consumer `name` at /ws/NAME that answers `ask` with the stamp of this file and what `words` says.
const consumer = (name, stamp, word = 'require("words").word') => `
local tide <const> = require "tidegate"
local s <const> = tide.schema
local ask <const> = tide.message "ask"
local said <const> = tide.message("said", s.string())
local Talk <const> = tide.consumer { name = "${name}", path = "/ws/${name}" }
Talk:on(ask, { output = said }, function()
  return said("${stamp} " .. ${word})
end)
return Talk
`;
// One whose handler sleeps until somebody else, of whatever generation, wakes it.
const sleeper = (stamp) => `
local tide <const> = require "tidegate"
local s <const> = tide.schema
local is_morning <const> = tide.keep("is_morning", false)
local said <const> = tide.message("said", s.string())
local Talk <const> = tide.consumer { name = "talk", path = "/ws/talk" }
function Talk:connected(conn)
  conn.state.count = 0
end
Talk:on(tide.message "nap", { output = said }, function(conn)
  conn.state.count = conn.state.count + 1
  while not is_morning:get() do
    tide.sleep(0.01)
  end
  return said("${stamp} slept " .. conn.state.count)
end)
Talk:on(tide.message "wake", { output = said }, function()
  is_morning:set(true)
  return said "${stamp} wakes"
end)
Talk:on(tide.message "ask", { output = said }, function(conn)
  conn.state.count = conn.state.count + 1
  return said("${stamp} " .. conn.state.count)
end)
return Talk
`;
const words = (word) => `return { word = "${word}" }\n`;

let folder;
let server;
let clients = [];
afterEach(async () => {
  for (const client of clients) client.destroy();
  clients = [];
  const [stopped, left] = [server, folder];
  server = folder = undefined;
  if (stopped && !stopped.exit) await stopped.stop();
  if (left) fs.rmSync(left, { recursive: true, force: true });
});

const at = (name) => path.join(folder, name);

function write(name, text) {
  fs.mkdirSync(path.dirname(at(name)), { recursive: true });
  fs.writeFileSync(at(name), text);
}

// As most editors save.
function replace(name, text) {
  write(`${name}.new~`, text);
  fs.renameSync(at(`${name}.new~`), at(name));
}

function prepare(files) {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tidegate-reload-'));
  for (const [name, text] of Object.entries(files)) write(name, text);
}

const plain = () => ({
  'app/consumers/talk.lua': consumer('talk', 'A'), 'app/consumers/words.lua': 'return require("lib.words")\n',
  'app/lib/words.lua': words('one'),
});

async function serve(files = plain(), { args = ['--reload'], env = {}, prepared = () => {}, meanwhile } = {}) {
  prepare(files);
  prepared();
  server = await Server.start(at('app'), { args, env: { TIDEGATE_API_TOKEN: TOKEN, ...env }, meanwhile });
  await said(/^loaded generation 1 in \d+ ms: /m);
  return open('/ws/talk');
}

async function open(target) {
  const client = await RawClient.open(server.port, target);
  clients.push(client);
  return client;
}

async function ask(client) {
  client.json({ action: 'ask' });
  const { action, payload } = await client.nextJson();
  assert.strictEqual(action, 'said', JSON.stringify(payload));
  return payload;
}

const said = (pattern) => server.until(() => pattern.exec(server.stdout), `standard output to match ${pattern}`);
const reloaded = (number) => said(new RegExp(`^reloaded generation ${number} in \\d+ ms\\b.*$`, 'm'));
const times = (pattern) => [...server.stdout.matchAll(new RegExp(pattern, 'gm'))].length;

// Something that is loaded for certain, so that all before it has been looked at.
async function settle(number) {
  const { status } = await api('reload');
  assert.strictEqual(status, 200);
  await reloaded(number);
}

function api(what, { method = 'POST', headers = {} } = {}) {
  const authorization = { Authorization: `Bearer ${TOKEN}`, 'Content-Length': 0 };
  return new Promise((resolve, reject) => {
    const request = http.request({
      host: '127.0.0.1', port: server.port, path: `/api/${what}`, method, headers: { ...authorization, ...headers },
      agent: false, timeout: PATIENCE_MS,
    });
    request.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (more) => { text += more; });
      response.on('end', () => resolve({ status: response.statusCode, body: JSON.parse(text), text }));
    });
    request.on('timeout', () => request.destroy(new Error(`no answer to ${method} /api/${what}`)));
    request.on('error', reject);
    request.end();
  });
}

describe('a program that was started with --reload', () => {
  it('says where it listens, what it serves, and what it has loaded', async () => {
    await serve();
    assert.match(server.stdout, new RegExp([
      '^tidegate listening on http://127\\.0\\.0\\.1:\\d+', ' {2}/ws/talk {2}talk',
      'loaded generation 1 in \\d+ ms: 3 modules, 1 consumer', '$'].join('\\n')));
  });

  it('speaks a new subprotocol, and lets in pages of a new origin, without a restart', async () => {
    const entrance = (options) => consumer('talk', 'A').replace('path =', `${options}, path =`);
    const offer = async () => {
      const client = await RawClient.connect(server.port);
      clients.push(client);
      return client.upgrade('/ws/talk', { headers: { 'Sec-WebSocket-Protocol': 'talk.v2, talk.v1', Origin: 'http://a.example' } });
    };
    await serve();
    assert.strictEqual((await offer()).status, 403);
    write('app/consumers/talk.lua', entrance('origins = { "http://a.example" }, subprotocols = { "talk.v1" }'));
    await reloaded(2);
    assert.strictEqual((await offer()).headers['sec-websocket-protocol'], 'talk.v1');
    write('app/consumers/talk.lua', entrance('origins = { "*" }, subprotocols = { "talk.v2", "talk.v1" }'));
    await reloaded(3);
    assert.strictEqual((await offer()).headers['sec-websocket-protocol'], 'talk.v2');
  });

  it('answers with new code on the same socket when a file was written', async () => {
    const client = await serve();
    assert.strictEqual(await ask(client), 'A one');
    write('app/lib/words.lua', words('two'));
    await reloaded(2);
    assert.strictEqual(await ask(client), 'A two');
    write('app/consumers/talk.lua', consumer('talk', 'B'));
    await reloaded(3);
    assert.strictEqual(await ask(client), 'B two');
    assert.strictEqual(server.stderr.includes('disconnected'), false);
  });

  it('lets a handler that sleeps across three reloads end where it began, and its client be the newest code\'s', async () => {
    const client = await serve({ 'app/consumers/talk.lua': sleeper('A') });
    client.json({ action: 'nap' });
    await server.metricUntil('tasks', (count) => count === 1);
    client.json({ action: 'ask' });
    for (const [number, stamp] of [[2, 'B'], [3, 'C'], [4, 'D']]) {
      write('app/consumers/talk.lua', sleeper(stamp));
      await reloaded(number);
    }
    const other = await open('/ws/talk');
    other.json({ action: 'wake' });
    assert.strictEqual((await other.nextJson()).payload, 'D wakes');
    assert.strictEqual((await client.nextJson()).payload, 'A slept 1');
    assert.strictEqual((await client.nextJson()).payload, 'D 2');
    await server.metricUntil('generations_alive', (count) => count === 1);
  });

  it('answers with new code when a file was put in the place of the old one', async () => {
    const client = await serve();
    for (const [number, stamp] of [[2, 'B'], [3, 'C'], [4, 'D']]) {
      replace('app/consumers/talk.lua', consumer('talk', stamp));
      await reloaded(number);
      assert.strictEqual(await ask(client), `${stamp} one`);
    }
  });

  it('goes on with the old code while a file is broken, and says what is wrong with it', async () => {
    const client = await serve();
    write('app/lib/words.lua', 'return { word = \n');
    await said(/^not reloaded: generation 1 still serves$/m);
    assert.match(server.stderr, /lib\/words\.lua:2: unexpected symbol near <eof>\n +1 \| return \{ word =/);
    assert.strictEqual(await ask(client), 'A one');
    write('app/lib/words.lua', words('two'));
    await reloaded(2);
    assert.strictEqual(await ask(client), 'A two');
  });

  it('started with broken code waits until it is mended', async () => {
    const waits = (count) => (starting) => starting.until(
      () => starting.stderr.split('not started: waiting for the files to change\n').length > count, 'the wait');
    const client = await serve({ ...plain(), 'app/lib/words.lua': 'return {{\n' }, {
      async meanwhile(starting) {
        await waits(1)(starting);
        assert.match(starting.stderr, /lib\/words\.lua:\d+/);
        replace('app/lib/words.lua', 'return { word = 1 + nil }\n');
        await waits(2)(starting);
        assert.match(starting.stderr, /attempt to perform arithmetic on a nil value/);
        replace('app/lib/words.lua', words('two'));
      },
    });
    assert.strictEqual(await ask(client), 'A two');
  });

  it('is back where it was when the file is as it was', async () => {
    const client = await serve();
    write('app/lib/words.lua', 'error "broken"\n');
    await said(/^not reloaded: generation 1 still serves$/m);
    write('app/lib/words.lua', words('one'));
    await said(/^back to generation 1: its files are there again$/m);
    assert.strictEqual(await ask(client), 'A one');
    assert.strictEqual(times('^reloaded'), 0);
  });

  it('waits for a file that is half written until it is closed', async () => {
    const client = await serve();
    const text = words('two');
    const file = fs.openSync(at('app/lib/words.lua'), 'w');
    fs.writeSync(file, text.slice(0, 12));
    assert.strictEqual(await ask(client), 'A one');
    fs.writeSync(file, text.slice(12));
    fs.closeSync(file);
    await reloaded(2);
    assert.strictEqual(await ask(client), 'A two');
    assert.strictEqual(times('^not reloaded'), 0);
  });

  it('takes a new file for a new consumer, and lets go of one that is deleted', async () => {
    const client = await serve();
    write('app/consumers/more.lua', consumer('more', 'M', '"first"'));
    await reloaded(2);
    assert.strictEqual(await ask(await open('/ws/more')), 'M first');
    fs.mkdirSync(at('app/consumers/deep'));
    write('app/consumers/deep/init.lua', consumer('deep', 'D', '"second"'));
    await reloaded(3);
    assert.strictEqual(await ask(await open('/ws/deep')), 'D second');
    fs.unlinkSync(at('app/consumers/more.lua'));
    await reloaded(4);
    assert.strictEqual((await server.http('/ws/more')).status, 404);
    assert.strictEqual(await ask(client), 'A one');
  });

  it('takes a file that now lies where one was looked for first', async () => {
    const client = await serve();
    write('app/consumers/lib/words.lua', words('nearer'));
    await reloaded(2);
    assert.strictEqual(await ask(client), 'A nearer');
    fs.unlinkSync(at('app/consumers/lib/words.lua'));
    await reloaded(3);
    assert.strictEqual(await ask(client), 'A one');
  });

  it('does not load when a file is only touched, or another one comes', async () => {
    const client = await serve();
    const now = new Date();
    fs.utimesSync(at('app/lib/words.lua'), now, now);
    replace('app/lib/words.lua', words('one'));
    write('app/consumers/notes.txt', 'a note');
    write('app/consumers/.talk.lua.swp', 'what an editor keeps');
    write('app/tidegate.lua', 'return { max_errors = 7 }\n');
    await said(/^.*\/app\/tidegate\.lua has changed: settings are read when the program starts, so restart it$/m);
    write('app/lib/words.lua', words('two'));
    await reloaded(2);
    assert.strictEqual(await ask(client), 'A two');
    assert.strictEqual(times('^reloaded'), 1);
    assert.strictEqual(times('has changed: settings'), 1);
  });

  it('loads once for a branch that is switched, and never a mixture', async () => {
    const many = (branch) => {
      const files = {};
      const parts = [];
      for (let i = 0; i < 200; i += 1) {
        files[`app/lib/part${i}.lua`] = `return "${branch}"\n`;
        parts.push(`require("lib.part${i}")`);
      }
      files['app/lib/words.lua'] = `
local seen <const> = {}
for _, part in ipairs { ${parts.join(', ')} } do seen[part] = true end
local names <const> = {}
for name in pairs(seen) do names[#names + 1] = name end
return { word = table.concat(names, "+") }
`;
      return files;
    };
    const args = ['--reload', '--reload-quiet-ms', '700'];
    const client = await serve({ ...plain(), ...many('main') }, { args });
    assert.strictEqual(await ask(client), 'A main');
    let number = 1;
    for (const branch of ['feature', 'main', 'other']) {
      const before = await ask(client);
      for (const [name, text] of Object.entries(many(branch))) replace(name, text);
      assert.strictEqual(await ask(client), before);
      number += 1;
      await reloaded(number);
      assert.strictEqual(await ask(client), `A ${branch}`);
    }
    assert.strictEqual(times('^reloaded'), 3);
  });

  it('follows symbolic links to modules and folders, and their being put elsewhere', async () => {
    const files = {
      ...plain(), 'shared/words.lua': words('linked'), 'other/words.lua': words('other'),
    };
    delete files['app/lib/words.lua'];
    const client = await serve(files, { prepared: () => {
      fs.symlinkSync('../shared', at('app/lib'));
    } });
    assert.strictEqual(await ask(client), 'A linked');
    write('shared/words.lua', words('edited'));
    await reloaded(2);
    assert.strictEqual(await ask(client), 'A edited');
    fs.unlinkSync(at('shared/words.lua'));
    fs.symlinkSync(at('other/words.lua'), at('shared/words.lua'));
    await reloaded(3);
    assert.strictEqual(await ask(client), 'A other');
    write('other/words.lua', words('far'));
    await reloaded(4);
    assert.strictEqual(await ask(client), 'A far');
    write('third/words.lua', words('third'));
    fs.symlinkSync('../third', at('app/lib.new'));
    fs.renameSync(at('app/lib.new'), at('app/lib'));
    await reloaded(5);
    assert.strictEqual(await ask(client), 'A third');
  });

  it('knows the folder that is served by a link, too', async () => {
    await serve({ ...plain(), 'next/consumers/talk.lua': consumer('talk', 'N', '"next"') }, { prepared: () => {
      fs.renameSync(at('app'), at('first'));
      fs.symlinkSync('first', at('app'));
    } });
    const client = await open('/ws/talk');
    assert.strictEqual(await ask(client), 'A one');
    fs.symlinkSync('next', at('app.new'));
    fs.renameSync(at('app.new'), at('app'));
    await reloaded(2);
    assert.strictEqual(await ask(client), 'N next');
  });

  it('watches what modules read outside of the folder', async () => {
    const files = { ...plain(), 'far/words.lua': words('far'), 'far/words.txt': 'text' };
    const far = path.join('..', 'far');
    files['app/consumers/words.lua'] = `
local here <const> = debug.getinfo(1, "S").source:match "^@(.*)consumers/"
local text <close> = assert(io.open(here .. "${far}/words.txt"))
return { word = dofile(here .. "${far}/words.lua").word .. " " .. text:read "a" }
`;
    const client = await serve(files, { args: ['--reload', '--lua-libraries', 'coroutine,debug,io,math,os,string,table,utf8'] });
    assert.strictEqual(await ask(client), 'A far text');
    write('far/words.lua', words('farther'));
    await reloaded(2);
    assert.strictEqual(await ask(client), 'A farther text');
    replace('far/words.txt', 'other');
    await reloaded(3);
    assert.strictEqual(await ask(client), 'A farther other');
  });

  it('is told of a folder that is moved away and comes back', async () => {
    const client = await serve();
    fs.renameSync(at('app'), at('gone'));
    await said(/^not reloaded: generation 1 still serves$/m);
    assert.strictEqual(await ask(client), 'A one');
    fs.renameSync(at('gone'), at('app'));
    await said(/^back to generation 1/m);
    write('app/lib/words.lua', words('two'));
    await reloaded(2);
    assert.strictEqual(await ask(client), 'A two');
  });

  it('cannot be asked for in production', async () => {
    prepare(plain());
    const ended = await run(['run', at('app'), '--port', '0', '--reload', '--mode', 'production']);
    assert.strictEqual(ended.code, 1);
    assert.match(ended.stderr, /^tidegate: --reload is for development: in production SIGHUP and POST \/api\/reload/);
    const other = await run(['check', at('app'), '--reload']);
    assert.match(other.stderr, /--reload is a flag of `tidegate run`, not of `tidegate check`/);
  });
});

describe('in production', () => {
  it('SIGHUP loads anew, changed or not', async () => {
    const client = await serve(plain(), { args: [] });
    write('app/lib/words.lua', words('two'));
    assert.strictEqual(await ask(client), 'A one');
    server.signal('SIGHUP');
    await reloaded(2);
    assert.strictEqual(await ask(client), 'A two');
    server.signal('SIGHUP');
    await reloaded(3);
    const record = await server.record((fields) => fields.event === 'reloaded', 'a line of the log');
    assert.deepStrictEqual([record.level, record.why], ['info', 'signal']);
  });

  it('SIGHUP with broken code changes nothing, and the log says why', async () => {
    const client = await serve(plain(), { args: [] });
    write('app/lib/words.lua', 'return {\n');
    server.signal('SIGHUP');
    const record = await server.record((fields) => fields.event === 'load_failed', 'a line of the log');
    assert.match(record.file, /lib\/words\.lua$/);
    assert.strictEqual(await ask(client), 'A one');
  });
});

describe('POST /api/reload', () => {
  it('answers when the new code serves, with what has changed', async () => {
    const client = await serve(plain(), { args: [] });
    write('app/lib/words.lua', words('two'));
    const { status, body } = await api('reload');
    assert.strictEqual(status, 200);
    assert.deepStrictEqual([body.generation, body.outcome, typeof body.took_ms], [2, 'ok', 'number']);
    assert.strictEqual(await ask(client), 'A two');
    assert.ok(body.report.changes.some((change) => change.kind === 'module' && /lib\/words/.test(change.name)));
  });

  it('answers with the problems of code that does not load', async () => {
    const client = await serve(plain(), { args: [] });
    write('app/lib/words.lua', 'local x <const> = 1\nreturn { word = x.y.z }\n');
    const { status, body } = await api('reload');
    assert.strictEqual(status, 422);
    assert.deepStrictEqual([body.generation, body.outcome, body.problems.length], [1, 'failed', 1]);
    assert.match(body.problems[0].file, /lib\/words\.lua$/);
    assert.strictEqual(body.problems[0].line, 2);
    assert.strictEqual(await ask(client), 'A one');
    write('app/lib/words.lua', words('two'));
    assert.strictEqual((await api('reload')).status, 200);
    assert.strictEqual(await ask(client), 'A two');
  });

  it('asked many times at once is answered to each, by few loads', async () => {
    await serve(plain(), { args: [] });
    const answers = await Promise.all(Array.from({ length: 10 }, () => api('reload')));
    for (const { status } of answers) assert.strictEqual(status, 200);
    const numbers = new Set(answers.map(({ body }) => body.generation));
    assert.ok(numbers.size <= 10 && Math.max(...numbers) <= 11);
    assert.strictEqual((await api('status', { method: 'GET' })).body.generation, Math.max(...numbers));
  });

  it('is for who has the token, and takes no body', async () => {
    await serve(plain(), { args: [] });
    assert.strictEqual((await api('reload', { headers: { Authorization: 'Bearer other' } })).status, 401);
    assert.strictEqual((await api('reload', { method: 'GET' })).status, 405);
    assert.strictEqual((await api('reload', { headers: { 'Content-Length': 3 } })).status, 400);
    assert.strictEqual(times('^reloaded'), 0);
  });

  it('whose client has gone is done all the same', async () => {
    await serve(plain(), { args: [] });
    const request = http.request({
      host: '127.0.0.1', port: server.port, path: '/api/reload', method: 'POST',
      headers: { Authorization: `Bearer ${TOKEN}`, 'Content-Length': 0 },
    });
    request.on('error', () => {});
    request.end(() => request.destroy());
    await settle(2);
  });
});

// The line of a reload, and what it has to say of 400 messages, was written whether somebody took it or not: the
// loop waited for whoever had stopped to read.
describe('a program whose standard output and log nobody reads', () => {
  const many = (max) => `
local tide <const> = require "tidegate"
local s <const> = tide.schema
local Many <const> = tide.consumer { path = "/ws/many" }
for i = 1, 400 do
  Many:on(tide.message(("a_message_with_quite_a_long_name_%d"):format(i), s.string { max = ${max} }), function() end)
end
return Many
`;

  it('goes on serving, and says the rest to whoever comes back', async () => {
    await serve({ ...plain(), 'app/consumers/many.lua': many(1000) }, { args: [] });
    server.child.stdout.pause();
    server.child.stderr.pause();
    for (let max = 999; max > 989; max -= 1) {
      write('app/consumers/many.lua', many(max));
      assert.strictEqual((await api('reload')).status, 200);
    }
    write('app/consumers/many.lua', 'return {\n'.repeat(300));
    for (let i = 0; i < 100; i += 1) assert.strictEqual((await api('reload')).status, 422);
    server.child.stdout.resume();
    server.child.stderr.resume();
    write('app/consumers/many.lua', many(989));
    await api('reload');
    await reloaded(12);
  });
});

// Its tasks belong to no connection, and were cancelled with those of the generation: whatever route waited for
// some of its own at a reload answered 500.
describe('a request whose handler waits for tasks of its own', () => {
  const route = (stamp) => `
local tide <const> = require "tidegate"
local flag <const> = tide.keep("flag", false)
local function wait() while not flag:get() do tide.sleep(0.01) end return "${stamp}" end
tide.route("GET", "/wait", function()
  tide.spawn(function() while true do tide.sleep(0.01) end end)
  return 200, table.concat({ tide.gather { wait, wait } }, " ")
end)
tide.route("GET", "/go", function()
  flag:set(true)
  return 200, "${stamp}"
end)
`;
  const get = (target) => new Promise((resolve, reject) => {
    http.get({ host: '127.0.0.1', port: server.port, path: target, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (more) => { text += more; });
      response.on('end', () => resolve(`${response.statusCode} ${text}`));
    }).on('error', reject);
  });

  it('is answered by the code that it began in, which goes with it', async () => {
    await serve({ ...plain(), 'app/consumers/routes.lua': route('old') });
    const waiting = get('/wait');
    const tasks = async () => (await api('status', { method: 'GET' })).body.generations[0].tasks;
    while (await tasks() < 4) await new Promise(setImmediate);
    replace('app/consumers/routes.lua', route('new'));
    await reloaded(2);
    assert.strictEqual(await tasks(), 4);
    assert.strictEqual(await get('/go'), '200 new');
    assert.strictEqual(await waiting, '200 old old');
    await server.until(() => /event=generation_ended generation=1/.test(server.stderr), 'the old code to end');
  });
});

describe('GET /api/status and tidegate status', () => {
  it('tell which code serves whom', async () => {
    await serve();
    write('app/lib/words.lua', words('two'));
    await reloaded(2);
    const { status, body } = await api('status', { method: 'GET' });
    assert.strictEqual(status, 200);
    assert.deepStrictEqual([body.mode, body.folder, body.generation, body.connections],
                           ['development', at('app'), 2, 1]);
    const serving = body.generations.at(-1);
    assert.deepStrictEqual([serving.number, serving.state, serving.consumers], [2, 'serving', 1]);
    assert.strictEqual(body.last_reload.outcome, 'ok');

    const shown = await run(['status', at('app')], { env: { TIDEGATE_API_TOKEN: TOKEN } });
    assert.strictEqual(shown.code, 0, shown.stderr);
    assert.match(shown.stdout, /^tidegate \S+ at http:\/\/127\.0\.0\.1:\d+, development, up for \d+ s: 1 connection\n/);
    assert.match(shown.stdout, /^ {2}generation 2 \(serving\): 1 connection, 0 tasks, for \d+ s$/m);
    assert.match(shown.stdout, /^ {2}last reload \(files\): done, in \d+ ms$/m);
    const json = await run(['status', at('app'), '--json'], { env: { TIDEGATE_API_TOKEN: TOKEN } });
    assert.strictEqual(JSON.parse(json.stdout).generation, 2);
  });

  it('tell what is wrong with the code that was not loaded', async () => {
    await serve();
    write('app/lib/words.lua', 'return {\n');
    await said(/^not reloaded/m);
    const shown = await run(['status', at('app')], { env: { TIDEGATE_API_TOKEN: TOKEN } });
    assert.match(shown.stdout, /^ {2}last reload \(files\): it did not load, in \d+ ms$\n {4}\S*lib\/words\.lua:\d+: /m);
    write('app/lib/words.lua', 'error "a bell \\a\\27[31m\\nand more"\n');
    await server.until(() => times('^not reloaded') === 2, 'the second that is not loaded');
    const { stdout } = await run(['status', at('app')], { env: { TIDEGATE_API_TOKEN: TOKEN } });
    assert.match(stdout, /^ {4}\S*lib\/words\.lua:1: a bell \\u0007\\u001b\[31m\\nand more$/m);
  });

  it('of no gateway say so', async () => {
    prepare(plain());
    const nobody = await run(['status', at('app')]);
    assert.deepStrictEqual([nobody.code, nobody.stdout], [1, '']);
    assert.match(nobody.stderr, /^tidegate: no gateway in development serves /);
    const misused = await run(['status', at('app'), '--port', '1']);
    assert.match(misused.stderr, /--port is no flag of `tidegate status`/);
  });
});
