// Random edits of an application that is under development: saved, saved wrong, half written, deleted, put in each
// other's place. What each does to the disk is noted step by step, so that it is known which pairs of files lay there
// together. All the while a client asks, and every reply carries the stamps of both files.
//
//     RELOAD_EDITS=1000 RELOAD_EDITS_SEED=7
//
// What holds for each reply: its two stamps lay on disk together, since the edit before or by this one. And when an
// edit is done with, the code on disk answers, or, where that is broken, the last that was good.

import assert from 'node:assert';
import fs from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';

import { withFolder } from '../support/pages.js';
import { Random } from '../support/random.js';
import { RawClient } from '../support/raw.js';
import { PATIENCE_MS, Server } from '../support/server.js';

const EDITS = Number(process.env.RELOAD_EDITS || 200);
const SEED = Number(process.env.RELOAD_EDITS_SEED || Date.now() % 100000);
const OF_EACH_KIND = EDITS < 1000 ? 0.2 : 0.3; // at least so many are swapped in, and so many refused

// Both modules say who they are, so that a file in the place of the other is no stamp of its own.
const MAIN = `
local tide <const> = require "tidegate"
local s <const> = tide.schema
local is_left <const>, left <const> = pcall(require, "lib.left")
local enough <const> = os.clock() + 0.01 -- in which somebody else saves both
while os.clock() < enough do end
local is_right <const>, right <const> = pcall(require, "lib.right") -- is read, whatever the other one is
if not (is_left and is_right) then error(is_left and right or left, 0) end
for _, stamp in ipairs { left, right } do
  assert(math.type(stamp.head) == "integer" and stamp.head == stamp.tail, "half of a file is no stamp")
end
assert(left.head ~= right.head, "both files are the same")
local pair <const> = tide.message("pair", s.string())
local Stamps <const> = tide.consumer { name = "stamps", path = "/ws/stamps" }
Stamps:on(tide.message "ask", { output = pair }, function()
  return pair(left.head .. " " .. right.head)
end)
return Stamps
`;
const good = (stamp) => `local head <const> = ${stamp}\nreturn { head = head, tail = ${stamp} }\n`;

const SIDES = ['left', 'right'];
const BREAKS = [
  (stamp) => `return { head = ${stamp}, tail = ${stamp}\n`, // syntax
  (stamp) => `return { head = ${stamp}, tail = nothing.at.all }\n`, // raises
  (stamp) => `return { head = ${stamp}, tail = ${stamp + 1} }\n`, // loads, and is refused by who requires it
  (stamp) => `-- ${stamp}\n`, // returns nothing
];

class Application {
  constructor(folder, random) {
    this.folder = folder;
    this.random = random;
    this.stamp = 0;
    this.texts = {}; // what lies on disk; undefined: nothing does
    fs.mkdirSync(path.join(folder, 'lib'));
    this.pairs = new Set(); // those on disk together since the edit before
    for (const side of SIDES) this.write(side, good(this.next()));
  }

  next() { this.stamp += 2; return this.stamp; }

  at(side) { return path.join(this.folder, 'lib', `${side}.lua`); }

  // The pair that the files make; null where they make none.
  get pair() {
    const stamps = SIDES.map((side) => /^local head <const> = (\d+)\nreturn \{ head = head, tail = \1 \}\n$/
      .exec(this.texts[side] ?? '')?.[1]);
    return stamps[0] && stamps[1] && stamps[0] !== stamps[1] ? stamps.join(' ') : null;
  }

  // A step: what lies on disk from here on.
  now(texts) {
    Object.assign(this.texts, texts);
    if (this.pair) this.pairs.add(this.pair);
  }

  write(side, text) {
    fs.writeFileSync(this.at(side), text);
    this.now({ [side]: text });
  }

  replace(side, text) {
    fs.writeFileSync(`${this.at(side)}.new~`, text);
    fs.renameSync(`${this.at(side)}.new~`, this.at(side));
    this.now({ [side]: text });
  }

  save(side, text) { (this.random.chance(50) ? this.write : this.replace).call(this, side, text); }

  // In two pieces, in one file that stays open or in one that is opened twice, with time between them.
  async halve(side, text) {
    const at = this.random.whole(1, text.length - 1);
    const isKeptOpen = this.random.chance(50);
    let file = fs.openSync(this.at(side), 'w');
    fs.writeSync(file, text.slice(0, at));
    if (!isKeptOpen) fs.closeSync(file);
    this.now({ [side]: text.slice(0, at) });
    await this.pause();
    if (!isKeptOpen) file = fs.openSync(this.at(side), 'a');
    fs.writeSync(file, text.slice(at));
    fs.closeSync(file);
    this.now({ [side]: text });
  }

