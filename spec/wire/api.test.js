// What programs outside ask for: POST /api/events, POST /api/broadcast. Application: spec/support/apps/outside.

import assert from 'node:assert';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';

import { RawClient } from '../support/raw.js';
import { ROOT, Server } from '../support/server.js';

const TOKEN = 'a-token-for-the-specs-0123456789';
const APP = path.join(ROOT, 'spec/support/apps/outside');

let server;
let clients = [];
before(async () => {
  server = await Server.start('outside', { args: ['--api-max-bytes', '4096', '--api-max-requests', '2'],
                                           env: { TIDEGATE_API_TOKEN: TOKEN } });
});
after(() => server.stop());
afterEach(() => {
  for (const client of clients) client.destroy();
  clients = [];
});

async function open(target) {
  const client = await RawClient.open(server.port, target);
  clients.push(client);
  return client;
}

async function connect(port = server.port) {
  const client = await RawClient.connect(port);
  clients.push(client);
  return client;
}

const head = (target, length, { headers = {}, method = 'POST', version = '1.1' } = {}) => {
  const fields = { Host: 'localhost', Authorization: `Bearer ${TOKEN}`, 'Content-Type': 'application/json',
                   'Content-Length': length, ...headers };
  const lines = Object.entries(fields).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).filter((one) => one !== null && one !== undefined)
      .map((one) => `${name}: ${one}`));
  return `${method} ${target} HTTP/${version}\r\n${lines.join('\r\n')}\r\n\r\n`;
};

const textOf = (body) => (typeof body === 'string' ? body : JSON.stringify(body));
const requestOf = (target, body, options) =>
  head(target, Buffer.byteLength(textOf(body)), options) + textOf(body);

async function ask(target, body, options) {
  const client = await connect();
  client.write(Buffer.from(requestOf(target, body, options)));
  const answer = await client.httpAnswer();
  assert.strictEqual(answer.headers['content-type'], 'application/json');
  return { ...answer, json: JSON.parse(answer.body) };
}

const events = (to, event, options) => ask('/api/events', { to, event }, options);
const broadcast = (groups, message, options) => ask('/api/broadcast', { groups, message }, options);

async function expectAnswer(promise, status, json) {
  const answer = await promise;
  assert.deepStrictEqual([answer.status, answer.json], [status, json]);
  return answer;
}

const NOTIFY = { action: 'notify', payload: { content: 'hello' } };
const TO_ALL = { groups: ['all'] };
const got = { action: 'notification', payload: 'info: hello' };
const relayed = { action: 'notify', payload: { content: 'hello', level: 'info' } };

