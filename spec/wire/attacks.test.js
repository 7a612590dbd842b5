// Scripts that try to take the gateway down. Whatever one does, it fails alone: another client is answered all
// the while, the log says what happened, and the next message is handled as ever.
import assert from 'node:assert';
import { after, before, describe, it } from 'node:test';

import { RawClient } from '../support/raw.js';
import { run, Server } from '../support/server.js';

const failed = '{"action":"error","payload":{"detail":"Failed to process message"}}';
const pong = '{"action":"pong"}';

const ATTACK_CPU_MS = 20;

// What another client may wait while an attack runs: its budget and 50 ms. A machine that does more than this
// needs more, and ten times that is still far from a loop without end.
const PATIENCE_MS = 10 * (ATTACK_CPU_MS + 50);

class Arena {
  static async open(args) {
    const arena = new Arena();
    arena.server = await Server.start('attacks', { args });
    arena.attacker = await RawClient.open(arena.server.port, '/ws/attacks');
    arena.other = await RawClient.open(arena.server.port, '/ws/attacks');
    return arena;
  }

  async attack(kind, name) {
    this.attacker.text(JSON.stringify({ action: 'attack', payload: { kind, name } }));
    return this.attacker.nextText();
  }

  async ping() {
    this.attacker.text('{"action":"ping"}');
    assert.strictEqual(await this.attacker.nextText(), pong);
  }

  // Another client's ping lies in the gateway's socket before the attack ends.
  async pingMeanwhile(patienceMs = PATIENCE_MS) {
    const begun = performance.now();
    this.other.text('{"action":"ping"}');
    assert.strictEqual(await this.other.nextText(), pong);
    const waited = performance.now() - begun;
    assert.ok(waited < patienceMs, `another client waited ${waited.toFixed()} ms`);
  }

  // The attacker leaves and comes again.
  async reopen(patienceMs = PATIENCE_MS) {
    this.attacker.destroy();
    await this.pingMeanwhile(patienceMs);
    this.attacker = await RawClient.open(this.server.port, '/ws/attacks');
    await this.ping();
  }

  // The lines of the log so far about failures, and none of them again.
  failures() {
    const all = this.server.records().filter(({ level }) => level === 'error');
    const fresh = all.slice(this.told || 0);
    this.told = all.length;
    return fresh;
  }

  async close() {
    this.attacker.destroy();
    this.other.destroy();
    await this.server.stop();
  }
}

describe('a script that takes all memory', () => {
  let arena;
  before(async () => { arena = await Arena.open(['--lua-memory-mb', '24', '--handler-cpu-ms', '9000']); });
  after(() => arena.close());

  for (const name of ['table', 'string', 'buffer', 'closures', 'coroutines'])
    it(`fails with a ${name} bomb, and the gateway goes on`, async () => {
      assert.strictEqual(await arena.attack('bomb', name), failed);
      await arena.ping();
      const [line, ...rest] = arena.failures();
      assert.strictEqual(rest.length, 0);
      assert.strictEqual(line.event, 'lua_memory');
      assert.match(line.source, /attacks\/bombs\.lua:\d+$/);
      assert.match(line.error, /^not enough memory: .*lua_memory_mb, 24 MB; .* raise lua_memory_mb$/);
    });

  it('may catch the error and raise it again', async () => {
    assert.strictEqual(await arena.attack('bomb', 'swallowed'), failed);
    await arena.ping();
    assert.match(arena.failures()[0].error, /not enough memory/);
  });

  it('says what it can when the error itself is a bomb', async () => {
    assert.strictEqual(await arena.attack('bomb', 'in_tostring'), failed);
    await arena.ping();
    assert.match(arena.failures()[0].error, /an error object that could not be turned into text/);
  });

  it('counts, and gives the memory back', async () => {
    assert.ok(await arena.server.metric('lua_memory_hit_total') >= 5);
    assert.ok(await arena.server.metric('script_heap_bytes') < 8 * 1024 * 1024);
  });

  it('is refused at load', async () => {
    const folder = new URL('../support/apps/memory_hog', import.meta.url).pathname;
    const { code, stderr } = await run(['check', folder, '--lua-memory-mb', '16', '--load-cpu-ms', '60000']);
    assert.strictEqual(code, 1);
    assert.match(stderr, /hog\.lua: loading takes more than lua_memory_mb, 16 MB: load less, or raise it/);
  });
});

