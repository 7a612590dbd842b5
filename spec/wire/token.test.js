// `tidegate token` and `tidegate session`, the secrets of an application, and tokens that others make and check:
// node's own cryptography stands for the others.

import assert from 'node:assert';
import crypto from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Server, run } from '../support/server.js';

const SECRET = '0123456789abcdef0123456789abcdef';
const OLDER = 'fedcba9876543210fedcba9876543210';

let folder;

before(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tidegate-spec-'));
  write('consumers/echo.lua', `
local tide <const> = require "tidegate"
return tide.consumer { path = "/ws/echo" }
`);
});

after(() => fs.rmSync(folder, { recursive: true }));

function write(name, text) {
  const file = path.join(folder, name);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, text);
  return file;
}

async function succeed(args, options) {
  const { code, stdout, stderr } = await run(args, options);
  assert.strictEqual(stderr, '');
  assert.strictEqual(code, 0);
  return stdout.trim();
}

async function fail(args, pattern, options) {
  const { code, stdout, stderr } = await run(args, options);
  assert.strictEqual(code, 1, args.join(' '));
  assert.strictEqual(stdout, '');
  assert.match(stderr, pattern);
}

const decode = (part) => JSON.parse(Buffer.from(part, 'base64url'));
const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

// What each algorithm is to node.
const PSS = { padding: crypto.constants.RSA_PKCS1_PSS_PADDING, saltLength: crypto.constants.RSA_PSS_SALTLEN_DIGEST };
const RAW = { dsaEncoding: 'ieee-p1363' };
const ALGORITHMS = [
  ['RS256', 'sha256', 'rsa', {}], ['RS384', 'sha384', 'rsa', {}], ['RS512', 'sha512', 'rsa', {}],
  ['PS256', 'sha256', 'rsa', PSS], ['PS384', 'sha384', 'rsa', PSS], ['PS512', 'sha512', 'rsa', PSS],
  ['ES256', 'sha256', 'P-256', RAW], ['ES384', 'sha384', 'P-384', RAW], ['ES512', 'sha512', 'P-521', RAW],
  ['EdDSA', null, 'ed25519', {}], ['EdDSA', null, 'ed448', {}],
];

function makePair(kind) {
  if (kind === 'rsa') return crypto.generateKeyPairSync('rsa', { modulusLength: 2048 });
  if (kind.startsWith('P-')) return crypto.generateKeyPairSync('ec', { namedCurve: kind });
  return crypto.generateKeyPairSync(kind);
}