describe('POST /api/events', () => {
  it('reaches groups, a consumer, a user and a connection, and tells how many that were', async () => {
    const [ann, bob, page] = [await open('/ws/news/ann'), await open('/ws/news/bob'), await open('/ws/page')];
    ann.json({ action: 'id' });
    const id = (await ann.nextJson()).payload;
    for (const [to, count, receivers] of [
      [TO_ALL, 3, [ann, bob, page]], [{ groups: ['ann', 'bob', 'ann'] }, 2, [ann, bob]],
      [{ groups: [] }, 0, []], [{ groups: ['nobody'] }, 0, []], [{ consumer: 'news' }, 2, [ann, bob]],
      [{ consumer: 'page' }, 1, [page]], [{ user: 'bob' }, 1, [bob]], [{ user: 7 }, 0, []],
      [{ connection: id }, 1, [ann]],
    ]) {
      await expectAnswer(events(to, NOTIFY), 200, { receivers: count });
      for (const client of receivers)
        assert.deepStrictEqual(await client.nextJson(), client === page ? relayed : got);
    }
    for (const client of [ann, bob, page]) {
      client.frame('ping', 'fence');
      assert.strictEqual((await client.nextFrame()).opcode, 'pong');
    }
  });

  it('counts a user whose id is a number by its text', async () => {
    const seven = await open('/ws/news/7');
    await expectAnswer(events({ user: 7 }, NOTIFY), 200, { receivers: 1 });
    assert.deepStrictEqual(await seven.nextJson(), got);
  });

  it('takes `handler` for `action`', async () => {
    const ann = await open('/ws/news/ann');
    await expectAnswer(events(TO_ALL, { handler: 'notify', payload: { content: 'hello' } }), 200, { receivers: 1 });
    assert.deepStrictEqual(await ann.nextJson(), got);
  });

  it('says that there is no such connection', async () => {
    const ann = await open('/ws/news/ann');
    ann.json({ action: 'id' });
    const id = (await ann.nextJson()).payload;
    ann.close(1000);
    await ann.end();
    for (const gone of [id, '0000000000000001', 'ann', ''])
      await expectAnswer(events({ connection: gone }, NOTIFY), 404, { detail: 'No such connection' });
  });

  it('tells all that is wrong with the event, from the top of the body, and sends nothing', async () => {
    const ann = await open('/ws/news/ann');
    for (const [event, errors] of [
      [{ action: 'notify', payload: { level: 'loud' } },
       [{ type: 'missing', loc: ['event', 'payload', 'content'], msg: 'Field required' },
        { type: 'enum', loc: ['event', 'payload', 'level'],
          msg: "Input should be 'info' or 'warning', got 'loud'" }]],
      [{ action: 'nope' },
       [{ type: 'union_tag_invalid', loc: ['event', 'action'],
          msg: "Input tag 'nope' found using 'action' does not match any of the expected tags" }]],
      [{ action: 'headline', payload: { text: 'a message' } },
       [{ type: 'union_tag_invalid', loc: ['event', 'action'],
          msg: "Input tag 'headline' found using 'action' does not match any of the expected tags" }]],
      [{ payload: {} },
       [{ type: 'union_tag_not_found', loc: ['event', 'action'],
          msg: "Unable to extract tag using discriminator 'action'" }]],
      [7, [{ type: 'model_type', loc: ['event'], msg: 'Input should be a valid object' }]],
      [{ action: 'checked', payload: 10 },
       [{ type: 'value_error', loc: ['event', 'payload'], msg: 'Value error, is too large' }]],
    ])
      await expectAnswer(events(TO_ALL, event), 422, { errors });
    await expectAnswer(events(TO_ALL, NOTIFY), 200, { receivers: 1 });
    assert.deepStrictEqual(await ann.nextJson(), got);
  });

  it('tells all that is wrong around the event', async () => {
    const wrong = async (body, ...errors) => expectAnswer(ask('/api/events', body), 422, { errors });
    const whom = 'Value error, one of connection, groups, consumer and user says whom it is for';
    await wrong({}, { type: 'missing', loc: ['to'], msg: 'Field required' },
                { type: 'missing', loc: ['event'], msg: 'Field required' });
    await wrong([], { type: 'model_type', loc: [], msg: 'Input should be a valid object' });
    await wrong({ to: 'all', event: NOTIFY, too: 1 },
                { type: 'model_type', loc: ['to'], msg: "Input should be a valid object, got 'all'" },
                { type: 'extra_forbidden', loc: ['too'], msg: 'Extra inputs are not permitted' });
    await wrong({ to: {}, event: NOTIFY }, { type: 'value_error', loc: ['to'], msg: whom });
    await wrong({ to: { user: 'ann', groups: 'all', group: 1 }, event: NOTIFY },
                { type: 'list_type', loc: ['to', 'groups'], msg: "Input should be a valid list, got 'all'" },
                { type: 'extra_forbidden', loc: ['to', 'group'], msg: 'Extra inputs are not permitted' },
                { type: 'value_error', loc: ['to'], msg: whom });
    await wrong({ to: { groups: ['all', 1, '', 'x'.repeat(201), 'ü'.repeat(100)] }, event: NOTIFY },
                { type: 'string_type', loc: ['to', 'groups', 1], msg: 'Input should be a valid string, got 1' },
                ...[2, 3].map((index) => ({ type: 'value_error', loc: ['to', 'groups', index],
                                            msg: 'Value error, the name of a group has 1 to 200 bytes' })));
    await wrong({ to: { consumer: 'nope' }, event: NOTIFY },
                { type: 'value_error', loc: ['to', 'consumer'], msg: 'Value error, there is no consumer of this name' });
  });

  it('answers 500 when a check of the payload fails, and the log says how', async () => {
    await expectAnswer(events(TO_ALL, { action: 'checked', payload: 100 }), 500,
                       { detail: 'A check or a default of the payload failed; the log says how' });
    const record = await server.record((one) => one.event === 'event_failed', 'the failure in the log');
    assert.match(record.error, /out of order/);
  });
});

