// `tidegate test`: the program runs busted, and specs may wait in it.

import assert from 'node:assert';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { BINARY, run, until } from '../support/server.js';

let folder;

beforeEach(() => {
  folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'tidegate-test-')));
});
afterEach(() => fs.rmSync(folder, { recursive: true }));

// Writes a file below the folder of the test, at once: whoever watches sees it whole.
function write(name, text) {
  const file = path.join(folder, name);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(`${file}.part`, text);
  fs.renameSync(`${file}.part`, file);
}

const lines = (...list) => `${list.join('\n')}\n`;
const inIt = (name, ...body) => lines(
  'local tide <const> = require "tidegate"', `describe("d", function() it("${name}", function()`, ...body, 'end) end)');
const test = (...args) => run(['test', folder, ...args]);

async function passes(...body) {
  write('spec/one_spec.lua', inIt('passes', ...body));
  const { code, stdout, stderr } = await test('-o', 'TAP');
  assert.strictEqual(code, 0, stdout + stderr);
  assert.match(stdout, /^ok 1 - d passes$/m);
}

describe('the exit status of `tidegate test`', () => {
  const ends = async (expected, body, ...args) => {
    write('spec/one_spec.lua', inIt('ends', body));
    const { code, stdout, stderr } = await test('-o', 'TAP', ...args);
    assert.strictEqual(code, expected, stdout + stderr);
    return stdout;
  };

  it('is 0 when all specs pass', async () => {
    assert.match(await ends(0, 'assert.equal(1, 1)'), /^ok 1 - d ends$/m);
  });

  it('is 1 when one fails, and the report names its line', async () => {
    assert.match(await ends(1, 'assert.equal(1, 2)'), /^not ok 1 - d ends\n# .*one_spec\.lua @ 2/m);
  });

  it('is 1 when one raises', async () => {
    assert.match(await ends(1, 'error "no good"'), /no good/);
  });

  it('is that of os.exit in a spec, whose variables are closed', async () => {
    const stdout = await ends(7, [
      'local _ <close> = setmetatable({}, { __close = function() print "closed" end })', 'os.exit(7)'].join('\n'));
    assert.match(stdout, /^closed$/m);
  });

  it('is that of os.exit where nothing can wait', async () => {
    await ends(6, 'table.sort({ 2, 1 }, function() os.exit(6) end)');
  });

  it('is 1 when a spec file does not compile, and the others run', async () => {
    write('spec/broken_spec.lua', 'local x = \n');
    const stdout = await ends(1, 'assert.is_true(true)', '-o', 'plainTerminal');
    assert.match(stdout, /^1 success \/ 0 failures \/ 1 error/m);
    assert.match(stdout, /broken_spec\.lua:\d+: /);
  });

  it('is 1 when there is no spec', async () => {
    const { code, stdout } = await test();
    assert.strictEqual(code, 1);
    assert.match(stdout, /spec/);
  });

  it('is 1 when busted is not installed, and the package is named', async () => {
    const { code, stderr } = await run(['test', folder], { env: { LUA_PATH_5_4: '/nowhere/?.lua' } });
    assert.strictEqual(code, 1);
    assert.match(stderr, /busted is not installed.*lua-busted/);
  });
});

describe('what `tidegate test` hands on to busted', () => {
  const names = (stdout) => [...stdout.matchAll(/^ok \d+ - (.*)$/gm)].map((found) => found[1]);
  const three = lines('describe("d", function()', 'it("a #slow", function() end)', 'it("b", function() end)',
    'it("c", function() end)', 'end)');

  it('is every option: filters, tags, repetition, order', async () => {
    write('spec/one_spec.lua', three);
    const told = async (...args) => names((await test('-o', 'TAP', ...args)).stdout);
    assert.deepStrictEqual(await told('--filter', 'b'), ['d b']);
    assert.deepStrictEqual(await told('--tags=slow'), ['d a #slow']);
    assert.deepStrictEqual(await told('--exclude-tags=slow'), ['d b', 'd c']);
    assert.strictEqual((await told('--repeat=3')).length, 9);
    const shuffled = await told('--shuffle', '--seed=5');
    assert.deepStrictEqual(await told('--shuffle', '--seed=5'), shuffled);
    assert.deepStrictEqual([...shuffled].sort(), ['d a #slow', 'd b', 'd c']);
  });

  it('is a file, alone', async () => {
    write('spec/one_spec.lua', inIt('one'));
    write('spec/two_spec.lua', inIt('two'));
    assert.deepStrictEqual(names((await test('-o', 'TAP', 'spec/two_spec.lua')).stdout), ['d two']);
  });

  it('is .busted of the folder, but not another Lua', async () => {
    write('.busted', 'return { _all = { lua = "/bin/false" }, default = { ROOT = { "checks" }, pattern = "_check" } }');
    write('checks/one_check.lua', inIt('checked'));
    assert.deepStrictEqual(names((await test('-o', 'TAP')).stdout), ['d checked']);
  });

  it('is the file of a JUnit report, which is well formed', async () => {
    write('spec/one_spec.lua', lines('describe("d", function() it("a < b & c", function() assert.equal(1, 2) end) end)'));
    const { code } = await test('-o', 'junit', '-Xoutput', 'report.xml');
    assert.strictEqual(code, 1);
    const xml = fs.readFileSync(path.join(folder, 'report.xml'), 'utf8');
    const [, suites] = /<testsuites([^>]*)>/.exec(xml);
    for (const attribute of ["tests='1'", "errors='0'", "failures='1'"]) assert.ok(suites.includes(attribute), suites);
    assert.match(xml, /a &lt; b &amp; c/);
    const open = [];
    for (const [, closing, name, selfClosing] of xml.matchAll(/<(\/?)([a-z]+)(?:\s+[a-z]+='[^'<]*')*\s*(\/?)>/g))
      if (closing) assert.strictEqual(open.pop(), name);
      else if (!selfClosing) open.push(name);
    assert.deepStrictEqual(open, []);
  });

  it('is told by --help, behind what is our own', async () => {
    const { code, stdout } = await run(['test', '--help']);
    assert.strictEqual(code, 0);
    const at = ['tidegate test [DIR]', '--coverage', '--watch', 'all options of busted', '--exclude-pattern']
      .map((text) => stdout.indexOf(text));
    assert.ok(at.every((place, index) => place > (index ? at[index - 1] : -1)), at.join());
  });
});

describe('a spec under `tidegate test`', () => {
  it('waits in before_each, it and coroutines for real time', async () => {
    write('spec/one_spec.lua', lines(
      'local tide <const> = require "tidegate"', 'local began', 'describe("d", function()',
      'before_each(function() began = tide.clock() tide.sleep(0.05) end)',
      'it("passes", function()', '  assert.is_true(tide.clock() - began >= 0.05)',
      '  local wait = coroutine.wrap(function() tide.sleep(0.05) coroutine.yield "half" return "all" end)',
      '  assert.equal("half", wait())', '  assert.is_true(tide.clock() - began >= 0.1)',
      '  assert.equal("all", wait())', 'end) end)'));
    const { code, stdout } = await test('-o', 'TAP');
    assert.strictEqual(code, 0, stdout);
  });

  it('measures a wait from when it begins, however long it has computed', async () => {
    await passes(
      'local clock <const> = os.clock', 'local began <const> = clock()', 'while clock() - began < 0.3 do end',
      'local before <const> = tide.now()', 'tide.sleep(0.1)', 'assert.is_true(tide.now() - before >= 0.09)');
  });

  it('waits for a program', async () => {
    await passes('assert.equal("hi\\n", assert(tide.process.run { "echo", "hi" }).stdout)');
  });

  it('waits for several things at once', async () => {
    await passes(
      'local order <const> = {}',
      'tide.gather { function() tide.sleep(0.2) order[#order + 1] = "b" end, function() order[#order + 1] = "a" end }',
      'assert.same({ "a", "b" }, order)');
  });

  it('talks to a server', async () => {
    const server = http.createServer((request, response) => response.end(`you asked for ${request.url}`));
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      await passes(
        `local answer <const> = assert(tide.http.get "http://127.0.0.1:${server.address().port}/x")`,
        'assert.equal("you asked for /x", answer.body)');
    } finally {
      server.close();
    }
  });

  it('finds the modules of the application as `tidegate run` does, with its own tide', async () => {
    write('consumers/chat/words.lua', 'return { tide = require "tidegate" }');
    write('consumers/plain.lua', 'return "plain"');
    write('consumers/chat/init.lua', 'return "chat"');
    write('beside.lua', 'return "beside"');
    await passes(
      'assert.equal(tide, require("chat.words").tide)', 'assert.equal("plain", require "plain")',
      'assert.equal("chat", require "chat")', 'assert.equal("beside", require "beside")');
  });

  it('has all libraries, and is in development', async () => {
    await passes(
      'assert.is_function(debug.getinfo)', 'assert.is_function(package.loadlib)', 'assert.is_function(io.popen)',
      'local checked <const> = tide.message("m", { a = tide.schema.string() })',
      'assert.has_error(function() checked { a = 1 } end)');
  });

  it('may take as much memory and time as it likes', async () => {
    await passes(
      'local texts <const> = {}', 'for i = 1, 300 do texts[i] = ("x"):rep(1024):rep(1024) end',
      'local began <const> = os.clock()', 'while os.clock() - began < 0.4 do end');
  });
});

describe('the test kit under `tidegate test`', () => {
  const chat = lines( //                                                 line
    'local tide <const> = require "tidegate"', //                           1
    'local say <const> = tide.message("say", { text = tide.schema.string() })',
    'local Chat <const> = tide.consumer { path = "/ws/chat", sends = { say } }',
    'Chat:on(say, { output = say }, function(_, message)', //               4
    '  tide.sleep(60)', //                                                  5
    '  return say(message.payload)', //                                     6
    'end)', //                                                              7
    'return Chat');
  const talks = [
    'local client <const> = app:connect "/ws/chat"',
    'client:send { action = "say", payload = { text = "hi" } }',
    'app:advance(60)', 'assert.equal("hi", client:receive().payload.text)'];

  it('tests applications, whose time stands still while a spec waits', async () => {
    write('consumers/chat.lua', chat);
    await passes(
      'local app <close> = require("tidegate.testing").app "."', 'tide.sleep(0.05)', 'assert.equal(0, app:now())',
      ...talks, 'assert.equal(60, app:now())');
  });

  it('takes consumers that a spec declares itself, before and after the kit was loaded', async () => {
    const declared = chat.replace('return Chat\n', '');
    for (const loads of ['', 'require "tidegate.testing"']) {
      write('spec/one_spec.lua', lines('describe("d", function() it("passes", function()', loads, declared,
        'local app <close> = require("tidegate.testing").app(Chat)', 'tide.sleep(0.05)', ...talks, 'end) end)'));
      const { code, stdout } = await test('-o', 'TAP');
      assert.strictEqual(code, 0, stdout);
    }
  });

  it('reads JSON Schema files before any application is open, with and without the kit', async () => {
    write('spec/name.json', '{"type":"string","maxLength":3}');
    for (const loads of ['', 'require "tidegate.testing"']) {
      write('spec/one_spec.lua', lines(loads, inIt('passes',
        'local name <const> = tide.schema.from_json_schema "name.json"',
        'assert.equal("string", name:json_schema().type)')));
      const { code, stdout, stderr } = await test('-o', 'TAP');
      assert.strictEqual(code, 0, stdout + stderr);
    }
  });

  it('counts the lines of applications', async () => {
    write('consumers/chat.lua', chat);
    write('spec/one_spec.lua', inIt('talks', 'local app <close> = require("tidegate.testing").app "."', ...talks));
    const { code, stderr } = await test('--coverage');
    assert.strictEqual(code, 0, stderr);
    assert.match(stderr, /^consumers\/chat\.lua +8 +8 +100\.0$/m);
  });

  it('lets --watch know what an application has loaded', async () => {
    write('consumers/chat.lua', chat);
    write('spec/chat_spec.lua', inIt('talks', 'local app <close> = require("tidegate.testing").app "."', ...talks));
    write('spec/other_spec.lua', inIt('is'));
    const running = new Running('--watch', '-o', 'TAP');
    try {
      await running.says(/watch: waiting for changes\n/);
      write('consumers/chat.lua', `${chat}-- changed\n`);
      await running.says(/watch: consumers\/chat\.lua has changed: running spec\/chat_spec\.lua\nok 1 - d talks\n/);
    } finally {
      await running.stop();
    }
  });
});

// A command that goes on until it is told to stop.
class Running {
  constructor(...args) {
    this.output = '';
    this.child = spawn(BINARY, ['test', folder, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.child.stdout, this.child.stderr])
      stream.setEncoding('utf8').on('data', (text) => {
        this.output += text;
        this.child.emit('said');
      });
    this.ended = new Promise((resolve) => this.child.on('close', (code, signal) => resolve({ code, signal })));
  }

  // Waits for `pattern` in what was said since the last call.
  async says(pattern) {
    const found = await until(this.child, 'said', () => pattern.exec(this.output), () => `${pattern} in ${this.output}`);
    const before = this.output.slice(0, found.index + found[0].length);
    this.output = this.output.slice(before.length);
    return before;
  }

  interrupt() {
    this.child.kill('SIGINT');
  }

  async stop() {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill('SIGTERM');
    return this.ended;
  }
}

describe('Ctrl-C under `tidegate test`', () => {
  const interrupted = async (body) => {
    write('spec/one_spec.lua', lines(
      'local tide <const> = require "tidegate"', 'describe("d", function()', 'it("passes", function() end)',
      `it("goes on", function() io.stdout:write("now\\n"):flush() ${body} end)`,
      'it("is never begun", function() print "begun" end)', 'end)'));
    const running = new Running('-o', 'TAP');
    const before = await running.says(/now\n/);
    running.interrupt();
    const { code } = await running.ended;
    return { code, output: before + running.output };
  };

  for (const [what, body] of [
    ['waits for time', 'tide.sleep(1000)'],
    ['waits for a queue', 'tide.queue(1):get()'],
    ['waits for room in a queue', 'local q = tide.queue(1) q:put(1) q:put(2)'],
    ['waits for an answer over HTTP', 'local _, why = tide.http.get("http://127.0.0.1:" .. PORT .. "/") error(why)'],
    ['waits for a program', 'tide.process.run { "sleep", "1000" }'],
    ['hangs in Lua', 'while true do end'],
  ])
    it(`ends a spec that ${what}, and reports what has run`, async () => {
      const silent = net.createServer(() => {});
      await new Promise((resolve) => { silent.listen(0, '127.0.0.1', resolve); });
      const { code, output } = await interrupted(body.replace('PORT', silent.address().port));
      silent.close();
      assert.strictEqual(code, 130, output);
      assert.match(output, /^ok 1 - d passes$/m);
      assert.match(output, /^not ok 2 - d goes on$/m);
      assert.match(output, /one_spec\.lua:4: interrupted/);
      assert.doesNotMatch(output, /begun/);
    });

  it('ends the program while it still loads busted', async () => {
    write('tools/busted/compatibility.lua', 'io.popen("kill -INT $PPID"):close() while true do end\n');
    const { code, stderr } = await run(['test', folder], { env: { LUA_PATH_5_4: `${folder}/tools/?.lua;;` } });
    assert.strictEqual(code, 130);
    assert.strictEqual(stderr, '');
  });

  it('a second time ends the program, whatever it does', async () => {
    write('spec/one_spec.lua', inIt('hangs',
      'io.stdout:write("now\\n"):flush()',
      'while true do pcall(function() io.stdout:write("again\\n"):flush() while true do end end) end'));
    const running = new Running();
    await running.says(/now\nagain\n/);
    running.interrupt();
    await running.says(/again\n/);
    running.interrupt();
    assert.strictEqual((await running.ended).code, 130);
  });
});

describe('tidegate test --coverage', () => {
  beforeEach(() => {
    write('consumers/words.lua', lines(
      'local tide <const> = require "tidegate"', //       1
      'local Words <const> = {}', //                      2
      'function Words.shout(text)', //                    3
      '  if text == "" then', //                          4
      '    return nil', //                                5: never
      '  end', //                                         6
      '  return text:upper()', //                         7
      'end', //                                           8: where the function is made
      'Words.later = coroutine.wrap(function()', //       9
      '  tide.sleep(0)', //                              10
      '  coroutine.yield(1)', //                         11
      '  return 2', //                                   12
      'end)', //                                         13
      'function Words.never()', //                       14
      '  local function inner()', //                     15
      '    return 1', //                                 16: never
      '  end', //                                        17: never
      '  return inner()', //                             18: never
      'end', //                                          19
      'return Words')); //                               20
    write('consumers/unloaded.lua', lines('return {', '  1,', '}'));
    write('spec/words_spec.lua', inIt('covers', 'local words <const> = require "words"',
      'assert.equal("A", words.shout "a")', 'assert.equal("B", words.shout "b")',
      'assert.equal(1, words.later())', 'assert.equal(2, words.later())'));
  });

  const counts = (lcov, name) => {
    const record = lcov.split('end_of_record\n').find((text) => text.includes(`SF:${folder}/${name}\n`));
    return Object.fromEntries([...record.matchAll(/^DA:(\d+),(\d+)$/gm)].map(([, line, times]) => [line, Number(times)]));
  };

  it('counts each line that holds code, in coroutines and in what never ran', async () => {
    const { code, stderr } = await test('--coverage');
    assert.strictEqual(code, 0, stderr);
    const lcov = fs.readFileSync(path.join(folder, 'tidegate.lcov'), 'utf8');
    assert.deepStrictEqual(counts(lcov, 'consumers/words.lua'), {
      1: 1, 2: 1, 3: 1, 4: 2, 5: 0, 7: 2, 8: 1, 9: 2, 10: 1, 11: 1, 12: 1, 13: 2, 14: 1, 16: 0, 17: 0, 18: 0, 19: 1, 20: 1,
    });
    assert.deepStrictEqual(Object.values(counts(lcov, 'consumers/unloaded.lua')).filter(Boolean), []);
    assert.match(lcov, /^LF:18\nLH:14$/m);
    assert.doesNotMatch(lcov, /_spec/);
  });

  it('counts a linked module once, by the name that it has in the folder', async () => {
    const outside = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'tidegate-test-')));
    fs.writeFileSync(path.join(outside, 'far.lua'), 'return 1\n');
    fs.symlinkSync(outside, path.join(folder, 'consumers/shared'));
    for (const link of ['again', 'and', 'forever']) fs.symlinkSync('.', path.join(folder, 'consumers', link));
    write(`consumers/${'long/'.repeat(30)}name.lua`, 'return 1\n');
    write('spec/words_spec.lua', inIt('covers', 'require "shared.far"', 'require "again.words"'));
    const { stderr } = await test('--coverage');
    fs.rmSync(outside, { recursive: true });
    assert.match(stderr, /^consumers\/shared\/far\.lua +1 +1 +100\.0$/m);
    assert.match(stderr, /^consumers\/words\.lua +18 /m);
    assert.doesNotMatch(stderr, /again|forever/);
  });

  it('prints a table of what was missed', async () => {
    const { stderr } = await test('--coverage=out.info', '-o', 'TAP');
    assert.match(stderr, /^consumers\/words\.lua +18 +14 +77\.8 {2}5, 16-18$/m);
    assert.match(stderr, /^consumers\/unloaded\.lua +\d+ +0 +0\.0 /m);
    assert.match(stderr, /^all +\d+ +14 /m);
    assert.ok(fs.existsSync(path.join(folder, 'out.info')));
  });
});

