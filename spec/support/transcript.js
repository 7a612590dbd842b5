// A conversation with the real binary, written down line by line:
//
//     > {"action":"ping"}          the client sends this text
//     < {"action":"pong"}          and receives this one, byte for byte
//     ! max_errors 2               a setting of the program; before the first frame
//     ! path /ws/room/lobby        where the client connects; default: the application's only path
//
// Empty lines may stand anywhere. What is received is waited for, however long its handler takes. What
// the transcript does not tell must not come: after the frames of each sent line, and at the end, the
// client pings, and nothing may arrive before the pong.

import { RawClient } from './raw.js';
import { Server, run } from './server.js';

const FRAME = /^([<>]) (.*)$/;
const SETTING = /^! ([a-z_]+) (\S+)$/;

// The steps and settings of `lines`. `at(index)` names the place of a line ("docs/messages.md:12").
function parseTranscript(lines, at) {
  const transcript = { steps: [], settings: {}, path: null, where: at(0) };
  lines.forEach((line, index) => {
    if (line.trim() === '') return;
    const frame = FRAME.exec(line);
    if (frame) {
      transcript.steps.push({ isSent: frame[1] === '>', text: frame[2], where: at(index) });
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
  const paths = stdout.trimEnd().split('\n').map((line) => line.split(' ', 1)[0]);
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

async function expectFrame(client, { text, where }) {
  let received;
  try {
    received = await client.nextText();
  } catch (error) {
    throw new Error(`${where}: expected\n${text}\nbut ${error.message}`);
  }
  if (received !== text) throw new Error(`${where}: expected\n${text}\nreceived\n${received}`);
}

// Plays the steps to a server that runs already.
async function play(port, path, { steps }) {
  const client = await RawClient.open(port, path);
  try {
    let where = steps[0].where;
    for (const step of steps) {
      if (step.isSent) {
        await expectNothing(client, where);
        client.text(step.text);
      } else {
        await expectFrame(client, step);
      }
      where = step.where;
    }
    await expectNothing(client, where);
  } finally {
    client.destroy();
  }
}

const flag = (name) => `--${name.replaceAll('_', '-')}`;

// Runs the application in `folder` with the settings of the transcript, and plays its steps.
async function perform(folder, transcript) {
  const path = transcript.path || await onlyPath(folder, transcript.where);
  const args = Object.entries(transcript.settings).flatMap(([name, value]) => [flag(name), value]);
  const server = await Server.start(folder, { args });
  try {
    await play(server.port, path, transcript);
  } catch (error) {
    throw new Error(`${error.message}\nthe log:\n${server.stderr}`);
  } finally {
    await server.stop();
  }
}

export { parseTranscript, perform, play };
