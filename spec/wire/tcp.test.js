// tide.tcp, against servers that answer, stall, dribble, reset and lie.

import assert from 'node:assert';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { Lab, Peer } from '../support/lab.js';
import { ROOT } from '../support/server.js';

const MEGABYTE = 1024 * 1024;

let lab;
let client;
let peer = null;
before(async () => {
  lab = await Lab.start();
  client = await lab.client();
});
after(() => lab.stop());
afterEach(async () => {
  if (peer) await peer.stop();
  peer = null;
});

const connect = (options = '', host = '127.0.0.1') =>
  `local socket <close> = assert(tide.tcp.connect("${host}", ${peer.port}${options && `, ${options}`}))\n`;

describe('receive', () => {
  it('takes lines without their ends, so many bytes, and the rest', async () => {
    peer = await Peer.start((socket) => socket.end('one\r\ntwo\nthr\ree\n\nabcdefrest'));
    assert.deepStrictEqual(
      await client.run(`${connect()} return socket:receive(), socket:receive "*l", socket:receive "l",
        socket:receive(), socket:receive(6), socket:receive(0), (socket:receive "*a")`),
      ['one', 'two', 'thr\ree', '', 'abcdef', '', 'rest']);
  });

  it('puts together what comes byte by byte', async () => {
    peer = await Peer.start((socket) => {
      const bytes = [...'+PONG\r\n$5\r\nhello\r\n'];
      const next = () => { if (bytes.length) socket.write(bytes.shift(), () => setImmediate(next)); };
      socket.setNoDelay(true);
      next();
    });
    assert.deepStrictEqual(
      await client.run(`${connect()} return socket:receive(), socket:receive(), socket:receive(5), socket:receive(2)`),
      ['+PONG', '$5', 'hello', '\r\n']);
  });

  it('gives what has come when its time is over, and goes on with it', async () => {
    peer = await Peer.start((socket) => {
      socket.write('half');
      socket.on('data', () => socket.write(' a line\r\nnext'));
    });
    assert.deepStrictEqual(
      await client.run(`${connect()} socket:settimeout(0.1)
        local _, why, part = socket:receive()
        socket:send "go on"
        local line = socket:receive("*l", part)
        local _, again, rest = socket:receive(10)
        return why, part, line, again, rest, socket:receive(4, rest)`),
      ['timeout', 'half', 'half a line', 'timeout', 'next', 'next']);
  });

  it('bounds a call as a whole, however often something comes', async () => {
    let timer;
    peer = await Peer.start((socket) => { timer = setInterval(() => socket.write('.'), 20); });
    const [why, part] = await client.run(
      `${connect()} socket:settimeout(0.2) return select(2, socket:receive())`);
    clearInterval(timer);
    assert.strictEqual(why, 'timeout');
    assert.match(part, /^\.+$/);
  });

  it('tells the end, with what came before it', async () => {
    peer = await Peer.start((socket) => socket.end('no line'));
    assert.deepStrictEqual(
      await client.run(`${connect()} local _, why, part = socket:receive()
        return why, part, select(2, socket:receive "*a")`),
      ['closed', 'no line', 'closed', '']);
  });

  it('takes everything up to the end', async () => {
    peer = await Peer.start((socket) => socket.end('x'.repeat(3 * MEGABYTE)));
    assert.deepStrictEqual(await client.run(`${connect()} return #socket:receive "*a"`), [3 * MEGABYTE]);
  });

  it('calls a reset closed', async () => {
    peer = await Peer.start((socket) => socket.on('data', () => socket.resetAndDestroy()));
    assert.deepStrictEqual(
      await client.run(`${connect()} socket:send "x" return select(2, socket:receive())`), ['closed', '']);
  });

  // Nothing is read that nobody asked for: the peer's own buffers fill.
  it('leaves what nobody wants with the peer', async () => {
    peer = await Peer.start((socket) => socket.write(Buffer.alloc(32 * MEGABYTE, 'line\n')));
    const before_bytes = await lab.server.metric('stream_bytes_received_total');
    assert.deepStrictEqual(
      await client.run(`shelf.flood = assert(tide.tcp.connect("127.0.0.1", ${peer.port}))
        local line = shelf.flood:receive() tide.sleep(0.2) return line`), ['line']);
    assert.ok(await lab.server.metric('stream_bytes_received_total') - before_bytes <= 64 * 1024);
    await client.run('shelf.flood:close()');
  });
});