describe('tidegate test --watch', () => {
  let running;
  const waiting = () => running.says(/watch: waiting for changes\n/);
  const ran = (text) => [...text.matchAll(/^ok \d+ - (.*)$/gm)].map((found) => found[1]).sort();

  beforeEach(async () => {
    write('consumers/one.lua', 'return 1\n');
    write('consumers/two.lua', 'return 2\n');
    write('spec/one_spec.lua', lines('describe("one", function() it("is", function() require "one" end) end)'));
    write('spec/two_spec.lua', lines('describe("two", function() it("is", function() require "two" end) end)'));
    running = new Running('--watch', '-o', 'TAP');
    const first = await waiting();
    assert.match(first, /^watch: running all specs$/m);
    assert.deepStrictEqual(ran(first), ['one is', 'two is']);
  });
  afterEach(() => running.stop());

  it('runs a spec file that changes, alone', async () => {
    write('spec/two_spec.lua', lines('describe("two", function() it("is new", function() end) end)'));
    const said = await waiting();
    assert.match(said, /^watch: spec\/two_spec\.lua has changed: running spec\/two_spec\.lua$/m);
    assert.deepStrictEqual(ran(said), ['two is new']);
  });

  it('runs the spec files that have run a module which changes', async () => {
    write('consumers/one.lua', 'return "one"\n');
    const said = await waiting();
    assert.match(said, /^watch: consumers\/one\.lua has changed: running spec\/one_spec\.lua$/m);
    assert.deepStrictEqual(ran(said), ['one is']);
  });

  it('runs a new spec file in a new folder', async () => {
    write('spec/deep/er/three_spec.lua', lines('describe("three", function() it("is", function() end) end)'));
    assert.deepStrictEqual(ran(await waiting()), ['three is']);
  });

  it('goes on after a file that does not compile, and runs what needs it when it does', async () => {
    write('consumers/one.lua', 'return (\n');
    assert.match(await waiting(), /one\.lua:\d+: /);
    write('consumers/one.lua', 'return 1\n');
    assert.deepStrictEqual(ran(await waiting()), ['one is']);
    write('spec/two_spec.lua', 'describe(');
    assert.match(await waiting(), /^not ok 1 - .*two_spec\.lua$/m);
    write('spec/two_spec.lua', lines('describe("two", function() it("is", function() end) end)'));
    assert.deepStrictEqual(ran(await waiting()), ['two is']);
  });

  it('runs what failed for want of a file, when that comes', async () => {
    write('spec/two_spec.lua', lines('describe("two", function() it("is", function() require "three" end) end)'));
    assert.match(await waiting(), /module 'three' not found/);
    write('consumers/three.lua', 'return 3\n');
    assert.deepStrictEqual(ran(await waiting()), ['two is']);
  });

  it('knows a module in a folder that is a link', async () => {
    const outside = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'tidegate-test-')));
    fs.writeFileSync(path.join(outside, 'far.lua'), 'return 1\n');
    fs.symlinkSync(outside, path.join(folder, 'consumers/far'));
    write('consumers/near/x.lua', 'return 1\n');
    fs.symlinkSync('near', path.join(folder, 'consumers/by'));
    await running.says(/no spec has run (it|them)\n/);
    write('spec/two_spec.lua', lines(
      'describe("two", function() it("is", function() require "far.far" require "by.x" end) end)'));
    await waiting();
    fs.appendFileSync(path.join(outside, 'far.lua'), '-- new\n');
    assert.match(await waiting(), /^watch: consumers\/far\/far\.lua has changed: running spec\/two_spec\.lua$/m);
    write('consumers/near/x.lua', 'return 2\n');
    assert.match(await waiting(), /^watch: consumers\/near\/x\.lua has changed: running spec\/two_spec\.lua$/m);
    fs.rmSync(outside, { recursive: true });
  });

  it('says in a line how many files have changed that no spec has run', async () => {
    for (let number = 0; number < 300; number++) write(`consumers/new/m${number}.lua`, 'return 1\n');
    write('consumers/two.lua', 'return 22\n');
    const said = await waiting();
    assert.deepStrictEqual(said.match(/^watch: .*$/gm), [
      'watch: consumers/new/m0.lua and 299 others have changed: no spec has run them',
      'watch: consumers/two.lua has changed: running spec/two_spec.lua',
      'watch: waiting for changes',
    ]);
  });

  it('says so when no spec has run what changes', async () => {
    write('consumers/nobody.lua', 'return 0\n');
    await running.says(/^watch: consumers\/nobody\.lua has changed: no spec has run it$/m);
  });

  it('ends a run when something newer comes, and runs that and what was not finished', async () => {
    write('spec/two_spec.lua', inIt('hangs', 'io.stdout:write("now\\n"):flush()', 'tide.sleep(1000)'));
    await running.says(/now\n/);
    write('spec/one_spec.lua', lines('describe("one", function() it("is newer", function() end) end)'));
    await running.says(/has changed: running spec\/one_spec\.lua, spec\/two_spec\.lua\n/);
    await running.says(/now\n/);
    write('spec/two_spec.lua', lines('describe("two", function() it("is", function() end) end)'));
    assert.deepStrictEqual(ran(await waiting()), ['two is']);
  });

  it('ends with Ctrl-C, and the run under way with it', async () => {
    write('spec/two_spec.lua', inIt('hangs', 'io.stdout:write("now\\n"):flush()', 'while true do end'));
    await running.says(/now\n/);
    running.interrupt();
    assert.strictEqual((await running.ended).code, 130); // Which also waits for the end of the outputs.
  });
});
