// A server whose handlers run what a spec writes, and other servers on loopback for them to talk to.
//
//     const lab = await Lab.start();
//     const client = await lab.client();
//     await client.run('return 1, nil');            // [1, null]; `tide` and `shelf` are there
//     const peer = await Peer.start((socket) => socket.end('bye'));

import net from 'node:net';
import tls from 'node:tls';
import { RawClient } from './raw.js';
import { Server, until } from './server.js';

const PRELUDE = 'local tide <const>, shelf <const> = ...\n';

class LabClient {
  constructor(raw) { this.raw = raw; }

  begin(code) { this.raw.json({ action: 'run', payload: PRELUDE + code }); }

  async results() {
    const { action, payload } = await this.raw.nextJson();
    if (action !== 'done') throw new Error(`the handler failed: ${JSON.stringify(payload)}`);
    return payload;
  }

  // The values that the code returns.
  async run(code) {
    this.begin(code);
    return this.results();
  }

  // What the code raises.
  async raised(code) {
    const [, text] = await this.run(`return pcall(function() ${code} end)`);
    return text;
  }

  leave() { this.raw.destroy(); }
}

class Lab {
  static async start({ args = [], ...options } = {}) {
    const lab = new Lab();
    lab.clients = [];
    lab.server = await Server.start('outgoing', { args: ['--mode', 'development', ...args], ...options });
    return lab;
  }

  async client() {
    const client = new LabClient(await RawClient.open(this.server.port, '/ws/lab'));
    this.clients.push(client);
    return client;
  }

  async stop() {
    for (const client of this.clients) client.leave();
    await this.server.stop();
  }
}

// A TCP server; `serve` gets each connection. It keeps what it was sent.
class Peer {
  static async start(serve, { secure = null, host = '127.0.0.1' } = {}) {
    const peer = new Peer();
    peer.sockets = [];
    const welcome = (socket) => {
      socket.received = '';
      socket.setEncoding('latin1');
      socket.setMaxListeners(0);
      socket.on('data', (text) => { socket.received += text; socket.emit('news'); });
      socket.on('end', () => { socket.hasEnded = true; socket.emit('news'); });
      socket.on('close', () => { socket.hasEnded = true; socket.emit('news'); });
      socket.on('error', () => {});
      peer.sockets.push(socket);
      peer.listener.emit('news');
      serve(socket);
    };
    peer.listener = secure ? tls.createServer({ ...secure, allowHalfOpen: true }, welcome)
                           : net.createServer({ allowHalfOpen: true }, welcome);
    peer.listener.on('tlsClientError', () => {});
    peer.listener.setMaxListeners(0);
    await new Promise((resolve) => peer.listener.listen(0, host, resolve));
    peer.port = peer.listener.address().port;
    return peer;
  }

  // The n-th connection, from 0.
  socket(n = 0) {
    return until(this.listener, 'news', () => this.sockets[n], () => `connection ${n}`);
  }

  async received(isRight, what) {
    const socket = await this.socket();
    return until(socket, 'news', () => isRight(socket.received), () => `${what}, got ${socket.received.slice(-200)}`);
  }

  async ended(n = 0) {
    const socket = await this.socket(n);
    return until(socket, 'news', () => socket.hasEnded, () => 'the end of a connection');
  }

  stop() {
    for (const socket of this.sockets) socket.destroy();
    return new Promise((resolve) => this.listener.close(resolve));
  }
}

export { Lab, Peer };
