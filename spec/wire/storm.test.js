// Everything at once: clients that join, leave, broadcast, tell, subscribe, kick, stall, and end in every way,
// while handlers wait, raise and come too late (spec/support/apps/storm). What is checked holds whatever
// happens: order, one `complete` for each frame, no frame of a topic that is not subscribed to; and when all have
// gone nothing is left behind. STORM_SECONDS=120 STORM_SEED=7 for a longer one, or another.

import assert from 'node:assert';
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { Random } from '../support/random.js';
import { RawClient } from '../support/raw.js';
import { Server } from '../support/server.js';

const SECONDS = Number(process.env.STORM_SECONDS || 3);
const SEED = Number(process.env.STORM_SEED || Date.now() % 100000);
const CLIENTS = 60;

const TOKEN = 'a-token-for-specs';

const SETTINGS = {
  'outbox-max-bytes': 300000, 'outbox-high-water-bytes': 50000, 'inbox-messages': 8, 'inbox-max-events': 30,
  'handler-timeout-ms': 300, 'authentication-timeout-ms': 200, 'disconnected-timeout-ms': 100,
  'close-timeout-ms': 500, 'max-groups-per-connection': 6, 'max-topics-per-connection': 4, 'heartbeat-seconds': 2,
  'heartbeat-timeout-seconds': 2, 'slow-client-seconds': 2, 'drain-seconds': 1, 'log-level': 'error',
};
const GAUGES = ['connections', 'groups', 'group_memberships', 'subscriptions', 'payload_bytes', 'inbox_messages',
                'inbox_events', 'inbox_bytes', 'outbox_bytes', 'tasks'];
const DEEDS = ['join', 'join', 'leave', 'groups', 'post', 'post', 'post', 'plain', 'notice', 'passed', 'tell_all',
               'tell_self', 'tell_room', 'tell_room', 'kick_group', 'kick_user', 'tell_user', 'sleep', 'late', 'fail',
               'close', 'flood', 'spawn', 'tick', 'gather', 'ask', 'count'];
const ROOMS = ['a', 'b', 'c', 'd', 'e', 'f'];
const TOPIC_FRAMES = new Set(['posted', 'noticed', 'passed', 'farewell']);

const problems = [];
let made = 0;

class Client {
  constructor(random, raw, path) {
    Object.assign(this, { random, raw, path });
    this.name = `client ${made += 1}`;
    this.number = 0;
    this.refs = 0;
    this.awaited = new Set();
    this.topics = new Set(path.startsWith('/ws/room/') ? [`room:${path.slice(9)}`] : []);
    this.last = new Map();
    this.completes = !path.startsWith('/ws/room/');
    raw.socket.on('news', () => this.read());
  }

  check(isRight, tell) {
    if (!isRight) problems.push(`${this.name} at ${this.path}, ${this.ending || 'alive'}: ${tell()}`.slice(0, 250));
  }

  get isAlive() { return !this.raw.ending && !this.hasClosed && !this.raw.socket.destroyed; }

  read() {
    for (let frame; (frame = this.raw.queue.shift());) {
      if (frame.opcode === 'close') this.answerClose(frame.payload);
      else if (frame.opcode === 'text') this.take(frame.payload.toString('utf8'));
    }
  }

  answerClose(payload) {
    this.check(!this.isClosed, () => `two close frames: ${this.closes} and ${payload.toString('latin1')}`);
    this.closes = payload.toString('latin1');
    this.isClosed = true;
    if (!this.hasClosed) this.raw.close(1000);
    this.hasClosed = true;
    if (this.random.chance(50)) this.raw.destroy();
  }

  take(text) {
    this.check(!this.isClosed, () => `after the close frame: ${text}`);
    const frame = JSON.parse(text);
    if (frame.action === 'complete') this.takeComplete(frame, text);
    if (frame.action === 'question' && this.random.chance(80)) this.raw.json({ action: 'answer', ref: frame.ref });
    if (frame.topic !== undefined) this.takeTopic(frame, text);
    const payload = frame.payload;
    const from = payload && (payload.from_whom || payload.fromWhom);
    if (!from || !from.startsWith('client')) return;
    const isEvent = frame.action === 'noticed' || frame.action === 'passed';
    const key = `${isEvent ? 'events' : 'messages'} of ${from}`;
    const before = this.last.get(key) || 0;
    const mayRepeat = isEvent || (payload.filler || '').startsWith('x'); // `tell_self`, `flood`
    const isInOrder = mayRepeat ? payload.number >= before : payload.number > before;
    this.check(isInOrder, () => `${key} out of order: ${text.slice(0, 200)} after ${before}`);
    this.last.set(key, Math.max(before, payload.number));
  }

