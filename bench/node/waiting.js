// Many connections whose handlers wait at once: what each wait costs in memory, and how long one more client has to
// wait for its pong while all of them wake within one second.
//
//     node waiting.js PORT PID CONNECTIONS
import { readFileSync } from "node:fs";
import { WebSocket } from "ws";

const [port, pid, count] = process.argv.slice(2).map(Number);
const SLEEP_SECONDS = 5;
const OPEN_AT_ONCE = 200;

const rssKb = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))[1]);
const metric = async (name) => {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\S+)`, "m").exec(text)[1]);
};
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

function open() {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/ws/rest`, { perMessageDeflate: false });
    socket.once("open", () => resolve(socket));
    socket.once("error", reject);
  });
}

const sockets = [];
while (sockets.length < count)
  sockets.push(...(await Promise.all(Array.from({ length: Math.min(OPEN_AT_ONCE, count - sockets.length) }, open))));
await wait(500);
const [idleKb, idleHeap] = [rssKb(), await metric("tidegate_script_heap_bytes")];

let awake = 0;
for (const [index, socket] of sockets.entries()) {
  socket.on("message", () => awake++);
  // All wake within the second that follows five: they are spread over it.
  const seconds = SLEEP_SECONDS + index / count;
  socket.send(`{"action":"rest","payload":{"seconds":${seconds.toFixed(3)}}}`);
}
while ((await metric("tidegate_action_messages_total\\{consumer=\"rest\",action=\"rest\",generation=\"1\"\\}")) < count) await wait(50);
const [waitingKb, waitingHeap] = [rssKb(), await metric("tidegate_script_heap_bytes")];

const other = await open();
let longest = 0;
while (awake < count) {
  const sent = process.hrtime.bigint();
  await new Promise((resolve) => {
    other.once("message", resolve);
    other.send('{"action":"ping"}');
  });
  const taken = Number(process.hrtime.bigint() - sent) / 1e6;
  if (awake > 0 && taken > longest) longest = taken;
  await wait(1);
}
const turns = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
const slow = /^tidegate_loop_turn_seconds_bucket\{le="0\.01"\} (\d+)/m.exec(turns)[1];
const all = /^tidegate_loop_turn_seconds_count (\d+)/m.exec(turns)[1];

console.log(`${count} handlers that wait: ${(((waitingKb - idleKb) * 1024) / count).toFixed(0)} bytes resident each, ` +
  `${((waitingHeap - idleHeap) / count).toFixed(0)} of Lua`);
console.log(`another client's longest round trip while they wake: ${longest.toFixed(1)} ms (this script's own time included)`);
console.log(`turns of the server's loop over 10 ms in all: ${all - slow} of ${all}`);
for (const socket of [...sockets, other]) socket.terminate();