describe('send', () => {
  it('answers with the last byte, and takes a part as string.sub does', async () => {
    peer = await Peer.start(() => {});
    assert.deepStrictEqual(
      await client.run(`${connect()}
        return socket:send "hello ", socket:send("a world", 3), socket:send("(x)", 2, -2), socket:send("abc", 3, 2)`),
      [6, 7, 2, 2]);
    await peer.received((text) => text === 'hello worldx', 'the parts');
  });

  it('carries megabytes both ways', async () => {
    peer = await Peer.start((socket) => socket.pipe(socket));
    assert.deepStrictEqual(
      await client.run(`${connect()} local data = ("0123456789abcdef"):rep(200000)
        local last = socket:send(data) return last, socket:receive(#data) == data`), [3200000, true]);
  });

  it('tells how far it came when the peer takes nothing, and others are served meanwhile', async () => {
    peer = await Peer.start((socket) => socket.pause());
    const other = await lab.client();
    client.begin(`${connect()} socket:settimeout(1) local part = ("x"):rep(16 * 1024 * 1024)
      return select(2, socket:send(part .. part .. part))`);
    await peer.socket();
    assert.deepStrictEqual(await other.run('return 1'), [1]);
    const [why, last] = await client.results();
    assert.strictEqual(why, 'timeout');
    assert.ok(last > 0 && last < 48 * MEGABYTE, `${last}`);
  });

  it('to a peer that is gone says closed', async () => {
    peer = await Peer.start((socket) => socket.on('data', () => socket.resetAndDestroy()));
    assert.deepStrictEqual(
      await client.run(`${connect()} socket:send "x" socket:receive() return select(2, socket:send "x")`), ['closed', 0]);
  });
});

describe('one direction of a socket', () => {
  it('can end while the other goes on, from here', async () => {
    peer = await Peer.start((socket) => socket.on('end', () => socket.end(`got ${socket.received}`)));
    assert.deepStrictEqual(
      await client.run(`${connect()} socket:send "all" return socket:shutdown "send", socket:receive "*a",
        select(2, socket:send "more")`), [1, 'got all', 'closed', 0]);
  });

  it('can end while the other goes on, from there', async () => {
    peer = await Peer.start((socket) => socket.end('bye\n'));
    assert.deepStrictEqual(
      await client.run(`${connect()} local line = socket:receive() local _, why = socket:receive()
        return line, why, socket:send "still here"`), ['bye', 'closed', 10]);
    await peer.received((text) => text === 'still here', 'what was sent after the end');
  });
});