const LOOPS = [
  'plain', 'swallowing', 'in_close', 'in_index', 'in_gsub', 'swallowing_in_gsub', 'in_sort', 'recursion',
  'in_message_handler', 'in_message_handler_of_a_loop', 'xpcall_in_sort', 'error_in_message_handler', 'pending_close',
  'in_resume', 'of_resumes', 'in_wrap', 'of_wraps', 'nested_wraps', 'closing_a_coroutine', 'in_iterator', 'in_load',
  'in_tostring_of_a_log_field',
];

const TRICKS = [
  'find_backtracking', 'match_backtracking_at_the_end', 'gsub_backtracking', 'gmatch_backtracking',
  'swallowed_find', 'sort_of_many', 'collecting', 'compiling',
];

describe('a script that takes all time', () => {
  let arena;
  before(async () => {
    arena = await Arena.open(['--handler-cpu-ms', String(ATTACK_CPU_MS), '--lua-memory-mb', '64']);
  });
  after(() => arena.close());

  const expectStopped = async (kind, name) => {
    const answer = arena.attack(kind, name);
    await arena.pingMeanwhile();
    await arena.pingMeanwhile();
    assert.strictEqual(await answer, failed);
    await arena.ping();
    return arena.failures();
  };

  for (const name of LOOPS)
    it(`is stopped: ${name.replaceAll('_', ' ')}`, async () => {
      const [line, ...rest] = await expectStopped('loop', name);
      assert.strictEqual(rest.length, 0);
      assert.strictEqual(line.event, 'handler_cpu');
      assert.match(line.source, /attacks\/loops\.lua:\d+$/);
      assert.match(line.error, /^this took more than handler_cpu_ms, 20 ms of CPU time, and was stopped: /);
      assert.match(line.traceback, /loops\.lua:\d+: in/);
    });

  for (const name of TRICKS)
    it(`is stopped in C: ${name.replaceAll('_', ' ')}`, async () => {
      const [line, ...rest] = await expectStopped('trick', name);
      assert.strictEqual(rest.length, 0);
      assert.strictEqual(line.event, 'handler_cpu');
      assert.match(line.source, /attacks\/tricks\.lua:\d+$/);
    });

  it('finds plain text without trying every place', async () => {
    assert.strictEqual(await arena.attack('trick', 'find_plain'), '{"action":"done"}');
  });

  it('is told why when it is refused', async () => {
    const { payload } = JSON.parse(await arena.attack('trick', 'refusals'));
    const here = String.raw`tricks\.lua:\d+: `;
    assert.match(payload.rep, /string\.rep: the result would have more than 16777216 bytes/);
    assert.match(payload.rep_of_nothing, /string\.rep: the result would have more than/);
    assert.match(payload.insert, /table\.insert: this would move more than 1000000 items/);
    assert.match(payload.move, /table\.move: this would move more than 1000000 items/);
    assert.match(payload.format, /invalid conversion|invalid format/);
    assert.match(payload.finalizer, new RegExp(`${here}setmetatable: scripts have no __gc`));
    assert.match(payload.stopped_collector, new RegExp(`${here}collectgarbage 'stop': the collector is the gateway's`));
    assert.match(payload.order, /invalid order function for sorting/);
    assert.match(payload.setting_a_global, new RegExp(`${here}this would make a global of 'counter': write \`local counter\``));
    assert.match(payload.reading_a_global, new RegExp(`${here}there is no global 'strnig'; did you mean 'string'\\?`));
  });

  it('does not find what could stop the host', async () => {
    const { payload } = JSON.parse(await arena.attack('trick', 'what_is_not_there'));
    assert.deepStrictEqual(Object.entries(payload).filter(([, isGone]) => !isGone), []);
  });

  it('finds the rest as the manual says', async () => {
    const { payload } = JSON.parse(await arena.attack('trick', 'what_is_as_ever'));
    const a = 'a'.repeat(100);
    assert.deepStrictEqual(payload.rep, ['ab-ab-ab', 'x', '', '', '--']);
    assert.deepStrictEqual(payload.find, [1, 101, '', a]);
    assert.deepStrictEqual(payload.tied, ['b', true, '$']);
    assert.deepStrictEqual(payload.sets, [1, 1, 102]);
    assert.deepStrictEqual(payload.gsub, [`${a}c`, 1]);
    assert.deepStrictEqual(payload.plain, [50, 101]);
    assert.strictEqual(payload.words, 1000);
    assert.strictEqual(payload.last, 'two');
    assert.strictEqual(payload.sorted, true);
    assert.strictEqual(payload.xpcall, 'oops!');
    assert.strictEqual(payload.wrap, 1);
    assert.match(payload.resume[1], /tricks\.lua:\d+: in it$/);
    assert.match(payload.message, /malformed pattern \(missing ']'\)/);
  });

  it('counts', async () => {
    assert.ok(await arena.server.metric('handler_cpu_hit_total') >= LOOPS.length);
  });
});

