// The log: what is in it, what never is, and that no client can write lines of its own.

import assert from 'node:assert';
import { describe, it } from 'node:test';
import { RawClient } from '../support/raw.js';
import { Server, parseLogLine } from '../support/server.js';

const LEVELS = ['debug', 'info', 'warning', 'error'];

// Runs `work` against a server with these flags, stops it, and returns the server with its whole log.
async function logged(args, work) {
  const server = await Server.start('wire', { args });
  try {
    await work(server);
  } finally {
    await server.stop();
  }
  return server;
}

async function visit(server, target, ...texts) {
  const client = await RawClient.open(server.port, target);
  for (const text of texts) {
    client.text(text);
    await client.nextText();
  }
  client.close(1000, 'bye');
  await client.end();
}

describe('the log as text', () => {
  it('is a time, a level, an event and its fields on each line', async () => {
    const server = await logged(['--log-level', 'debug'], (one) =>
      visit(one, '/ws/echo', '{"action":"ping"}', '{"action":"fail","payload":{"how":"string"}}'));
    assert.ok(server.lines().length > 3);
    for (const line of server.lines()) {
      const fields = parseLogLine(line);
      assert.ok(fields, line);
      assert.match(fields.time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      assert.ok(LEVELS.includes(fields.level), line);
      assert.ok(fields.event, line);
    }
  });

  it('tells who came and who went, with the code', async () => {
    const server = await logged([], (one) => visit(one, '/ws/echo'));
    const connection = server.records().filter(({ consumer, hook }) => consumer === 'echo' && !hook);
    const [came] = connection;
    const went = connection.find(({ code }) => code !== undefined);
    assert.ok(came && went && came !== went, server.stderr);
    assert.strictEqual(went.code, '1000');
    assert.ok(came.conn, 'a line about a connection has its id');
    assert.strictEqual(came.conn, went.conn);
  });

  it('tells the actions that come and go when it is asked to, and only then', async () => {
    const actions = (server) => server.records().map(({ action }) => action).filter(Boolean);
    const ask = (server) => visit(server, '/ws/echo', '{"action":"user_message","payload":{"message":"x"}}');
    const loud = await logged(['--log-level', 'debug'], ask);
    assert.ok(actions(loud).includes('user_message'));
    assert.ok(actions(loud).includes('system_echo'));
    assert.ok(loud.records().some(({ level }) => level === 'debug'));
    const usual = await logged([], ask);
    assert.deepStrictEqual(actions(usual), []);
    assert.ok(!usual.records().some(({ level }) => level === 'debug'));
  });

  it('is silent when it is off, and keeps to its level', async () => {
    const off = await logged(['--log-level', 'off'], (one) =>
      visit(one, '/ws/echo', '{"action":"fail","payload":{"how":"string"}}'));
    assert.strictEqual(off.stderr, '');
    const errors = await logged(['--log-level', 'error'], async (one) => {
      const client = await RawClient.open(one.port, '/ws/echo');
      client.text('{"action":"fail","payload":{"how":"string"}}');
      await client.nextText();
      await client.nextText();
      client.destroy();
    });
    assert.ok(errors.records().length >= 1);
    assert.ok(errors.records().every(({ level }) => level === 'error'), errors.stderr);
  });
});

describe('the log as JSON', () => {
  it('is one object on each line', async () => {
    const server = await logged(['--log-format', 'json', '--log-level', 'debug'], (one) =>
      visit(one, '/ws/rooms/%22%09%5C%01%7F', '{"action":"show","payload":{}}', '{"action":"\\n\\u0000\\"é"}'));
    assert.ok(server.lines().length > 3);
    for (const line of server.lines()) {
      const record = JSON.parse(line);
      assert.match(record.time, /^\d{4}-\d\d-\d\dT/);
      assert.ok(LEVELS.includes(record.level));
      assert.strictEqual(typeof record.event, 'string');
    }
  });
});

describe('a client', () => {
  const forgeries = [
    'x\ntime=2026-01-01T00:00:00.000Z level=error event=forged', 'x level=error event=forged', 'x" event="forged',
    'x\\" event=forged', 'x\r\nevent=forged', 'x\u0000event=forged', 'x\u001b[2Kevent=forged', '","event":"forged',
    'x\u2028event=forged', 'x\u0085event=forged',
  ];

  // With a line break or a NUL a path is none.
  const isPath = (forgery) => !/[\0\r\n]/.test(forgery);

  for (const format of ['text', 'json']) {
    it(`cannot forge a line or a field of the ${format} log`, async () => {
      const server = await logged(['--log-level', 'debug', '--log-format', format], async (one) => {
        for (const forgery of forgeries) {
          const client = await RawClient.open(one.port, '/ws/echo', { headers: { 'User-Agent': 'x" event="forged' } });
          client.json({ action: forgery });
          await client.nextText();
          client.close(3000, forgery);
          await client.end();
          if (forgery.includes('\0')) continue; // the library hangs up
          const room = await RawClient.connect(one.port);
          const { status } = await room.upgrade(`/ws/rooms/${encodeURIComponent(forgery)}`);
          assert.strictEqual(status, isPath(forgery) ? 101 : 400, forgery);
          if (status === 101) room.close(1000);
          await room.end();
          await one.http(`/${encodeURIComponent(forgery)}`);
        }
      });
      // Each of them did reach the log, as a reason and as a path, and stayed within its field.
      const holding = (key) => server.lines().filter((line) => new RegExp(`\\b${key}"?[=:]"?x?.*forged`).test(line));
      assert.strictEqual(holding('reason').length, forgeries.length);
      assert.strictEqual(holding('path').length, forgeries.filter(isPath).length);
      // Nothing but printable text reaches a terminal.
      assert.doesNotMatch(server.stderr, /[\u0000-\u0009\u000b-\u001f\u007f]/);
      for (const line of server.lines()) {
        const fields = format === 'json' ? JSON.parse(line) : parseLogLine(line);
        assert.ok(fields, line);
        assert.notStrictEqual(fields.event, 'forged', line);
        assert.ok(LEVELS.includes(fields.level), line);
      }
    });
  }

  const tellSecrets = async (one) => {
    await visit(one, '/ws/echo', '{"action":"user_message","payload":{"message":"topsecret"}}',
                '{"action":"user_message","payload":{"message":["topsecret"]}}',
                '{"action":"user_message","payload":"topsecret', '"topsecret"',
                '{"action":"any","payload":{"topsecret":"topsecret"}}');
    const text = await RawClient.open(one.port, '/ws/text');
    await text.nextText();
    text.text('topsecret');
    await text.nextText();
    text.frame('binary', 'topsecret');
    await text.nextFrame();
    text.close(1000);
    await text.end();
  };

  it('finds nothing of its payloads in the log', async () => {
    const server = await logged([], tellSecrets);
    assert.doesNotMatch(server.stderr, /topsecret/);
  });

  it('finds no more in the log of somebody who debugs than the payloads that were right', async () => {
    const server = await logged(['--log-level', 'debug'], tellSecrets);
    const lines = server.lines().filter((line) => line.includes('topsecret'));
    assert.deepStrictEqual(lines.map((line) => parseLogLine(line).payload),
                           ['{\\"message\\":\\"topsecret\\"}', '{\\"topsecret\\":\\"topsecret\\"}']);
  });
});
