// What a developer does all day: type in the page, edit the file, type again on the same socket; and what the
// page shows when the file is broken, or a handler raises.

import assert from 'node:assert';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';

import { open, unavailable } from '../support/chromium.js';
import { ROOT, Server } from '../support/server.js';

describe('the page of an application under development', { skip: unavailable }, () => {
  let folder;
  let server;
  let browser;
  let page;
  let sockets = 0;
  const troubles = [];

  before(async () => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tidegate-page-'));
    fs.cpSync(path.join(ROOT, 'consumers'), folder, { recursive: true });
    server = await Server.start(folder, { args: ['--reload'] });
    ({ browser, page } = await open());
    page.on('websocket', (socket) => { if (!socket.url().endsWith('/tidegate/dev')) sockets += 1; });
    page.on('pageerror', (error) => troubles.push(String(error)));
    await page.goto(`http://127.0.0.1:${server.port}/`);
    await page.getByText('Connection established!', { exact: true }).waitFor();
  });
  after(async () => {
    if (browser) await browser.close();
    if (server) await server.stop();
    if (folder) fs.rmSync(folder, { recursive: true, force: true });
  });

  const file = () => path.join(folder, 'system', 'init.lua');
  const edit = (change) => fs.writeFileSync(file(), change(fs.readFileSync(file(), 'utf8')));
  const overlay = () => page.locator('tidegate-dev').getByRole('alertdialog');
  const type = async (text) => {
    await page.getByRole('textbox').fill(text);
    await page.keyboard.press('Enter');
  };

  it('answers with what was saved, on the same socket, and says so in the corner', async () => {
    await type('first');
    await page.getByText('System Echo: first').waitFor();
    edit((text) => text.replace('System Echo:', 'Saved Echo:'));
    await page.locator('tidegate-dev').getByText(/^reloaded generation 2 in \d+ ms: 1 module$/).waitFor();
    await type('second');
    await page.getByText('Saved Echo: second').waitFor();
    assert.strictEqual(sockets, 1);
  });

  it('shows the line and a caret of what does not load, and goes on serving', async () => {
    edit((text) => text.replace('return System', 'local broken <const> = = 1\nreturn System'));
    await overlay().waitFor();
    const shown = await overlay().innerText();
    assert.match(shown, /unexpected symbol near/);
    assert.match(shown, /system\/init\.lua:\d+/);
    assert.match(shown, /\n *\d+ \| local broken <const> = = 1\s*\n +\| +\^/);
    assert.strictEqual(await page.evaluate(() => document.activeElement.localName), 'tidegate-dev');
    await page.keyboard.press('Escape');
    await overlay().waitFor({ state: 'hidden' });
    assert.strictEqual(await page.evaluate(() => document.activeElement.localName), 'input');
    await type('third');
    await page.getByText('Saved Echo: third').waitFor();
  });

  it('takes it away when it is mended', async () => {
    edit((text) => `${text}\n`);
    await overlay().waitFor();
    edit((text) => text.replace(/local broken.*\n/, ''));
    await overlay().waitFor({ state: 'hidden' });
    await type('fourth');
    await page.getByText('Saved Echo: fourth').waitFor();
    assert.strictEqual(sockets, 1);
  });

  it('shows a handler that raised', async () => {
    edit((text) => text.replace(/return messages.system_echo .*/, 'error("oh dear")'));
    await page.locator('tidegate-dev').getByText(/^reloaded generation \d+ in \d+ ms: 1 module$/).waitFor();
    await type('fifth');
    await overlay().getByRole('heading', { name: /oh dear/ }).waitFor();
    await overlay().getByRole('button', { name: /Close/ }).click();
    await overlay().waitFor({ state: 'hidden' });
    assert.deepStrictEqual(troubles, []);
    assert.strictEqual(sockets, 1);
  });
});
