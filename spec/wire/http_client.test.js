// tide.http: what a handler fetches from servers that mean well.

import assert from 'node:assert';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import zlib from 'node:zlib';
import { after, before, beforeEach, describe, it } from 'node:test';
import { RawClient } from '../support/raw.js';
import { HERE, ask, askError, askMirror, mirror, serve, talk } from '../support/remote.js';
import { Server, run, until } from '../support/server.js';

describe('tide.http', () => {
  let server;
  let remote;
  before(async () => {
    // Nobody listens there: a proxy of the environment would be noticed.
    const env = { http_proxy: 'http://127.0.0.1:9', ALL_PROXY: 'http://127.0.0.1:9' };
    server = await Server.start('fetch', { env, args: ['--log-level', 'debug'] });
    remote = await serve({
      '/mirror': mirror,
      '/plain': (request, response) => {
        response.writeHead(201, [['X-Odd', 'a'], ['x-odd', 'b'], ['Set-Cookie', 'a=1; Expires=Sat, 1'],
                                 ['set-cookie', 'b=2'], ['X-Empty', '']]);
        response.end('hello\0\xff');
      },
      '/early': (request, response) => {
        response.writeEarlyHints({ link: '</style.css>; rel=preload' });
        response.setHeader('x-late', 'yes');
        response.end('now');
      },
      '/length': (request, response) => {
        response.writeHead(200, { 'content-length': 1e9 });
        response.end();
      },
      '/number': (request, response) => response.end('9007199254740993'),
      '/broken': (request, response) => response.end('{"a":}'),
      '/empty_list': (request, response) => response.end('[]'),
      '/gzip': (request, response) => {
        response.writeHead(200, { 'content-encoding': 'gzip' });
        response.end(zlib.gzipSync('squeezed'));
      },
    });
  });
  after(() => server.stop());

  it('brings status, headers, body and URL', async () => {
    const url = `${remote.origin}/plain?a=b`;
    const answer = await ask(server, { url });
    assert.strictEqual(answer.status, 201);
    assert.strictEqual(answer.url, url);
    assert.strictEqual(answer.headers['x-odd'], 'a, b');
    assert.strictEqual(answer.headers['set-cookie'], 'a=1; Expires=Sat, 1\nb=2');
    assert.strictEqual(answer.headers['x-empty'], '');
    assert.strictEqual(answer.body, 'hello\0ÿ');
  });

  it('sends what it is given, and nothing that it is not', async () => {
    const seen = await askMirror(server, {
      url: `${remote.origin}/mirror`, method: 'PATCH', headers: { 'X-Mine': 'a b', 'x-number': 5, 'X-None': '' },
      body: 'text',
    });
    assert.strictEqual(seen.method, 'PATCH');
    assert.strictEqual(seen.body, 'text');
    assert.deepStrictEqual(Object.keys(seen.headers).sort(), [
      'accept', 'accept-encoding', 'content-length', 'host', 'user-agent', 'x-mine', 'x-none', 'x-number']);
    assert.strictEqual(seen.headers['x-mine'], 'a b');
    assert.strictEqual(seen.headers['x-number'], '5');
    assert.strictEqual(seen.headers['x-none'], '');
    assert.match(seen.headers['user-agent'], /^tidegate\/\d/);
  });

  it('says the length of a body that is empty', async () => {
    const seen = await askMirror(server, { url: `${remote.origin}/mirror`, method: 'PUT' });
    assert.strictEqual(seen.method, 'PUT');
    assert.strictEqual(seen.headers['content-length'], '0');
    const without = await askMirror(server, { url: `${remote.origin}/mirror`, method: 'DELETE' });
    assert.strictEqual(without.method, 'DELETE');
    assert.strictEqual(without.headers['content-length'], undefined);
  });

  it('sends a large body whole', async () => {
    const body = 'ä'.repeat(300000);
    const seen = await talk(server, 'ask', {
      request: { url: `${remote.origin}/mirror`, body }, is_counted: true });
    assert.ok(seen.body > 600000);
    assert.strictEqual(seen.status, 200);
  });

  it('sends JSON with its type, as a POST', async () => {
    const seen = await askMirror(server, { url: `${remote.origin}/mirror`, json: { b: [1, 2.5, 'x'], a: {} } });
    assert.strictEqual(seen.method, 'POST');
    assert.strictEqual(seen.headers['content-type'], 'application/json');
    assert.strictEqual(seen.body, '{"a":{},"b":[1,2.5,"x"]}');
    const own = await askMirror(server, {
      url: `${remote.origin}/mirror`, json: 1, headers: { 'Content-Type': 'application/x+json' } });
    assert.strictEqual(own.headers['content-type'], 'application/x+json');
  });

  it('raises what JSON cannot say, with its path, at the line of the handler', async () => {
    assert.strictEqual(await talk(server, 'send_json', `${remote.origin}/mirror`),
                       `${HERE}:47: tide.http.post: json.list[2]: expected a value that JSON can say, got function`);
  });

  it('parses JSON strictly and keeps integers exact', async () => {
    const client = await RawClient.open(server.port, '/ws/fetch');
    client.text(`{"action":"parse","payload":"${remote.origin}/number"}`);
    assert.strictEqual(await client.nextText(),
                       '{"action":"answer","payload":{"kind":"integer","value":9007199254740993}}');
    client.text(`{"action":"parse","payload":"${remote.origin}/empty_list"}`);
    assert.strictEqual(await client.nextText(), '{"action":"answer","payload":{"kind":"table","value":[]}}');
    client.text(`{"action":"parse","payload":"${remote.origin}/broken"}`);
    assert.match((await client.nextJson()).payload.error, /^Invalid JSON at byte 5: /);
    client.close(1000);
    await client.end();
  });

  it('has short forms', async () => {
    const url = `${remote.origin}/mirror`;
    const got = await talk(server, 'short', { verb: 'get', url, options: { headers: { 'x-a': 'b' } } });
    assert.strictEqual(JSON.parse(got.body).method, 'GET');
    assert.strictEqual(JSON.parse(got.body).headers['x-a'], 'b');
    const posted = await talk(server, 'short', { verb: 'post', url, options: { json: [] } });
    assert.strictEqual(JSON.parse(posted.body).method, 'POST');
    assert.strictEqual(JSON.parse(posted.body).body, '[]');
    const bare = await talk(server, 'short', { verb: 'post', url });
    assert.strictEqual(JSON.parse(bare.body).headers['content-length'], '0');
  });

  it('passes over what comes before the answer', async () => {
    const answer = await ask(server, { url: `${remote.origin}/early` });
    assert.strictEqual(answer.status, 200);
    assert.strictEqual(answer.headers['x-late'], 'yes');
    assert.strictEqual(answer.headers.link, undefined);
  });

  it('takes the length that a HEAD is told for no body', async () => {
    const answer = await ask(server, { url: `${remote.origin}/length`, method: 'HEAD' });
    assert.strictEqual(answer.status, 200);
    assert.strictEqual(answer.headers['content-length'], '1000000000');
    assert.strictEqual(answer.body, '');
  });

  it('decompresses', async () => {
    assert.strictEqual((await ask(server, { url: `${remote.origin}/gzip` })).body, 'squeezed');
  });

  it('keeps the connection for the next request', async () => {
    let sockets = 0;
    const counted = await serve({ '/': (request, response) => response.end('.') });
    counted.on('connection', () => { sockets += 1; });
    for (let i = 0; i < 5; i += 1) assert.strictEqual((await ask(server, { url: counted.origin })).body, '.');
    assert.strictEqual(sockets, 1);
  });

  it('can be answered by the very server that asks', async () => {
    const answer = await ask(server, { url: `http://127.0.0.1:${server.port}/healthz` });
    assert.strictEqual(answer.body, '{"status":"ok"}');
  });

  it('tells the log at level debug, without path, query and user', async () => {
    await ask(server, { url: `${remote.origin}/plain?secret=1`.replace('//', '//user:secret@') });
    const line = server.lines().find((text) => text.includes('event=fetched') && text.includes('status=201'));
    assert.ok(line.includes(`method=GET origin=${remote.origin}/ `), line);
    assert.ok(!line.includes('secret'), line);
  });

  it('answers what is no URL with an error', async () => {
    assert.strictEqual(await askError(server, { url: 'localhost/' }), 'url: Bad scheme');
    assert.strictEqual(await askError(server, { url: 'file:///etc/passwd' }),
                       'url: only http and https are fetched, not file');
    assert.strictEqual(await askError(server, { url: 'http://a\r\nb/' }), 'url: it has a line break or a zero byte');
  });

  it('raises misuse at the line of the handler', async () => {
    const url = 'http://127.0.0.1/';
    for (const [payload, said] of [
      [{}, 'needs a URL, as in { url = "https://example.org/" }'],
      [{ url: '' }, 'option "url" must be a string that is not empty, got the string ""'],
      [{ url, metod: 'GET' }, 'unknown option "metod"; did you mean "method"?'],
      [{ url, method: 'get' }, 'option "method" must be a method in capitals such as "GET", got the string "get"'],
      [{ url, method: 'GET\r\nX: y' }, 'option "method" must be a method in capitals'],
      [{ url, method: 'CONNECT' }, 'option "method" must be'],
      [{ url, timeout: 0 }, 'option "timeout" must be seconds, more than 0 and at most 86400, got the number 0'],
      [{ url, max_bytes: 0 }, 'option "max_bytes" must be a number of bytes, 1 or more, got the number 0'],
      [{ url, redirects: 21 }, 'option "redirects" must be a whole number from 0 to 20, got the number 21'],
      [{ url, body: 5 }, 'option "body" must be a string, got the number 5'],
      [{ url, body: '', json: 1 }, 'either body or json'],
      [{ url, method: 'HEAD', body: 'x' }, 'a HEAD has no body'],
      [{ url, headers: { a: 'b\r\nc: d' } }, 'the header "a" has a line break or a zero byte'],
      [{ url, headers: { a: 'b\0' } }, 'the header "a" has a line break or a zero byte'],
      [{ url, headers: { 'a\r\nb': 'c' } }, 'the name of a header cannot be the string'],
      [{ url, headers: { 'a:': 'c' } }, 'the name of a header cannot be the string "a:"'],
      [{ url, headers: { '': 'c' } }, 'the name of a header cannot be the string ""'],
      [{ url, headers: ['c'] }, 'option "headers" must be a table of names and values, got a table'],
      [{ url, headers: { a: true } }, 'the header "a" must be a string, got the boolean true'],
      [{ url, headers: { 'Content-Length': 5 } }, 'the header "Content-Length" is set by tidegate'],
      [{ url, headers: { 'transfer-encoding': 'chunked' } }, 'the header "transfer-encoding" is set by tidegate'],
    ]) {
      const problem = await talk(server, 'misuse', payload);
      assert.ok(problem.startsWith(`${HERE}:41: tide.http.request: ${said}`), `${said}: ${problem}`);
    }
  });

  it('cannot wait while modules load', async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tidegate-'));
    fs.writeFileSync(path.join(folder, 'eager.lua'),
                     'local tide <const> = require "tidegate"\n\ntide.http.get "http://127.0.0.1/"\n');
    const { code, stderr } = await run(['check', folder]);
    fs.rmSync(folder, { recursive: true });
    assert.strictEqual(code, 1);
    assert.match(stderr, /eager\.lua:3: cannot wait while loading/);
  });
});

