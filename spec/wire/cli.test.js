// The program as a person at a shell meets it.

import assert from 'node:assert';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { describe, it } from 'node:test';
import { RawClient } from '../support/raw.js';
import { ROOT, Server, run } from '../support/server.js';

const APPS = path.join(ROOT, 'spec/support/apps');
const WIRE = path.join(APPS, 'wire');
const SETTINGS = [
  ['host', '127.0.0.1'], ['port', '8000'], ['log-level', 'info'], ['log-format', 'text'],
  ['max-message-bytes', '1048576'], ['max-json-depth'], ['max-errors'], ['outbox-high-water-bytes'],
  ['outbox-max-bytes'], ['outbox-max-messages'], ['heartbeat-seconds', '25'], ['heartbeat-timeout-seconds', '20'],
  ['slow-client-seconds', '30'], ['pause-seconds', '60'], ['close-timeout-ms'], ['max-connections'],
  ['drain-seconds', '10'],
];

describe('--help', () => {
  it('lists every setting with its default', async () => {
    const { code, stdout } = await run(['run', '--help']);
    assert.strictEqual(code, 0);
    for (const [name, value] of SETTINGS) {
      const at = stdout.search(new RegExp(`--${name}\\b(?!-)`));
      assert.ok(at >= 0, name);
      const entry = stdout.slice(at).split(/\n(?=\s*(?:-\w, )?--)/)[0];
      if (value !== undefined) assert.ok(entry.includes(value), `${name}: ${entry}`);
    }
  });

  it('of the program names its commands', async () => {
    for (const args of [['--help'], ['help']]) {
      const { code, stdout } = await run(args);
      if (args[0] === 'help' && code !== 0) continue; // `help` is a courtesy
      assert.strictEqual(code, 0);
      for (const command of ['run', 'check', 'routes', 'types', 'version']) assert.match(stdout, new RegExp(`\\b${command}\\b`));
    }
  });
});

describe('a wrong command line', () => {
  const refused = async (args, ...expected) => {
    const { code, stdout, stderr } = await run(args);
    assert.notStrictEqual(code, 0, args.join(' '));
    assert.ok(code > 0 && code < 126, `${args.join(' ')}: ${code}`);
    assert.doesNotMatch(stdout, /listening/);
    for (const pattern of expected) assert.match(stderr, pattern, args.join(' '));
  };

  it('with an unknown flag is refused, and the nearest is named', async () => {
    await refused(['run', WIRE, '--prot', '1'], /--prot\b/, /\bport\b/);
    await refused(['run', WIRE, '--max-mesage-bytes', '1'], /max-mesage-bytes/, /max[-_]message[-_]bytes/);
  });

  it('with a bad value is refused, and the flag is named', async () => {
    for (const [flag, value] of [
      ['--port', 'x'], ['--port', '65536'], ['--port', '-1'], ['--port', ''], ['--port', '80x'],
      ['--log-level', 'loud'], ['--log-format', 'xml'], ['--max-message-bytes', '0'], ['--max-message-bytes', '1e6'],
      ['--heartbeat-seconds', '99999999999999999999'], ['--host', 'not an address'],
    ])
      await refused(['run', WIRE, flag, value], new RegExp(flag.slice(2).replace(/-/g, '[-_]')));
  });

  it('with a flag that lacks its value is refused', async () => {
    await refused(['run', WIRE, '--port'], /port/);
  });

  it('with static files that are no folder is refused', async () => {
    for (const file of [path.join(ROOT, 'README.md'), '/dev/null'])
      await refused(['run', WIRE, '--port', '0', '--static', file], new RegExp(`static files: ${file}: is not a folder`));
  });

  it('with an unknown command is refused, and so is none', async () => {
    await refused(['rum'], /rum/);
    await refused([]);
  });

  it('with a folder that does not exist is refused, and the folder is named', async () => {
    await refused(['run', path.join(APPS, 'nowhere'), '--port', '0'], /nowhere/);
    await refused(['check', path.join(APPS, 'nowhere')], /nowhere/);
  });
});

