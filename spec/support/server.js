// The real binary as a spec sees it: started on a free port, stopped by its pid, its log kept.
//
//     const server = await Server.start('wire', { args: ['--heartbeat-seconds', '1'] });
//     ...
//     await server.stop();     // SIGTERM; throws unless it leaves with 0 and the sanitizers were silent
//
// Waits are for events (a line of the log, the end of the process), each with a time limit that is
// far above what any machine needs, so that a failure has a name instead of hanging.

import { spawn } from 'node:child_process';
import http from 'node:http';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = path.dirname(fileURLToPath(import.meta.url));
const ROOT = path.resolve(HERE, '..', '..');
const BINARY = path.resolve(ROOT, process.env.TG_BIN || 'build/dev/tidegate');
const PATIENCE_MS = Number(process.env.SPEC_PATIENCE_MS || 15000);

// Resolves with the first true value of `probe`, which is asked now and whenever `emitter` says so.
function until(emitter, event, probe, what, patienceMs = PATIENCE_MS) {
  return new Promise((resolve, reject) => {
    const look = () => {
      let found;
      try {
        found = probe();
      } catch (error) {
        finish(() => reject(error));
        return;
      }
      if (found) finish(() => resolve(found));
    };
    const timer = setTimeout(
      () => finish(() => reject(new Error(`waited ${patienceMs} ms in vain for ${what()}`))), patienceMs);
    const finish = (settle) => {
      clearTimeout(timer);
      emitter.removeListener(event, look);
      settle();
    };
    emitter.on(event, look);
    look();
  });
}

// The log is `key=value` pairs; a value with anything unusual in it is quoted and escaped.
const LOG_LINE = /^[a-z_]+=(?:"(?:[^"\\]|\\.)*"|[^\s"]*)(?: [a-z_]+=(?:"(?:[^"\\]|\\.)*"|[^\s"]*))*$/;
const LOG_FIELD = /([a-z_]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s"]*))/g;

// The fields of a line of the text log, escapes left as they are; null when it is no such line.
function parseLogLine(line) {
  if (!LOG_LINE.test(line)) return null;
  const fields = {};
  for (const [, key, quoted, bare] of line.matchAll(LOG_FIELD)) {
    if (key in fields) return null;
    fields[key] = quoted === undefined ? bare : quoted;
  }
  return fields;
}

const SANITIZER = /(Address|Leak|Thread|Memory|UndefinedBehavior)Sanitizer|\.[ch]:\d+:\d+: runtime error:/;

// A run of the program with any arguments, to its end; `input` stands in its standard input.
function run(args, { env = {}, cwd = ROOT, input = '' } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(BINARY, args, { env: cleanEnvironment(env), cwd, stdio: ['pipe', 'pipe', 'pipe'] });
    child.stdin.on('error', () => {}); // who does not read it may have left
    child.stdin.end(input);
    let stdout = '';
    let stderr = '';
    const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
    child.stdout.setEncoding('utf8').on('data', (text) => { stdout += text; });
    child.stderr.setEncoding('utf8').on('data', (text) => { stderr += text; });
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      if (SANITIZER.test(stderr)) reject(new Error(`sanitizer report:\n${stderr}`));
      else resolve({ code, signal, stdout, stderr });
    });
  });
}

// The caller's environment without settings that would change what a spec sees. Why ASAN_OPTIONS: see scripts/test.
function cleanEnvironment(extra) {
  const env = { ASAN_OPTIONS: 'intercept_tls_get_addr=0' };
  for (const [name, value] of Object.entries(process.env))
    if (!name.startsWith('TIDEGATE_')) env[name] = value;
  return { ...env, ...extra };
}

class Server {
  // `app`: a folder of spec/support/apps, or an absolute path. `openFiles`: how many at most.
  // `meanwhile`: what happens after the start of the process, with the server, before it listens.
  static async start(app, { args = [], env = {}, cwd = ROOT, openFiles = null, meanwhile = null } = {}) {
    const folder = path.isAbsolute(app) ? app : path.join(HERE, 'apps', app);
    const server = new Server();
    server.stderr = '';
    server.stdout = '';
    server.exit = null; // { code, signal } once the process has ended
    const limit = openFiles ? ['sh', '-c', `ulimit -n ${openFiles} && exec "$0" "$@"`] : [];
    const [program, ...words] = [...limit, BINARY, 'run', folder, '--port', '0', ...args];
    server.child = spawn(program, words, { env: cleanEnvironment(env), cwd, stdio: ['ignore', 'pipe', 'pipe'] });
    const { child } = server;
    // When the specs themselves are ended, the server must not outlive them.
    server.reaper = () => child.kill('SIGKILL');
    process.once('exit', server.reaper);
    child.setMaxListeners(0);
    // A spec that fails leaves its server behind: that must not keep the specs from ending. What
    // waits for news has a timer that does.
    for (const handle of [child, child.stdout, child.stderr]) handle.unref();
    child.stdout.setEncoding('utf8').on('data', (text) => { server.stdout += text; child.emit('news'); });
    child.stderr.setEncoding('utf8').on('data', (text) => { server.stderr += text; child.emit('news'); });
    child.on('error', (error) => { server.failure = error; child.emit('news'); });
    child.on('close', (code, signal) => { server.exit = { code, signal }; child.emit('news'); });
    if (meanwhile) await meanwhile(server);
    await server.until(() => server.stdout.includes('\n'), 'the first line of standard output');
    const said = /^tidegate listening on http:\/\/([^\n]*):(\d+)\n/.exec(server.stdout);
    if (!said) throw new Error(`the first line of standard output is ${JSON.stringify(server.stdout)}`);
    server.host = said[1];
    server.port = Number(said[2]);
    return server;
  }

