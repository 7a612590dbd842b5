// A conversation with the real binary, written down line by line:
//
//     > {"action":"ping"}          the client sends this text
//     < {"action":"pong"}          and receives this one, byte for byte
//     ! max_errors 2               a setting of the program; before the first frame
//     ! path /ws/room/lobby        where the client connects; default: the application's only path
//
// Several clients have names, in front of their lines. A client without a name connects before the first line.
//
//     + ann                        ann connects
//     + bob /ws/room/lobby         bob connects, and there
//     + eve /ws/room Cookie: a=b   eve connects with a header
//     ann> {"action":"say"}        ann sends this text
//     bob< {"action":"said"}       and bob receives this one
//     bob< close 4403 kicked       the server closes bob's connection
//     - ann                        ann goes away, without a word
//
// The code may be edited meanwhile: the file is saved and loaded anew, before the next line.
//
//     ~ chat.lua: "Hello" -> "Hi"  in this file of the application, the one place that reads so reads so
//
// Empty lines may stand anywhere. What is received is waited for, however long its handler takes. What
// the transcript does not tell must not come: after the frames of each sent line, and at the end, the
// client pings, and nothing may arrive before the pong.

import fs from 'node:fs';
import path from 'node:path';

import { RawClient } from './raw.js';
import { Server, run } from './server.js';

const FRAME = /^([a-z]*)([<>]) (.*)$/;
const COMING = /^\+ ([a-z]+)(?: (\S+))?(?: ([\w-]+): (.+))?$/;
const LEAVING = /^- ([a-z]+)$/;
const EDIT = /^~ (\S+): (.+) -> (.+)$/;
const SETTING = /^! ([a-z_]+) (\S+)$/;

// The step that a line tells; null: it tells of a setting, or of nothing.
function parseStep(line, where) {
  const frame = FRAME.exec(line);
  if (frame) return { who: frame[1], what: frame[2] === '>' ? 'send' : 'receive', text: frame[3], where };
  const coming = COMING.exec(line);
  if (coming) {
    const [, who, path, header, value] = coming;
    return { who, what: 'come', path, headers: header ? { [header]: value } : {}, where };
  }
  const edit = EDIT.exec(line);
  if (edit) return { who: '~', what: 'edit', file: edit[1], from: edit[2], to: edit[3], where };
  const leaving = LEAVING.exec(line);
  return leaving && { who: leaving[1], what: 'leave', where };
}

// The steps and settings of `lines`. `at(index)` names the place of a line ("docs/messages.md:12").
function parseTranscript(lines, at) {
  const transcript = { steps: [], settings: {}, path: null, where: at(0) };
  lines.forEach((line, index) => {
    if (line.trim() === '') return;
    const step = parseStep(line, at(index));
    if (step) {
      transcript.steps.push(step);
      return;
    }
    const setting = SETTING.exec(line);
    if (!setting) throw new Error(`${at(index)}: expected "> FRAME", "< FRAME" or "! NAME VALUE", got ${line}`);
    if (transcript.steps.length) throw new Error(`${at(index)}: what begins with "!" stands before the first frame`);
    if (setting[1] === 'path') [, , transcript.path] = setting;
    else [, , transcript.settings[setting[1]]] = setting;
  });
  if (!transcript.steps.length) throw new Error(`${at(0)}: a transcript needs at least one frame`);
  return transcript;
}

// Where a client of an application with one path connects.
async function onlyPath(folder, where) {
  const { code, stdout, stderr } = await run(['routes', folder]);
  if (code !== 0) throw new Error(`${where}: the application does not load:\n${stderr}`);
  // The lines of topics begin with a space.
  const paths = stdout.trimEnd().split('\n').map((line) => line.split(' ', 1)[0]).filter(Boolean);
  if (paths.length !== 1 || paths[0].includes('{'))
    throw new Error(`${where}: say which path, as in "! path /ws/room/lobby"; there are ${paths.join(', ')}`);
  return paths[0];
}

// What came before the pong, as text; a frame that is no text by its name.
async function untilPong(client) {
  client.frame('ping', 'fence');
  const early = [];
  for (;;) {
    const got = await client.nextFrame();
    if (got.opcode === 'pong') return early;
    early.push(got.opcode === 'text' ? got.payload.toString('utf8') : `(${got.opcode} frame)`);
    if (got.opcode === 'close') return early;
  }
}

