// The pages as a person meets them, in headless Chromium.

import assert from 'node:assert';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { open, unavailable } from '../support/chromium.js';
import { ROOT, Server } from '../support/server.js';

// One page of one application: what a person does, and the frames that go over the wire meanwhile.
for (const { app, what, welcome, sends, receives } of [
  {
    app: 'consumers',
    what: 'the page of the system consumer',
    welcome: ['{"action":"system_echo","payload":{"message":"🔧 System: Connection established!"}}'],
    sends: (text) => `{"action":"user_message","payload":{"message":"${text}"}}`,
    receives: (text) => `{"action":"system_echo","payload":{"message":"🔧 System Echo: ${text}"}}`,
  },
  {
    app: 'examples/raw_text',
    what: 'the page of plain text',
    welcome: ['🔧 System: Connection established!'],
    sends: (text) => text,
    receives: (text) => `🔧 System Echo: ${text}`,
  },
]) {
  describe(what, { skip: unavailable }, () => {
    let server;
    let browser;
    let page;
    const wire = { sent: [], received: [], sockets: [], troubles: [] };

    before(async () => {
      server = await Server.start(path.join(ROOT, app));
      ({ browser, page } = await open());
      page.on('websocket', (socket) => {
        if (socket.url().endsWith('/tidegate/dev')) return;
        wire.sockets.push(socket.url());
        socket.on('framesent', ({ payload }) => wire.sent.push(payload.toString()));
        socket.on('framereceived', ({ payload }) => wire.received.push(payload.toString()));
      });
      page.on('pageerror', (error) => wire.troubles.push(String(error)));
      page.on('requestfailed', (request) => wire.troubles.push(`failed: ${request.url()}`));
      page.on('response', (answer) => { if (answer.status() >= 400) wire.troubles.push(`${answer.status()}: ${answer.url()}`); });
      await page.goto(`http://127.0.0.1:${server.port}/`);
    });
    after(async () => {
      if (browser) await browser.close();
      if (server) await server.stop();
    });

    it('connects by itself and says so', async () => {
      await page.getByText('Connection established!', { exact: true }).waitFor(); // its status
      await page.getByText('🔧 System: Connection established!').waitFor(); // what the server says
      assert.strictEqual(wire.sockets.length, 1);
      assert.ok(wire.sockets[0].startsWith(`ws://127.0.0.1:${server.port}/`), wire.sockets[0]);
      assert.deepStrictEqual(wire.received, welcome);
    });

    const exchange = async (text, send) => {
      const sent = wire.sent.length;
      const received = wire.received.length;
      await page.getByRole('textbox').fill(text);
      await send();
      await page.getByText(`User: ${text}`, { exact: true }).waitFor();
      await page.getByText(`System Echo: ${text}`).last().waitFor();
      assert.deepStrictEqual(wire.sent.slice(sent), [sends(text)]);
      assert.deepStrictEqual(wire.received.slice(received), [receives(text)]);
      assert.strictEqual(await page.getByRole('textbox').inputValue(), '', 'the input is empty again');
    };

    it('sends on Enter and shows both sides', async () => {
      await exchange('Hello', () => page.getByRole('textbox').press('Enter'));
    });

    it('sends on a click on Send', async () => {
      await exchange('Hello again', () => page.getByRole('button', { name: 'Send' }).click());
    });

    it('shows markup as the text that it is', async () => {
      await exchange('<b id=injected>bold</b> & 😀', () => page.getByRole('textbox').press('Enter'));
      assert.strictEqual(await page.locator('#injected').count(), 0);
    });

    it('had no trouble with its script, its style or its files', () => {
      assert.deepStrictEqual(wire.troubles.filter((trouble) => !/\/favicon\.ico$/.test(trouble)), []);
    });
  });
}
