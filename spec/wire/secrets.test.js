// What a client shows to be let in is nobody else's affair: not in the log of somebody who debugs, not in a
// recording, not in what is counted or told to pages under development. The application is
// spec/support/apps/secrets. Each secret is looked for byte for byte, as it is, in base64 and in percent.

import assert from 'node:assert';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { RawClient } from '../support/raw.js';
import { Server } from '../support/server.js';

const SIGNING = randomBytes(24).toString('hex');
const API_TOKEN = 'api-token-HUSH-0123456789abcdef';

// What is shown, and must be found nowhere. Everything of it is looked for when all is over.
const shown = new Set([SIGNING, API_TOKEN, 'jwt-signing-key-', 'key-of-ann-HUSH', 'pass-of-ann-HUSH']);
const secret = (text) => { shown.add(text); return text; };

// Another server that says who somebody is, in a way that depends on what it is shown.
const startBackend = () => new Promise((resolve) => {
  const backend = http.createServer((request, response) => {
    const status = Number(/^Bearer backend-(\d+)-/.exec(request.headers.authorization || '')?.[1] || 200);
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ id: 'ann', detail: 'as you like' }));
  });
  backend.listen(0, '127.0.0.1', () => resolve(backend));
});

describe('what is secret', () => {
  let folder;
  let file;
  let backend;
  let server;
  let heard = ''; // all that pages under development are told

  before(async () => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tidegate-secrets-'));
    file = path.join(folder, 'in.jsonl');
    backend = await startBackend();
    server = await Server.start('secrets', {
      args: ['--mode', 'development', '--record', file, '--log-level', 'debug', '--login-attempts', '0', '--api-token', API_TOKEN,
             '--authentication-timeout-ms', '500', '--handler-timeout-ms', '500'],
      env: { SPEC_BACKEND_PORT: String(backend.address().port), TIDEGATE_SECRETS: SIGNING },
    });
  });

  after(async () => {
    if (!server.exit) await server.forceEnd();
    backend.close();
    fs.rmSync(folder, { recursive: true });
  });

  // Connects, says something, and waits for what comes: the status of the first frame, or of the refusal.
  const visit = async (target, headers = {}, texts = []) => {
    const client = await RawClient.open(server.port, target, { headers });
    for (const text of texts) client.text(text);
    const first = await client.nextJson();
    for (let i = 1; i < texts.length && first.payload.status_code === 200; i += 1) await client.nextText();
    client.close(1000);
    await client.end();
    return first.payload.status_code;
  };

  const post = (target, body, headers = {}) => new Promise((resolve, reject) => {
    const request = http.request({ host: '127.0.0.1', port: server.port, path: target, method: 'POST',
                                   headers: { 'content-type': 'application/json', ...headers } }, (response) => {
      response.resume();
      response.on('end', () => resolve({ status: response.statusCode, cookie: response.headers['set-cookie'] }));
    });
    request.on('error', reject);
    request.end(body);
  });

  const authenticate = (token) => JSON.stringify({ action: 'authenticate', payload: { token } });
  const bearer = (token) => ({ authorization: `Bearer ${secret(token)}` });

  it('can be shown right and wrong, in every place', async () => {
    const here = `127.0.0.1:${server.port}`;
    const dev = await RawClient.open(server.port, '/tidegate/dev', { headers: { Host: here, Origin: `http://${here}` } });
    const mint = await RawClient.open(server.port, '/ws/mint');
    const { session, token } = (await mint.nextJson()).payload;
    mint.destroy();
    secret(session);
    secret(token);
    const wrong = secret(`${token.slice(0, -6)}HUSHxx`);

    // a session
    assert.strictEqual(await visit('/ws/session', { cookie: `theme=dark; sessionid=${session}` }), 200);
    assert.strictEqual(await visit('/ws/session', { cookie: `sessionid=${secret(`${session}HUSH`)}` }), 401);
    assert.strictEqual(await visit('/ws/session', { cookie: `sessionid=${session}` },
                                   [authenticate(session), authenticate(secret('renewal-HUSH'))]), 200);
    // a token, wherever it can stand
    const places = {
      header: [`/ws/jwt`, (text) => ({ authorization: `Bearer ${text}` })],
      cookie: [`/ws/jwt`, (text) => ({ cookie: `jwt=${text}` })],
    };
    for (const [target, headers] of Object.values(places)) {
      assert.strictEqual(await visit(target, headers(token)), 200);
      assert.strictEqual(await visit(target, headers(wrong)), 401);
      assert.strictEqual(await visit(target, headers(secret('no.token.HUSH-at-all'))), 401);
    }
    assert.strictEqual(await visit(`/ws/jwt?token=${token}`), 200);
    assert.strictEqual(await visit(`/ws/jwt?page=1&token=${wrong}`), 401);
    assert.strictEqual(await visit(`/ws/jwt?%74oken=${wrong}`), 401);
    for (const text of [authenticate(token), authenticate(wrong), authenticate([secret('a-list-HUSH')]),
                        `{"action":"authenticate","payload":{"token":"${secret('half-a-message-HUSH')}"`,
                        `{"action":"authenticate","payload":"${secret('a-payload-HUSH')}"}`])
      assert.strictEqual(await visit('/ws/first', {}, [text]), text === authenticate(token) ? 200 : 401);
    assert.strictEqual(await visit('/ws/first', bearer('HUSH-and-late')), 401); // nothing comes: 4408
    // a key
    assert.strictEqual(await visit('/ws/key', { 'x-api-key': 'key-of-ann-HUSH' }), 200);
    assert.strictEqual(await visit('/ws/key?key=key-of-ann-HUSH'), 200);
    assert.strictEqual(await visit('/ws/key', { 'x-api-key': secret('key-of-nobody-HUSH') }), 401);
    // name and password
    const basic = (name, password) => ({ authorization: `Basic ${btoa(`${name}:${secret(password)}`)}` });
    assert.strictEqual(await visit('/ws/basic', basic('ann', 'pass-of-ann-HUSH')), 200);
    assert.strictEqual(await visit('/ws/basic', basic('ann', 'pass-guessed-HUSH')), 401);
    assert.strictEqual(await visit('/ws/basic', basic('raise', 'pass-raised-HUSH')), 500);
    assert.strictEqual(await visit('/ws/basic', { authorization: `Basic ${secret('@@HUSH@@')}` }), 401);
    // another server
    for (const [answer, status] of [[200, 200], [401, 401], [403, 403], [404, 404], [500, 500], [302, 500]])
      assert.strictEqual(await visit('/ws/http', bearer(`backend-${answer}-HUSH`)), status);
    assert.strictEqual(await visit('/ws/http', { cookie: `sid=${secret('sid-HUSH')}`,
                                                 'x-backend-key': secret('backend-key-HUSH') }), 200);
    assert.strictEqual(await visit('/ws/any', { ...bearer('backend-403-HUSH-any'), cookie: `sessionid=${session}x` }), 401);

    // what a client keeps secret in its messages
    const password = secret('message-password-HUSH');
    assert.strictEqual(await visit('/ws/session', { cookie: `sessionid=${session}` }, [
      JSON.stringify({ action: 'login', payload: { name: 'ann', password } }),
      JSON.stringify({ action: 'login', payload: { name: 'ann', password: [password] } }),
      JSON.stringify({ action: 'login', payload: { name: 'ann', passwort: password } }),
      JSON.stringify({ action: 'failing', payload: { password } }),
      JSON.stringify({ action: 'failing', payload: { password }, topic: 'none' }),
    ]), 200);

    // plain requests
    const words = (name) => JSON.stringify({ name, password });
    const { status, cookie } = await post('/login', words('ann'));
    assert.strictEqual(status, 200);
    secret(/^sessionid=([^;]+);/.exec(cookie[0])[1]);
    assert.strictEqual((await post('/login', words('raise'))).status, 500);
    assert.strictEqual((await post('/login', words('wait'))).status, 503);
    assert.strictEqual((await post('/login', JSON.stringify({ name: 'ann', password: secret('tooHUSH') }))).status, 422);
    assert.strictEqual((await post('/login', `{"name":"ann","password":"${password}`)).status, 400);
    assert.strictEqual((await post('/nowhere?token=HUSH-in-a-query', words('ann'), bearer('HUSH-for-nobody'))).status, 405);
    secret('HUSH-in-a-query');
    assert.strictEqual((await server.http('/tidegate/HUSH?token=HUSH-in-a-query')).status, 404);
    for (const text of [API_TOKEN, secret('api-token-guessed-HUSH')])
      await post('/api/broadcast', JSON.stringify({ group: 'x', action: 'welcome', payload: { name: 'a', ticket: password } }),
                 { authorization: `Bearer ${text}` });

    dev.close(1000);
    await dev.end();
    heard = dev.queue.map(({ payload }) => payload.toString('utf8')).join('\n');
    heard += (await server.http('/metrics')).body;
    heard += (await server.http('/api/status', { headers: { authorization: `Bearer ${API_TOKEN}` } })).body;
    await server.stop();
  });

  it('is neither in the log, nor in the recording, nor in what else the gateway tells', () => {
    const everything = { log: server.stderr, output: server.stdout, recording: fs.readFileSync(file, 'utf8'), heard };
    assert.ok(server.records().some(({ level }) => level === 'debug'));
    assert.ok(everything.recording.includes('"type":"open"') && everything.recording.includes('/ws/jwt'));
    assert.ok(everything.heard.includes('handler_failed') && everything.heard.includes('tidegate_connections'));
    for (const [where, text] of Object.entries(everything)) {
      for (const word of shown) {
        for (const form of [word, encodeURIComponent(word), btoa(word), btoa(word).replace(/=+$/, ''),
                            JSON.stringify(word).slice(1, -1)]) {
          const line = text.split('\n').find((one) => one.includes(form));
          assert.ok(line === undefined, `${word} stands in the ${where}: ${line}`);
        }
      }
      const line = text.split('\n').find((one) => /HUSH/.test(one));
      assert.ok(line === undefined, `a part of a secret stands in the ${where}: ${line}`);
    }
  });
});
