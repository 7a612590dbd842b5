// The same messages with JSON.parse and ajv. Prints "SIZE CASE NANOSECONDS" lines for bench/messages/run.
import { readFileSync } from "node:fs";
import Ajv from "ajv";

const ajv = new Ajv({ allErrors: true });
const envelope = (payload) =>
  ajv.compile({
    type: "object",
    properties: { action: { type: "string" }, payload, ref: { type: "string" } },
    required: ["action", "payload"],
  });

const isSmall = envelope({
  type: "object",
  properties: {
    content: { type: "string", minLength: 1, maxLength: 2000 },
    room: { type: "string", pattern: "^[a-z][a-z0-9-]*$" },
    priority: { type: "integer", minimum: 0, maximum: 9 },
  },
  required: ["content", "room", "priority"],
});

const isLarge = envelope({
  type: "object",
  properties: {
    items: {
      type: "array",
      maxItems: 1000,
      items: {
        type: "object",
        properties: {
          id: { type: "integer", minimum: 1 },
          name: { type: "string", minLength: 1, maxLength: 80 },
          price: { type: "number", minimum: 0 },
          active: { type: "boolean" },
          tags: { type: "array", items: { type: "string", maxLength: 20 }, maxItems: 8 },
          note: { type: "string", maxLength: 200 },
        },
        required: ["id", "name", "price", "active", "tags"],
      },
    },
  },
  required: ["items"],
});

function refuse(errors) {
  const payload = errors.map((error) => ({
    type: error.keyword,
    loc: error.instancePath.split("/").slice(1),
    msg: error.message,
  }));
  return JSON.stringify({ action: "error", payload });
}

// The nanoseconds that one call takes: the fastest of some rounds.
function measure(rounds, count, call) {
  let least = Infinity;
  for (let round = 0; round < rounds; round++) {
    const started = process.cpuUsage();
    for (let i = 0; i < count; i++) call();
    const { user, system } = process.cpuUsage(started);
    least = Math.min(least, ((user + system) * 1000) / count);
  }
  return least;
}

const [folder, rounds] = [process.argv[2], Number(process.argv[3])];
const cases = [
  ["small", isSmall, 50000, '"priority":3', '"priority":"3"'],
  ["large", isLarge, 1000, '"price":121.06', '"price":"121.06"'],
];

for (const [size, isRight, count, right, wrong] of cases) {
  const good = readFileSync(`${folder}/${size}.json`, "utf8").trim();
  const bad = good.replace(right, wrong);
  const message = JSON.parse(good);
  if (!isRight(message) || isRight(JSON.parse(bad))) throw new Error(`${size}: a wrong verdict`);
  const report = (name, call) => {
    measure(2, count, call); // until it is compiled
    console.log(`${size} ${name} ${measure(rounds, count, call).toFixed(0)}`);
  };
  report("accept", () => isRight(JSON.parse(good)));
  report("refuse", () => isRight(JSON.parse(bad)) || refuse(isRight.errors));
  report("write", () => JSON.stringify({ action: size, payload: message.payload }));
}
