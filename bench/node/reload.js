// Saves a file that a served module reads, again and again, and asks until the new code answers.
//
//     node reload.js PORT FOLDER CONNECTIONS SAVES    prints MEDIAN_MS LONGEST_MS LONG_TURNS
//
// It begins when so many connections of others are open; LONG_TURNS is how many turns of the server's loop were
// longer than 10 ms meanwhile. With SAVES 0 it watches for as long as a hundred would take.
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { WebSocket } from "ws";

const [port, folder, connections, saves] = process.argv.slice(2).map((word, i) => (i === 1 ? word : Number(word)));
const BETWEEN_MS = 50;
const QUIET_MS = 100 * 2 * BETWEEN_MS;
const TURN_SECONDS = "0.01";

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const now = () => Number(process.hrtime.bigint()) / 1e6;

async function metrics() {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  return (name) => Number(new RegExp(`^tidegate_${name} (\\S+)`, "m").exec(text)[1]);
}

async function longTurns() {
  const read = await metrics();
  return read("loop_turn_seconds_count") - read(`loop_turn_seconds_bucket\\{le="${TURN_SECONDS}"\\}`);
}

const socket = new WebSocket(`ws://127.0.0.1:${port}/ws/talk`, { perMessageDeflate: false });
await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
socket.on("close", () => { throw new Error("the connection was closed"); });

function ask() {
  return new Promise((resolve) => {
    socket.once("message", (data) => resolve(JSON.parse(data).payload));
    socket.send('{"action":"ask"}');
  });
}

// As most editors save.
function save(stamp) {
  writeFileSync(`${folder}/stamp.lua~`, `return ${stamp}\n`);
  renameSync(`${folder}/stamp.lua~`, `${folder}/stamp.lua`);
}

async function measure(stamp) {
  const saved = now();
  save(stamp);
  while ((await ask()) !== stamp) await wait(1);
  return now() - saved;
}

while ((await metrics())("connections") <= connections) await wait(50);
await wait(1000);
const before = await longTurns();
const taken = [];
const first = 1 + Number(/\d+/.exec(readFileSync(`${folder}/stamp.lua`, "utf8"))[0]);
for (let i = 0; i < saves; i++) {
  taken.push(await measure(first + i));
  await wait(BETWEEN_MS);
}
if (!saves) await wait(QUIET_MS);
taken.sort((a, b) => a - b);
const [median, longest] = [taken[saves >> 1] ?? 0, taken[saves - 1] ?? 0];
console.log(`${median.toFixed(1)} ${longest.toFixed(1)} ${(await longTurns()) - before}`);
process.exit();
