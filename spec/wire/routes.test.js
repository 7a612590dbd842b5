// tide.route over sockets: bodies as they come, answers as they go, and clients that leave in between. What a
// route does with a request is the affair of spec/kit/routes_spec.lua.

import assert from 'node:assert';
import net from 'node:net';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import WebSocket from 'ws';
import { PATIENCE_MS, ROOT, Server, run } from '../support/server.js';

// A client that keeps its connection: `send` bytes, `until` what has come matches.
class Talker {
  constructor(port) {
    this.got = '';
    this.hasEnded = false;
    this.socket = net.connect({ port, host: '127.0.0.1' });
    this.socket.setEncoding('latin1');
    this.socket.on('data', (text) => { this.got += text; });
    this.socket.on('error', () => {});
    this.socket.on('end', () => { this.hasEnded = true; });
    this.socket.on('close', () => { this.hasEnded = true; });
  }

  send(bytes) {
    this.socket.write(bytes);
  }

  async until(pattern) {
    const deadline = Date.now() + PATIENCE_MS;
    while (!pattern.test(this.got)) {
      assert.ok(!this.hasEnded && Date.now() < deadline, `no ${pattern} in ${JSON.stringify(this.got)}`);
      await new Promise((resolve) => { setTimeout(resolve, 5); });
    }
    return this.got;
  }

  async untilEnd() {
    const deadline = Date.now() + PATIENCE_MS;
    while (!this.hasEnded) {
      assert.ok(Date.now() < deadline, `no end behind ${JSON.stringify(this.got)}`);
      await new Promise((resolve) => { setTimeout(resolve, 5); });
    }
    return this.got;
  }

  leave() {
    this.socket.destroy();
  }
}

const head = (line, ...headers) => [`${line} HTTP/1.1`, 'Host: x', ...headers, '', ''].join('\r\n');
const count = (text, part) => text.split(part).length - 1;

async function metric(server, name) {
  const { body } = await server.http('/metrics');
  return Number(body.match(new RegExp(`^${name} (\\S+)$`, 'm'))[1]);
}

async function becomes(server, name, value) {
  const deadline = Date.now() + PATIENCE_MS;
  while (await metric(server, name) !== value)
    assert.ok(Date.now() < deadline, `${name} does not become ${value}`);
}