  async swap() {
    const aside = `${this.at('left')}.aside~`;
    const { left, right } = this.texts;
    fs.renameSync(this.at('left'), aside);
    this.now({ left: undefined });
    if (this.random.chance(50)) await this.pause();
    fs.renameSync(this.at('right'), this.at('left'));
    this.now({ left: right, right: undefined });
    if (this.random.chance(50)) await this.pause();
    fs.renameSync(aside, this.at('right'));
    this.now({ right: left });
  }

  // Again and again, also while the files are read.
  async saveMany() {
    for (let left = this.random.whole(3, 8); left > 0; left -= 1) {
      this.save(this.random.pick(SIDES), good(this.next()));
      await this.pause();
    }
  }

  remove(side) {
    fs.unlinkSync(this.at(side));
    this.now({ [side]: undefined });
  }

  pause() { return new Promise((resolve) => { setTimeout(resolve, this.random.whole(0, 25)); }); }

  // One edit, any. Of two at what is broken one mends it, so that good code is not rare.
  async edit() {
    const { random } = this;
    const isWhole = this.pair !== null;
    const side = random.pick(SIDES);
    const kind = random.whole(0, isWhole ? 13 : 5);
    if (!isWhole && kind < 3) for (const name of SIDES) this.save(name, good(this.next()));
    else if (kind < 4) this.save(side, good(this.next()));
    else if (kind < 5) await this.halve(side, good(this.next()));
    else if (kind < 6) this.save(side, random.pick(BREAKS)(this.next()));
    else if (kind < 7) await this.swap();
    else if (kind < 8) await this.saveMany();
    else if (kind < 9) this.remove(side);
    else this.save(side, random.pick(BREAKS)(this.next()));
  }
}

// Asks without an end, and looks at each reply.
class Asker {
  constructor(client, application) {
    Object.assign(this, { client, application, replies: 0, last: null, news: [], wrong: [] });
    this.done = this.run();
  }

  async run() {
    while (!this.isEnough) {
      this.client.json({ action: 'ask' });
      const { action, payload } = await this.client.nextJson();
      const { pairs } = this.application;
      if (action !== 'pair' || !pairs.has(payload))
        this.wrong.push(`${action} ${JSON.stringify(payload)}, but there were ${[...pairs].join(', ')}`);
      this.replies += 1;
      this.last = payload;
      this.news.splice(0).forEach((tell) => tell());
    }
  }

  async stop() {
    this.isEnough = true;
    await this.done;
    this.client.destroy();
  }

  // The reply to a question that is asked from here on.
  async next() {
    for (let i = 0; i < 2; i += 1) await new Promise((resolve) => { this.news.push(resolve); });
    return this.last;
  }
}

const failures = (server) => server.stdout.split('\nnot reloaded: ').length;

// Waits until what an edit has led to is there; returns the pair that is served then.
async function settle(server, asker, { pair }, failed) {
  const isThere = pair ? () => asker.last === pair : () => failures(server) > failed;
  const deadline = Date.now() + PATIENCE_MS;
  while (!isThere()) {
    assert.ok(Date.now() < deadline, `${pair ?? 'what is broken'} is on disk, ${asker.last} is served; the last lines:
${server.stdout.slice(-600)}`);
    await asker.next();
  }
  return asker.next();
}

async function editAll(server, application, asker) {
  const counts = { swapped: 0, refused: 0 };
  let served = await asker.next();
  for (let i = 0; i < EDITS; i += 1) {
    const failed = failures(server);
    application.pairs = new Set([served, application.pair ?? served]);
    await application.edit();
    const now = await settle(server, asker, application, failed);
    assert.deepStrictEqual(asker.wrong, [], `edit ${i}`);
    if (application.pair) assert.strictEqual(now, application.pair, `edit ${i}`);
    if (!application.pair) counts.refused += 1;
    else if (now !== served) counts.swapped += 1;
    served = now;
  }
  return counts;
}

describe(`${EDITS} edits, whatever they are (seed ${SEED})`, { timeout: 600000 }, () => {
  it('are served whole or not at all', (test) => withFolder({ 'main.lua': MAIN }, async (folder) => {
    const application = new Application(folder, new Random(SEED));
    const server = await Server.start(folder, { args: ['--reload'] });
    const asker = new Asker(await RawClient.open(server.port, '/ws/stamps'), application);
    try {
      const counts = await editAll(server, application, asker);
      test.diagnostic(`${counts.swapped} swapped in, ${counts.refused} refused, ${asker.replies} replies`);
      for (const count of Object.values(counts)) assert.ok(count >= EDITS * OF_EACH_KIND, JSON.stringify(counts));
    } finally {
      await asker.stop();
    }
    assert.strictEqual(await server.metric('generation'), 1 + server.stdout.split('\nreloaded ').length - 1);
    assert.strictEqual(await server.metric('generations_alive'), 1);
    await server.stop();
  }));
});
