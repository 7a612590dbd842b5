// Cross-site WebSocket hijacking in headless Chromium: a page of another origin opens a socket, and the browser
// sends the user's cookie along.

import assert from 'node:assert';
import { after, before, describe, it } from 'node:test';
import { open, unavailable } from '../support/chromium.js';
import { Server } from '../support/server.js';

describe('a page that opens a socket with the cookie of its user', { skip: unavailable }, () => {
  let bank;
  let evil;
  let browser;
  let page;

  before(async () => {
    bank = await Server.start('hijack');
    evil = await Server.start('hijack');
    ({ browser, page } = await open());
    // Cookies do not know ports: what 127.0.0.1 has set goes to every port of it.
    await page.context().addCookies([{ name: 'sid', value: 'secret', domain: '127.0.0.1', path: '/', httpOnly: true }]);
  });
  after(async () => {
    if (browser) await browser.close();
    for (const server of [bank, evil]) if (server) await server.stop();
  });

  // What the script of a page of `server` gets from a socket to the bank: all frames up to the first greeting, or
  // how it ended.
  const attempt = async (server, path, protocols) => {
    await page.goto(`http://127.0.0.1:${server.port}/`);
    return page.evaluate(([url, names]) => new Promise((resolve) => {
      const socket = new WebSocket(url, names);
      const frames = [];
      socket.onmessage = ({ data }) => {
        frames.push(data);
        if (data.includes('welcome')) resolve(frames);
      };
      socket.onclose = ({ code }) => resolve(`closed ${code} after ${frames.length} frames`);
    }), [`ws://127.0.0.1:${bank.port}${path}`, protocols || []]);
  };

  const WELCOME = [
    '{"action":"authentication","payload":{"status_code":200,"status_text":"OK"}}',
    '{"action":"welcome","payload":{"name":"Ann"}}',
  ];

  it('gets what the user may see, if it comes from the same origin', async () => {
    assert.deepStrictEqual(await attempt(bank, '/ws/bank'), WELCOME);
  });

  it('gets nothing if it comes from another, by default', async () => {
    const opened = await bank.metric('connections_opened_total');
    assert.strictEqual(await attempt(evil, '/ws/bank'), 'closed 1006 after 0 frames');
    const line = await bank.record((fields) => fields.event === 'origin_refused', 'the refusal');
    assert.strictEqual(line.origin, `http://127.0.0.1:${evil.port}`);
    assert.strictEqual(line.consumer, 'bank');
    assert.strictEqual(await bank.metric('connections_opened_total'), opened);
    assert.strictEqual(await bank.metric('origins_refused_total'), 1);
  });

  it('would get it where all origins are declared: the cookie does travel', async () => {
    assert.deepStrictEqual(await attempt(evil, '/ws/careless'), WELCOME);
  });

  it('gets nothing from a name of the same machine either', async () => {
    await page.goto(`http://localhost:${bank.port}/`);
    const ending = await page.evaluate((url) => new Promise((resolve) => {
      new WebSocket(url).onclose = ({ code }) => resolve(code);
    }), `ws://127.0.0.1:${bank.port}/ws/bank`);
    assert.strictEqual(ending, 1006);
  });
});
