// Scripts that try to take the gateway down. Whatever one does, it fails alone: another client is answered all
// the while, the log says what happened, and the next message is handled as ever.
import assert from 'node:assert';
import { after, before, describe, it } from 'node:test';

import { RawClient } from '../support/raw.js';
import { run, Server } from '../support/server.js';

const failed = '{"action":"error","payload":{"detail":"Failed to process message"}}';
const pong = '{"action":"pong"}';

class Arena {
  static async open(args) {
    const arena = new Arena();
    arena.server = await Server.start('attacks', { args });
    arena.attacker = await RawClient.open(arena.server.port, '/ws/attacks');
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

  // The lines of the log so far about failures, and none of them again.
  failures() {
    const all = this.server.records().filter(({ level }) => level === 'error');
    const fresh = all.slice(this.told || 0);
    this.told = all.length;
    return fresh;
  }

  async close() {
    this.attacker.destroy();
    await this.server.stop();
  }
}

describe('a script that takes all memory', () => {
  let arena;
  before(async () => { arena = await Arena.open(['--lua-memory-mb', '24']); });
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
    const { code, stderr } = await run(['check', folder, '--lua-memory-mb', '16']);
    assert.strictEqual(code, 1);
    assert.match(stderr, /hog\.lua: loading takes more than lua_memory_mb, 16 MB: load less, or raise it/);
  });
});
