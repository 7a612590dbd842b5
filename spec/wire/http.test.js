// Plain HTTP on the same port: static files, health, metrics.

import assert from 'node:assert';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { RawClient } from '../support/raw.js';
import { ROOT, Server } from '../support/server.js';

// Sends bytes and returns all that comes until the server ends TCP.
function exchange(port, bytes) {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ port, host: '127.0.0.1' });
    let got = '';
    socket.setEncoding('utf8');
    socket.on('data', (text) => { got += text; });
    socket.on('error', reject);
    socket.on('end', () => { socket.destroy(); resolve(got); });
    socket.write(bytes);
  });
}

const PUBLIC = path.join(ROOT, 'spec/support/apps/wire/public');

describe('a static file', () => {
  let server;
  before(async () => { server = await Server.start('wire'); });
  after(() => server.stop());

  it('is served as it lies on disk, with its content type', async () => {
    for (const [target, file, type] of [
      ['/', 'index.html', /^text\/html\b/], ['/index.html', 'index.html', /^text\/html\b/],
      ['/style.css', 'style.css', /^text\/css\b/], ['/page.js', 'page.js', /^(text|application)\/javascript\b/],
      ['/data.json', 'data.json', /^application\/json\b/], ['/notes.txt', 'notes.txt', /^text\/plain\b/],
      ['/icon.svg', 'icon.svg', /^image\/svg\+xml\b/], ['/photo.png', 'photo.png', /^image\/png\b/],
      ['/folder/', 'folder/index.html', /^text\/html\b/], ['/with%20space.html', 'with space.html', /^text\/html\b/],
      ['/notes.txt?version=2', 'notes.txt', /^text\/plain\b/], ['/empty.txt', 'empty.txt', /^text\/plain\b/],
    ]) {
      const answer = await server.http(target);
      assert.strictEqual(answer.status, 200, target);
      assert.match(answer.headers['content-type'], type, target);
      const expected = fs.readFileSync(path.join(PUBLIC, file));
      assert.deepStrictEqual(answer.bytes, expected, target);
      assert.strictEqual(Number(answer.headers['content-length']), expected.length, target);
    }
  });

  it('has an ETag, and is not sent again to a client that has it', async () => {
    const first = await server.http('/style.css');
    assert.match(first.headers.etag, /^(W\/)?"[^"]+"$/);
    const again = await server.http('/style.css', { headers: { 'If-None-Match': first.headers.etag } });
    assert.strictEqual(again.status, 304);
    assert.strictEqual(again.bytes.length, 0);
    assert.strictEqual(again.headers.etag, first.headers.etag);
    const other = await server.http('/style.css', { headers: { 'If-None-Match': '"something else"' } });
    assert.strictEqual(other.status, 200);
    assert.strictEqual(other.body, first.body);
  });

  it('is kept by nobody in development, so that a page gets what lies on disk', async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tidegate-static-'));
    const page = path.join(folder, 'page.html');
    fs.writeFileSync(page, 'one');
    const stamp = fs.statSync(page);
    const developed = await Server.start('wire', { args: ['--dev', '--static', folder] });
    const first = await developed.http('/page.html');
    assert.strictEqual(first.headers['cache-control'], 'no-store');
    assert.strictEqual(first.headers.etag, undefined);
    fs.writeFileSync(page, 'two');
    fs.utimesSync(page, stamp.atime, stamp.mtime);
    const asked = { headers: { 'If-None-Match': '*', 'If-Modified-Since': stamp.mtime.toUTCString() } };
    const again = await developed.http('/page.html', asked);
    assert.deepStrictEqual([again.status, again.body], [200, 'two']);
    await developed.stop();
    fs.rmSync(folder, { recursive: true });
  });

  it('is described without its body to HEAD', async () => {
    const full = await server.http('/style.css');
    const head = await server.http('/style.css', { method: 'HEAD' });
    assert.strictEqual(head.status, 200);
    assert.strictEqual(head.bytes.length, 0);
    for (const name of ['content-type', 'content-length', 'etag'])
      assert.strictEqual(head.headers[name], full.headers[name], name);
  });

  it('is refused to every other method with 405', async () => {
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'])
      assert.strictEqual((await server.http('/style.css', { method })).status, 405, method);
    assert.strictEqual((await server.http('/healthz')).status, 200);
  });

  it('that does not exist is a 404 with a JSON body', async () => {
    for (const target of ['/nothing.html', '/folder/nothing', '/style.css/', '/style.css/more']) {
      const answer = await server.http(target);
      assert.strictEqual(answer.status, 404, target);
      assert.strictEqual(typeof JSON.parse(answer.body).detail, 'string');
    }
  });

  it('is refused with 400 where an encoded line break would smuggle headers in', async () => {
    for (const target of ['/style.css%0AHost:%20evil', '/style.css%0D%0AHTTP/1.1%20HTTP/1.1%0D%0AHost:%20evil%0D%0Ax:',
                          '/style.css?x=%0Ay']) {
      const answer = await server.http(target);
      assert.strictEqual(answer.status, 400, target);
      assert.match(JSON.parse(answer.body).detail, /%0A or %0D/);
    }
  });

  it('comes several times over one connection', async () => {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    try {
      const first = await server.http('/style.css', { agent });
      for (let round = 0; round < 5; round += 1) {
        const again = await server.http(round % 2 ? '/notes.txt' : '/index.html', { agent });
        assert.strictEqual(again.status, 200);
        assert.ok(again.reused, 'a new connection was needed');
      }
      assert.strictEqual(first.status, 200);
    } finally {
      agent.destroy();
    }
  });
});

