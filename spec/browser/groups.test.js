// The pages of applications in which several people meet, each in a window of Chromium.

import assert from 'node:assert';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { open, unavailable } from '../support/chromium.js';
import { PATIENCE_MS, ROOT, Server, run } from '../support/server.js';

let browser;
before(async () => { if (!unavailable) ({ browser } = await open()); });
after(() => browser?.close());

// One application, in development and in a folder of its own, and the windows on it. What fails in a page ends up in
// `troubles`.
class Meeting {
  static async start(app) {
    const meeting = new Meeting();
    meeting.troubles = [];
    meeting.folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tidegate-meeting-'));
    fs.cpSync(path.join(ROOT, app), meeting.folder, { recursive: true });
    meeting.server = await Server.start(meeting.folder, { args: ['--dev'] });
    meeting.context = await browser.newContext();
    return meeting;
  }

  // What somebody types into a terminal, and what the command says.
  async command(...words) {
    const { code, stdout, stderr } = await run([...words, this.folder]);
    assert.strictEqual(code, 0, stderr);
    return stdout;
  }

  // A page at `target` whose button `ready` can be pressed: it is connected.
  async enter(target, ready) {
    const page = await this.context.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    page.on('pageerror', (error) => this.troubles.push(String(error)));
    page.on('requestfailed', (request) => this.troubles.push(`failed: ${request.url()}`));
    page.on('response', (answer) => { if (answer.status() >= 400) this.troubles.push(`${answer.status()}: ${answer.url()}`); });
    await page.goto(`http://127.0.0.1:${this.server.port}/${target}`);
    await page.locator(`${ready}:enabled`).waitFor();
    return page;
  }

  async stop() {
    await this.context.close();
    await this.server.stop();
    fs.rmSync(this.folder, { recursive: true });
    assert.deepStrictEqual(this.troubles, []);
  }
}

async function withMeeting(app, use) {
  const meeting = await Meeting.start(app);
  try {
    await use(meeting);
  } finally {
    await meeting.stop();
  }
}

// Waits until the log of the page has as many lines, and compares them.
async function expectLog(page, expected) {
  const lines = page.getByRole('log').getByRole('listitem');
  if (expected.length) await lines.nth(expected.length - 1).waitFor();
  assert.deepStrictEqual(await lines.allTextContents(), expected);
}

async function type(page, field, text) {
  await page.locator(field).fill(text);
  await page.locator(field).press('Enter');
}

describe('the page of a room', { skip: unavailable }, () => {
  let meeting;
  let windows;
  before(async () => {
    meeting = await Meeting.start('consumers');
    windows = [];
    for (const room of ['lobby', 'lobby', 'lobby', 'cellar & co'])
      windows.push(await meeting.enter(`room.html?room=${encodeURIComponent(room)}`, '.say button'));
  });
  after(() => meeting.stop());

  const joined = "🚪 Someone joined room 'lobby'";

  it('says which room it is', async () => {
    const [first, , , cellar] = windows;
    await first.getByText("You are in room 'lobby'.").waitFor();
    await cellar.getByText("You are in room 'cellar & co'.").waitFor();
    assert.strictEqual(await cellar.getByRole('heading').textContent(), 'Room cellar & co');
  });

  it('shows who comes to the others', async () => {
    const [first, second, third, cellar] = windows;
    await expectLog(first, [joined, joined]);
    await expectLog(second, [joined]);
    await expectLog(third, []);
    await expectLog(cellar, []);
  });

  it('shows what one says to everybody in the room, and to the speaker', async () => {
    const [first, second, third, cellar] = windows;
    await type(first, '#room-text', 'Hello');
    await third.getByText('💬 Hello').waitFor();
    await third.getByLabel('Message to the room').fill('<i>Hi</i> 😀');
    await third.getByRole('button', { name: 'Send' }).click();
    const said = ['💬 Hello', '💬 <i>Hi</i> 😀'];
    await expectLog(first, [joined, joined, ...said]);
    await expectLog(second, [joined, ...said]);
    await expectLog(third, said);
    await type(cellar, '#room-text', 'Nobody here?');
    await expectLog(cellar, ['💬 Nobody here?']);
    await expectLog(first, [joined, joined, ...said]);
  });

  it('shows who leaves', async () => {
    const [first, second, third] = windows;
    await third.close();
    for (const page of [first, second])
      await page.getByText("👋 Someone left room 'lobby'", { exact: true }).waitFor();
  });

  it('leads to another room, and to the system consumer and back', async () => {
    const [first, second, , cellar] = windows;
    await type(second, '#room-name', 'cellar & co');
    await second.getByText("You are in room 'cellar & co'.").waitFor();
    await cellar.getByText("🚪 Someone joined room 'cellar & co'").waitFor();
    await first.getByText("👋 Someone left room 'lobby'").nth(1).waitFor();
    await second.getByRole('link', { name: 'System Messages' }).click();
    await second.getByText('🔧 System: Connection established!').waitFor();
    await second.getByRole('link', { name: 'Room Chat' }).click();
    await second.getByText("You are in room 'lobby'.").waitFor();
    await first.getByText(joined).nth(2).waitFor();
  });
});