describe('a route', () => {
  let server;
  before(async () => { server = await Server.start('routes'); });
  after(() => server.stop());

  it('answers again and again on one connection', async () => {
    const talker = new Talker(server.port);
    for (let i = 0; i < 3; i++) {
      talker.send(head(`GET /hello?n=${i}`));
      await talker.until(new RegExp(`hello ${i}$`));
    }
    talker.send(head('POST /body', 'Content-Length: 3') + 'abc');
    await talker.until(/POST abc$/);
    talker.send(head('GET /hello?n=9', 'Connection: close'));
    assert.match(await talker.untilEnd(), /hello 9$/);
  });

  it('answers requests that come together, in their order', async () => {
    const talker = new Talker(server.port);
    talker.send(head('GET /soon') + head('GET /hello?n=1') + head('GET /hello?n=2', 'Connection: close'));
    const got = await talker.untilEnd();
    assert.strictEqual(count(got, '200 OK'), 3);
    assert.ok(got.indexOf('soon') < got.indexOf('hello 1') && got.indexOf('hello 1') < got.indexOf('hello 2'));
  });

  it('answers what comes while its handler waits afterwards', async () => {
    const talker = new Talker(server.port);
    talker.send(head('GET /soon'));
    await new Promise((resolve) => { setTimeout(resolve, 300); });
    talker.send(head('GET /hello?n=3', 'Connection: close'));
    assert.match(await talker.untilEnd(), /soon[^]*hello 3$/);
  });

  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE'])
    it(`takes the body of a ${method}, in pieces or not at all`, async () => {
      const talker = new Talker(server.port);
      talker.send(head(`${method} /body`, 'Content-Length: 6') + 'ab');
      await new Promise((resolve) => { setTimeout(resolve, 20); });
      talker.send('cd');
      await new Promise((resolve) => { setTimeout(resolve, 20); });
      talker.send('ef');
      await talker.until(new RegExp(`${method} abcdef$`));
      talker.send(head(`${method} /body`, 'Content-Length: 0', 'Connection: close'));
      assert.match(await talker.untilEnd(), new RegExp(`${method} $`));
      const other = new Talker(server.port);
      other.send(head(`${method} /body`, 'Connection: close'));
      assert.match(await other.untilEnd(), new RegExp(`${method} $`));
    });

  it('says 100 Continue to who asks, and refuses at once what is too long', async () => {
    const talker = new Talker(server.port);
    talker.send(head('POST /body', 'Content-Length: 2', 'Expect: 100-continue'));
    await talker.until(/^HTTP\/1\.1 100 Continue\r\n\r\n$/);
    talker.send('ab');
    await talker.until(/POST ab$/);
    talker.leave();
    const other = new Talker(server.port);
    other.send(head('POST /body', 'Content-Length: 99999999', 'Expect: 100-continue'));
    assert.match(await other.untilEnd(), /^HTTP\/1\.1 413 [^]*max_body_bytes"}$/);
  });

  it('refuses what says its length in no way that can be trusted', async () => {
    for (const header of ['Transfer-Encoding: chunked', 'Content-Length: 1, 2', 'Content-Length: -1']) {
      const talker = new Talker(server.port);
      talker.send(head('POST /body', header) + '3\r\nabc\r\n0\r\n\r\n');
      await talker.until(/^HTTP\/1\.1 4\d\d [^]*connection: close[^]*"}$/);
      talker.leave();
    }
  });

  // Behind a tab the coding was not seen, and the length beside it taken for the body's.
  it('takes no length beside a coding that is written as no header is', async () => {
    for (const name of ['Transfer-Encoding', 'Transfer-Encoding ', 'Transfer-Encoding\t', 'Transfer-Encoding  ']) {
      const talker = new Talker(server.port);
      talker.send(head('POST /body', 'Content-Length: 5', `${name}: chunked`) + '0\r\n\r\n' + head('GET /hello?n=4'));
      assert.doesNotMatch(await talker.untilEnd(), /200 OK/);
    }
  });

  it('lets no body reach a path that takes none', async () => {
    const talker = new Talker(server.port);
    talker.send(head('GET /hello', 'Content-Length: 3') + 'abc');
    assert.match(await talker.untilEnd(), /^HTTP\/1\.1 400 /);
  });

  it('sends a long body whole, also to who reads slowly', async () => {
    const talker = new Talker(server.port);
    talker.socket.pause();
    talker.send(head('GET /big', 'Connection: close'));
    await new Promise((resolve) => { setTimeout(resolve, 200); });
    talker.socket.resume();
    const got = await talker.untilEnd();
    assert.strictEqual(got.slice(got.indexOf('\r\n\r\n') + 4).length, 2000000);
  });

  it('sends no body to a HEAD, and says how long it would be', async () => {
    const talker = new Talker(server.port);
    talker.send(head('HEAD /big', 'Connection: close'));
    assert.match(await talker.untilEnd(), /content-length: 2000000[^]*\r\n\r\n$/);
  });

  it('leaves files where it has no GET', async () => {
    assert.match((await server.http('/page/')).body, /A page/);
    assert.strictEqual((await server.http('/hello', { method: 'DELETE' })).status, 405);
    const answer = await server.http('/body');
    assert.strictEqual(answer.status, 405);
    assert.strictEqual(answer.headers.allow, 'POST, PUT, PATCH, DELETE, OPTIONS');
  });

  it('ends its handler when the client leaves, wherever in the answer', async () => {
    const before = Number((await server.http('/ended')).body);
    for (const rest of ['', head('GET /hello'), 'GET /he']) {
      const talker = new Talker(server.port);
      talker.send(head('GET /slow'));
      await becomes(server, 'tidegate_http_exchanges', 1);
      talker.send(rest);
      await new Promise((resolve) => { setTimeout(resolve, 20); });
      talker.leave();
      await becomes(server, 'tidegate_http_exchanges', 0);
    }
    const half = new Talker(server.port);
    half.socket.end(head('GET /slow'));
    await half.untilEnd();
    await becomes(server, 'tidegate_http_exchanges', 0);
    assert.strictEqual(Number((await server.http('/ended')).body), before + 4);
    assert.strictEqual(await metric(server, 'tidegate_tasks'), 0);
  });

  it('forgets a body that never comes to its end', async () => {
    const talker = new Talker(server.port);
    talker.send(head('POST /body', 'Content-Length: 6') + 'ab');
    await becomes(server, 'tidegate_http_exchanges', 1);
    talker.leave();
    await becomes(server, 'tidegate_http_exchanges', 0);
  });
});

describe('the limits of routes', () => {
  let server;
  before(async () => {
    server = await Server.start('routes', { args: ['--max-http-requests', '2', '--body-timeout-ms', '300'] });
  });

  it('refuse what is one too many, until another has ended', async () => {
    const talkers = [new Talker(server.port), new Talker(server.port)];
    for (const talker of talkers) talker.send(head('GET /slow'));
    await becomes(server, 'tidegate_http_exchanges', 2);
    const answer = await server.http('/hello');
    assert.strictEqual(answer.status, 503);
    assert.strictEqual(answer.body, '{"detail":"Too many requests at once"}');
    assert.strictEqual(await metric(server, 'tidegate_http_full_total'), 1);
    for (const talker of talkers) talker.leave();
    await becomes(server, 'tidegate_http_exchanges', 0);
    assert.strictEqual((await server.http('/hello')).status, 200);
  });

  it('do not wait for a body for ever', async () => {
    const talker = new Talker(server.port);
    talker.send(head('POST /body', 'Content-Length: 6') + 'ab');
    assert.match(await talker.untilEnd(), /^HTTP\/1\.1 408 /);
    assert.strictEqual(await metric(server, 'tidegate_http_body_timeouts_total'), 1);
  });

  it('let the gateway stop when a request has been answered', async () => {
    const talker = new Talker(server.port);
    talker.send(head('GET /soon'));
    await becomes(server, 'tidegate_http_exchanges', 1);
    const stopped = server.stop();
    assert.match(await talker.until(/soon$/), /^HTTP\/1\.1 200 OK/);
    talker.leave();
    await stopped;
  });
});

describe('passwords', () => {
  const ask = (server, password) => server.http(`/password?is=${password}`);

  it('are checked while others are served, each for its own client', async () => {
    const server = await Server.start('routes');
    const talker = new Talker(server.port);
    talker.send(head('GET /password?is=right'));
    const asked = ['right', 'wrong', 'right', 'wrong', 'right', 'wrong'].map((password) => ask(server, password));
    const deadline = Date.now() + PATIENCE_MS;
    while (await metric(server, 'tidegate_password_hashes') < 2) assert.ok(Date.now() < deadline);
    talker.leave();
    const answers = await Promise.all(asked);
    assert.deepStrictEqual(answers.map(({ body }) => body), ['true', 'false', 'true', 'false', 'true', 'false']);
    await becomes(server, 'tidegate_password_hashes', 0);
    await server.stop();
  });

  it('are so many at once and no more', async () => {
    const server = await Server.start('routes', { args: ['--max-password-hashes', '1'] });
    const statuses = (await Promise.all(['right', 'right', 'right'].map((password) => ask(server, password))))
      .map(({ status }) => status).sort();
    assert.deepStrictEqual(statuses, [200, 500, 500]);
    assert.strictEqual(await metric(server, 'tidegate_password_hashes_full_total'), 2);
    assert.match(server.stderr, /too many passwords are being looked at, max_password_hashes = 1/);
    await server.stop();
  });

  it('that nobody waits for any more are forgotten at the end', async () => {
    const server = await Server.start('routes', { args: ['--drain-seconds', '1'] });
    const talkers = [1, 2, 3, 4, 5, 6, 7, 8].map(() => new Talker(server.port));
    for (const talker of talkers) talker.send(head('GET /password?is=right'));
    const deadline = Date.now() + PATIENCE_MS;
    while (await metric(server, 'tidegate_password_hashes') < 3) assert.ok(Date.now() < deadline);
    await server.stop();
    for (const talker of talkers) talker.leave();
  });
});

describe('accounts', () => {
  let server;
  before(async () => { server = await Server.start(path.join(ROOT, 'examples/accounts'), { args: ['--mode', 'development'] }); });
  after(() => server.stop());

  const logIn = async (name, password) => {
    const answer = await fetch(`http://127.0.0.1:${server.port}/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name, password }),
    });
    assert.strictEqual(answer.status, 200);
    return answer.headers.get('set-cookie').split(';')[0];
  };

  // What `wscat -c ws://... -H "Cookie: sessionid=..."` opens: it is made of the same client.
  const come = (target, cookie) => new Promise((resolve, reject) => {
    const frames = [];
    const socket = new WebSocket(`ws://127.0.0.1:${server.port}${target}`, { headers: { Cookie: cookie } });
    const waiting = [];
    socket.on('message', (data) => {
      frames.push(JSON.parse(data));
      if (waiting.length) waiting.shift()(frames.shift());
    });
    socket.on('error', reject);
    socket.on('open', () => resolve({
      socket,
      say: (frame) => socket.send(JSON.stringify(frame)),
      next: () => (frames.length ? Promise.resolve(frames.shift())
        : new Promise((done) => { waiting.push(done); })),
    }));
  });

  it('tell at the start, and when they are checked, which requests they answer', async () => {
    await server.until(() => server.stdout.includes('\nloaded generation 1 '), 'the end of what is told at the start');
    for (const line of ['GET /me', 'POST /login', 'POST /logout', '/ws/echo/                 echo'])
      await server.until(() => server.stdout.includes(`\n  ${line}\n`), `a line of standard output to be ${line}`);
    const { stdout } = await run(['check', path.join(ROOT, 'examples/accounts')]);
    assert.match(stdout, /: 2 consumers, 5 actions, 3 routes, 2 paths: no errors, no warnings\n$/);
  });

  it('echo with the cookie of the login (seed 003)', async () => {
    const ann = await come('/ws/echo/', await logIn('ann', 'gently'));
    assert.strictEqual((await ann.next()).payload.status_code, 200);
    ann.say({ action: 'echo', payload: 'Hello, Chanx!' });
    assert.deepStrictEqual(await ann.next(), { action: 'echo', payload: 'Echo: Hello, Chanx!' });
    ann.socket.close();
  });

  it('say in a room who says something (seed 003)', async () => {
    const ann = await come('/ws/chat/lobby/', await logIn('ann', 'gently'));
    const bob = await come('/ws/chat/lobby/', await logIn('bob', 'breeze'));
    for (const client of [ann, bob]) assert.strictEqual((await client.next()).payload.status_code, 200);
    ann.say({ action: 'echo', payload: 'hi' });
    const told = (isMine) => ({ action: 'echo', payload: 'Ann: hi', is_mine: isMine, is_current: isMine });
    assert.deepStrictEqual(await bob.next(), told(false));
    assert.deepStrictEqual(await ann.next(), told(true));
    for (const client of [ann, bob]) client.socket.close();
  });

  it('let nobody in with a cookie that is not theirs', async () => {
    const cookie = await logIn('ann', 'gently');
    const forged = await come('/ws/echo/', cookie.replace('sessionid=', 'sessionid=A'));
    assert.strictEqual((await forged.next()).payload.status_code, 401);
    const [code] = await new Promise((resolve) => { forged.socket.on('close', (...all) => resolve(all)); });
    assert.strictEqual(code, 4401);
  });
});