describe('a socket', () => {
  it('knows both ends', async () => {
    peer = await Peer.start(() => {});
    const [address, port, family, ours, text] = await client.run(`${connect()}
      local a, p, f = socket:getpeername() local _, port = socket:getsockname()
      return a, p, f, port, tostring(socket)`);
    assert.deepStrictEqual([address, port, family], ['127.0.0.1', peer.port, 'inet']);
    assert.strictEqual((await peer.socket()).remotePort, ours);
    assert.strictEqual(text, `tcp 127.0.0.1 ${peer.port}`);
  });

  it('that is closed says so, and closing it again is no error', async () => {
    peer = await Peer.start(() => {});
    assert.deepStrictEqual(
      await client.run(`${connect()} local first, second = socket:close(), socket:close()
        local _, a = socket:receive() local _, b = socket:send "x" local _, c = socket:getpeername()
        local _, d = socket:shutdown() local _, e = socket:setoption("tcp-nodelay", true)
        return first, second, a, b, c, d, e, tostring(socket)`),
      [1, 1, 'closed', 'closed', 'closed', 'closed', 'closed', 'tcp (closed)']);
  });

  it('takes options', async () => {
    peer = await Peer.start(() => {});
    assert.deepStrictEqual(
      await client.run(`${connect()} return socket:setoption("tcp-nodelay", true), socket:setoption("keepalive", true),
        socket:settimeout(1), socket:settimeout(nil), socket:settimeout(1, "t")`), [1, 1, 1, 1, 1]);
  });

  it('has one reader, and one writer, at a time', async () => {
    peer = await Peer.start(() => {});
    const other = await lab.client();
    await other.run(`shelf.one = assert(tide.tcp.connect("127.0.0.1", ${peer.port}))`);
    client.begin('return shelf.one:receive()');
    client.begin('return 1'); // waits behind it
    while (!/another task/.test(await other.raised('shelf.one:settimeout(0.01) return shelf.one:receive()') || ''));
    assert.strictEqual(await other.raised('shelf.one:receive()'),
                       'spec:2: another task is receiving with this socket: one at a time, or a socket for each');
    (await peer.socket()).write('for the first\n');
    assert.deepStrictEqual(await client.results(), ['for the first']);
    assert.deepStrictEqual(await client.results(), [1]);
    await other.run('shelf.one:close()');
  });

  it('has a reader beside a writer', async () => {
    peer = await Peer.start((socket) => socket.pipe(socket));
    assert.deepStrictEqual(
      await client.run(`${connect()} local data = ("0123456789abcdef"):rep(1000000)
        local writer = tide.spawn(function() return socket:send(data) end)
        return socket:receive(#data) == data, writer:wait()`), [true, 16000000]);
  });

  it('loses nothing when a wait for it is given up', async () => {
    peer = await Peer.start((socket) => {
      socket.write('half');
      socket.on('data', () => socket.write(' a line\n'));
    });
    assert.deepStrictEqual(
      await client.run(`${connect()}
        local function receive() return socket:receive() end
        local _, first = tide.with_timeout(0.1, receive)
        local task = tide.spawn(receive)
        tide.sleep(0)
        task:cancel()
        local _, second = task:wait()
        socket:send "go on"
        return first, second, socket:receive()`), ['timeout', 'cancelled', 'half a line']);
  });

  it('that is closed by another wakes who waits', async () => {
    peer = await Peer.start(() => {});
    const other = await lab.client();
    await other.run(`shelf.two = assert(tide.tcp.connect("127.0.0.1", ${peer.port}))`);
    client.begin('return select(2, shelf.two:receive())');
    await other.run('tide.sleep(0.05) shelf.two:close()');
    assert.deepStrictEqual(await client.results(), ['closed', '']);
  });

  it('is closed when its task ends with its client', async () => {
    peer = await Peer.start(() => {});
    const other = await lab.client();
    other.begin(`${connect()} socket:receive()`);
    await peer.socket();
    other.leave();
    await peer.ended();
    await lab.server.metricUntil('streams', (streams) => streams === 0);
  });

  it('is closed when nothing holds it any more', async () => {
    peer = await Peer.start(() => {});
    await client.run(`assert(tide.tcp.connect("127.0.0.1", ${peer.port}))`);
    await client.run('collectgarbage() collectgarbage()');
    await peer.ended();
  });

  it('has the methods that its definition names', async () => {
    peer = await Peer.start(() => {});
    const defined = fs.readFileSync(path.join(ROOT, 'lua/tidegate/meta/socket.lua'), 'utf8');
    const names = [...defined.matchAll(/^function Socket:(\w+)/gm)].map(([, name]) => name);
    assert.strictEqual(names.length, 8);
    const types = await client.run(`${connect()} return ${names.map((name) => `type(socket.${name})`).join(', ')}`);
    assert.deepStrictEqual(types, names.map(() => 'function'));
  });

  it('says how it is used', async () => {
    peer = await Peer.start(() => {});
    const with_socket = (code) => client.raised(`${connect()} ${code}`);
    assert.match(await with_socket('socket.receive()'), /the methods of a socket are called with a colon/);
    assert.match(await with_socket('socket:receive "*n"'), /expected "\*l", "\*a" or a count of bytes/);
    assert.match(await with_socket('socket:receive(-1)'), /a count of bytes is not negative/);
    assert.match(await with_socket('socket:setoption("linger", true)'), /invalid option 'linger'/);
    assert.match(await client.raised('tide.tcp.connect(1, 2)'),
                 /spec:2: tide\.tcp\.connect: expected a host, got the number 1/);
    assert.match(await client.raised('tide.tcp.connect("h", 0)'), /expected a port from 1 to 65535, got the number 0/);
    assert.match(await client.raised('tide.tcp.connect("h", 1, { timout = 1 })'), /did you mean "timeout"/);
    assert.match(await client.raised('tide.tcp.connect("h", 1, { tls = { cert = "x" } })'),
                 /tide\.tcp\.connect: tls: unknown option "cert"/);
    assert.match(await client.raised('table.sort({ 1, 2 }, function() return tide.tcp.connect("h", 1) end)'),
                 /cannot wait inside (table\.)?sort/);
  });
});

