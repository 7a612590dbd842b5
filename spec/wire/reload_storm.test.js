// Reload after reload while clients talk. What is checked holds for each of them: no connection ends, every message
// is answered once and in order, by code that is no older than what was said to serve when it was sent, and with the
// state that the messages before it have left. In the end one generation is alive, and everybody is in their group.
//
//     RELOAD_STORM=10000,200,100     connections, how many of them talk, reloads
//
// The whole of it measures memory and turns of the loop as well, which needs the release build in TG_BIN.

import assert from 'node:assert';
import fs from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { withFolder } from '../support/pages.js';
import { Random } from '../support/random.js';
import { RawClient } from '../support/raw.js';
import { Server } from '../support/server.js';

const [CONNECTIONS, TALKING, RELOADS] = (process.env.RELOAD_STORM || '300,40,25').split(',').map(Number);
const IS_MEASURED = RELOADS >= 100;
const SEED = Number(process.env.STORM_SEED || Date.now() % 100000);
const PATIENCE_MS = 60000;
const OPENED_AT_ONCE = 100;
const THINKING_MS = 60;
const WARM_RELOADS = 10; // what grows once has grown by then
const MEMORY_MAY_GROW = 1.05;
const TURN_SECONDS = 0.1; // ten times what bench/reload asks for

const SETTINGS = {
  'log-level': 'warning', 'heartbeat-seconds': 0,
  'max-generations': 32, // reloads follow each other faster than handlers end, and none is to be cancelled
};

const stampText = (stamp) => `return ${stamp}\n`;

// Each seventh message waits, so that reloads find handlers in every state.
const TALK = `
local tide <const> = require "tidegate"
local s <const> = tide.schema
local stamp <const> = require "stamp"

local ask <const> = tide.message("ask", s.integer())
local answer <const> =
  tide.message("answer", { number = s.integer(), count = s.integer(), stamp = s.integer() })
local tell <const> = tide.message "tell"
local told <const> = tide.message("told", s.integer())

local Talk <const> = tide.consumer { path = "/ws/talk", groups = { "everybody" }, sends = told }

function Talk:connected(conn)
  conn.state.count = 0
end

Talk:on(ask, { output = answer }, function(conn, message)
  local number <const> = message.payload
  conn.state.count = conn.state.count + 1
  local count <const> = conn.state.count
  if number % 7 == 0 then
    tide.sleep(number % 30 / 1000)
  end
  return answer { number = number, count = count, stamp = stamp }
end)

Talk:on(tell, function()
  tide.group("everybody"):send(told(stamp))
end)

return Talk
`;

const problems = [];

class Client {
  constructor(raw, name) {
    Object.assign(this, { raw, name, asked: 0, answered: 0, told: 0, stamp: 0, isTalking: false });
    this.floors = []; // of each message under way, the stamp that served when it was sent
    raw.socket.on('news', () => this.read());
  }

  check(isRight, tell) {
    if (!isRight) problems.push(`client ${this.name}: ${tell()}`.slice(0, 300));
  }

  ask(serving) {
    this.floors.push(serving);
    this.raw.json({ action: 'ask', payload: this.asked += 1 });
  }

  read() {
    this.check(!this.raw.ending, () => `TCP ended: ${this.raw.ending}`);
    for (let frame; (frame = this.raw.queue.shift());) {
      this.check(frame.opcode !== 'close', () => `closed: ${frame.payload.toString('latin1')}`);
      if (frame.opcode === 'text') this.take(JSON.parse(frame.payload.toString('utf8')));
    }
  }

  take({ action, payload }) {
    if (action === 'told') {
      this.told += 1;
      return;
    }
    const floor = this.floors.shift();
    const expected = this.answered += 1;
    this.check(action === 'answer', () => `got ${action} ${JSON.stringify(payload)} for message ${expected}`);
    this.check(payload.number === expected, () => `answer ${payload.number} in the place of ${expected}`);
    this.check(payload.count === expected, () => `message ${expected} was number ${payload.count} of its state`);
    this.check(payload.stamp >= floor, () => `answered by ${payload.stamp} although ${floor} served`);
    this.check(payload.stamp >= this.stamp, () => `answered by ${payload.stamp} after ${this.stamp}`);
    this.stamp = payload.stamp;
  }
}

async function openAll(server) {
  const clients = [];
  const open = async (number) => new Client(await RawClient.open(server.port, '/ws/talk'), number);
  while (clients.length < CONNECTIONS) {
    const count = Math.min(OPENED_AT_ONCE, CONNECTIONS - clients.length);
    clients.push(...await Promise.all(Array.from({ length: count }, (_, i) => open(clients.length + i))));
  }
  return clients;
}

// Talks until told to stop: up to three messages under way.
async function talk(client, random, storm) {
  while (!storm.isOver) {
    for (let i = random.whole(1, 3) - client.floors.length; i > 0; i -= 1) client.ask(storm.serving);
    await sleep(random.whole(1, THINKING_MS));
  }
}