describe('the page of the chat', { skip: unavailable }, () => {
  let meeting;
  let windows;
  before(async () => {
    meeting = await Meeting.start('examples/chat');
    windows = [];
    for (const name of ['Ann', 'Ann', 'Bob', '']) windows.push(await meeting.enter(`?name=${name}`, '#say button'));
  });
  after(() => meeting.stop());

  it('shows of each message whose it is', async () => {
    const [ann, tablet, bob, nameless] = windows;
    await type(ann, '#text', 'Hello everyone!');
    await expectLog(ann, ['You: Hello everyone!']);
    await expectLog(tablet, ['You, elsewhere: Hello everyone!']);
    await expectLog(bob, ['Ann: Hello everyone!']);
    await type(nameless, '#text', 'Hi');
    await expectLog(nameless, ['Ann: Hello everyone!', 'You: Hi']);
    await expectLog(ann, ['You: Hello everyone!', 'Anonymous: Hi']);
  });

  it('can speak to the others alone', async () => {
    const [ann, tablet, bob, nameless] = windows;
    await bob.getByLabel('to the others only').check();
    await type(bob, '#text', 'psst');
    await bob.getByLabel('to the others only').uncheck();
    await type(bob, '#text', 'Hello');
    for (const page of [ann, tablet, nameless])
      await expectLog(page, [...(await page.getByRole('listitem').allTextContents()).slice(0, 2), 'Bob: psst', 'Bob: Hello']);
    await expectLog(bob, ['Ann: Hello everyone!', 'Anonymous: Hi', 'You: Hello']);
  });
});

describe('what is sent from the command line', { skip: unavailable }, () => {
  it('appears in every window of the chat, as an announcement', () => withMeeting('examples/chat', async (meeting) => {
    const windows = [];
    for (const name of ['Ann', 'Ann', 'Bob']) windows.push(await meeting.enter(`?name=${name}`, '#say button'));
    const send = (payload) => meeting.command('send-event', 'notify', payload, '--group', 'general_announcements');
    assert.strictEqual(await send('{"content":"We <i>close</i> at 6"}'), '3 connections got it\n');
    assert.strictEqual(await send('{"content":"Important system message","level":"warning"}'), '3 connections got it\n');
    for (const page of windows) {
      await expectLog(page, ['INFO: We <i>close</i> at 6', 'WARNING: Important system message']);
      assert.strictEqual(await page.locator('.notice').count(), 2);
    }
  }));

  it('is read by each member of a discussion with the own name', () => withMeeting('examples/discussion', async (meeting) => {
    const ann = await meeting.enter('?name=Ann&room=tides', '#say button');
    const bob = await meeting.enter('?name=Bob&room=moons', '#say button');
    await meeting.command('send-event', 'notify_people', '{"content":"We close at 6"}', '--group', 'discussion');
    await ann.getByText('For Ann: We close at 6').waitFor();
    await bob.getByText('For Bob: We close at 6').waitFor();
  }));

  it('may be a message to a room', () => withMeeting('consumers', async (meeting) => {
    const page = await meeting.enter('room.html?room=lobby', '.say button');
    const payload = '{"message":"The tide is in","room_name":"lobby"}';
    await meeting.command('broadcast', 'room_notification', payload, '--group', 'room_lobby');
    await page.getByText('The tide is in').waitFor();
  }));
});

