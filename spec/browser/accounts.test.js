// The page of examples/accounts, with two people in two browsers: logging in, what it opens, and logging out.

import assert from 'node:assert';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { open, unavailable } from '../support/chromium.js';
import { PATIENCE_MS, ROOT, Server } from '../support/server.js';

describe('the page of the accounts', { skip: unavailable }, () => {
  let browser;
  let server;
  let ann;
  let bob;
  const troubles = [];

  // A page in a browser of its own: cookies are nobody else's.
  const visit = async () => {
    const page = await (await browser.newContext()).newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    page.on('pageerror', (error) => troubles.push(String(error)));
    await page.goto(`http://127.0.0.1:${server.port}/`);
    return page;
  };

  before(async () => {
    server = await Server.start(path.join(ROOT, 'examples/accounts'), { args: ['--dev'] });
    ({ browser } = await open());
    [ann, bob] = [await visit(), await visit()];
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  const status = (page, text) => page.getByRole('status').filter({ hasText: text }).waitFor();

  const logIn = async (page, name, password) => {
    await page.getByLabel('Name').fill(name);
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Log in' }).click();
  };

  const say = async (page, text) => {
    await page.getByLabel('Message', { exact: true }).fill(text);
    await page.getByRole('button', { name: 'Send' }).click();
  };

  // Waits until the list of that name has as many lines, and compares them.
  const expectLines = async (page, list, expected) => {
    const lines = page.locator(list).getByRole('listitem');
    await lines.nth(expected.length - 1).waitFor();
    assert.deepStrictEqual(await lines.allTextContents(), expected);
  };

  const accepted = '{"action":"authentication","payload":{"status_code":200,"status_text":"OK"}}';

  it('asks who it is, and lets nobody in with a wrong password', async () => {
    await status(ann, 'Log in to talk.');
    await logIn(ann, 'ann', 'guessed');
    await status(ann, 'The name or the password is wrong');
    await expectLines(ann, '.lines', ['GET /me: 401', 'POST /login: 401']);
    assert.ok(await ann.getByLabel('Password').isVisible());
    assert.deepStrictEqual(await ann.context().cookies(), []);
  });

  it('opens with the right one, and echoes', async () => {
    await logIn(ann, 'ann', 'gently');
    await status(ann, 'You are Ann, in lobby');
    await ann.getByLabel('to the echo').check();
    await say(ann, 'Hello!');
    await ann.getByLabel('to the echo').uncheck();
    await expectLines(ann, '.log', ['Echo: Hello!']);
    const lines = await ann.locator('.lines').getByRole('listitem').allTextContents();
    assert.deepStrictEqual(lines.filter((line) => line.startsWith('echo ')), [
      'echo connects to /ws/echo/',
      `echo < ${accepted}`,
      'echo > {"action":"echo","payload":"Hello!"}',
      'echo < {"action":"echo","payload":"Echo: Hello!"}',
    ]);
  });

  it('keeps the session in a cookie that no script reads', async () => {
    const [cookie] = await ann.context().cookies();
    assert.strictEqual(cookie.name, 'sessionid');
    assert.ok(cookie.httpOnly);
    assert.strictEqual(await ann.evaluate(() => document.cookie), '');
    await ann.reload();
    await status(ann, 'You are Ann, in lobby');
  });

  it('shows in a room who says what', async () => {
    await status(bob, 'Log in to talk.');
    await logIn(bob, 'bob', 'breeze');
    await status(bob, 'You are Bob, in lobby');
    await say(ann, 'Tea?');
    await bob.getByText('Ann: Tea?', { exact: true }).waitFor();
    await say(bob, 'Yes, <b>please</b>');
    for (const page of [ann, bob]) await expectLines(page, '.log', ['Ann: Tea?', 'Bob: Yes, <b>please</b>']);
  });

  it('loses its connections, and those in other windows, with the logout', async () => {
    const second = await ann.context().newPage();
    await second.goto(`http://127.0.0.1:${server.port}/?room=attic`);
    await status(second, 'You are Ann, in attic');
    await ann.getByRole('button', { name: 'Log out' }).click();
    for (const page of [ann, second]) {
      await status(page, 'You are logged out.');
      for (const name of ['echo', 'chat']) await page.getByText(`${name} closes: 4401 logged out`).waitFor();
      assert.ok(await page.getByLabel('Password').isVisible());
    }
    assert.deepStrictEqual(await ann.context().cookies(), []);
    await say(bob, 'Where are you?');
    await bob.getByText('Bob: Where are you?', { exact: true }).waitFor();
    assert.deepStrictEqual(troubles, []);
  });
});
