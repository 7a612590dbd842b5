// A real Redis, and the application of docs/outgoing.md that speaks with it over tide.tcp.

import assert from 'node:assert';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Lab } from '../support/lab.js';
import { applicationsOf, withFolder } from '../support/pages.js';
import { RawClient } from '../support/raw.js';
import { ROOT, Server, until } from '../support/server.js';

async function freePort() {
  const listener = net.createServer();
  await new Promise((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const { port } = listener.address();
  await new Promise((resolve) => listener.close(resolve));
  return port;
}

class Redis {
  static async start(port, folder) {
    const redis = new Redis();
    redis.output = '';
    const words = ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder];
    redis.child = spawn('redis-server', words, { stdio: ['ignore', 'pipe', 'inherit'] });
    process.once('exit', redis.reaper = () => redis.child.kill('SIGKILL'));
    redis.child.stdout.setEncoding('utf8').on('data', (text) => { redis.output += text; redis.child.emit('news'); });
    redis.child.on('error', (error) => { redis.failure = error; redis.child.emit('news'); });
    redis.child.on('exit', () => { redis.hasEnded = true; redis.child.emit('news'); });
    await redis.until(() => {
      if (redis.failure) throw redis.failure;
      return /Ready to accept connections/.test(redis.output);
    }, 'Redis');
    return redis;
  }

  until(probe, what) { return until(this.child, 'news', probe, () => `${what}:\n${this.output}`); }

  async stop() {
    this.child.kill('SIGTERM');
    await this.until(() => this.hasEnded, 'the end of Redis');
    process.removeListener('exit', this.reaper);
  }
}

let folder;
let port;
let redis;
before(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tidegate-redis-'));
  port = await freePort();
  redis = await Redis.start(port, folder);
});
after(async () => {
  await redis.stop();
  fs.rmSync(folder, { recursive: true });
});

const page = fs.readFileSync(path.join(ROOT, 'docs/outgoing.md'), 'utf8');
const { files } = applicationsOf('docs/outgoing.md', page).find(({ name }) => name === 'visits');
const visit = (client, name) => {
  client.json({ action: 'visit', payload: { page: name } });
  return client.nextJson();
};
const counted = (name, count) => ({ action: 'visits', payload: { page: name, count } });

describe('the application of docs/outgoing.md', () => {
  it('counts in Redis, keeps its connection, and lives through a Redis that goes and comes', () =>
    withFolder(files, async (app) => {
      const server = await Server.start(app, { env: { REDIS_PORT: `${port}` } });
      const client = await RawClient.open(server.port, '/ws/visits');
      assert.deepStrictEqual(await visit(client, 'home'), counted('home', 1));
      assert.deepStrictEqual(await visit(client, 'home'), counted('home', 2));
      assert.deepStrictEqual(await visit(client, 'a\r\nb'), counted('a\r\nb', 1));
      assert.strictEqual(await server.metric('streams_opened_total'), 1);

      await redis.stop();
      assert.strictEqual((await visit(client, 'home')).payload.code, 'unavailable'); // the kept one is closed
      assert.strictEqual((await visit(client, 'home')).payload.code, 'unavailable'); // a new one is refused
      const why = server.records().filter(({ event }) => event === 'script').map(({ problem }) => problem);
      assert.deepStrictEqual(why, ['closed', 'connection refused']);

      redis = await Redis.start(port, folder);
      assert.deepStrictEqual(await visit(client, 'home'), counted('home', 1));
      client.destroy();
      await server.stop();
    }));

  it('counts for a hundred clients at once', () =>
    withFolder(files, async (app) => {
      const server = await Server.start(app, { env: { REDIS_PORT: `${port}` } });
      const clients = await Promise.all(Array.from({ length: 100 }, () => RawClient.open(server.port, '/ws/visits')));
      const answers = await Promise.all(clients.map((client) => visit(client, 'crowd')));
      assert.deepStrictEqual(answers.map(({ payload }) => payload.count).sort((a, b) => a - b),
                             Array.from({ length: 100 }, (_, i) => i + 1));
      for (const client of clients) client.destroy();
      await server.stop();
    }));
});

describe('its module', () => {
  it('takes every kind of reply, waits for one that takes long, and is not in the way of others', async () => {
    const library = fs.mkdtempSync(path.join(os.tmpdir(), 'tidegate-lib-'));
    fs.writeFileSync(path.join(library, 'redis.lua'), files['redis.lua']);
    const lab = await Lab.start({ env: { REDIS_PORT: `${port}`, LUA_PATH_5_4: `${library}/?.lua;;` } });
    const [one, two] = [await lab.client(), await lab.client()];
    const call = (words) => `local redis <const> = require "redis" return redis.call(${words})`;
    assert.deepStrictEqual(await one.run(call('"PING"')), ['PONG', null]);
    assert.deepStrictEqual(await one.run(call('"SET", "key", "a\\r\\nb\\0c"')), ['OK', null]);
    assert.deepStrictEqual(await one.run(call('"GET", "key"')), ['a\r\nb\0c', null]);
    assert.deepStrictEqual(await one.run(call('"GET", "none"')), [false, null]);
    assert.deepStrictEqual(await one.run(call('"STRLEN", "key"')), [6, null]);
    assert.deepStrictEqual(await one.run(call('"MGET", "key", "none"')), [['a\r\nb\0c', false], null]);
    const [, refusal] = await one.run(call('"INCR", "key"'));
    assert.match(refusal, /^ERR value is not an integer/);
    assert.deepStrictEqual(
      await one.run(`local redis <const> = require "redis" redis.call("SET", "large", ("x"):rep(5000000))
        return #redis.call("GET", "large")`), [5000000]);

    one.begin(call('"BLPOP", "list", "0"'));
    await two.run(call('"PING"'));
    assert.deepStrictEqual(await two.run(call('"RPUSH", "list", "at last"')), [1, null]);
    assert.deepStrictEqual(await one.results(), [['list', 'at last'], null]);
    await lab.stop();
    fs.rmSync(library, { recursive: true });
  });
});
