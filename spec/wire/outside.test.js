// `tidegate send-event` and `tidegate broadcast`, to a gateway that serves spec/support/apps/outside.

import assert from 'node:assert';
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';

import { RawClient } from '../support/raw.js';
import { ROOT, Server, run } from '../support/server.js';

const temporary = () => fs.mkdtempSync(path.join(os.tmpdir(), 'tidegate-'));

let server;
let folder;
let ann;
before(async () => {
  folder = temporary();
  fs.cpSync(path.join(ROOT, 'spec/support/apps/outside'), folder, { recursive: true });
  server = await Server.start(folder, { args: ['--dev'] });
  ann = await RawClient.open(server.port, '/ws/news/ann');
});
after(async () => {
  ann.destroy();
  await server.stop();
  fs.rmSync(folder, { recursive: true });
});

const tell = (...args) => run([...args, folder]);
const HELLO = '{"content":"hello"}';

async function expectSaid(promise, said) {
  assert.deepStrictEqual(await promise, { code: 0, signal: null, stdout: said, stderr: '' });
}

// `stderr`: a text, or a pattern.
async function expectFailed(promise, stderr) {
  const ended = await promise;
  assert.deepStrictEqual([ended.code, ended.stdout], [1, '']);
  if (typeof stderr === 'string') assert.strictEqual(ended.stderr, stderr);
  else assert.match(ended.stderr, stderr);
}

async function expectGot(content, client = ann) {
  assert.deepStrictEqual(await client.nextJson(), { action: 'notification', payload: `info: ${content}` });
}