const WAITS = ['loop_after_a_wait', 'loop_in_a_coroutine_that_waited', 'swallowing_after_a_wait', 'spawning_in_a_loop'];

const TASKS = [
  'loop_in_a_task', 'task_that_cancels_itself', 'close_of_a_cancelled_task', 'close_of_a_cancelled_coroutine',
];

const RESTLESS = ['timer_that_arms_itself', 'sleeps_without_end'];

describe('a script that takes all time and waits', () => {
  const done = '{"action":"done"}';
  let arena;
  before(async () => { arena = await Arena.open(['--handler-cpu-ms', String(ATTACK_CPU_MS)]); });
  after(() => arena.close());

  const expectStopped = async (name, expected) => {
    const answer = arena.attack('wait', name);
    await arena.pingMeanwhile();
    await arena.pingMeanwhile();
    assert.strictEqual(await answer, expected);
    const line = await arena.server.until(
      () => arena.failures().find(({ event }) => event === 'handler_cpu'), 'the line of the log');
    assert.match(line.source, /attacks\/waits\.lua:\d+$/);
    assert.match(line.error, /^this took more than handler_cpu_ms, 20 ms of CPU time, and was stopped: /);
    await arena.ping();
  };

  for (const name of WAITS) it(`is stopped: ${name.replaceAll('_', ' ')}`, () => expectStopped(name, failed));

  for (const name of TASKS) it(`is stopped: ${name.replaceAll('_', ' ')}`, () => expectStopped(name, done));

  for (const name of RESTLESS)
    it(`holds up nobody: ${name.replaceAll('_', ' ')}`, async () => {
      assert.strictEqual(await arena.attack('wait', name), done);
      for (let i = 0; i < 20; i++) await arena.pingMeanwhile();
      await arena.reopen();
    });

  it('has one budget for all that ends with a connection', async () => {
    assert.strictEqual(await arena.attack('wait', 'closes_of_many_tasks'), done);
    await arena.ping();
    await arena.reopen();
  });

  it('leaves no task behind', async () => {
    await arena.reopen();
    assert.strictEqual(await arena.server.metric('tasks'), 0);
  });
});

describe('a script that spawns tasks without end', () => {
  it('is told of max_tasks, and they end with its connection', async () => {
    const arena = await Arena.open(['--handler-cpu-ms', '9000', '--lua-memory-mb', '1024']);
    const { payload: [count, why] } = JSON.parse(await arena.attack('wait', 'tasks_without_end'));
    assert.ok(count >= 99000, `${count}`);
    assert.match(why, /tide\.spawn: \d+ tasks are alive, which is max_tasks/);
    await arena.ping();
    await arena.reopen(10 * PATIENCE_MS); // they end all at once
    assert.strictEqual(await arena.server.metric('tasks'), 0);
    await arena.close();
  });
});

describe('a module that never ends loading', () => {
  it('is a load error', async () => {
    const folder = new URL('../support/apps/slow_load', import.meta.url).pathname;
    const { code, stderr } = await run(['check', folder, '--load-cpu-ms', '100']);
    assert.strictEqual(code, 1);
    assert.match(stderr, /slow\.lua:\d+: this takes more than load_cpu_ms, 100 ms of CPU time\n/);
  });
});

describe('a C function that does not come back', () => {
  it('ends the program, which says where', async () => {
    const server = await Server.start('attacks', { args: ['--watchdog-seconds', '1'] });
    const client = await RawClient.open(server.port, '/ws/attacks');
    client.text('{"action":"attack","payload":{"kind":"trick","name":"child_that_does_not_end"}}');
    const { code } = await server.ended();
    assert.strictEqual(code, 70);
    const line = server.records().find(({ event }) => event === 'stuck');
    assert.match(line.source, /tricks\.lua:5$/);
    assert.match(line.error, /watchdog_seconds/);
    assert.match(line.traceback, /in execute\\n.*tricks\.lua:5: in/);
    client.destroy();
  });
});