describe('a redirect', () => {
  let server;
  let remote;
  let other;
  const to = (status, location) => (request, response) => response.writeHead(status, { location }).end('moved');
  before(async () => {
    server = await Server.start('fetch');
    other = await serve({ '/mirror': mirror });
    remote = await serve({
      '/mirror': mirror,
      ...Object.fromEntries([301, 302, 303, 307, 308].map((status) => [`/${status}`, to(status, '/mirror')])),
      '/loop': to(302, '/loop'),
      '/other': (request, response) => to(307, `${other.origin}/mirror`)(request, response),
      '/ftp': to(302, 'ftp://127.0.0.1/'),
      '/file': to(302, 'file:///etc/passwd'),
      '/nonsense': to(302, 'http://[/'),
      '/nowhere': (request, response) => response.writeHead(302).end('no location'),
      '/304': (request, response) => response.writeHead(304, { location: '/mirror' }).end(),
      '/hops': (request, response) => {
        const left = Number(new URL(request.url, 'http://x').searchParams.get('left'));
        return left ? to(302, `/hops?left=${left - 1}`)(request, response) : response.end('arrived');
      },
    });
  });
  after(() => server.stop());

  it('is followed, and the response says where it came from', async () => {
    const answer = await ask(server, { url: `${remote.origin}/302` });
    assert.strictEqual(answer.status, 200);
    assert.strictEqual(answer.url, `${remote.origin}/mirror`);
    assert.strictEqual(JSON.parse(answer.body).method, 'GET');
    assert.strictEqual(answer.headers.location, undefined);
  });

  it('keeps the method and the body where it has to, and becomes a GET where it has to', async () => {
    const after = async (status, method) => {
      const seen = await askMirror(server, {
        url: `${remote.origin}/${status}`, method, headers: { 'content-type': 'a/b' },
        body: method === 'HEAD' ? undefined : 'text' });
      return `${seen.method} ${seen.body} ${seen.headers['content-type']} ${seen.headers['content-length']}`;
    };
    for (const [status, method, seen] of [
      [301, 'POST', 'GET  undefined undefined'], [302, 'POST', 'GET  undefined undefined'],
      [303, 'POST', 'GET  undefined undefined'], [303, 'PUT', 'GET  undefined undefined'],
      [302, 'PUT', 'PUT text a/b 4'], [307, 'POST', 'POST text a/b 4'], [308, 'PATCH', 'PATCH text a/b 4'],
    ]) assert.strictEqual(await after(status, method), seen, `${status} ${method}`);
    const head = await ask(server, { url: `${remote.origin}/303`, method: 'HEAD' });
    assert.strictEqual(head.url, `${remote.origin}/mirror`);
    assert.strictEqual(head.body, '');
  });

  it('takes nothing that names the user to another origin', async () => {
    const headers = {
      Authorization: 'Bearer x', cookie: 'a=1', 'Proxy-Authorization': 'y', host: 'mine', 'x-kept': '1' };
    const moved = await askMirror(server, { url: `${remote.origin}/other`, headers });
    assert.strictEqual(moved.headers['x-kept'], '1');
    assert.strictEqual(moved.headers.authorization, undefined);
    assert.strictEqual(moved.headers.cookie, undefined);
    assert.strictEqual(moved.headers['proxy-authorization'], undefined);
    assert.strictEqual(moved.headers.host, new URL(other.origin).host);
    const stayed = await askMirror(server, { url: `${remote.origin}/302`, headers });
    assert.strictEqual(stayed.headers.authorization, 'Bearer x');
    assert.strictEqual(stayed.headers.cookie, 'a=1');
    const named = await askMirror(server, { url: `${remote.origin}/other`.replace('//', '//user:password@') });
    assert.strictEqual(named.headers.authorization, undefined);
  });

  it('is followed so often and no more', async () => {
    const hops = (left, redirects) => ask(server, { url: `${remote.origin}/hops?left=${left}`, redirects });
    assert.strictEqual((await hops(5)).body, 'arrived');
    assert.strictEqual((await hops(6)).error, 'redirect: more than 5');
    assert.strictEqual((await hops(20, 20)).body, 'arrived');
    assert.strictEqual((await ask(server, { url: `${remote.origin}/loop` })).error, 'redirect: more than 5');
  });

  it('is an answer like any other when it is not to be followed, or leads nowhere', async () => {
    const answer = await ask(server, { url: `${remote.origin}/302`, redirects: 0 });
    assert.strictEqual(answer.status, 302);
    assert.strictEqual(answer.headers.location, '/mirror');
    assert.strictEqual(answer.body, 'moved');
    assert.strictEqual((await ask(server, { url: `${remote.origin}/nowhere` })).body, 'no location');
    assert.strictEqual((await ask(server, { url: `${remote.origin}/304` })).status, 304);
  });

  it('leads to http and https alone', async () => {
    assert.strictEqual(await askError(server, { url: `${remote.origin}/ftp` }),
                       'redirect: url: only http and https are fetched, not ftp');
    assert.strictEqual(await askError(server, { url: `${remote.origin}/file` }),
                       'redirect: url: only http and https are fetched, not file');
    assert.match(await askError(server, { url: `${remote.origin}/nonsense` }), /^redirect: url: /);
  });
});