  takeComplete(frame, text) {
    if (frame.ref === undefined || frame.ref.startsWith('s:')) return; // an answer that came too late
    this.check(this.awaited.delete(frame.ref), () => `not awaited, or twice: ${text}`);
  }

  takeTopic(frame, text) {
    if (frame.action === 'subscribed') this.topics.add(frame.topic);
    const isAllowed = !TOPIC_FRAMES.has(frame.action) || this.topics.has(frame.topic);
    this.check(isAllowed, () => `not subscribed: ${text}`);
    if (frame.action === 'unsubscribed') this.topics.delete(frame.topic);
  }

  send(message) {
    const ref = `${this.refs += 1}`;
    if (this.completes) this.awaited.add(ref);
    this.raw.json({ ...message, ref });
  }

  do(action, what) {
    const { random } = this;
    const to = random.chance(20) ? [random.pick(ROOMS), random.pick(ROOMS), 'all'] : random.pick(ROOMS);
    const name = action === 'deed' ? this.name : 'several';
    const isOne = ['join', 'leave', 'tell_room', 'kick_group', 'spawn'].includes(what);
    const [from, group] = this.path === '/ws/camel' ? ['fromWhom', 'to'] : ['from_whom', 'to'];
    this.send({ action, payload: { what, [group]: isOne && Array.isArray(to) ? 'all' : to, [from]: name,
                                   number: this.number += 1,
                                   filler: random.chance(5) ? 'é'.repeat(random.whole(1, 9000)) : undefined } });
  }

  inTopic() {
    const { random } = this;
    const topic = random.chance(95) ? `room:${random.pick(ROOMS)}` : random.pick(['nope', 'room:\0', '', 'room:']);
    const action = random.pick(['subscribe', 'subscribe', 'unsubscribe', 'post', 'post', 'leave', 'nope']);
    const from = this.path === '/ws/camel' ? 'fromWhom' : 'from_whom';
    const payload = action === 'post' ? { [from]: this.name, number: this.number += 1, to: 1 } : undefined;
    this.send({ action, topic: this.completes ? topic : undefined, payload });
  }

  async turn() {
    const { random, raw } = this;
    const dice = random.whole(1, 1000);
    if (dice <= 600 && this.completes) this.do(random.chance(80) ? 'deed' : 'several', random.pick(DEEDS));
    else if (dice <= 930) this.inTopic();
    else if (dice <= 950) raw.text(random.pick(['', '{', '[]', '{"action":1}', '{"ref":{}}', 'null']));
    else if (dice <= 955) raw.frame('binary', 'bytes');
    else if (dice <= 960) this.stall();
    else if (dice <= 963) this.end('close');
    else if (dice <= 966) this.end('reset');
    else if (dice <= 969) this.end('destroy');
    else if (dice <= 971) this.end('halfClose');
    else if (dice <= 973) this.end('breach');
  }

  stall() {
    this.raw.stall();
    const milliseconds = this.random.whole(1, 3000);
    setTimeout(() => this.raw.resume(), milliseconds).unref();
  }

  end(how) {
    this.hasClosed = true;
    this.ending = how;
    if (how === 'breach') this.raw.frame('text', '', { rsv: 7 });
    else if (how === 'close') this.raw.close(this.random.pick([1000, undefined, 4999]), '');
    else this.raw[how]();
  }
}

async function open(random, port) {
  const path = random.pick(['/ws/plain', '/ws/plain', '/ws/camel', `/ws/room/${random.pick(ROOMS)}`]);
  const raw = await RawClient.open(port, `${path}?user=${random.whole(1, 5)}`, { answersPings: random.chance(90) });
  return new Client(random, raw, path);
}

// `isChanging`: a path may be gone for a while.
async function blow(random, server, clients, isChanging = false) {
  const until = Date.now() + SECONDS * 1000;
  while (Date.now() < until) {
    for (let i = clients.length - 1; i >= 0; i -= 1)
      if (!clients[i].isAlive) clients.splice(i, 1)[0].raw.socket.resume();
    while (clients.length < CLIENTS) {
      const client = await open(random, server.port).catch((error) => { if (!isChanging) throw error; });
      if (client) clients.push(client);
    }
    for (const client of clients) if (client.isAlive && random.chance(30)) await client.turn();
    await sleep(random.whole(0, 3));
  }
}

async function settle(clients) {
  const giveUp = Date.now() + 15000;
  const owed = () => clients.filter((client) => client.isAlive && client.raw.answersPings && client.awaited.size > 0);
  while (owed().length && Date.now() < giveUp) await sleep(20);
  assert.deepStrictEqual(owed().map((client) => [client.name, client.path, [...client.awaited]]), []);
}