async function expectNothing(client, where) {
  const early = await untilPong(client);
  if (early.length) throw new Error(`${where}: received what the transcript does not tell:\n${early.join('\n')}`);
}

// A text as it is, a close frame as `close CODE REASON`.
async function nextAsText(client) {
  const got = await client.nextFrame({ without: ['ping', 'pong'] });
  const text = got.payload.toString('utf8');
  if (got.opcode === 'text' && got.fin) return text;
  if (got.opcode !== 'close' || got.payload.length < 2) return `(${got.opcode} frame)`;
  return `close ${got.payload.readUInt16BE(0)} ${got.payload.toString('utf8', 2)}`.trimEnd();
}

async function expectFrame(client, { text, where }) {
  let received;
  try {
    received = await nextAsText(client);
  } catch (error) {
    throw new Error(`${where}: expected\n${text}\nbut ${error.message}`);
  }
  if (received !== text) throw new Error(`${where}: expected\n${text}\nreceived\n${received}`);
  return received.startsWith('close ');
}

// The clients of a conversation that are there, by name.
class Stage {
  constructor(port, path) {
    Object.assign(this, { port, path, clients: new Map() });
  }

  async come({ who, path, headers }) {
    this.clients.set(who, await RawClient.open(this.port, path || this.path, { headers }));
  }

  find({ who, where }) {
    if (!this.clients.has(who)) throw new Error(`${where}: ${who} is not there; "+ ${who}" connects`);
    return this.clients.get(who);
  }

  leave(who) {
    this.clients.get(who).destroy();
    this.clients.delete(who);
  }

  // Nobody may have been sent anything more.
  async expectNothing(where) {
    for (const [who, client] of this.clients) await expectNothing(client, who ? `${where}: ${who}` : where);
  }
}

// Saves a file of the application with one place of it changed, and waits until that serves.
async function edit(folder, server, { file, from, to, where }) {
  const full = path.join(folder, file);
  const parts = fs.readFileSync(full, 'utf8').split(from);
  if (parts.length !== 2) throw new Error(`${where}: ${JSON.stringify(from)} stands in ${parts.length - 1} places of ${file}`);
  const reloads = () => server.stdout.split('\nreloaded generation ').length;
  const before = reloads();
  fs.writeFileSync(full, parts.join(to));
  server.signal('SIGHUP');
  await server.until(() => reloads() > before, `${where}: the new code`);
}

// Plays the steps to a server that runs already; `change` makes the edits.
async function play(port, target, { steps }, change) {
  const stage = new Stage(port, target);
  try {
    let { where } = steps[0];
    if (steps.some(({ who }) => !who)) await stage.come({ who: '' });
    for (const step of steps) {
      if (step.what !== 'receive') await stage.expectNothing(where);
      if (step.what === 'come') await stage.come(step);
      else if (step.what === 'edit') await change(step);
      else if (step.what === 'send') stage.find(step).text(step.text);
      else if (step.what === 'leave' || await expectFrame(stage.find(step), step)) stage.leave(step.who);
      ({ where } = step);
    }
    await stage.expectNothing(where);
  } finally {
    for (const client of stage.clients.values()) client.destroy();
  }
}

const flag = (name) => `--${name.replaceAll('_', '-')}`;

// Runs the application in `folder` with the settings of the transcript, and plays its steps.
async function perform(folder, transcript) {
  const isElsewhere = transcript.steps.every(({ who, what, path }) => who && (what !== 'come' || path));
  const target = transcript.path || (isElsewhere ? null : await onlyPath(folder, transcript.where));
  const args = Object.entries(transcript.settings).flatMap(([name, value]) => [flag(name), value]);
  const server = await Server.start(folder, { args });
  try {
    await play(server.port, target, transcript, (step) => edit(folder, server, step));
  } catch (error) {
    throw new Error(`${error.message}\nthe log:\n${server.stderr}`);
  } finally {
    await server.stop();
  }
}

export { parseTranscript, perform, play };