describe('many requests', () => {
  let server;
  let remote;
  let held;
  let arrived;
  before(async () => {
    server = await Server.start('fetch', { args: ['--fetch-max-concurrent', '2', '--fetch-max-waiting', '3'] });
    held = [];
    remote = await serve({
      '/hold': (request, response) => {
        held.push(response);
        remote.emit('held');
        response.on('close', () => remote.emit('left'));
      },
      '/at_once': (request, response) => response.end('.'),
    });
    arrived = (count) => until(remote, 'held', () => held.length >= count, () => `${count} requests`);
  });
  after(() => server.stop());

  const clients = (count) => Promise.all(Array.from({ length: count }, () => RawClient.open(server.port, '/ws/fetch')));
  const send = (client, request) => client.text(JSON.stringify({ action: 'ask', payload: { request } }));
  const leave = async (client) => {
    client.close(1000);
    await client.end();
  };

  it('are under way up to a limit, wait up to another, and are refused beyond', async () => {
    held.length = 0;
    const six = await clients(6);
    for (const client of six.slice(0, 5)) send(client, { url: `${remote.origin}/hold` });
    await arrived(2);
    await server.metricUntil('fetches_waiting', (count) => count === 3);
    send(six[5], { url: `${remote.origin}/hold` });
    assert.strictEqual((await six[5].nextJson()).payload.error,
                       'busy: fetch_max_waiting requests are waiting already');
    assert.strictEqual(await server.metric('fetches_running'), 2);
    assert.strictEqual(await server.metric('fetches_refused_total'), 1);
    for (let i = 0; i < 5; i += 1) {
      await arrived(i + 1);
      assert.ok(held.length <= i + 2, `${held.length} at once`);
      held[i].end('done');
    }
    for (const client of six.slice(0, 5)) assert.strictEqual((await client.nextJson()).payload.body, 'done');
    await Promise.all(six.map(leave));
  });

  it('have their time while they wait, too', async () => {
    held.length = 0;
    const three = await clients(3);
    for (const client of three.slice(0, 2)) send(client, { url: `${remote.origin}/hold` });
    await arrived(2);
    send(three[2], { url: `${remote.origin}/at_once`, timeout: 0.05 });
    assert.strictEqual((await three[2].nextJson()).payload.error, 'timeout: no whole answer after 50 ms');
    for (const response of held) response.end();
    await Promise.all(three.map(leave));
  });

  it('are cancelled when their client leaves, and others take their places', async () => {
    held.length = 0;
    const three = await clients(3);
    for (const client of three.slice(0, 2)) send(client, { url: `${remote.origin}/hold` });
    await arrived(2);
    send(three[2], { url: `${remote.origin}/at_once` });
    await server.metricUntil('fetches_waiting', (count) => count === 1);
    three[0].socket.destroy();
    const response = await until(remote, 'left', () => held.find((each) => each.destroyed), () => 'the end of one');
    assert.strictEqual(response.writableEnded, false);
    assert.strictEqual((await three[2].nextJson()).payload.body, '.');
    held.find((other) => other !== response).end();
    await three[1].nextJson();
    assert.strictEqual(await server.metric('fetches_running'), 0);
    await Promise.all(three.slice(1).map(leave));
  });

  it('do not keep the program from ending', async () => {
    held.length = 0;
    const another = await Server.start('fetch', { args: ['--fetch-max-concurrent', '1', '--drain-seconds', '0'] });
    const two = await Promise.all([0, 1].map(() => RawClient.open(another.port, '/ws/fetch')));
    for (const client of two) send(client, { url: `${remote.origin}/hold` });
    await arrived(1);
    await another.metricUntil('fetches_waiting', (count) => count === 1);
    await another.stop();
  });
});

