// A WebSocket client that writes every byte itself: wrong frames, odd segments, no manners at all.
//
//     const client = await RawClient.open(server.port, '/ws/echo');
//     client.text('{"action":"ping"}');
//     await client.nextText();             // '{"action":"pong"}'
//     client.close(1000);
//     await client.end();                  // TCP has ended; pings before it were answered
//
// Incoming frames stand in a queue in the order in which they came: { fin, rsv, opcode, payload },
// opcode by name. Pings are answered (unless `answersPings: false`) and stand in the queue as well.

import crypto from 'node:crypto';
import net from 'node:net';
import { PATIENCE_MS, until } from './server.js';

const OPCODES = { continuation: 0x0, text: 0x1, binary: 0x2, close: 0x8, ping: 0x9, pong: 0xa };
const NAMES = Object.fromEntries(Object.entries(OPCODES).map(([name, code]) => [code, name]));
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

// One frame (RFC 6455 5.2), masked as a client must.
function frame(opcode, payload = Buffer.alloc(0), { fin = true, rsv = 0, isMasked = true, mask } = {}) {
  const data = Buffer.isBuffer(payload) ? payload : Buffer.from(payload, 'utf8');
  const code = typeof opcode === 'number' ? opcode : OPCODES[opcode];
  const first = (fin ? 0x80 : 0) | (rsv << 4) | code;
  const maskBit = isMasked ? 0x80 : 0;
  let head;
  if (data.length < 126) {
    head = Buffer.from([first, maskBit | data.length]);
  } else if (data.length < 65536) {
    head = Buffer.from([first, maskBit | 126, data.length >> 8, data.length & 0xff]);
  } else {
    head = Buffer.alloc(10);
    head[0] = first;
    head[1] = maskBit | 127;
    head.writeBigUInt64BE(BigInt(data.length), 2);
  }
  if (!isMasked) return Buffer.concat([head, data]);
  const key = mask || crypto.randomBytes(4);
  const masked = Buffer.allocUnsafe(data.length);
  for (let i = 0; i < data.length; i += 1) masked[i] = data[i] ^ key[i & 3];
  return Buffer.concat([head, key, masked]);
}

function closePayload(code, reason = '') {
  if (code === undefined) return Buffer.alloc(0);
  return Buffer.concat([Buffer.from([code >> 8, code & 0xff]), Buffer.from(reason, 'utf8')]);
}

class RawClient {
  constructor(port, { answersPings = true, host = '127.0.0.1' } = {}) {
    this.answersPings = answersPings;
    this.queue = [];
    this.unread = Buffer.alloc(0);
    this.isEstablished = false;
    this.ending = null; // 'fin' | 'reset' once the server's side has ended
    this.socket = net.connect({ port, host, allowHalfOpen: true });
    this.socket.setNoDelay(true);
    this.socket.setMaxListeners(0);
    this.socket.unref(); // as in server.js: what was left open must not keep the specs from ending
    this.socket.on('data', (bytes) => this.take(bytes));
    this.socket.on('end', () => this.finish('fin'));
    this.socket.on('error', () => this.finish('reset'));
    this.socket.on('close', () => this.finish('reset'));
  }

  // Connects TCP and sends nothing.
  static async connect(port, options) {
    const client = new RawClient(port, options);
    await until(client.socket, 'connect', () => !client.socket.connecting, () => 'a TCP connection');
    return client;
  }

  // Connects and upgrades; throws when the answer is not 101.
  static async open(port, path, { headers = {}, ...options } = {}) {
    const client = await RawClient.connect(port, options);
    const answer = await client.upgrade(path, { headers });
    if (answer.status !== 101) throw new Error(`${path} answered ${answer.status}: ${answer.body}`);
    return client;
  }

  // The request of an upgrade as text. A header of value null is left out, a list is repeated.
  static head(path, headers = {}) {
    const fields = {
      Host: '127.0.0.1',
      Upgrade: 'websocket',
      Connection: 'Upgrade',
      'Sec-WebSocket-Key': crypto.randomBytes(16).toString('base64'),
      'Sec-WebSocket-Version': '13',
      ...headers,
    };
    const lines = [`GET ${path} HTTP/1.1`];
    for (const [name, value] of Object.entries(fields))
      for (const one of Array.isArray(value) ? value : [value])
        if (one !== null) lines.push(`${name}: ${one}`);
    return { text: `${lines.join('\r\n')}\r\n\r\n`, key: fields['Sec-WebSocket-Key'] };
  }

  // Sends an upgrade and reads the answer: { status, headers, body, raw }.
  async upgrade(path, { headers = {} } = {}) {
    const { text, key } = RawClient.head(path, headers);
    this.write(Buffer.from(text, 'latin1'));
    const answer = await this.httpAnswer();
    if (answer.status === 101) {
      const expected = crypto.createHash('sha1').update(key + GUID).digest('base64');
      if (answer.headers['sec-websocket-accept'] !== expected) throw new Error('wrong Sec-WebSocket-Accept');
    }
    return answer;
  }