describe('tidegate send-event', () => {
  it('tells how many connections got the event', async () => {
    const bob = await RawClient.open(server.port, '/ws/news/bob');
    await expectSaid(tell('send-event', 'notify', HELLO, '--group', 'all'), '2 connections got it\n');
    await expectSaid(tell('send-event', 'notify', HELLO, '--group', 'bob', '--group=x'), '1 connection got it\n');
    for (const content of ['hello', 'hello']) await expectGot(content, bob);
    await expectGot('hello');
    bob.close(1000);
    await bob.end();
  });

  it('reaches a consumer, a user and a connection', async () => {
    ann.json({ action: 'id' });
    const id = (await ann.nextJson()).payload;
    for (const whom of [['--consumer', 'news'], ['--user=ann'], ['--to', id]]) {
      await expectSaid(tell('send-event', 'notify', HELLO, ...whom), '1 connection got it\n');
      await expectGot('hello');
    }
  });

  it('succeeds when nobody is there, and says so', () =>
    expectSaid(tell('send-event', 'notify', HELLO, '--group', 'nobody'),
               'nobody got it: no connection is there that it is for\n'));

  it('serves the folder in which it is called, unless another is named', async () => {
    await expectSaid(run(['send-event', 'notify', HELLO, '--user', 'ann'], { cwd: folder }), '1 connection got it\n');
    await expectGot('hello');
  });

  it('takes the payload from standard input', async () => {
    await expectSaid(run(['send-event', '--group', 'all', 'notify', '-', folder], { input: '{"content":\n"input"}\n' }),
                     '1 connection got it\n');
    await expectGot('input');
    await expectFailed(run(['send-event', 'notify', '-', '--group', 'all'], { input: '{' }),
                       /^tidegate: standard input is no payload: Invalid JSON at byte 1: /);
  });

  it('takes an address and a token from elsewhere', async () => {
    const url = `http://127.0.0.1:${server.port}/`;
    const token = path.join(folder, '.tidegate/token');
    const elsewhere = temporary();
    const there = (args, env = {}) =>
      run(['send-event', 'notify', HELLO, '--user', 'ann', '--url', url, ...args, elsewhere], { env });
    await expectSaid(there(['--token-file', token]), '1 connection got it\n');
    await expectGot('hello');
    await expectSaid(there([], { TIDEGATE_API_TOKEN: fs.readFileSync(token, 'utf8').trim() }), '1 connection got it\n');
    await expectGot('hello');
    await expectFailed(there([]), `tidegate: there is no token for ${url.slice(0, -1)}: set TIDEGATE_API_TOKEN, ` +
                                  'or name a file with --token-file\n');
    await expectFailed(there(['--token-file', '/nowhere']), 'tidegate: /nowhere: No such file or directory\n');
    await expectFailed(there([], { TIDEGATE_API_TOKEN: 'of-another-gateway' }),
                       `tidegate: ${url.slice(0, -1)} does not take this token: it is that of another gateway, or an ` +
                       'old one\n');
    fs.rmdirSync(elsewhere);
  });

  it('says all that is wrong with the event', async () => {
    await expectFailed(tell('send-event', 'notify', '{"level":"loud"}', '--group', 'all'),
                       'tidegate: it was refused, and nobody got it:\n' +
                       '  event.payload.content: Field required\n' +
                       "  event.payload.level: Input should be 'info' or 'warning', got 'loud'\n");
    await expectFailed(tell('send-event', 'nope', '--group', 'all'),
                       'tidegate: it was refused, and nobody got it:\n' +
                       "  no consumer handles or relays the event 'nope'\n");
    await expectFailed(tell('send-event', 'notify', HELLO, '--to', 'abc'), 'tidegate: there is no connection abc\n');
    await expectFailed(tell('send-event', 'notify', HELLO, '--consumer', 'x'),
                       /\n {2}to\.consumer: Value error, there is no consumer of this name\n$/);
    await expectFailed(tell('send-event', 'checked', '100', '--user', 'ann'),
                       /answered 500: A check or a default of the payload failed; the log says how\n$/);
  });

  it('says what is wrong with its arguments', async () => {
    for (const [args, sentence] of [
      [[], /^tidegate: send-event: which one\? `tidegate send-event ACTION/],
      [['notify'], 'tidegate: send-event: to whom? --to ID, --group NAME, --consumer NAME or --user ID\n'],
      [['notify', '--group'], 'tidegate: --group needs a value\n'],
      [['notify', '--grup', 'all'], "tidegate: there is no --grup; `tidegate send-event --help` lists what there is\n"],
      [['notify', '--user', 'a', '--user', 'b'],
       'tidegate: one of --to, --group, --consumer and --user; only --group may stand twice\n'],
      [['notify', 'hello', '--user', 'a'],
       "tidegate: 'hello' is no payload (Invalid JSON at byte 0: expected a value) and no folder; a text has quotes in " +
       "JSON: '\"text\"'\n"],
      [['notify', '1', '/nowhere', '--user', 'a'], "tidegate: what is '/nowhere'? it is no folder\n"],
      [['notify', '1', '/tmp', '/tmp', '--user', 'a'], "tidegate: what is '/tmp'? one folder at most\n"],
    ])
      await expectFailed(run(['send-event', ...args]), sentence);
  });

  it('says where there is no gateway', async () => {
    const elsewhere = temporary();
    const to = (...args) => run(['send-event', 'notify', '--user', 'a', ...args], { env: { TIDEGATE_API_TOKEN: 'x'.repeat(16) } });
    await expectFailed(to(elsewhere), `tidegate: no gateway in development serves '${elsewhere}': ` +
                                      `\`tidegate run --dev ${elsewhere}\` starts one, --url names another\n`);
    fs.mkdirSync(path.join(elsewhere, '.tidegate'));
    fs.writeFileSync(path.join(elsewhere, '.tidegate/address'), 'http://127.0.0.1:1\n');
    await expectFailed(to(elsewhere), /^tidegate: no gateway answers at http:\/\/127\.0\.0\.1:1: .*; `tidegate run --dev /);
    await expectFailed(to('--url', 'http://127.0.0.1:1'), /^tidegate: no gateway answers at http:\/\/127\.0\.0\.1:1: /);
    fs.rmSync(elsewhere, { recursive: true });
  });

  it('says what another server answers', async () => {
    const other = http.createServer((request, response) => response.writeHead(404).end('<html>')).listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const url = `http://127.0.0.1:${other.address().port}`;
    await expectFailed(run(['send-event', 'notify', '--user', 'a', '--url', url],
                           { env: { TIDEGATE_API_TOKEN: 'x'.repeat(16) } }),
                       `tidegate: ${url} answered 404\n`);
    other.close();
  });

  it('says that the API is off', async () => {
    const off = await Server.start('outside');
    const url = `http://127.0.0.1:${off.port}`;
    await expectFailed(run(['send-event', 'notify', '--user', 'a', '--url', url],
                           { env: { TIDEGATE_API_TOKEN: 'x'.repeat(16) } }),
                       `tidegate: /api is off at ${url}: set api_token there, in its environment as TIDEGATE_API_TOKEN\n`);
    await off.stop();
  });
});

describe('tidegate broadcast', () => {
  it('sends a message to groups', async () => {
    await expectSaid(tell('broadcast', 'headline', '{"text":"A \\"quote\\""}', '--group', 'all', '--group', 'ann'),
                     '1 connection got it\n');
    assert.deepStrictEqual(await ann.nextJson(),
                           { action: 'headline', payload: { text: 'A "quote"', front_page: false } });
    await expectFailed(tell('broadcast', 'headline', '--group', 'all'), /\n {2}message\.payload: Field required\n$/);
    await expectFailed(tell('broadcast', 'headline', '--user', 'ann'), 'tidegate: a broadcast goes to groups: --group NAME\n');
    await expectFailed(tell('broadcast', 'headline'), 'tidegate: broadcast: to whom? --group NAME, once or more\n');
  });
});

describe('--help', () => {
  it('of both commands lists their options', async () => {
    for (const command of ['send-event', 'broadcast']) {
      const { code, stdout } = await run([command, '--help']);
      assert.strictEqual(code, 0);
      for (const option of ['--to', '--group', '--consumer', '--user', '--url', '--token-file'])
        assert.ok(stdout.includes(`  ${option} `), option);
    }
    assert.match((await run(['help'])).stdout, /\n {2}tidegate send-event .*\n {2}tidegate broadcast /);
  });
});