describe('a setting', () => {
  // Whether a message of 5000 bytes is taken: settings/tidegate.lua allows 4096.
  const takes5000 = async (options, app = 'settings') => {
    const server = await Server.start(app, options);
    try {
      const client = await RawClient.open(server.port, '/ws/echo');
      client.text(JSON.stringify({ action: 'any', payload: 'x'.repeat(5000) }));
      const got = await client.nextFrame();
      if (got.opcode === 'close') assert.strictEqual(got.payload.readUInt16BE(0), 1009);
      client.destroy();
      return got.opcode === 'text';
    } finally {
      await server.stop();
    }
  };

  it('has a default', async () => {
    assert.strictEqual(await takes5000({}, 'wire'), true);
  });

  it('may stand in tidegate.lua', async () => {
    assert.strictEqual(await takes5000({}), false);
  });

  it('of the environment wins over tidegate.lua', async () => {
    assert.strictEqual(await takes5000({ env: { TIDEGATE_MAX_MESSAGE_BYTES: '8192' } }), true);
  });

  it('of a flag wins over the environment', async () => {
    assert.strictEqual(await takes5000({ env: { TIDEGATE_MAX_MESSAGE_BYTES: '8192' },
                                         args: ['--max-message-bytes', '2048'] }), false);
  });

  it('may stand in a file that --config names', async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tidegate-spec-'));
    try {
      const file = path.join(folder, 'other.lua');
      fs.writeFileSync(file, 'return { max_message_bytes = 16384 }\n');
      assert.strictEqual(await takes5000({ args: ['--config', file] }), true);
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  });

  it('that is wrong names its source', async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tidegate-spec-'));
    try {
      fs.writeFileSync(path.join(folder, 'empty.lua'), 'return {}\n');
      const config = path.join(folder, 'tidegate.lua');
      for (const [text, pattern] of [
        ['return { max_message_bytes = "many" }', /max_message_bytes/], ['return { max_mesage_bytes = 1 }', /max_message_bytes/],
        ['return {', /tidegate\.lua/], ['return 1', /tidegate\.lua/], ['error "no luck"', /no luck/],
      ]) {
        fs.writeFileSync(config, `${text}\n`);
        const { code, stderr } = await run(['run', folder, '--port', '0']);
        assert.notStrictEqual(code, 0, text);
        assert.match(stderr, pattern, text);
        assert.match(stderr, /tidegate\.lua/, text);
      }
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  });

  it('of the environment that is unknown is refused', async () => {
    const { code, stderr } = await run(['run', WIRE, '--port', '0'], { env: { TIDEGATE_PROT: '1' } });
    assert.notStrictEqual(code, 0);
    assert.match(stderr, /TIDEGATE_PROT/);
    assert.match(stderr, /port/i);
  });

  it('says which folder is served at /', async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tidegate-spec-'));
    try {
      fs.writeFileSync(path.join(folder, 'index.html'), '<p>another page</p>');
      const server = await Server.start('wire', { args: ['--static', folder] });
      try {
        assert.strictEqual((await server.http('/')).body, '<p>another page</p>');
        assert.strictEqual((await server.http('/style.css')).status, 404);
      } finally {
        await server.stop();
      }
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  });
});

describe('a port in use', () => {
  it('is said in a sentence', async () => {
    const holder = net.createServer();
    await new Promise((resolve) => holder.listen(0, '127.0.0.1', resolve));
    const { port } = holder.address();
    try {
      const { code, stdout, stderr } = await run(['run', WIRE, '--port', `${port}`]);
      assert.ok(code > 0 && code < 126, `${code}`);
      assert.match(stderr, new RegExp(`${port}`));
      assert.match(stderr, /in use/i);
      assert.doesNotMatch(stdout, /listening/);
    } finally {
      await new Promise((resolve) => holder.close(resolve));
    }
  });
});

describe('tidegate routes', () => {
  it('lists the paths and their consumers', async () => {
    const { code, stdout } = await run(['routes', WIRE]);
    assert.strictEqual(code, 0);
    const lines = stdout.split('\n');
    for (const [target, consumer] of [
      ['/ws/echo', 'echo'], ['/ws/other/echo', 'echo'], ['/ws/orders/{id:int}', 'request'],
      ['/ws/nested/inner/deep/b', 'nested_b'], ['/ws/text', 'text'],
    ])
      assert.ok(lines.some((line) => line.includes(target) && line.includes(consumer)), `${target} in:\n${stdout}`);
  });
});