describe('POST /api/broadcast', () => {
  it('sends a message that consumers declare to each connection of the groups once', async () => {
    const [ann, page] = [await open('/ws/news/ann'), await open('/ws/page')];
    await expectAnswer(broadcast(['all', 'ann'], { action: 'headline', payload: { text: 'A' } }), 200, { receivers: 2 });
    assert.deepStrictEqual(await ann.nextJson(), { action: 'headline', payload: { text: 'A', front_page: false } });
    assert.deepStrictEqual(await page.nextJson(), { action: 'headline', payload: { text: 'A', frontPage: false } });
  });

  it('sends a group message as one that is nobody\'s', async () => {
    const ann = await open('/ws/news/ann');
    await expectAnswer(broadcast(['ann'], { action: 'talk', payload: { content: 'hi' } }), 200, { receivers: 1 });
    assert.deepStrictEqual(await ann.nextJson(),
                           { action: 'talk', payload: { content: 'hi' }, is_mine: false, is_current: false });
  });

  it('takes neither an event nor what only clients send, and checks payloads', async () => {
    for (const action of ['notify', 'id', 'nope'])
      await expectAnswer(broadcast(['all'], { action, payload: null }), 422, { errors: [
        { type: 'union_tag_invalid', loc: ['message', 'action'],
          msg: `Input tag '${action}' found using 'action' does not match any of the expected tags` }] });
    await expectAnswer(broadcast(['all'], { action: 'headline', payload: { text: '' } }), 422, { errors: [
      { type: 'string_too_short', loc: ['message', 'payload', 'text'], msg: 'String should have at least 1 character' }] });
    await expectAnswer(broadcast([1], { action: 'headline' }), 422, { errors: [
      { type: 'string_type', loc: ['groups', 0], msg: 'Input should be a valid string, got 1' }] });
    await expectAnswer(ask('/api/broadcast', { to: TO_ALL, message: {} }), 422, { errors: [
      { type: 'missing', loc: ['groups'], msg: 'Field required' },
      { type: 'extra_forbidden', loc: ['to'], msg: 'Extra inputs are not permitted' }] });
  });
});