describe('tidegate token', () => {
  it('makes a token that node verifies, and checks one of node, for each algorithm and form of key', async () => {
    const pairs = {};
    for (const [alg, hash, kind, options] of ALGORITHMS) {
      const { privateKey, publicKey } = pairs[kind] ??= makePair(kind);
      const pem = write('private.pem', privateKey.export({ type: 'pkcs8', format: 'pem' }));
      const token = await succeed(['token', 'make', '{"sub":"ada"}', '--key', pem, '--alg', alg, '--id', 'k']);
      const [header, claims, signature] = token.split('.');
      assert.deepStrictEqual(decode(header), { alg, typ: 'JWT', kid: 'k' });
      assert.strictEqual(decode(claims).sub, 'ada');
      assert.strictEqual(decode(claims).exp - decode(claims).iat, 3600);
      assert.ok(crypto.verify(hash, `${header}.${claims}`, { key: publicKey, ...options },
        Buffer.from(signature, 'base64url')), `${alg} ${kind}`);

      const ours = `${encode({ alg, kid: 'k' })}.${encode({ sub: 'bob', list: [] })}`;
      const theirs = `${ours}.${crypto.sign(hash, ours, { key: privateKey, ...options }).toString('base64url')}`;
      const jwk = write('public.json', JSON.stringify({ ...publicKey.export({ format: 'jwk' }), alg, kid: 'k' }));
      assert.strictEqual(await succeed(['token', 'check', theirs, '--key', jwk]), '{"sub":"bob","list":[]}');
      const set = write('set.json', JSON.stringify({ keys: [{ kty: 'new' }, JSON.parse(fs.readFileSync(jwk))] }));
      assert.strictEqual(await succeed(['token', 'check', '-', '--key', set], { input: `${theirs}\n` }),
        '{"sub":"bob","list":[]}');
      await fail(['token', 'check', `${theirs.slice(0, -8)}AAAAAAAA`, '--key', jwk], /not good \(signature\)/);
    }
  });

  it('uses the secrets of the application, of which the first signs', async () => {
    const env = { TIDEGATE_SECRETS: `${SECRET},${OLDER}` };
    const token = await succeed(['token', 'make', '--subject', 'ada', '--expires=60', folder], { env });
    const [header, claims, signature] = token.split('.');
    assert.strictEqual(crypto.createHmac('sha256', SECRET).update(`${header}.${claims}`).digest('base64url'), signature);
    assert.deepStrictEqual(Object.keys(decode(claims)), ['sub', 'exp', 'iat']);
    const older = await succeed(['token', 'make', '--subject', 'bob', folder], { env: { TIDEGATE_SECRETS: OLDER } });
    assert.strictEqual(JSON.parse(await succeed(['token', 'check', older, folder], { env })).sub, 'bob');
    await fail(['token', 'check', token, folder], /not good \(signature\)/, { env: { TIDEGATE_SECRETS: OLDER } });
  });

  it('tells why a token is not good', async () => {
    const env = { TIDEGATE_SECRETS: SECRET };
    const check = async (claims, args, pattern) => {
      const token = await succeed(['token', 'make', JSON.stringify(claims), folder], { env });
      await fail(['token', 'check', token, ...args, folder], pattern, { env });
    };
    await check({ exp: 1 }, [], /\(expired\): it expired \d+ seconds ago/);
    await check({ nbf: 99999999999 }, [], /\(not_yet_valid\)/);
    await check({ aud: 'mail' }, ['--audience', 'chat'], /\(audience\): its "aud" is "mail"/);
    await check({}, ['--issuer', 'me'], /\(issuer\): it has no "iss"/);
    await fail(['token', 'check', 'x'.repeat(20000), folder], /\(too_large\)/, { env });
    const none = `${encode({ alg: 'none' })}.${encode({ sub: 'root' })}.`;
    await fail(['token', 'check', none, folder], /\(algorithm\)/, { env });
  });

  it('says what is wrong with its arguments and its key', async () => {
    const env = { TIDEGATE_SECRETS: SECRET };
    await fail(['token'], /token make` or `tidegate token check/);
    await fail(['token', 'make', 'x'], /what is 'x'\? it is no folder/);
    await fail(['token', 'make', '{', folder], /Invalid JSON/, { env });
    await fail(['token', 'make', '{}', '--audience', 'x'], /token make has no --audience/);
    await fail(['token', 'make', '--expires', '1h'], /'1h' is no number of seconds/);
    await fail(['token', 'make', '--expires'], /--expires needs a value/);
    await fail(['token', 'check'], /check what\?/);
    await fail(['token', 'make', '--alg', 'none', folder], /'none' is none that is known here/, { env });
    await fail(['token', 'make', '--key', write('short', 'short\n')], /short: the secret has 5 bytes/);
    await fail(['token', 'make', '--key', path.join(folder, 'none.pem')], /none\.pem: No such file/);
    await fail(['token', 'make', folder], /there are no secrets: set TIDEGATE_SECRETS/);
    assert.match(await succeed(['token', '--help']), /--key FILE/);
    assert.match(await succeed(['session', 'make', '--help']), /USER_ID/);
  });
});