async function start(app = 'storm', env = {}) {
  const args = Object.entries(SETTINGS).flatMap(([name, value]) => [`--${name}`, `${value}`]);
  const server = await Server.start(app, { args, env });
  return [server, new Random(SEED), []];
}

// Other code for the same clients: what of it is there, and what it is called, is different each time.
const EDITS = [
  (code) => code,
  (code) => code.replace('Deeds:relay(passed)', ''),
  (code) => code.replace('room:{room_name}"', 'room:{name}"').replace('/ws/room/{room_name}', '/ws/room/{name}'),
  (code) => code.replace('name = "plain"', 'name = "simple"'),
  (code) => code.replace('  OwnRoom,\n', ''),
  (code) => code.replace('options.topics = { Room }', ''),
  (code) => code.replace('concurrency = 3', 'concurrency = 1'),
  (code) => code.replace('from_whom = s.string(),', 'from_whom = s.string { max = 9 },'),
  (code) => code.replaceAll('conn.user.id', 'conn.user.name').replace('{ id =', '{ name ='),
  (code) => code.replace('local everybody', 'error "broken"\nlocal everybody'),
  (code) => code.slice(0, code.length / 2),
];

function request(server, method, target) {
  return new Promise((resolve, reject) => {
    const headers = { Authorization: `Bearer ${TOKEN}`, 'Content-Length': 0 };
    http.request({ host: '127.0.0.1', port: server.port, path: target, method, headers, agent: false },
                 (response) => response.resume().on('end', () => resolve(response.statusCode)))
      .on('error', reject).end();
  });
}

async function replaceCode(random, server, file, isOver) {
  const code = fs.readFileSync(file, 'utf8');
  const counts = { 200: 0, 422: 0 };
  const requests = [];
  while (!isOver()) {
    fs.writeFileSync(file, random.pick(EDITS)(code));
    requests.push(request(server, 'GET', '/slowly'), request(server, 'GET', '/slowly'));
    counts[await request(server, 'POST', '/api/reload')] += 1;
  }
  for (const status of await Promise.all(requests))
    if (![200, 500, 503].includes(status)) problems.push(`a request was answered ${status}`);
  return counts;
}

async function stop(server, clients) {
  for (const client of clients) client.raw.destroy();
  await server.stop();
  assert.deepStrictEqual(problems.splice(0, 20), []);
}

describe(`A storm (seed ${SEED})`, { timeout: 2 * SECONDS * 1000 + 60000 }, () => {
  it('leaves nothing behind', async () => {
    const [server, random, clients] = await start();
    await blow(random, server, clients);
    await settle(clients);
    for (const client of clients) client.raw.destroy();
    for (const gauge of GAUGES) await server.metricUntil(gauge, (value) => value === 0);
    await stop(server, clients);
  });

  it('goes on while its code is replaced', async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tidegate-storm-'));
    fs.cpSync(path.join(import.meta.dirname, '../support/apps/storm'), folder, { recursive: true });
    const gone = SEED % 2 ? 'close' : 'stay';
    const [server, random, clients] = await start(folder, {
      TIDEGATE_API_TOKEN: TOKEN, TIDEGATE_GONE_CONSUMERS: gone, TIDEGATE_RETIRE_SECONDS: 1, TIDEGATE_MAX_GENERATIONS: 3,
    });
    let isOver = false;
    const replacing = replaceCode(random, server, path.join(folder, 'main.lua'), () => isOver);
    await blow(random, server, clients, true);
    isOver = true;
    const counts = await replacing;
    assert.ok(counts[200] > 0 && counts[422] > 0, JSON.stringify(counts));
    await settle(clients);
    for (const client of clients) client.raw.destroy();
    for (const gauge of GAUGES) await server.metricUntil(gauge, (value) => value === 0);
    await server.metricUntil('generations_alive', (value) => value === 1);
    await stop(server, clients);
    fs.rmSync(folder, { recursive: true });
  });

  it('does not keep the server from stopping in its midst', async () => {
    const [server, random, clients] = await start();
    await blow(random, server, clients);
    server.signal('SIGTERM');
    while (!server.exit) {
      for (const client of clients) if (client.isAlive && random.chance(30)) await client.turn();
      await sleep(1);
    }
    assert.strictEqual(server.exit.code, 0, server.stderr.slice(-2000));
    server.checkSanitizers();
    for (const client of clients) client.raw.destroy();
    assert.deepStrictEqual(problems.splice(0, 20), []);
  });
});