describe('the page of the discussion', { skip: unavailable }, () => {
  let meeting;
  before(async () => { meeting = await Meeting.start('examples/discussion'); });
  after(() => meeting.stop());

  it('shows what members say, what is raw letter by letter, and how many read it', async () => {
    const ann = await meeting.enter('?name=Ann&room=tides', '#say button');
    const bob = await meeting.enter('?name=Bob&room=tides', '#say button');
    await ann.getByText('For Ann: Bob has come').waitFor();
    await ann.getByLabel('raw').check();
    await ann.getByLabel('Message to the room').fill('a  <b>');
    await ann.getByRole('button', { name: 'Send' }).click();
    await expectLog(ann, ['For Ann: Ann has come', 'For Ann: Bob has come', 'You: a  <b>', 'Readers: 1']);
    await expectLog(bob, ['For Bob: Bob has come', 'Ann: a  <b>']);
    assert.strictEqual(await bob.locator('code.raw').textContent(), 'a  <b>');
  });

  it('asks for a name first, and says what only members may', async () => {
    const page = await meeting.context.newPage();
    await page.goto(`http://127.0.0.1:${meeting.server.port}/`);
    await page.getByText('Who are you?').waitFor();
    await page.getByLabel('Your name').fill('Eve');
    await page.getByLabel('Room', { exact: true }).fill('private-crew');
    await page.getByRole('button', { name: 'Enter' }).click();
    await page.getByText('Eve in private-crew').waitFor();
    await page.getByLabel('Message to the room').fill('Hi');
    await page.getByRole('button', { name: 'Send' }).click();
    await page.getByText('Cannot send messages to private rooms without membership').waitFor();
  });
});

describe('the page of the topics hub', { skip: unavailable }, () => {
  let meeting;
  before(async () => { meeting = await Meeting.start('examples/topics_hub'); });
  after(() => meeting.stop());

  const topicsOf = (page) => page.getByRole('list', { name: 'Your topics' }).getByRole('listitem');

  it('subscribes, posts to the room that is chosen, and shows who watches', async () => {
    const ann = await meeting.enter('', '#subscribe button');
    const bob = await meeting.enter('', '#subscribe button');
    for (const page of [ann, bob]) {
      await type(page, '#topic', 'room:lobby');
      await page.locator('#say button:enabled').waitFor();
    }
    await type(ann, '#topic', 'room:kitchen');
    await topicsOf(ann).nth(1).waitFor();
    await ann.getByLabel('Room', { exact: true }).selectOption('room:lobby');
    await type(ann, '#text', 'Hello');
    await ann.getByLabel('Room', { exact: true }).selectOption('room:kitchen');
    await type(ann, '#text', 'Tea?');
    await expectLog(ann, ['room:lobby: Hello', 'room:kitchen: Tea?']);
    await expectLog(bob, ['room:lobby: Hello']);
    await type(ann, '#topic', 'presence:ann');
    await ann.getByText('presence:ann (1)').waitFor();
    await type(bob, '#topic', 'presence:ann');
    await ann.getByText('presence:ann (2)').waitFor();
  });

  it('shows a refusal, and leaves', async () => {
    const page = await meeting.enter('', '#subscribe button');
    await type(page, '#topic', 'room:private');
    await type(page, '#topic', 'somewhere');
    await expectLog(page, ["room:private: Not allowed to subscribe to 'room:private'", "somewhere: Unknown topic 'somewhere'"]);
    await type(page, '#topic', 'room:lobby');
    await page.getByRole('button', { name: 'Leave room:lobby' }).click();
    await topicsOf(page).first().waitFor({ state: 'detached' });
    assert.ok(await page.locator('#say button').isDisabled());
  });
});
