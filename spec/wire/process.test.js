// tide.process.run, and the calls of the standard library that hold the gateway.

import assert from 'node:assert';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Lab } from '../support/lab.js';
import { PATIENCE_MS, run } from '../support/server.js';

let lab;
let client;
let folder;
before(async () => {
  folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'tidegate-')));
  lab = await Lab.start({ env: { TIDEGATE_SECRETS: 'HUSH'.repeat(8), TIDEGATE_API_TOKEN: 'HUSH'.repeat(8) } });
  client = await lab.client();
});
after(async () => {
  await lab.stop();
  fs.rmSync(folder, { recursive: true });
});

const isAlive = (pid) => {
  try {
    return !/^State:\s+Z/m.test(fs.readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
};

// A process that another one kills leaves no event here: it is asked for again.
async function gone(pid) {
  const giveUp = Date.now() + PATIENCE_MS;
  while (isAlive(pid)) {
    if (Date.now() > giveUp) throw new Error(`process ${pid} still runs`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

// The number that a child wrote into a file.
async function pidIn(name) {
  const giveUp = Date.now() + PATIENCE_MS;
  for (;;) {
    const file = path.join(folder, name);
    const text = fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : '';
    if (text.endsWith('\n')) return Number(text);
    if (Date.now() > giveUp) throw new Error(`nobody has written ${file}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const shown = 'local r, why = tide.process.run(asked) return r and r.status, r and r.signal, r and r.stdout, r and r.stderr, why';
const ran = (asked, by = client) => by.run(`local asked <const> = ${asked} ${shown}`);

describe('tide.process.run', () => {
  it('answers with the status and both outputs', async () => {
    assert.deepStrictEqual(await ran('{ "sh", "-c", "echo out; echo err >&2; exit 3" }'), [3, null, 'out\n', 'err\n', null]);
    assert.deepStrictEqual(await ran('{ "true" }'), [0, null, '', '', null]);
  });

  it('has no shell', async () => {
    assert.deepStrictEqual(await ran('{ "printf", "%s|", "$HOME", "a b", "*", ";", "" }'),
                           [0, null, '$HOME|a b|*|;||', '', null]);
  });

  it('tells the signal that ended it', async () => {
    assert.deepStrictEqual(await ran('{ "sh", "-c", "kill -TERM $$" }'), [null, 15, '', '', null]);
  });

  it('hands over what is for its standard input, which is empty otherwise', async () => {
    assert.deepStrictEqual(await ran('{ "cat", stdin = "to you" }'), [0, null, 'to you', '', null]);
    assert.deepStrictEqual(await ran('{ "cat" }'), [0, null, '', '', null]);
    assert.deepStrictEqual(await ran('{ "cat", stdin = "" }'), [0, null, '', '', null]);
    assert.deepStrictEqual(
      await client.run('return #tide.process.run{ "cat", stdin = ("x"):rep(1000000) }.stdout'), [1000000]);
    assert.deepStrictEqual(await ran('{ "true", stdin = ("x"):rep(1000000) }'), [0, null, '', '', null]);
  });

  it('runs where it is told to, with the environment that it is told', async () => {
    assert.deepStrictEqual(await ran(`{ "pwd", cwd = "${folder}" }`), [0, null, `${folder}\n`, '', null]);
    const [, , text] = await ran('{ "env", env = { TG_NEW = "a=b", HOME = false, LANG = "x" } }');
    const lines = text.split('\n');
    assert.ok(lines.includes('TG_NEW=a=b') && lines.includes('LANG=x'), text);
    assert.ok(lines.some((line) => line.startsWith('PATH=')) && !lines.some((line) => line.startsWith('HOME=')), text);
  });

  // Every program that was run had them, and whatever that ran in turn.
  it('keeps the secrets of the gateway to itself', async () => {
    for (const program of ['{ "env" }', '{ "env", env = { TG_NEW = "a" } }']) {
      const [, , text] = await ran(program);
      assert.ok(/^PATH=/m.test(text) && !text.includes('HUSH'), text);
    }
    const [, , told] = await ran('{ "env", env = { TIDEGATE_API_TOKEN = "for this one" } }');
    assert.match(told, /^TIDEGATE_API_TOKEN=for this one$/m);
  });

  it('gives it three descriptors', async () => {
    const [, , text] = await client.run(`local file <close> = io.open("/dev/null")
      local r = tide.process.run{ "ls", "/proc/self/fd" } return r.status, r.stderr, r.stdout`);
    assert.strictEqual(text, '0\n1\n2\n3\n'); // and the folder that ls reads
  });

  it('tells a program that there is not, and a folder', async () => {
    assert.deepStrictEqual(await client.run('return tide.process.run{ "no-such-program" }'),
                           [null, 'no-such-program: no such file or directory']);
    assert.deepStrictEqual(await client.run('return tide.process.run{ "true", cwd = "/nowhere" }'),
                           [null, 'true: no such file or directory']);
  });

  it('kills it, and what it started, when its time is over', async () => {
    assert.deepStrictEqual(
      await client.run(`return tide.process.run{ "sh", "-c", "sleep 1000 & echo $! > ${folder}/late; wait", timeout = 0.3 }`),
      [null, 'timeout']);
    await gone(await pidIn('late'));
  });

  it('kills it when it says too much', async () => {
    assert.deepStrictEqual(await client.run('return tide.process.run{ "yes" }'), [null, 'too much output']);
    assert.deepStrictEqual(
      await client.run('return tide.process.run{ "sh", "-c", "yes >&2", max_output_bytes = 10 }'), [null, 'too much output']);
    assert.deepStrictEqual(
      await client.run('return tide.process.run{ "printf", "0123456789", max_output_bytes = 10 }.stdout'), ['0123456789']);
  });

  it('kills what it left behind', async () => {
    assert.deepStrictEqual(await ran(`{ "sh", "-c", "sleep 1000 & echo $! > ${folder}/left" }`), [0, null, '', '', null]);
    await gone(await pidIn('left'));
  });

  it('kills it when its client leaves', async () => {
    const other = await lab.client();
    other.begin(`return tide.process.run{ "sh", "-c", "echo $$ > ${folder}/left_alone; exec sleep 1000" }`);
    const pid = await pidIn('left_alone');
    assert.ok(isAlive(pid));
    other.leave();
    await gone(pid);
    await lab.server.metricUntil('processes', (processes) => processes === 0);
  });

  it('keeps nobody waiting', async () => {
    const other = await lab.client();
    other.begin('return tide.process.run{ "cat", "/dev/zero", max_output_bytes = 1000000 }');
    client.begin('return tide.process.run{ "sleep", "0.5" }.status');
    assert.deepStrictEqual(await (await lab.client()).run('return 1'), [1]);
    assert.deepStrictEqual(await other.results(), [null, 'too much output']);
    assert.deepStrictEqual(await client.results(), [0]);
  });

  it('says how it is used', async () => {
    for (const [asked, expected] of [
      ['nil', /spec:2: tide\.process\.run: needs a program, as in tide\.process\.run \{ "date", "\+%F" \}/],
      ['{}', /needs a program/],
      ['{ "echo", 1 }', /the program and its arguments are strings, got the number 1/],
      ['{ "echo", "a\\0b" }', /the program and its arguments are strings/],
      ['{ "echo", stdin = 1 }', /option "stdin" must be a string, got the number 1/],
      ['{ "echo", timeout = 0 }', /option "timeout" must be a number of seconds, more than 0 and at most a day/],
      ['{ "echo", env = { "A=b" } }', /option "env" must be a table of strings by the names of variables/],
      ['{ "echo", timout = 1 }', /unknown option "timout"; did you mean "timeout"\?/],
      ['{ "echo", max_output_bytes = 1 << 40 }', /at most the setting process_max_output_bytes, 1048576/],
    ])
      assert.match(await client.raised(`tide.process.run(${asked})`), expected);
  });

  it('is refused when there are too many', async () => {
    const small = await Lab.start({ args: ['--process-max-concurrent', '1', '--process-timeout-seconds', '1'] });
    const [first, second] = [await small.client(), await small.client()];
    first.begin(`return tide.process.run{ "sh", "-c", "echo $$ > ${folder}/first; exec sleep 1000" }`);
    await pidIn('first');
    assert.deepStrictEqual(await second.run('return tide.process.run{ "true" }'), [null, 'too many processes']);
    assert.strictEqual(await small.server.metric('processes_refused_total'), 1);
    assert.deepStrictEqual(await first.results(), [null, 'timeout']); // the setting's
    assert.deepStrictEqual(await second.run('return tide.process.run{ "true" }.status'), [0]);
    await small.stop();
  });

  it('ends with the gateway, however that ends', async () => {
    for (const [name, signals] of [['once', 1], ['twice', 2]]) {
      const brief = await Lab.start({ args: ['--drain-seconds', signals === 1 ? '0' : '1000'] });
      const guest = await brief.client();
      guest.raw.socket.pause(); // it does not answer our close frame
      guest.begin(`return tide.process.run{ "sh", "-c", "trap '' TERM INT; echo $$ > ${folder}/${name}; sleep 1000" }`);
      const pid = await pidIn(name);
      if (signals === 1) {
        await brief.server.stop();
      } else {
        brief.server.signal('SIGTERM');
        await brief.server.record(({ event }) => event === 'stopping', 'the first signal');
        brief.server.signal('SIGTERM');
        assert.strictEqual((await brief.server.ended()).code, 128 + 15);
        await brief.server.forceEnd();
      }
      await gone(pid);
      guest.leave();
    }
  });
});

describe('a gateway that is killed', () => {
  it('takes its children along', async () => {
    const brief = await Lab.start();
    const guest = await brief.client();
    guest.begin(`return tide.process.run{ "sh", "-c", "sleep 1000 & echo $! > ${folder}/orphan; wait" }`);
    const pid = await pidIn('orphan');
    await brief.server.metricUntil('processes', (processes) => processes === 1);
    await brief.server.forceEnd();
    await gone(pid);
    guest.leave();
  });

  it('and no process of its own stays', async () => {
    const brief = await Lab.start();
    const guest = await brief.client();
    await guest.run('return tide.process.run{ "true" }.status');
    const children = fs.readFileSync(`/proc/${brief.server.pid}/task/${brief.server.pid}/children`, 'utf8').trim().split(' ');
    assert.strictEqual(children.length, 1, `${children}`);
    await brief.stop();
    await gone(Number(children[0]));
  });
});

describe('a call that holds the gateway', () => {
  const told = (call) => lab.server.record((line) => line.event === 'blocking_call' && line.call === call, call);

  it('works, and is named with its line and how long it took', async () => {
    assert.deepStrictEqual(await client.run('return os.execute("sleep 0.05")'), [true, 'exit', 0]);
    const line = await told('os.execute');
    assert.strictEqual(line.level, 'warning');
    assert.strictEqual(line.source, 'spec:2');
    assert.ok(Number(line.ms) >= 50, line.ms);
    assert.ok(await lab.server.metric('blocking_calls_total') >= 1);
  });

  it('is each read of a pipe or a file, by whatever name', async () => {
    execFileSync('mkfifo', [path.join(folder, 'fifo')]);
    const results = await client.run(`
      local pipe = io.popen "sleep 0.05; echo a; sleep 0.05; echo b; exit 4"
      local a = pipe:read()
      local lines = {}
      for line in pipe:lines() do lines[#lines + 1] = line end
      local _, _, status = pipe:close()
      local slow = io.popen "sleep 0.05"
      slow:close()
      os.execute("(sleep 0.05; echo c) > ${folder}/fifo &")
      local c = io.lines("${folder}/fifo")()
      return a, lines[1], status, c`);
    assert.deepStrictEqual(results, ['a', 'b', 4, 'c']);
    assert.strictEqual((await told('file:read')).source, 'spec:4');
    assert.strictEqual((await told('file:lines')).source, 'spec:6');
    assert.strictEqual((await told('file:close')).source, 'spec:9');
    assert.strictEqual((await told('io.lines')).source, 'spec:11');
  });

  it('raises what it always did, with its line', async () => {
    assert.strictEqual(await client.raised('io.lines "/nowhere" ()'),
                       'spec:2: cannot open file \'/nowhere\' (No such file or directory)');
    assert.match(await client.raised('io.popen("true", "x")'), /^spec:2: bad argument #2 to 'popen' \(invalid mode\)/);
  });

  it('is not named when it is short', async () => {
    await client.run(`local file <close> = io.open("/proc/self/status") return file:read "a"`);
    await client.run('os.execute("sleep 0.02")'); // a line that comes later
    const lines = lab.server.records().filter((line) => line.event === 'blocking_call');
    assert.deepStrictEqual(lines.filter((line) => Number(line.ms) < 5), []);
  });

  it('is not even looked at in production', async () => {
    const production = await Lab.start({ args: ['--mode', 'production'] });
    const guest = await production.client();
    assert.deepStrictEqual(await guest.run('return os.execute("sleep 0.05")'), [true, 'exit', 0]);
    await production.stop();
    assert.deepStrictEqual(production.server.records().filter((line) => line.event === 'blocking_call'), []);
  });
});

describe('while modules load', () => {
  const checked = async (code) => {
    fs.writeFileSync(path.join(folder, 'app.lua'), `local tide <const> = require "tidegate"\n${code}\n`);
    const { code: status, stderr } = await run(['check', folder]);
    assert.strictEqual(status, 1);
    return stderr;
  };

  it('nothing is run and nobody is called', async () => {
    assert.match(await checked('tide.process.run { "true" }'), /app\.lua:2: cannot wait while loading/);
    assert.match(await checked('tide.tcp.connect("127.0.0.1", 1)'), /app\.lua:2: cannot wait while loading/);
  });
});
