// tide.http: servers that do not mean well, and those who only pretend to be one's own.

import assert from 'node:assert';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import https from 'node:https';
import os from 'node:os';
import path from 'node:path';
import zlib from 'node:zlib';
import { after, before, describe, it } from 'node:test';
import { ask, askError, listen, serve, speaker, talk } from '../support/remote.js';
import { Server } from '../support/server.js';

const peakMemory = ({ pid }) =>
  Number(/^VmHWM:\s+(\d+) kB$/m.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) * 1024;

describe('a server that is no good', () => {
  const MAX_BYTES = 100000;
  let server;
  before(async () => {
    server = await Server.start('fetch', { args: ['--fetch-max-bytes', String(MAX_BYTES)] });
  });
  after(() => server.stop());
  const tooLarge = (bytes) => `too large: the body has more than ${bytes} bytes`;

  it('is not there', async () => {
    const gone = await speaker(() => {});
    gone.close();
    await once(gone, 'close');
    assert.match(await askError(server, { url: gone.origin }), /^connect: Failed to connect to 127\.0\.0\.1 port /);
  });

  it('says nothing', async () => {
    const silent = await speaker(() => {});
    assert.strictEqual(await askError(server, { url: silent.origin, timeout: 0.05 }),
                       'timeout: no whole answer after 50 ms');
  });

  it('stops in the middle', async () => {
    const stalling = await speaker((socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc'));
    assert.strictEqual(await askError(server, { url: stalling.origin, timeout: 0.05 }),
                       'timeout: no whole answer after 50 ms');
  });

  it('dribbles', async () => {
    const dribbling = await speaker((socket) => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      const timer = setInterval(() => socket.write('x'), 5);
      socket.on('close', () => clearInterval(timer));
    });
    assert.strictEqual(await askError(server, { url: dribbling.origin, timeout: 0.2 }),
                       'timeout: no whole answer after 200 ms');
  });

  it('hangs up', async () => {
    const empty = await speaker((socket) => socket.end());
    assert.strictEqual(await askError(server, { url: empty.origin }), 'response: Empty reply from server');
    const short = await speaker((socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc'));
    assert.strictEqual(await askError(server, { url: short.origin }),
                       'response: transfer closed with 7 bytes remaining to read');
    const resetting = await speaker((socket) => socket.resetAndDestroy());
    assert.match(await askError(server, { url: resetting.origin }), /^response: Recv failure: /);
  });

  it('speaks no HTTP', async () => {
    const ssh = await speaker((socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n'));
    assert.match(await askError(server, { url: ssh.origin }), /^(response|url): /);
    const zero = await speaker((socket) => socket.end('HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n'));
    assert.match(await askError(server, { url: zero.origin }), /^response: /);
    const chunk = await speaker((socket) => socket.end('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n'));
    assert.match(await askError(server, { url: chunk.origin }), /^response: /);
  });

  it('announces a gigabyte', async () => {
    const large = await speaker((socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n'));
    assert.strictEqual(await askError(server, { url: large.origin }), tooLarge(MAX_BYTES));
  });

  it('sends a gigabyte, and the memory does not grow with it', async () => {
    const megabyte = Buffer.alloc(1 << 20, 'x');
    let sent = 0;
    const endless = await speaker(async (socket) => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      for (; sent < 1024 && !socket.destroyed; sent += 1)
        if (!socket.write(megabyte)) await new Promise((go) => socket.once('drain', go).once('close', go));
    });
    const before = peakMemory(server);
    assert.strictEqual(await askError(server, { url: endless.origin }), tooLarge(MAX_BYTES));
    assert.strictEqual(await askError(server, { url: endless.origin, max_bytes: 10 }), tooLarge(10));
    assert.strictEqual(await askError(server, { url: endless.origin, max_bytes: 1e15 }), tooLarge(MAX_BYTES));
    assert.ok(sent < 1000, `${sent} MB were sent`);
    assert.ok(peakMemory(server) - before < 32 << 20);
    assert.strictEqual(await server.metric('fetches_too_large_total') >= 3, true);
  });

  it('takes just what the limit allows', async () => {
    const exact = await speaker((socket) => socket.end(`HTTP/1.1 200 OK\r\n\r\n${'x'.repeat(MAX_BYTES)}`));
    const { body } = await talk(server, 'ask', { request: { url: exact.origin }, is_counted: true });
    assert.strictEqual(body, MAX_BYTES);
  });

  it('sends what unfolds to a gigabyte', async () => {
    const bomb = zlib.gzipSync(Buffer.alloc(64 << 20));
    const unfolding = await speaker((socket) => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: ${bomb.length}\r\n\r\n`);
      socket.end(bomb);
    });
    const before = peakMemory(server);
    assert.strictEqual(await askError(server, { url: unfolding.origin }), tooLarge(MAX_BYTES));
    assert.ok(peakMemory(server) - before < 32 << 20);
    const twice = await speaker((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Encoding: gzip, gzip\r\n\r\n');
      socket.end(zlib.gzipSync(bomb));
    });
    assert.strictEqual(await askError(server, { url: twice.origin }),
                       'response: the body is compressed more than once');
    const broken = await speaker(
      (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\nnot gzip'));
    assert.match(await askError(server, { url: broken.origin }), /^response: /);
  });

  it('floods with headers', async () => {
    const flooding = (line, first = 'HTTP/1.1 200 OK\r\n') => speaker((socket) => {
      socket.write(first);
      const more = () => { while (!socket.destroyed && socket.write(line)); };
      socket.on('drain', more);
      more();
    });
    const said = 'too large: the answer has more than 256 headers, or more than 64 kB of them';
    assert.strictEqual(await askError(server, { url: (await flooding('X-A: b\r\n')).origin }), said);
    assert.strictEqual(await askError(server, { url: (await flooding(`X-A: ${'b'.repeat(30000)}\r\n`)).origin }), said);
    assert.strictEqual(await askError(server, { url: (await flooding('HTTP/1.1 103 Early\r\n\r\n', '')).origin }), said);
    const endless = await flooding('b'.repeat(30000));
    assert.strictEqual(await askError(server, { url: endless.origin }),
                       'response: a line of its head is too long, or memory is out');
  });
});

describe('https', () => {
  let folder;
  let secure;
  let server;
  let trusting;
  before(async () => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tidegate-'));
    const [key, cert] = ['key.pem', 'cert.pem'].map((name) => path.join(folder, name));
    execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes',
                             '-keyout', key, '-out', cert, '-days', '2', '-subj', '/CN=localhost',
                             '-addext', 'subjectAltName=DNS:localhost'], { stdio: 'ignore' });
    const plain = await serve({ '/': (request, response) => response.end('plain') });
    const identity = { key: fs.readFileSync(key), cert: fs.readFileSync(cert) };
    secure = await listen(https.createServer(identity, (request, response) => {
      if (request.url === '/down') response.writeHead(302, { location: plain.origin }).end();
      else response.end('secret');
    }), 'https', 'localhost');
    server = await Server.start('fetch');
    trusting = await Server.start('fetch', { args: ['--fetch-ca-file', cert] });
  });
  after(async () => {
    await Promise.all([server.stop(), trusting.stop()]);
    fs.rmSync(folder, { recursive: true });
  });

  it('is refused where nobody vouches for the server', async () => {
    assert.match(await askError(server, { url: secure.origin }),
                 /^tls: SSL certificate problem: self.signed certificate/);
  });

  it('is spoken with those whom fetch_ca_file names', async () => {
    assert.strictEqual((await ask(trusting, { url: secure.origin })).body, 'secret');
  });

  it('is refused where the certificate names another server', async () => {
    assert.match(await askError(trusting, { url: secure.origin.replace('localhost', '127.0.0.1') }),
                 /^tls: SSL: no alternative certificate subject name matches/);
  });

  it('is not left for http', async () => {
    assert.strictEqual(await askError(trusting, { url: `${secure.origin}/down` }), 'redirect: from https to http');
  });

  it('is not what a plain server speaks', async () => {
    const plain = await speaker((socket) => socket.end('HTTP/1.1 200 OK\r\n\r\n'));
    assert.match(await askError(trusting, { url: plain.origin.replace('http', 'https') }), /^tls: /);
  });
});