describe('connect', () => {
  it('tries the addresses of a name in their order', async () => {
    peer = await Peer.start((socket) => socket.end('here\n'));
    assert.deepStrictEqual(await client.run(`${connect('', 'localhost')} return socket:receive()`), ['here']);
  });

  it('tells a port where nobody listens', async () => {
    const listener = net.createServer();
    await new Promise((resolve) => listener.listen(0, '127.0.0.1', resolve));
    const { port } = listener.address();
    await new Promise((resolve) => listener.close(resolve));
    assert.deepStrictEqual(await client.run(`return tide.tcp.connect("127.0.0.1", ${port})`), [null, 'connection refused']);
  });

  it('tells a name that does not exist', async () => {
    const [socket, why] = await client.run('return tide.tcp.connect("nothing.invalid", 80, { timeout = 30 })');
    assert.strictEqual(socket, null);
    assert.match(why, /^(host not found|temporary failure)$/); // the second without a name server
  });

  it('is over with its time, handshake included', async () => {
    peer = await Peer.start(() => {});
    assert.deepStrictEqual(
      await client.run(`return tide.tcp.connect("127.0.0.1", ${peer.port}, { tls = true, timeout = 0.1 })`),
      [null, 'timeout']);
    await peer.ended();
  });

  it('ends with its client', async () => {
    peer = await Peer.start(() => {});
    const other = await lab.client();
    other.begin(`return tide.tcp.connect("127.0.0.1", ${peer.port}, { tls = true })`);
    await peer.socket();
    other.leave();
    await peer.ended();
    await lab.server.metricUntil('streams', (streams) => streams === 0);
  });
});

describe('limits', () => {
  it('bound what one receive holds, and how many streams there are', async () => {
    const small = await Lab.start({ args: ['--tcp-max-receive-bytes', '1000', '--tcp-max-streams', '2'] });
    const guest = await small.client();
    peer = await Peer.start((socket) => socket.write('x'.repeat(MEGABYTE)));
    assert.deepStrictEqual(
      await guest.run(`${connect()} local _, why, part = socket:receive() return why, #part >= 1000, #part <= 66536,
        select(2, socket:receive(1001))`), ['too much', true, true, 'too much', '']);
    assert.deepStrictEqual(
      await guest.run(`${connect()} local second <close> = tide.tcp.connect("127.0.0.1", ${peer.port})
        return second ~= nil, tide.tcp.connect("127.0.0.1", ${peer.port})`), [true, null, 'too many streams']);
    assert.strictEqual(await small.server.metric('streams_refused_total'), 1);
    await small.stop();
  });

  it('count no sockets that handlers have forgotten', async () => {
    const small = await Lab.start({ args: ['--tcp-max-streams', '2'] });
    const guest = await small.client();
    peer = await Peer.start(() => {});
    assert.deepStrictEqual(
      await guest.run(`for _ = 1, 3 do assert(tide.tcp.connect("127.0.0.1", ${peer.port})) end return true`), [true]);
    await small.stop();
  });
});

describe('the end of the gateway', () => {
  it('does not wait for streams, nor for who connects', async () => {
    const brief = await Lab.start({ args: ['--drain-seconds', '0'] });
    const guest = await brief.client();
    peer = await Peer.start(() => {});
    await guest.run(`shelf.kept = assert(tide.tcp.connect("127.0.0.1", ${peer.port}))`);
    guest.begin('return shelf.kept:receive()');
    const second = await brief.client();
    second.begin(`return tide.tcp.connect("127.0.0.1", ${peer.port}, { tls = true })`);
    await peer.socket(1);
    await brief.stop();
    await peer.ended();
    await peer.ended(1);
  });
});

