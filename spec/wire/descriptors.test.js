// More clients than descriptors.

import assert from 'node:assert';
import http from 'node:http';
import { describe, it } from 'node:test';
import { RawClient } from '../support/raw.js';
import { Server } from '../support/server.js';

const OPEN_FILES = 160;
const CONNECTS = 250;

describe('without a free descriptor', () => {
  it('newcomers are sent away and counted, and clients go on', async () => {
    const server = await Server.start('wire', { openFiles: OPEN_FILES });
    const client = await RawClient.open(server.port, '/ws/echo');
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    await server.http('/healthz', { agent });
    const crowd = await Promise.all(Array.from({ length: CONNECTS }, () => RawClient.connect(server.port)));
    await server.record(({ event }) => event === 'out_of_descriptors', 'a refusal');
    await crowd[CONNECTS - 1].end();

    client.json({ action: 'blob', payload: { bytes: 16, number: 1 } });
    assert.strictEqual((await client.nextJson()).payload.number, 1);

    const { body } = await server.http('/metrics', { agent });
    const refused = Number(/^tidegate_connections_refused_total (\d+)$/m.exec(body)[1]);
    assert.ok(refused > CONNECTS - OPEN_FILES && refused <= CONNECTS, `${refused} of ${CONNECTS}`);
    const lines = server.records().filter(({ event }) => event === 'out_of_descriptors');
    assert.ok(lines.length <= 5, `${lines.length} lines`);

    agent.destroy();
    client.destroy();
    for (const one of crowd) one.destroy();
    await server.stop();
  });

  it('SIGTERM ends with 0 all the same', async () => {
    const server = await Server.start('wire', { openFiles: OPEN_FILES, args: ['--drain-seconds', '1'] });
    const crowd = await Promise.all(Array.from({ length: CONNECTS }, () => RawClient.connect(server.port)));
    await server.record(({ event }) => event === 'out_of_descriptors', 'a refusal');
    await server.stop();
    for (const one of crowd) one.destroy();
  });
});