describe('tidegate session', () => {
  it('makes and checks what a cookie holds', async () => {
    const env = { TIDEGATE_SECRETS: SECRET };
    const text = await succeed(['session', 'make', 'ada', folder], { env });
    assert.match(text, /^s1\.YWRh\.\d+\.[\w-]{43}$/);
    assert.match(await succeed(['session', 'check', text, folder], { env }), /^ada\nexpires in 1209(600|59\d) seconds$/);
    await fail(['session', 'check', text, folder], /not signed as a session/, { env: { TIDEGATE_SECRETS: OLDER } });
    await fail(['session', 'check', 'ada', folder], /begins with "s1\."/, { env });
    await fail(['session', 'check', text, '--cookie', 'adminid', folder], /not signed as a session/, { env });
    const other = await succeed(['session', 'make', 'ada', '--cookie=adminid', folder], { env });
    assert.match(await succeed(['session', 'check', other, '--cookie', 'adminid', folder], { env }), /^ada/);
    const [version, value, , signature] = text.split('.');
    await fail(['session', 'check', `${version}.${value}.0.${signature}`, folder], /not signed/, { env });
    await fail(['session', 'make', folder, '--key', 'x'], /session make has no --key/);
    await fail(['session', 'make'], /whose session/);
  });
});

describe('the secrets of an application', () => {
  const sessionOf = (env) => succeed(['session', 'make', 'ada', folder], { env });

  it('are made in development, kept for the next time, and for their owner alone', async () => {
    const file = path.join(folder, '.tidegate', 'secret');
    for (let start = 0; start < 2; start++) {
      const before = fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : null;
      const server = await Server.start(folder, { args: ['--dev'] });
      await server.stop();
      assert.match(fs.readFileSync(file, 'utf8'), /^[0-9a-f]{64}\n$/);
      if (before) assert.strictEqual(fs.readFileSync(file, 'utf8'), before);
    }
    assert.strictEqual(fs.statSync(file).mode & 0o777, 0o600);
    assert.match(await sessionOf({}), /^s1\./);
    fs.rmSync(path.join(folder, '.tidegate'), { recursive: true });
  });

  it('end with the gateway where the folder cannot be written to, which the log says', async () => {
    fs.symlinkSync('/no/such/folder', path.join(folder, '.tidegate'));
    const server = await Server.start(folder, { args: ['--dev'] });
    await server.stop();
    fs.rmSync(path.join(folder, '.tidegate'));
    assert.match(server.stderr, /event=secret_not_kept .*help="sessions end with the gateway/);
  });

  it('are not made in production, nor by check', async () => {
    const server = await Server.start(folder);
    await server.stop();
    await succeed(['check', folder]);
    assert.ok(!fs.existsSync(path.join(folder, '.tidegate')));
  });

  it('may stand in a file, one a line, or as a list in tidegate.lua', async () => {
    const file = write('secrets', `${SECRET}\n\n${OLDER}\n`);
    const text = await sessionOf({ TIDEGATE_SECRETS_FILE: file });
    assert.match(await succeed(['session', 'check', text, folder], { env: { TIDEGATE_SECRETS: SECRET } }), /^ada/);
    const config = write('tidegate.lua', `return { secrets = { "${SECRET}", "${OLDER}" } }\n`);
    assert.match(await succeed(['session', 'check', text, folder]), /^ada/);
    fs.rmSync(config);
  });

  it('that are no good end the program, and are not shown', async () => {
    const refuse = async (env, pattern) => {
      const { code, stderr } = await run(['run', folder, '--port', '0'], { env });
      assert.strictEqual(code, 1);
      assert.match(stderr, pattern);
      assert.doesNotMatch(stderr, /hunter2/);
    };
    await refuse({ TIDEGATE_SECRETS: `${SECRET},hunter2` }, /secrets: number 2 is none.*`openssl rand -hex 32`/);
    await refuse({ TIDEGATE_SECRETS_FILE: write('bad', 'hunter2\n') }, /bad: secrets: number 1 is none/);
    await refuse({ TIDEGATE_SECRETS_FILE: write('empty', '\n') }, /there is no secret in it/);
    await refuse({ TIDEGATE_SECRETS_FILE: '/no/such/file' }, /\/no\/such\/file: No such file/);
    await refuse({ TIDEGATE_SECRETS: SECRET, TIDEGATE_SECRETS_FILE: 'x' }, /secrets_file: `secrets` are set as well/);
  });
});