  get pid() { return this.child.pid; }

  // Waits for a condition that can only change with output or the end of the process.
  until(probe, what, patienceMs) {
    return until(this.child, 'news', () => {
      if (this.failure) throw this.failure;
      const found = probe();
      if (!found && this.exit) throw new Error(`ended (${JSON.stringify(this.exit)}) before ${what}:\n${this.stderr}`);
      return found;
    }, () => `${what}; the log:\n${this.stderr.slice(-4000)}`, patienceMs);
  }

  // The whole lines of standard error so far.
  lines() {
    return this.stderr.split('\n').slice(0, -1);
  }

  // The fields of every line of the text log so far that is one.
  records() {
    return this.lines().map(parseLogLine).filter(Boolean);
  }

  // The first record for which `matches` is true; waits for it.
  record(matches, what) {
    return this.until(() => this.records().find(matches), what);
  }

  signal(name) { this.child.kill(name); }

  async ended(patienceMs = PATIENCE_MS) {
    return until(this.child, 'news', () => this.exit, () => `the end of the process:\n${this.stderr.slice(-4000)}`,
                 patienceMs);
  }

  // SIGTERM; the process must leave with 0, have lived until now, and have no sanitizer report.
  async stop() {
    const died = this.exit;
    if (!died) this.signal('SIGTERM');
    try {
      await this.ended();
    } finally {
      this.child.kill('SIGKILL');
      process.removeListener('exit', this.reaper);
    }
    this.checkSanitizers();
    if (died) throw new Error(`the server died: ${JSON.stringify(died)}\n${this.stderr}`);
    if (this.exit.code !== 0)
      throw new Error(`left with ${JSON.stringify(this.exit)} after SIGTERM:\n${this.stderr}`);
  }

  // For specs that end it in another way.
  async forceEnd() {
    this.child.kill('SIGKILL');
    await this.ended();
    process.removeListener('exit', this.reaper);
    this.checkSanitizers();
  }

  checkSanitizers() {
    if (SANITIZER.test(this.stderr)) throw new Error(`sanitizer report:\n${this.stderr}`);
  }

  // One HTTP request, its path sent as it stands. { status, headers, body }
  http(target, { method = 'GET', headers = {}, agent = false } = {}) {
    return new Promise((resolve, reject) => {
      const request = http.request(
        { host: '127.0.0.1', port: this.port, path: target, method, headers, agent, timeout: PATIENCE_MS });
      request.on('response', (response) => {
        const parts = [];
        response.on('data', (part) => parts.push(part));
        response.on('error', reject);
        response.on('end', () => {
          const bytes = Buffer.concat(parts);
          resolve({ status: response.statusCode, headers: response.headers, bytes, body: bytes.toString('utf8'),
                    version: response.httpVersion, localPort: request.socket && request.socket.localPort,
                    reused: request.reusedSocket });
        });
      });
      request.on('timeout', () => request.destroy(new Error(`no answer to ${method} ${target}`)));
      request.on('error', reject);
      request.end();
    });
  }

  // The value of one metric, by its name without prefix: "connections", "messages_received_total".
  async metric(name) {
    const { status, body } = await this.http('/metrics');
    if (status !== 200) throw new Error(`/metrics answered ${status}`);
    const line = body.split('\n').find((text) => new RegExp(`^tidegate_${name}(?:\\{[^}]*\\})? `).test(text));
    if (!line) throw new Error(`no metric tidegate_${name} in:\n${body}`);
    return Number(line.slice(line.lastIndexOf(' ') + 1));
  }

  // Asks for the metric until it is right. A counter announces nothing, so here asking again is the wait.
  async metricUntil(name, isRight, patienceMs = PATIENCE_MS) {
    const giveUp = Date.now() + patienceMs;
    for (;;) {
      const value = await this.metric(name);
      if (isRight(value)) return value;
      if (Date.now() > giveUp) throw new Error(`tidegate_${name} is still ${value}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

export { BINARY, PATIENCE_MS, ROOT, Server, parseLogLine, run, until };