describe('what lies outside the folder', () => {
  let server;
  let folder;
  before(async () => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tidegate-spec-'));
    fs.writeFileSync(path.join(folder, 'secret.txt'), 'secret words');
    fs.mkdirSync(path.join(folder, 'app', 'public', 'sub'), { recursive: true });
    fs.mkdirSync(path.join(folder, 'app', 'public', '.git'));
    fs.mkdirSync(path.join(folder, 'outside'));
    fs.writeFileSync(path.join(folder, 'outside', 'file.txt'), 'secret words');
    fs.writeFileSync(path.join(folder, 'app', 'public', 'index.html'), '<p>page</p>');
    fs.writeFileSync(path.join(folder, 'app', 'public', '.hidden'), 'secret words');
    fs.writeFileSync(path.join(folder, 'app', 'public', '.git', 'config'), 'secret words');
    fs.writeFileSync(path.join(folder, 'app', 'secret.lua'), [
      '-- secret words', 'local tide <const> = require "tidegate"',
      'return tide.consumer { name = "app", path = "/ws/app" }', ''].join('\n'));
    fs.symlinkSync(path.join(folder, 'secret.txt'), path.join(folder, 'app', 'public', 'link.txt'));
    fs.symlinkSync(path.join(folder, 'outside'), path.join(folder, 'app', 'public', 'linked'));
    server = await Server.start(path.join(folder, 'app'));
  });
  after(async () => {
    try {
      await server.stop();
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  });

  it('is out of reach, however its path is written', async () => {
    for (const target of [
      '/../secret.txt', '/../../secret.txt', '/sub/../../secret.lua', '/../secret.lua', '/%2e%2e/secret.lua',
      '/%2e%2e%2fsecret.lua', '/..%2fsecret.lua', '/sub/%2e%2e/%2e%2e/secret.lua', '/%252e%252e/secret.lua',
      '/..%5csecret.lua', '/..\\secret.lua', '/sub/..%2f..%2fsecret.lua', '/./../secret.lua', '//etc/passwd',
      '/%2fetc/passwd', '/..%c0%afsecret.lua', '/%c0%ae%c0%ae/secret.lua', '/secret.lua%00.html', '/index.html%00',
      '/....//secret.lua', '/..;/secret.lua', '/linked/file.txt', '/link.txt',
    ]) {
      const client = await RawClient.connect(server.port);
      client.write(Buffer.from(`GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`, 'latin1'));
      await client.end();
      const answer = client.unread.toString('latin1');
      assert.doesNotMatch(answer, /secret words|root:/, target);
      assert.doesNotMatch(answer, /^HTTP\/1\.[01] 200[^]*tide\.consumer/, target);
    }
    assert.strictEqual((await server.http('/index.html')).body, '<p>page</p>');
  });

  it('includes what is hidden', async () => {
    for (const target of ['/.hidden', '/.git/config', '/%2ehidden', '/.git/'])
      assert.strictEqual((await server.http(target)).status, 404, target);
  });

  it('includes a folder without an index', async () => {
    for (const target of ['/sub/', '/sub']) assert.strictEqual((await server.http(target)).status, 404, target);
  });
});

