// Who is there while the code is replaced: users, sessions, credentials, objects, attempts, and who waits for an
// authenticator. spec/kit/auth_reload_spec.lua has the cases one by one; here they go over sockets, with a
// Lua state and a thread of their own for each generation.

import assert from 'node:assert';
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { afterEach, describe, it } from 'node:test';

import { RawClient } from '../support/raw.js';
import { Server } from '../support/server.js';

// Rooms with a session or a token that says who and for how long, "ann:1.5"; every answer has the stamp of its code.
const app = (stamp, rooms = '{ tea = "Tea" }') => `
local tide <const> = require "tidegate"
local s <const> = tide.schema
local who <const> = tide.message "who"
local told <const> = tide.message("told", s.array(s.string()))
local kick <const> = tide.message("kick", s.string())
local rooms <const> = ${rooms}
local session <const> = tide.auth.session {
  load = function(id)
    return { id = id, by = "${stamp}" }
  end,
}
tide.route("POST", "/login", { schema = { name = s.string() } }, function(request)
  return 200, { by = "${stamp}" }, { ["set-cookie"] = session:cookie(request.payload.name) }
end)
local function token(request)
  local name <const>, seconds <const> = (request.token or request.query.token or ""):match "^(%l+):?([%d.]*)$"
  if name == "slow" then
    tide.sleep(0.4)
  end
  return name and { id = name, by = "${stamp}" },
    name and { expires_at = seconds ~= "" and tide.now() + tonumber(seconds) or nil } or 401
end
local Room <const> = tide.consumer {
  name = "room",
  path = "/ws/{room}",
  authenticate = tide.auth.any { session, token },
  object = function(conn)
    local title <const> = rooms[conn.params.room]
    return title and { title = function() return "${stamp} " .. title end }
  end,
}
Room:on(who, { output = told }, function(conn)
  return told { "${stamp}", conn.user.id, conn.user.by, conn.object.title() }
end)
Room:on(kick, function(_, message)
  tide.user(message.payload):close(4401, "by ${stamp}")
end)
return Room
`;

let folder;
let server;
let clients = [];
let generation;

const write = (text) => {
  fs.writeFileSync(path.join(folder, 'room.lua.new~'), text);
  fs.renameSync(path.join(folder, 'room.lua.new~'), path.join(folder, 'room.lua'));
};

const serve = async (...args) => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tidegate-auth-reload-'));
  write(app('one'));
  generation = 1;
  server = await Server.start(folder, { args, env: { TIDEGATE_SECRETS: 'signs'.repeat(8) } });
};

const reload = async (text) => {
  write(text);
  generation += 1;
  server.signal('SIGHUP');
  const wanted = String(generation);
  await server.record((line) => line.event === 'reloaded' && line.generation === wanted, `generation ${wanted}`);
};

const knock = async (target, headers = {}) => {
  const client = await RawClient.open(server.port, target, { headers });
  clients.push(client);
  return client;
};

const status = async (client) => (await client.nextJson()).payload.status_code;

const enter = async (target, headers) => {
  const client = await knock(target, headers);
  assert.strictEqual(await status(client), 200);
  return client;
};

const who = async (client) => {
  client.json({ action: 'who' });
  const { action, payload } = await client.nextJson();
  assert.strictEqual(action, 'told', JSON.stringify(payload));
  return payload.join(', ');
};

const login = (name) => new Promise((resolve, reject) => {
  const request = http.request({ host: '127.0.0.1', port: server.port, path: '/login', method: 'POST',
                                 headers: { 'content-type': 'application/json' } }, (response) => {
    response.resume();
    resolve(response.headers['set-cookie'][0].split(';')[0]);
  });
  request.on('error', reject);
  request.end(JSON.stringify({ name }));
});

describe('who is there, with new code', () => {
  afterEach(async () => {
    for (const client of clients.splice(0)) client.destroy();
    if (server && !server.exit) await server.stop();
    fs.rmSync(folder, { recursive: true, force: true });
  });

  it('stays the same, and is about what the new code has loaded', async () => {
    await serve();
    const cookie = await login('ann');
    const ann = await enter('/ws/tea', { Cookie: cookie });
    assert.strictEqual(await who(ann), 'one, ann, one, one Tea');
    for (const stamp of ['two', 'three', 'four']) {
      await reload(app(stamp));
      assert.strictEqual(await who(ann), `${stamp}, ann, one, ${stamp} Tea`);
    }
    const again = await enter('/ws/tea', { Cookie: cookie }); // what the first code has signed counts
    assert.strictEqual(await who(again), 'four, ann, four, four Tea');
    again.json({ action: 'kick', payload: 'ann' });
    for (const client of [ann, again])
      assert.deepStrictEqual(await client.nextClose(), { code: 4401, reason: 'by four' });
  });

  it('stays for as long as its credential does, which the new code renews', async () => {
    await serve();
    const began = Date.now();
    const ann = await enter('/ws/tea?token=ann:0.8');
    const bob = await enter('/ws/tea?token=bob:0.8');
    await reload(app('two'));
    bob.json({ action: 'authenticate', payload: { token: 'bob:30' } });
    assert.strictEqual(await status(bob), 200);
    await reload(app('three'));
    assert.deepStrictEqual(await ann.nextClose(), { code: 4401, reason: 'expired' });
    assert.ok(Date.now() - began >= 800);
    assert.strictEqual(await who(bob), 'three, bob, two, three Tea');
  });

  it('is sent away when what it is about is gone', async () => {
    await serve();
    const ann = await enter('/ws/tea?token=ann');
    await reload(app('two', '{}'));
    assert.strictEqual(await status(ann), 404);
    assert.deepStrictEqual(await ann.nextClose(), { code: 4404, reason: 'Not Found' });
    await reload(app('three'));
    assert.strictEqual(await who(await enter('/ws/tea?token=ann')), 'three, ann, three, three Tea');
  });

  it('comes in by the code that it came to, and is handled by the new', async () => {
    await serve();
    const client = await knock('/ws/tea?token=slow');
    client.json({ action: 'who' });
    await server.metricUntil('tasks', (count) => count === 1);
    await reload(app('two'));
    await reload(app('three'));
    assert.strictEqual(await server.metric('generations_alive'), 2);
    assert.strictEqual(await status(client), 200);
    assert.strictEqual((await client.nextJson()).payload.join(', '), 'three, slow, one, three Tea');
    await server.metricUntil('generations_alive', (count) => count === 1);
  });

  it('has as many attempts left as before', async () => {
    await serve('--login-attempts', '3');
    for (const stamp of ['two', 'three', 'four']) {
      assert.strictEqual(await status(await knock('/ws/tea?token=!')), 401);
      await reload(app(stamp));
    }
    await assert.rejects(knock('/ws/tea?token=ann'), /answered 429/);
  });
});
