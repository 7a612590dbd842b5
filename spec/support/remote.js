// Other servers, all of them on loopback, and what the application of spec/support/apps/fetch gets from them.

import assert from 'node:assert';
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import { RawClient } from './raw.js';
import { ROOT } from './server.js';

// Where the handlers are, as errors name it.
const HERE = path.join(ROOT, 'spec/support/apps/fetch/fetch.lua');

// Listens on loopback; `origin` is how it is asked.
async function listen(server, scheme = 'http', host = '127.0.0.1') {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  server.origin = `${scheme}://${host}:${server.address().port}`;
  server.unref();
  return server;
}

// A server of HTTP: `routes` is path -> (request, response).
const serve = (routes) => listen(http.createServer((request, response) => {
  const route = routes[new URL(request.url, 'http://x').pathname];
  if (route) route(request, response);
  else response.writeHead(404).end();
}));

// A server that says what no library would: `speak` gets each socket once a request has come.
const speaker = (speak) => listen(net.createServer((socket) => {
  socket.on('error', () => {});
  socket.once('data', () => speak(socket));
  socket.unref();
}));

const readBody = async (request) => {
  const parts = [];
  for await (const part of request) parts.push(part);
  return Buffer.concat(parts).toString('utf8');
};

// Answers with what it was asked.
async function mirror(request, response) {
  const body = await readBody(request);
  response.end(JSON.stringify({ method: request.method, url: request.url, headers: request.headers, body }));
}

// The answer to one message of a client that then leaves.
async function talk(server, action, payload) {
  const client = await RawClient.open(server.port, '/ws/fetch');
  client.text(JSON.stringify({ action, payload }));
  const frame = await client.nextJson();
  client.close(1000);
  await client.end();
  assert.strictEqual(frame.action, 'answer', JSON.stringify(frame));
  return frame.payload;
}

// What tide.http.request returned.
const ask = (server, request) => talk(server, 'ask', { request });

// What a mirror saw of it.
async function askMirror(server, request) {
  const { body } = await ask(server, request);
  return JSON.parse(body);
}

// The sentence of a request that has to fail.
async function askError(server, request) {
  const { error } = await ask(server, request);
  assert.strictEqual(typeof error, 'string');
  return error;
}

export { HERE, ask, askError, askMirror, listen, mirror, serve, speaker, talk };
