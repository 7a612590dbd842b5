// The same job as tidegate's consumers/system, the way it is commonly written for Node: ws, JSON.parse,
// and ajv for the envelope and for the payload of each action.
import Ajv from "ajv";
import { WebSocketServer } from "ws";

const ajv = new Ajv();

const isEnvelope = ajv.compile({
  type: "object",
  properties: {
    action: { type: "string" },
    payload: {},
    ref: { anyOf: [{ type: "string", maxLength: 128 }, { type: "integer" }] },
  },
  required: ["action"],
});

const noPayload = ajv.compile({ type: "null", nullable: true });

const actions = new Map([
  [
    "user_message",
    {
      isPayload: ajv.compile({
        type: "object",
        properties: { message: { type: "string" } },
        required: ["message"],
      }),
      handle: (payload) => ({
        action: "system_echo",
        payload: { message: `🔧 System Echo: ${payload.message}` },
      }),
    },
  ],
  ["ping", { isPayload: noPayload, handle: () => ({ action: "pong" }) }],
]);

function describe(errors, at) {
  return errors.map((error) => ({
    type: error.keyword,
    loc: [...at, ...error.instancePath.split("/").slice(1)],
    msg: error.message,
  }));
}

function failure(payload, ref) {
  return { action: "error", payload, ref };
}

function answer(text) {
  let message;
  try {
    message = JSON.parse(text);
  } catch (error) {
    return failure([{ type: "json_invalid", loc: [], msg: error.message }]);
  }
  if (!isEnvelope(message)) return failure(describe(isEnvelope.errors, []));
  const action = actions.get(message.action);
  if (!action) {
    return failure([{ type: "union_tag_invalid", loc: ["action"], msg: message.action }], message.ref);
  }
  const payload = message.payload ?? null;
  if (!action.isPayload(payload)) {
    return failure(describe(action.isPayload.errors, ["payload"]), message.ref);
  }
  const reply = action.handle(payload);
  if (message.ref !== undefined) reply.ref = message.ref;
  return reply;
}

const server = new WebSocketServer({
  host: "127.0.0.1",
  port: Number(process.argv[2] ?? 0),
  backlog: 4096,
  perMessageDeflate: false,
});

server.on("connection", (socket) => {
  socket.on("error", () => socket.terminate());
  socket.on("message", (data, isBinary) => {
    const reply = isBinary
      ? failure({ detail: "Binary frames are not accepted" })
      : answer(data.toString());
    socket.send(JSON.stringify(reply));
  });
});

server.on("listening", () => console.log(`listening on ${server.address().port}`));
