// Edits by chance: files that are written, broken, half written, swapped with others, deleted, saved by renaming, one
// shortly after the other. The answer to a message has the stamps of two files. Whatever happens, it is what the last
// good edit has left, or the one before while the gateway has not said that it serves; each pair lay on disk
// together; and what is refused changes nothing. EDITS=1000 STORM_SEED=7 for more of them, or others.

import assert from 'node:assert';
import fs from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { withFolder } from '../support/pages.js';
import { Random } from '../support/random.js';
import { RawClient } from '../support/raw.js';
import { Server } from '../support/server.js';

const EDITS = Number(process.env.EDITS || 150);
const SEED = Number(process.env.STORM_SEED || Date.now() % 100000);
const PATIENCE_MS = 20000;

const TALK = `
local tide <const> = require "tidegate"
local s <const> = tide.schema
local left <const> = require "left"
local right <const> = require "right"
local ask <const> = tide.message "ask"
local answer <const> = tide.message("answer", { left = s.integer(), right = s.integer() })
local Talk <const> = tide.consumer { path = "/ws/talk" }
Talk:on(ask, { output = answer }, function()
  return answer { left = left, right = right }
end)
return Talk
`;
const good = (stamp) => `-- ${'.'.repeat(stamp % 97)}\nreturn ${stamp}\n`;
const broken = (stamp) => [
  `return ${stamp} +\n`, `return ${stamp}\nend\n`, `error "${stamp}"\n`, `return { ${stamp}\n`, `return nothing.${stamp % 7}\n`,
  `return require("missing${stamp}")\n`,
][stamp % 6];

// What lies on disk, and what it means: a file's stamp, or null where the file cannot be loaded.
class Disk {
  constructor(folder) {
    Object.assign(this, { folder, stamps: { left: 1, right: 1 }, last: 1, pairs: new Set(['1 1']) });
  }

  at(name) { return path.join(this.folder, name); }

  next() { return this.last += 1; }

  get pair() {
    const { left, right } = this.stamps;
    return left && right ? `${left} ${right}` : null;
  }

  // What lies there from now on.
  note(name, stamp) {
    this.stamps[name] = stamp;
    if (this.pair) this.pairs.add(this.pair);
  }

  write(name, text) { fs.writeFileSync(this.at(`${name}.lua`), text); }

  rename(from, to) { fs.renameSync(this.at(from), this.at(to)); }

  save(name) {
    const stamp = this.next();
    this.write(name, good(stamp));
    this.note(name, stamp);
  }

  replace(name) {
    const stamp = this.next();
    fs.writeFileSync(this.at(`${name}.lua~`), good(stamp));
    this.rename(`${name}.lua~`, `${name}.lua`);
    this.note(name, stamp);
  }

  // Both, one right after the other: the pair between them lay on disk as well.
  saveBoth() {
    this.replace('left');
    this.replace('right');
  }

  break(name) {
    this.write(name, broken(this.next()));
    this.note(name, null);
  }

  remove(name) {
    fs.rmSync(this.at(`${name}.lua`), { force: true });
    this.note(name, null);
  }

  // In two pieces with time between them; each piece alone would be right, and is nobody's.
  async half(name, random) {
    const stamp = this.next();
    const file = fs.openSync(this.at(`${name}.lua`), 'w');
    fs.writeSync(file, 'return -1 --');
    await sleep(random.whole(0, 25));
    fs.ftruncateSync(file, 0);
    fs.writeSync(file, good(stamp), 0);
    fs.closeSync(file);
    this.note(name, stamp);
  }

  // Half a file that stays.
  leaveHalf(name) {
    const text = `return ${this.next()}\nlocal function half(`;
    this.write(name, text);
    this.note(name, null);
  }

  // Each gets the other's text; for a moment there is no left.
  swap() {
    const { left, right } = this.stamps;
    if (!left || !right) return this.save('left');
    this.rename('left.lua', 'left.lua~');
    this.note('left', null);
    this.rename('right.lua', 'left.lua');
    this.rename('left.lua~', 'right.lua');
    this.stamps = { left: null, right: null };
    this.note('left', right);
    this.note('right', left);
    return undefined;
  }

  async edit(random) {
    const name = random.pick(['left', 'right']);
    const kind = random.whole(1, 100);
    if (kind <= 12) this.save(name);
    else if (kind <= 24) this.replace(name);
    else if (kind <= 30) this.saveBoth();
    else if (kind <= 37) await this.half(name, random);
    else if (kind <= 44) this.swap();
    else if (kind <= 78) this.break(name);
    else if (kind <= 92) this.leaveHalf(name);
    else if (fs.existsSync(this.at(`${name}.lua`))) this.remove(name);
    else this.break(name);
    // What is broken is mended sooner or later.
    const other = name === 'left' ? 'right' : 'left';
    if (kind <= 44 && !this.stamps[other]) this.save(other);
  }
}

class Talker {
  constructor(raw, disk) {
    Object.assign(this, { raw, disk });
  }

  async ask() {
    this.raw.json({ action: 'ask' });
    const { action, payload } = await this.raw.nextJson();
    assert.strictEqual(action, 'answer', JSON.stringify(payload));
    const pair = `${payload.left} ${payload.right}`;
    assert.ok(this.disk.pairs.has(pair), `${pair} never lay on disk together`);
    return pair;
  }
}

const count = (server, pattern) => [...server.stdout.matchAll(pattern)].length;
const RELOADED = /^reloaded generation \d+ in /gm;
const REFUSED = /^not reloaded: /gm;

// How it went: it serves what lies there, or it has said that it cannot; meanwhile it is what it was.
async function settle(server, talker, disk, refused) {
  const giveUp = Date.now() + PATIENCE_MS;
  for (;;) {
    const pair = await talker.ask();
    if (disk.pair && pair === disk.pair) return pair;
    if (!disk.pair && count(server, REFUSED) > refused) return pair;
    if (Date.now() > giveUp) throw new Error(`answers ${pair}, and there lies ${disk.pair}:\n${server.stdout.slice(-500)}`);
    await sleep(2);
  }
}

async function play(server, talker, disk, random) {
  for (let i = 0; i < EDITS; i += 1) {
    const refused = count(server, REFUSED);
    await disk.edit(random);
    await settle(server, talker, disk, refused);
  }
  return { swapped: count(server, RELOADED), refused: count(server, REFUSED) };
}

describe(`${EDITS} edits by chance (seed ${SEED})`, { timeout: 600000 }, () => {
  it('never have a mixture of files served, nor broken ones', (test) => withFolder(
    { 'app/talk.lua': TALK, 'app/left.lua': good(1), 'app/right.lua': good(1) },
    async (folder) => {
      const disk = new Disk(path.join(folder, 'app'));
      const server = await Server.start(disk.folder, { args: ['--reload', '--log-level', 'error'] });
      const talker = new Talker(await RawClient.open(server.port, '/ws/talk'), disk);
      const { swapped, refused } = await play(server, talker, disk, new Random(SEED));
      test.diagnostic(`${swapped} swapped in, ${refused} refused, ${disk.pairs.size} pairs lay on disk`);
      assert.ok(swapped >= 0.3 * EDITS && refused >= 0.3 * EDITS, `${swapped} swapped in, ${refused} refused`);
      talker.raw.destroy();
      await server.stop();
    }));
});