// A body that the library did not read was taken for the next request.
describe('a request with a body', () => {
  let server;
  before(async () => { server = await Server.start('wire'); });
  after(() => server.stop());

  const inner = 'GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n';
  for (const [name, head] of Object.entries({
    'in chunks': `Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n${inner}`,
    'of a length': `Content-Length: ${inner.length}\r\n\r\n${inner}`,
    'of two lengths': `Content-Length: 0\r\nContent-Length: ${inner.length}\r\n\r\n${inner}`,
    'of a length in hex': `Content-Length: 0x25\r\n\r\n${inner}`,
    'of a length behind a space': `Content-Length : ${inner.length}\r\nX-Last: 1\r\n\r\n${inner}`,
    'of a length behind a tab': `Content-Length\t: ${inner.length}\r\nX-Last: 1\r\n\r\n${inner}`,
    'of a length behind two spaces': `Content-Length  : ${inner.length}\r\nX-Last: 1\r\n\r\n${inner}`,
    'that never comes': 'Content-Length: 1000000\r\n\r\n',
  })) {
    for (const target of ['/healthz', '/index.html'])
      it(`${name} is refused at ${target}, and nothing behind it is answered`, async () => {
        const answer = await exchange(server.port, `GET ${target} HTTP/1.1\r\nHost: x\r\n${head}`);
        assert.match(answer, /^HTTP\/1\.[01] 400 /);
        assert.strictEqual(answer.match(/HTTP\/1\.[01] /g).length, 1);
        assert.match(answer, /\{"detail":"A request with a body is not taken"\}$/);
      });
  }
});

describe('the health of the gateway', () => {
  let server;
  before(async () => { server = await Server.start('wire'); });
  after(() => server.stop());

  it('is told at /healthz and /readyz', async () => {
    for (const target of ['/healthz', '/readyz']) assert.strictEqual((await server.http(target)).status, 200, target);
  });

  it('is counted at /metrics, in the text format of Prometheus', async () => {
    const answer = await server.http('/metrics');
    assert.strictEqual(answer.status, 200);
    assert.match(answer.headers['content-type'], /^text\/plain\b.*version=0\.0\.4/);
    const types = new Map();
    for (const line of answer.body.trimEnd().split('\n')) {
      const type = /^# TYPE (tidegate_[a-z0-9_]+) (counter|gauge|histogram)$/.exec(line);
      if (type) types.set(type[1], type[2]);
      else if (!line.startsWith('# HELP ')) assert.match(line, /^tidegate_[a-z0-9_]+(\{[^}]*\})? -?\d+(\.\d+)?$/);
    }
    for (const [name, type] of types) assert.strictEqual(name.endsWith('_total'), type === 'counter', name);
    for (const name of ['tidegate_connections', 'tidegate_messages_received_total', 'tidegate_script_heap_bytes'])
      assert.ok(types.has(name), name);
  });

  it('counts connections and messages', async () => {
    const earlier = await server.metric('connections_opened_total');
    const received = await server.metric('messages_received_total');
    const sent = await server.metric('messages_sent_total');
    const client = await RawClient.open(server.port, '/ws/echo');
    client.text('{"action":"ping"}');
    await client.nextText();
    client.text('{"action":"nope"}');
    await client.nextText();
    assert.strictEqual(await server.metric('connections'), 1);
    assert.strictEqual(await server.metric('connections_opened_total'), earlier + 1);
    assert.strictEqual(await server.metric('messages_received_total'), received + 2);
    assert.strictEqual(await server.metric('messages_sent_total'), sent + 2);
    assert.strictEqual(await server.metric('messages_invalid_total'), 1);
    client.destroy();
    await server.metricUntil('connections', (value) => value === 0);
  });

  it('is not shadowed by a file, nor by a consumer', async () => {
    assert.strictEqual((await server.http('/healthz?x=1')).status, 200);
  });
});