describe('tidegate check', () => {
  it('is content with what can be served', async () => {
    for (const folder of [WIRE, path.join(APPS, 'settings'), path.join(ROOT, 'consumers')]) {
      const { code, stderr } = await run(['check', folder]);
      assert.strictEqual(code, 0, stderr);
    }
  });

  it('tells every error with its file and line, and ends with 1', async () => {
    const { code, stdout, stderr } = await run(['check', path.join(APPS, 'broken')]);
    assert.strictEqual(code, 1);
    const said = stdout + stderr;
    assert.match(said, /twice\.lua:6\b/);
    assert.match(said, /twice\.lua:5\b/);
    assert.match(said, /misspelt\.lua:5\b/);
    assert.match(said, /conected/);
    assert.match(said, /\bconnected\b/);
  });

  it('finds what `run` would refuse to serve', async () => {
    const { code, stdout } = await run(['run', path.join(APPS, 'broken'), '--port', '0']);
    assert.strictEqual(code, 1);
    assert.doesNotMatch(stdout, /listening/);
  });
});

describe('tidegate check --strict', () => {
  const files = {
    fine: 'return tide.consumer { path = "/a" }',
    unused: 'tide.message("unused")\nreturn tide.consumer { path = "/a" }',
  };
  const inFolder = async (name, act) => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tidegate-spec-'));
    try {
      fs.writeFileSync(path.join(folder, 'a.lua'), `local tide <const> = require "tidegate"\n${files[name]}\n`);
      return await act(folder);
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  };

  it('ends with 1 for warnings, which are counted and told either way', async () => {
    await inFolder('unused', async (folder) => {
      for (const [flags, status] of [[[], 0], [['--strict'], 1]]) {
        const { code, stdout, stderr } = await run(['check', folder, ...flags]);
        assert.strictEqual(code, status);
        assert.match(stdout, /: no errors, 1 warning\n$/);
        assert.match(stderr, /a\.lua:2: warning: "unused" is declared/);
      }
    });
  });

  it('ends with 0 without any', async () => {
    await inFolder('fine', async (folder) => {
      const { code, stdout, stderr } = await run(['check', '--strict', folder]);
      assert.strictEqual(code, 0, stderr);
      assert.match(stdout, /: no errors, no warnings\n$/);
    });
  });
});

describe('tidegate types', () => {
  const inFolder = async (act) => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tidegate-spec-'));
    try {
      return await act(path.join(folder, 'types.lua'));
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  };
  const CONSUMERS = path.join(ROOT, 'consumers');

  it('writes into the file that --output names what it prints without', async () => {
    const { code, stdout } = await run(['types', CONSUMERS]);
    assert.strictEqual(code, 0);
    assert.match(stdout, /---@class \(exact\) app\.user_message\.Payload\n---@field message string\n/);
    await inFolder(async (file) => {
      const written = await run(['types', CONSUMERS, '--output', file]);
      assert.strictEqual(written.code, 0, written.stderr);
      assert.strictEqual(written.stdout, '');
      assert.strictEqual(fs.readFileSync(file, 'utf8'), stdout);
    });
  });

  it('of what does not load keeps the old file and tells why', async () => {
    await inFolder(async (file) => {
      fs.writeFileSync(file, 'old');
      const { code, stdout, stderr } = await run(['types', path.join(APPS, 'broken'), '--output', file]);
      assert.strictEqual(code, 1);
      assert.strictEqual(stdout, '');
      assert.match(stderr, /misspelt\.lua:5\b/);
      assert.strictEqual(fs.readFileSync(file, 'utf8'), 'old');
    });
  });

  it('that cannot write says where and why', async () => {
    const { code, stderr } = await run(['types', CONSUMERS, '--output', '/nowhere/types.lua']);
    assert.strictEqual(code, 1);
    assert.match(stderr, /\/nowhere\/types\.lua: cannot be written: No such file or directory/);
  });
});

describe('a flag of one command', () => {
  it('is refused by the others, which say whose it is', async () => {
    for (const [args, flag, owner] of [
      [['run', WIRE, '--output', 'x'], 'output', 'types'], [['types', WIRE, '--strict'], 'strict', 'check'],
    ]) {
      const { code, stderr } = await run(args);
      assert.strictEqual(code, 1);
      assert.match(stderr, new RegExp(`--${flag} is a flag of \`tidegate ${owner}\``));
    }
  });
});

describe('tidegate version', () => {
  it('is a name and a version', async () => {
    const { code, stdout } = await run(['version']);
    assert.strictEqual(code, 0);
    assert.match(stdout, /^tidegate \d+\.\d+/);
  });
});