describe('tasks that wait for another server', () => {
  let server;
  let remote;
  let left;
  let held;
  before(async () => {
    server = await Server.start('fetch');
    remote = await serve({
      '/hold': (request, response) => {
        held.push(response);
        remote.emit('held');
        response.on('close', () => { left += 1; remote.emit('left'); });
        if (held.length === 2) for (const each of held) each.end('held');
      },
      '/second': (request, response) =>
        until(remote, 'held', () => held.length > 0, () => 'the first request').then(() => response.end('second')),
      '/now': (request, response) => response.end('now'),
    });
  });
  beforeEach(() => { [left, held] = [0, []]; });
  after(() => server.stop());
  const url = (target) => remote.origin + target;

  it('wait at the same time', async () => {
    const answers = await talk(server, 'all', [url('/hold'), url('/now'), url('/hold')]);
    assert.deepStrictEqual(answers, ['held', 'now', 'held']);
  });

  it('are cancelled when another was faster, and hang up', async () => {
    assert.strictEqual(await talk(server, 'first', [url('/hold'), url('/second')]), 'second');
    await until(remote, 'left', () => left === 1, () => 'the end of the slower request');
    assert.strictEqual(await server.metric('fetches_running'), 0);
  });

  it('are cancelled when their time is over', async () => {
    assert.strictEqual(await talk(server, 'soon', url('/hold')), 'timeout');
    assert.strictEqual(await server.metric('fetches_running'), 0);
    assert.strictEqual(await talk(server, 'soon', url('/now')), 'now');
  });

  it('wait in coroutines of their own and in pcall', async () => {
    assert.strictEqual(await talk(server, 'wrapped', url('/now')), 'now');
  });

  it('cannot wait where an answer is wanted at once', async () => {
    assert.match(await talk(server, 'compare', url('/now')), /fetch\.lua:\d+: cannot wait inside sort: fetch what is/);
  });
});