  // The next HTTP answer. A 101 turns the rest of the stream into frames; any other is read to its
  // Content-Length, or to the end of TCP.
  async httpAnswer() {
    const headEnd = await this.until(() => {
      const at = this.unread.indexOf('\r\n\r\n');
      return at >= 0 && at + 4;
    }, 'the head of an HTTP answer');
    const raw = this.unread.subarray(0, headEnd).toString('latin1');
    const [first, ...rest] = raw.trimEnd().split('\r\n');
    const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(first)[1]);
    const headers = {};
    for (const line of rest) {
      const colon = line.indexOf(':');
      headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
    }
    this.unread = this.unread.subarray(headEnd);
    if (status === 101) {
      this.isEstablished = true;
      this.take(Buffer.alloc(0));
      return { status, headers, body: '', raw };
    }
    const length = headers['content-length'] === undefined ? null : Number(headers['content-length']);
    await until(this.socket, 'news', () => (length === null ? this.ending : this.unread.length >= length),
                () => 'the body of an HTTP answer');
    const body = this.unread.subarray(0, length === null ? this.unread.length : length).toString('utf8');
    this.unread = this.unread.subarray(Buffer.byteLength(body));
    return { status, headers, body, raw };
  }

  // ---- out ----

  write(bytes) {
    if (!this.socket.destroyed && this.socket.writable) this.socket.write(bytes);
  }

  // Each piece in a TCP segment of its own: Nagle is off, the kernel has taken a piece before the
  // next is written, and the loop has turned in between.
  async writeInPieces(pieces) {
    this.socket.ref();
    for (const piece of pieces) {
      if (this.socket.destroyed) return;
      await new Promise((resolve) => this.socket.write(piece, resolve));
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.socket.unref();
  }

  writeByteByByte(bytes) {
    return this.writeInPieces(Array.from(bytes, (byte) => Buffer.from([byte])));
  }

  frame(opcode, payload, options) { this.write(frame(opcode, payload, options)); }

  text(payload) { this.frame('text', payload); }

  json(message) { this.text(JSON.stringify(message)); }

  close(code, reason) { this.frame('close', closePayload(code, reason)); }

  // FIN: our side has ended, we still read.
  halfClose() { this.socket.end(); }

  // Both sides at once, without a word.
  destroy() { this.socket.destroy(); }

  reset() { this.socket.resetAndDestroy(); }

  // Stops and resumes reading from the kernel, so that its buffers fill.
  stall() { this.socket.pause(); }

  resume() { this.socket.resume(); }

  // ---- in ----

  until(probe, what, patienceMs = PATIENCE_MS) {
    return until(this.socket, 'news', () => {
      const found = probe();
      if (!found && this.ending) throw new Error(`TCP ended (${this.ending}) before ${what}`);
      return found;
    }, () => what, patienceMs);
  }

  // The next frame that is none of `without` (ping frames, unless asked for).
  nextFrame({ without = ['ping'] } = {}) {
    return this.until(() => {
      while (this.queue.length && without.includes(this.queue[0].opcode)) this.queue.shift();
      return this.queue.shift();
    }, 'a frame');
  }

  async nextText() {
    const got = await this.nextFrame({ without: ['ping', 'pong'] });
    if (got.opcode !== 'text' || !got.fin)
      throw new Error(`expected a text frame, got ${got.opcode} ${got.payload.toString('utf8').slice(0, 200)}`);
    return got.payload.toString('utf8');
  }

  async nextJson() { return JSON.parse(await this.nextText()); }

  // The code and the reason of the next frame, which must be a close; { code: 1005 } without one.
  async nextClose() {
    const got = await this.nextFrame({ without: ['ping', 'pong'] });
    if (got.opcode !== 'close')
      throw new Error(`expected a close frame, got ${got.opcode} ${got.payload.toString('utf8').slice(0, 200)}`);
    if (got.payload.length === 0) return { code: 1005, reason: '' };
    return { code: got.payload.readUInt16BE(0), reason: got.payload.toString('utf8', 2) };
  }

  // Frames until (and with) the close frame.
  async untilClose() {
    const frames = [];
    for (;;) {
      frames.push(await this.nextFrame());
      if (frames[frames.length - 1].opcode === 'close') return frames;
    }
  }

  // The server's side of TCP has ended: 'fin' or 'reset'.
  async end(patienceMs = PATIENCE_MS) {
    const how = await until(this.socket, 'news', () => this.ending, () => 'the end of TCP', patienceMs);
    this.destroy();
    return how;
  }

  // ---- how ----

  finish(how) {
    this.ending = this.ending || how;
    this.socket.emit('news');
  }

  take(bytes) {
    this.unread = this.unread.length ? Buffer.concat([this.unread, bytes]) : bytes;
    if (this.isEstablished) while (this.takeFrame());
    this.socket.emit('news');
  }

  takeFrame() {
    const bytes = this.unread;
    if (bytes.length < 2) return false;
    let length = bytes[1] & 0x7f;
    let at = 2;
    if (length === 126) {
      if (bytes.length < 4) return false;
      length = bytes.readUInt16BE(2);
      at = 4;
    } else if (length === 127) {
      if (bytes.length < 10) return false;
      length = Number(bytes.readBigUInt64BE(2));
      at = 10;
    }
    if (bytes[1] & 0x80) throw new Error('a server must not mask');
    if (bytes.length < at + length) return false;
    const got = {
      fin: (bytes[0] & 0x80) !== 0,
      rsv: (bytes[0] >> 4) & 7,
      opcode: NAMES[bytes[0] & 0xf] || bytes[0] & 0xf,
      payload: Buffer.from(bytes.subarray(at, at + length)),
    };
    this.unread = bytes.subarray(at + length);
    this.queue.push(got);
    if (got.opcode === 'ping' && this.answersPings) this.frame('pong', got.payload);
    return true;
  }
}

export { OPCODES, RawClient, closePayload, frame };