describe('a request to /api', () => {
  const BODY = { to: TO_ALL, event: NOTIFY };
  const wrong = (status, detail, options, target = '/api/events', body = BODY) =>
    expectAnswer(ask(target, body, options), status, { detail });

  it('needs the token, whatever it asks for', async () => {
    const unauthorized = await server.metric('api_unauthorized_total');
    const given = [null, TOKEN, 'Bearer', 'Bearer ', `Bearer ${TOKEN}x`, `Bearer ${TOKEN.slice(0, -1)}`,
                   `Bearer ${TOKEN.slice(0, -1)}x`, `Basic ${TOKEN}`, [`Bearer ${TOKEN}`, `Bearer ${TOKEN}`]];
    for (const Authorization of given) {
      const answer = await wrong(401, 'The token is missing or wrong', { headers: { Authorization } });
      assert.strictEqual(answer.headers['www-authenticate'], 'Bearer');
      assert.strictEqual(answer.headers.connection, 'close');
    }
    for (const [target, method] of [['/api', 'GET'], ['/api/', 'POST'], ['/api/nope', 'DELETE']])
      await wrong(401, 'The token is missing or wrong', { method, headers: { Authorization: null } }, target);
    assert.strictEqual(await server.metric('api_unauthorized_total'), unauthorized + given.length + 3);
    const record = await server.record((one) => one.event === 'api_unauthorized', 'the line about the token');
    assert.match(record.peer, /^127\.0\.0\.1:\d+$/);
    assert.ok(!server.stderr.includes(TOKEN.slice(0, -1)), 'a token stands in the log');
  });

  it('may write the scheme of the token in any case', async () => {
    for (const scheme of ['bearer ', 'BEARER   '])
      await expectAnswer(events({ groups: [] }, NOTIFY, { headers: { Authorization: scheme + TOKEN } }), 200,
                         { receivers: 0 });
  });

  it('is answered 404 on other paths, and 405 with other methods', async () => {
    for (const target of ['/api', '/api/', '/api/event', '/api/events/', '/api/events/x'])
      await wrong(404, 'Not found', {}, target);
    for (const method of ['GET', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
      const answer = await wrong(405, 'Method not allowed', { method });
      assert.strictEqual(answer.headers.allow, 'POST');
    }
    const { status, headers, body } = await server.http('/api/events',
      { method: 'HEAD', headers: { Authorization: `Bearer ${TOKEN}` } });
    assert.deepStrictEqual([status, headers.allow, body], [405, 'POST', '']);
    assert.strictEqual((await server.http('/apis')).status, 404); // not ours: needs no token
  });

  it('has to be JSON, and to say so', async () => {
    for (const type of [null, 'text/plain', 'application/jsonp', 'application/x-www-form-urlencoded'])
      await wrong(415, 'The body has to be application/json', { headers: { 'Content-Type': type } });
    for (const type of ['application/json; charset=utf-8', 'Application/JSON'])
      await expectAnswer(events({ groups: [] }, NOTIFY, { headers: { 'Content-Type': type } }), 200, { receivers: 0 });
    for (const [body, msg] of [['', 'Invalid JSON at byte 0: expected a value'],
                               ['{"to":', 'Invalid JSON at byte 6: expected a value']])
      await expectAnswer(ask('/api/events', body), 400, { errors: [{ type: 'json_invalid', loc: [], msg }] });
  });

  it('has to tell its length, in one way', async () => {
    const detail = 'The length of the body has to be told in Content-Length';
    const length = Buffer.byteLength(JSON.stringify(BODY));
    for (const headers of [{ 'Content-Length': null }, { 'Content-Length': null, 'Transfer-Encoding': 'chunked' },
                           { 'Transfer-Encoding': 'chunked' }, { 'Content-Length': `+${length}` },
                           { 'Content-Length': '-1' }, { 'Content-Length': `${length}, ${length}` },
                           { 'Content-Length': '0x10' }, { 'Content-Length': '9'.repeat(30) }]) {
      const answer = await wrong(411, detail, { headers });
      assert.strictEqual(answer.headers.connection, 'close');
    }
    for (const name of ['Content-Length ', 'Transfer-Encoding '])
      await wrong(400, 'A request with a body is not taken', { headers: { [name]: '5' } });
  });

  it('may be as long as api_max_bytes and no longer', async () => {
    const padded = (bytes) => JSON.stringify({ to: { groups: [] }, event: NOTIFY }).padEnd(bytes, ' ');
    const tooLarge = await server.metric('api_too_large_total');
    await expectAnswer(ask('/api/events', padded(4096)), 200, { receivers: 0 });
    await wrong(413, 'The body is longer than api_max_bytes', {}, '/api/events', padded(4097));
    await wrong(413, 'The body is longer than api_max_bytes', {}, '/api/events', padded(3000000));
    assert.strictEqual(await server.metric('api_too_large_total'), tooLarge + 2);
  });

  it('is whole when its last byte has come, in pieces of any size', async () => {
    const ann = await open('/ws/news/ann');
    const client = await connect();
    await client.writeByteByByte(Buffer.from(requestOf('/api/events', BODY)));
    assert.strictEqual((await client.httpAnswer()).body, '{"receivers":1}');
    assert.deepStrictEqual(await ann.nextJson(), got);
  });

  it('leaves the connection for the next one', async () => {
    const client = await connect();
    const get = head('/healthz', null, { method: 'GET' });
    for (const [text, status, body] of [
      [requestOf('/api/events', BODY), 200, '{"receivers":0}'], [get, 200, '{"status":"ok"}'],
      [requestOf('/api/broadcast', { groups: [], message: {} }), 422], [requestOf('/api/events', BODY), 200],
    ]) {
      client.write(Buffer.from(text));
      const answer = await client.httpAnswer();
      assert.strictEqual(answer.status, status);
      if (body) assert.strictEqual(answer.body, body);
    }
    // Another request may come with it, in pieces as well.
    client.write(Buffer.from(requestOf('/api/events', BODY) + get + get.slice(0, 20)));
    assert.strictEqual((await client.httpAnswer()).body, '{"receivers":0}');
    assert.strictEqual((await client.httpAnswer()).body, '{"status":"ok"}');
    client.write(Buffer.from(get.slice(20)));
    assert.strictEqual((await client.httpAnswer()).body, '{"status":"ok"}');
  });

  // libwebsockets 4.1.6 does not find the body of such a request: see net/api_http.c.
  it('that comes together with the one before it ends the connection, unread, and keeps nobody busy', async () => {
    const ann = await open('/ws/news/ann');
    const get = head('/healthz', null, { method: 'GET' });
    const post = requestOf('/api/events', BODY);
    for (const [first, second] of [[get, post], [post, post], [post, `\r\n${post}`]]) {
      const client = await connect();
      client.write(Buffer.from(first + second));
      assert.strictEqual((await client.httpAnswer()).status, 200);
      await client.end();
      assert.strictEqual(client.unread.length, 0);
    }
    for (const body of ['', '1']) {
      const client = await connect();
      client.write(Buffer.from(get + requestOf('/api/events', body)));
      assert.strictEqual((await client.httpAnswer()).status, 200);
      assert.strictEqual((await client.httpAnswer()).status, 400);
      await client.end();
    }
    for (let i = 0; i < 2; i += 1) assert.deepStrictEqual(await ann.nextJson(), got);
    assert.strictEqual((await server.http('/healthz')).status, 200);
  });

  it('can be followed by an upgrade', async () => {
    const client = await connect();
    client.write(Buffer.from(requestOf('/api/events', BODY)));
    assert.strictEqual((await client.httpAnswer()).status, 200);
    assert.strictEqual((await client.upgrade('/ws/news/ann')).status, 101);
    await expectAnswer(events(TO_ALL, NOTIFY), 200, { receivers: 1 });
    assert.deepStrictEqual(await client.nextJson(), got);
  });

  it('ends its connection when its body was refused: what follows is no request', async () => {
    const client = await connect();
    const smuggled = requestOf('/api/events', BODY);
    const before = await server.metric('api_requests_total');
    client.write(Buffer.from(requestOf('/api/nope', smuggled)));
    assert.strictEqual((await client.httpAnswer()).status, 404);
    await client.end();
    assert.strictEqual(client.unread.length, 0);
    assert.strictEqual(await server.metric('api_requests_total'), before + 1);
  });

  it('may be one of HTTP/1.0', async () => {
    const client = await connect();
    client.write(Buffer.from(requestOf('/api/events', BODY, { version: '1.0', headers: { Expect: '100-continue' } })));
    const answer = await client.httpAnswer();
    assert.deepStrictEqual([answer.status, answer.body], [200, '{"receivers":0}']);
    await client.end();
  });

  it('is told to go on when it asks first, and only when it would be read', async () => {
    const headers = { Expect: '100-continue' };
    const client = await connect();
    const text = JSON.stringify(BODY);
    client.write(Buffer.from(head('/api/events', text.length, { headers })));
    const interim = await client.until(() => {
      const at = client.unread.indexOf('\r\n\r\n');
      return at >= 0 && client.unread.subarray(0, at + 4).toString();
    }, 'the interim answer');
    assert.strictEqual(interim, 'HTTP/1.1 100 Continue\r\n\r\n');
    client.unread = client.unread.subarray(interim.length);
    client.write(Buffer.from(text));
    assert.strictEqual((await client.httpAnswer()).status, 200);
    const refused = await connect();
    refused.write(Buffer.from(head('/api/events', 5000, { headers })));
    assert.strictEqual((await refused.httpAnswer()).status, 413);
  });

  it('waits with api_max_requests others at most; whoever leaves makes room', async () => {
    const text = JSON.stringify(BODY);
    const [first, second] = [await connect(), await connect()];
    for (const client of [first, second]) {
      const requests = await server.metric('api_requests_total');
      client.write(Buffer.from(head('/api/events', text.length) + text.slice(0, 9)));
      await server.metricUntil('api_requests_total', (count) => count === requests + 1);
    }
    const answer = await wrong(503, 'Too many requests at once', {});
    assert.strictEqual(answer.headers.connection, 'close');
    assert.strictEqual(await server.metric('api_full_total'), 1);
    first.reset();
    for (let isRefused = true; isRefused;) isRefused = (await events(TO_ALL, NOTIFY)).status === 503;
    second.write(Buffer.from(text.slice(9)));
    assert.strictEqual((await second.httpAnswer()).body, '{"receivers":0}');
  });
});

describe('the API', () => {
  const post = (port, Authorization = `Bearer ${TOKEN}`, target = '/api/events') => connect(port).then((client) => {
    client.write(Buffer.from(requestOf(target, { to: TO_ALL, event: NOTIFY }, { headers: { Authorization } })));
    return client.httpAnswer();
  });

  const withServer = async (app, options, test) => {
    const own = await Server.start(app, options);
    try {
      await test(own);
    } catch (error) {
      await own.forceEnd();
      throw error;
    }
    await own.stop();
  };

  const withCopy = async (test) => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tidegate-'));
    try {
      fs.cpSync(APP, folder, { recursive: true });
      await test(folder);
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  };

  it('is off in production until a token is set', () => withServer('outside', {}, async ({ port }) => {
    for (const authorization of ['Bearer ', undefined]) {
      const { status, body } = await post(port, authorization);
      assert.deepStrictEqual([status, body], [403, '{"detail":"The API is off: no token is set"}']);
    }
    assert.ok(!fs.existsSync(path.join(APP, '.tidegate')));
  }));

  it('has an address of its own if one is set, where there is nothing else', () =>
    withServer('outside', { args: ['--api-host', '127.0.0.2'], env: { TIDEGATE_API_TOKEN: TOKEN } }, async (own) => {
      await own.until(() => own.stdout.split('\n').length > 2, 'the second line');
      const [, port] = /\ntidegate \/api listening on http:\/\/127\.0\.0\.2:(\d+)\n/.exec(own.stdout);
      const there = async (text) => {
        const client = await RawClient.connect(Number(port), { host: '127.0.0.2' });
        clients.push(client);
        client.write(Buffer.from(text));
        return client.httpAnswer();
      };
      const request = requestOf('/api/events', { to: TO_ALL, event: NOTIFY });
      assert.strictEqual((await there(request)).body, '{"receivers":0}');
      for (const Host of [`127.0.0.1:${own.port}`, '127.0.0.1', 'default']) // it is no matter of names
        assert.strictEqual((await post(own.port, `Bearer ${TOKEN}`)).status, 405, Host);
      const get = (target) => head(target, null, { method: 'GET', headers: { Host: `127.0.0.1:${own.port}` } });
      for (const target of ['/healthz', '/metrics', '/', '/ws/page'])
        assert.strictEqual((await there(get(target))).status, 404, target);
      assert.strictEqual((await there(RawClient.head('/ws/page').text)).status, 404);
      assert.strictEqual((await own.http('/api/events')).status, 404);
      assert.strictEqual((await own.http('/healthz')).status, 200);
    }));

  it('makes a token in development, which only who runs it can read, and takes it away at the end', () =>
    withCopy(async (folder) => {
      const own = path.join(folder, '.tidegate');
      const mode = (name) => fs.statSync(path.join(own, name)).mode & 0o777;
      fs.mkdirSync(own, { mode: 0o755 });
      fs.writeFileSync(path.join(own, 'token'), 'old\n', { mode: 0o644 });
      let first;
      await withServer(folder, { args: ['--dev'] }, async ({ port, stderr }) => {
        first = fs.readFileSync(path.join(own, 'token'), 'utf8');
        assert.match(first, /^[0-9a-f]{64}\n$/);
        assert.strictEqual(fs.readFileSync(path.join(own, 'address'), 'utf8'), `http://127.0.0.1:${port}\n`);
        assert.strictEqual(fs.readFileSync(path.join(own, '.gitignore'), 'utf8'), '*\n');
        assert.deepStrictEqual([mode('.'), mode('token')], [0o700, 0o600]);
        assert.deepStrictEqual(fs.readdirSync(own).sort(), ['.gitignore', 'address', 'secret', 'token']);
        assert.strictEqual((await post(port, `Bearer ${first.trim()}`)).status, 200);
        assert.strictEqual((await post(port, 'Bearer old')).status, 401);
        assert.ok(!stderr.includes(first.trim()));
      });
      assert.deepStrictEqual(fs.readdirSync(own), ['.gitignore', 'secret']);
      await withServer(folder, { args: ['--dev'] }, async ({ port }) => {
        assert.notStrictEqual(fs.readFileSync(path.join(own, 'token'), 'utf8'), first);
        assert.strictEqual((await post(port, `Bearer ${first.trim()}`)).status, 401);
      });
    }));

  it('leaves the files of a gateway that was started later', () => withCopy(async (folder) => {
    const token = path.join(folder, '.tidegate/token');
    await withServer(folder, { args: ['--dev'] }, () => fs.writeFileSync(token, 'of another\n'));
    assert.strictEqual(fs.readFileSync(token, 'utf8'), 'of another\n');
  }));

  it('does not write through a link, and is off then, with a warning that says what to do', () =>
    withCopy(async (folder) => {
      const elsewhere = fs.mkdtempSync(path.join(os.tmpdir(), 'tidegate-'));
      fs.symlinkSync(elsewhere, path.join(folder, '.tidegate'));
      await withServer(folder, { args: ['--dev'] }, async (own) => {
        const record = await own.record((one) => one.event === 'api_off', 'the warning');
        assert.match(record.why, /cannot write .*\.tidegate\/token: /);
        assert.strictEqual(record.help, 'make the folder writable, or set api_token');
        assert.strictEqual((await post(own.port)).status, 403);
      });
      assert.deepStrictEqual(fs.readdirSync(elsewhere), []);
      fs.rmSync(elsewhere, { recursive: true });
    }));
});