describe('TLS', () => {
  let folder;
  let secure;
  let ca;
  before(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tidegate-'));
    const [key, cert] = [path.join(folder, 'key.pem'), path.join(folder, 'cert.pem')];
    execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes',
      '-keyout', key, '-out', cert, '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-days', '2'],
      { stdio: 'ignore' });
    secure = { key: fs.readFileSync(key), cert: fs.readFileSync(cert) };
    ca = `{ tls = { ca = "${cert}" } }`;
  });
  after(() => fs.rmSync(folder, { recursive: true }));

  const refused = async (options, host) => {
    peer = await Peer.start(() => {}, { secure });
    const [socket, why] = await client.run(`return tide.tcp.connect("${host}", ${peer.port}, ${options})`);
    assert.strictEqual(socket, null);
    return why;
  };

  it('refuses a certificate that nobody known has signed', async () => {
    assert.match(await refused('{ tls = true }', 'localhost'), /^tls: the certificate was refused: self-signed/);
  });

  it('refuses a certificate for another host', async () => {
    assert.match(await refused(ca, '127.0.0.1'), /^tls: the certificate was refused: (IP address|Hostname) mismatch/i);
  });

  it('refuses a file of certificates that there is not, or that has none', async () => {
    assert.match(await refused('{ tls = { ca = "/nowhere.pem" } }', 'localhost'), /^\/nowhere\.pem: there is no such file/);
    await peer.stop();
    assert.match(await refused(`{ tls = { ca = "${path.join(folder, 'key.pem')}" } }`, 'localhost'),
                 /key\.pem holds no certificates that can be used/);
  });

  it('accepts what the file of its own vouches for, and tells the server the name', async () => {
    peer = await Peer.start((socket) => socket.on('data', () => socket.end(`${socket.servername}\n`)), { secure });
    assert.deepStrictEqual(
      await client.run(`${connect(ca, 'localhost')} socket:send "who?" return socket:receive(), select(2, socket:receive())`),
      ['localhost', 'closed', '']);
  });

  it('accepts everybody when it is told to', async () => {
    peer = await Peer.start((socket) => socket.write('hello\n'), { secure });
    assert.deepStrictEqual(
      await client.run(`${connect('{ tls = { verify = false } }')} return socket:receive()`), ['hello']);
  });

  it('carries megabytes both ways', async () => {
    peer = await Peer.start((socket) => { socket.setEncoding(); socket.pipe(socket); }, { secure });
    assert.deepStrictEqual(
      await client.run(`${connect(ca, 'localhost')} local data = ("0123456789abcdef"):rep(200000)
        local last = socket:send(data) return last, socket:receive(#data) == data`), [3200000, true]);
  });

  it('ends one direction while the other goes on', async () => {
    peer = await Peer.start((socket) => socket.on('end', () => socket.end(`got ${socket.received}`)), { secure });
    assert.deepStrictEqual(
      await client.run(`${connect(ca, 'localhost')} socket:send "all" socket:shutdown "send"
        return socket:receive "*a"`), ['got all']);
  });

  // Whoever cuts the wire must not be able to make half an answer look like a whole one.
  it('does not take a cut for the end', async () => {
    const inner = await Peer.start((socket) => socket.write('half an answer'), { secure });
    peer = await Peer.start((socket) => {
      const onwards = net.connect(inner.port, '127.0.0.1');
      socket.setEncoding('latin1');
      socket.on('data', (text) => onwards.write(Buffer.from(text, 'latin1')));
      onwards.on('data', (bytes) => socket.write(bytes));
      socket.cut = () => { onwards.removeAllListeners('data'); onwards.destroy(); socket.end(); };
    });
    client.begin(`${connect(ca, 'localhost')} shelf.half = socket:receive(14) return select(2, socket:receive "*a")`);
    const other = await lab.client();
    while ((await other.run('tide.sleep(0.01) return shelf.half'))[0] !== 'half an answer');
    (await peer.socket()).cut();
    assert.deepStrictEqual(await client.results(), ['tls: the connection was cut: TCP ended and TLS had not', '']);
    await inner.stop();
  });

  it('is not taken for what is none', async () => {
    peer = await Peer.start((socket) => socket.write('220 mail.example.org ESMTP\r\n'));
    const [, why] = await client.run(`return tide.tcp.connect("localhost", ${peer.port}, { tls = true })`);
    assert.match(why, /^tls: /);
  });
});