async function waitFor(isThere, what) {
  const giveUp = Date.now() + PATIENCE_MS;
  while (!isThere()) {
    if (Date.now() > giveUp) throw new Error(`waited ${PATIENCE_MS} ms in vain for ${what()}\n${problems.join('\n')}`);
    await sleep(10);
  }
}

const ofProcess = (server, what) => fs.readFileSync(`/proc/${server.pid}/${what}`, 'utf8');

// What the process has when no message and no state about to be closed happens to have some: the least of a while.
async function residentKb(server) {
  let least = Infinity;
  for (let i = 0; i < 100; i += 1) {
    least = Math.min(least, Number(/VmRSS:\s+(\d+)/.exec(ofProcess(server, 'status'))[1]));
    await sleep(10);
  }
  return least;
}

// How long the loop's thread was ready to run while the system ran others (proc(5)): on a busy machine that makes
// turns long which are short.
const waitedSeconds = (server) => Number(ofProcess(server, `task/${server.pid}/schedstat`).split(' ')[1]) / 1e9;

const settled = (server) => server.metricUntil('generations_alive', (value) => value === 1, PATIENCE_MS);

async function reload(server, folder, storm) {
  const generation = storm.serving + 1;
  fs.writeFileSync(path.join(folder, 'stamp.lua'), stampText(generation));
  server.signal('SIGHUP');
  const line = new RegExp(`^reloaded generation ${generation} in \\d+ ms: 1 module$`, 'm');
  await server.until(() => line.test(server.stdout), `generation ${generation}`, PATIENCE_MS);
  storm.serving = generation;
}

// How many turns of the loop were longer than the bound.
async function longTurns(server) {
  const { body } = await server.http('/metrics');
  const read = (what) => Number(new RegExp(`^tidegate_loop_turn_seconds_${what} (\\d+)$`, 'm').exec(body)[1]);
  return read('count') - read(`bucket\\{le="${TURN_SECONDS}"\\}`);
}

async function blow(server, folder, clients) {
  const storm = { serving: 1, isOver: false, residentKb: [] };
  const random = new Random(SEED);
  const every = Math.floor(CONNECTIONS / TALKING);
  const talkers = clients.filter((client) => client.name % every === 0).slice(0, TALKING);
  const talks = talkers.map((client) => talk(client, random, storm));
  const before = { longTurns: await longTurns(server), waitedSeconds: waitedSeconds(server) };
  try {
    for (let i = 1; i <= RELOADS; i += 1) {
      await reload(server, folder, storm);
      if (i !== WARM_RELOADS && i !== RELOADS) continue;
      await settled(server);
      storm.residentKb.push(await residentKb(server));
    }
  } finally {
    storm.isOver = true;
    await Promise.all(talks);
  }
  storm.longTurns = await longTurns(server) - before.longTurns;
  storm.waitedSeconds = waitedSeconds(server) - before.waitedSeconds;
  return storm;
}

// Whoever has said nothing so far is still there, with its state and in its group.
async function askAll(clients, storm) {
  for (const client of clients) client.ask(storm.serving);
  await waitFor(() => clients.every(({ floors }) => floors.length === 0),
                () => `answers of ${clients.filter(({ floors }) => floors.length).map(({ name }) => name)}`);
  clients[0].raw.json({ action: 'tell' });
  await waitFor(() => clients.every(({ told }) => told >= 1), () => 'a message to everybody');
  for (const client of clients) client.check(client.told === 1, () => `told ${client.told} times`);
}

describe(`${RELOADS} reloads of ${CONNECTIONS} connections (seed ${SEED})`, { timeout: 600000 }, () => {
  it('are noticed by none of them', (test) => withFolder({ 'talk.lua': TALK, 'stamp.lua': stampText(1) },
    async (folder) => {
      const args = Object.entries(SETTINGS).flatMap(([name, value]) => [`--${name}`, `${value}`]);
      const server = await Server.start(folder, { args });
      const clients = await openAll(server);
      const storm = await blow(server, folder, clients);
      await askAll(clients, storm);
      await settled(server);
      assert.strictEqual(await server.metric('connections'), CONNECTIONS);
      assert.strictEqual(await server.metric('generation'), RELOADS + 1);
      const answered = clients.reduce((sum, client) => sum + client.answered, 0);
      test.diagnostic(`${answered} answers; resident ${storm.residentKb.join(' and ')} kB; ` +
                      `${storm.longTurns} turns over ${TURN_SECONDS * 1000} ms, ` +
                      `the system let the loop wait ${storm.waitedSeconds.toFixed(2)} s`);
      assert.deepStrictEqual(problems.splice(0, 20), []);
      if (IS_MEASURED) {
        const [warm, last] = storm.residentKb;
        assert.ok(last <= warm * MEMORY_MAY_GROW, `resident ${last} kB after the last reload, ${warm} after the tenth`);
        assert.ok(storm.longTurns * TURN_SECONDS <= storm.waitedSeconds, `${storm.longTurns} turns were too long`);
      }
      for (const client of clients) client.raw.destroy();
      await server.stop();
    }));
});
