// Handlers that wait: the application is spec/support/apps/tasks.

import assert from 'node:assert';
import { after, before, describe, it } from 'node:test';

import { RawClient } from '../support/raw.js';
import { Server } from '../support/server.js';

class Session {
  static async open(options) {
    const session = new Session();
    session.server = await Server.start('tasks', options);
    session.client = await session.join();
    return session;
  }

  join(path = '/ws/tasks') { return RawClient.open(this.server.port, path); }

  // What a deed says, its own file and lines left out.
  async deed(what, client = this.client) {
    client.json({ action: 'do', payload: { what }, ref: what });
    const answer = await client.nextJson();
    assert.deepStrictEqual([answer.action, answer.ref], ['said', what], JSON.stringify(answer));
    return typeof answer.payload === 'string' ? answer.payload.replace(/^[^:]+\.lua:\d+: /, '') : answer.payload;
  }

  line(text) { return this.server.record(({ text: found }) => found === text, `the line "${text}"`); }

  has(text) { return this.server.records().some(({ text: found }) => found === text); }

  async metric(name) {
    const { body } = await this.server.http('/metrics');
    return Number(new RegExp(`^tidegate_${name} (\\d+)$`, 'm').exec(body)[1]);
  }

  async close() {
    this.client.destroy();
    await this.server.stop();
  }
}

const nap = (n, seconds) => ({ action: 'nap', payload: { n, seconds } });
const said = (payload) => ({ action: 'said', payload });

describe('tasks', () => {
  let session;
  before(async () => { session = await Session.open(); });
  after(() => session.close());

  it('cannot wait while modules load', async () => {
    assert.match(await session.deed('loading'), /^cannot wait while loading: start it with tide\.on_start/);
  });

  it('begin when the application serves, those of on_start first', async () => {
    assert.strictEqual(await session.deed('started'), 'on_start, spawned, on_start goes on');
  });

  it('give their results to who waits, as often as asked', async () => {
    assert.deepStrictEqual(await session.deed('results'), ['running', 3, 'second', 'done', 2]);
  });

  it('give their error to who waits', async () => {
    const [result, problem, status] = await session.deed('failure');
    assert.deepStrictEqual([result, status], ['nil', 'failed']);
    assert.match(problem, /: a task failed$/);
    assert.ok(!session.server.records().some(({ error = '' }) => error.endsWith('a task failed')));
  });

  it('are cancelled, and close what is to be closed', async () => {
    assert.deepStrictEqual(await session.deed('cancelled'), ['nil', 'cancelled', 'cancelled']);
    await session.line('unwound by cancel');
  });

  it('raise at every wait once they are cancelled while they run', async () => {
    assert.deepStrictEqual(await session.deed('stubborn'), ['the task was cancelled', 'the task was cancelled']);
  });

  it('cannot wait for themselves', async () => {
    assert.match(await session.deed('itself'), /a task cannot wait for itself/);
  });

  it('tell an error that nobody waits for, with the place where they were spawned', async () => {
    await session.deed('crossing');
    const failure = await session.server.record(({ event }) => event === 'task_failed', 'the failure');
    assert.match(failure.error, /main\.lua:\d+: nobody waits for this$/);
    assert.match(failure.source, /main\.lua:\d+$/);
    assert.match(failure.traceback, /in function <[^>]*main\.lua:\d+>\\n\\t\S*main\.lua:\d+: spawned the task$/);
  });

  it('are gathered, with results in the order of the list', async () => {
    assert.deepStrictEqual(await session.deed('gather'), ['slow', 'fast', 'task']);
  });

  it('end when another of the gathered ones fails', async () => {
    assert.strictEqual(await session.deed('gather_fails'), 'one of them failed');
    await session.line('unwound the rest');
  });

  it('race: the first wins, the others end', async () => {
    assert.strictEqual(await session.deed('race'), 'winner');
    await session.line('unwound the loser');
  });

  it('end at their timeout', async () => {
    assert.deepStrictEqual(await session.deed('timeout'), ['timeout', 'in time']);
    await session.line('unwound too slow');
    assert.strictEqual(await session.deed('timeout_fails'), 'inside the time');
  });

  it('come later, and again and again, whatever one of the runs raises', async () => {
    assert.deepStrictEqual(await session.deed('after_and_every'), ['after', true]);
    const runs = session.server.records().filter(({ error = '' }) => error.endsWith('does not end the rest'));
    assert.ok(runs.length >= 3);
    assert.match(runs[0].traceback, /: spawned the task$/);
  });

  it('come again when there were too many for a while', async () => {
    const crowded = await Session.open({ args: ['--max-tasks', '20'] });
    assert.deepStrictEqual(await crowded.deed('every_among_too_many'), [0, 'running']);
    await crowded.line('tide.every left out a run');
    await crowded.close();
  });

  it('read clocks that go on while they wait', async () => {
    assert.deepStrictEqual(await session.deed('clocks'), [true, true, true]);
  });
});

describe('a queue', () => {
  let session;
  before(async () => { session = await Session.open(); });
  after(() => session.close());

  it('makes who puts wait for who gets', async () => {
    assert.deepStrictEqual(await session.deed('queue'), { closed: 'closed', got: [1, 2, 3, 4, 5, 6], length: 0 });
  });

  it('says why it does not take or give', async () => {
    assert.deepStrictEqual(await session.deed('queue_words'), ['empty', 'full', 'timeout', 'a', 'timeout']);
  });

  it('gives to the next what a cancelled task was woken for', async () => {
    assert.deepStrictEqual(await session.deed('queue_passes_on'), ['second value']);
  });
});

describe('waiting', () => {
  let session;
  before(async () => { session = await Session.open(); });
  after(() => session.close());

  it('goes through pcall, xpcall, metamethods, iterators and __close', async () => {
    assert.deepStrictEqual(await session.deed('everywhere'),
                           ['index x', 'add 1', 'close', 'iterator 1', 'iterator 2', 'pcall', 'xpcall']);
  });

  it('goes through coroutines of the script', async () => {
    assert.deepStrictEqual(await session.deed('coroutine'), [1, 2, 3]);
  });

  it('leaves a coroutine to nobody else', async () => {
    assert.deepStrictEqual(await session.deed('coroutine_status'), [
      'done', 'dead', 'normal', 'cannot resume non-suspended coroutine', 'cannot close a normal coroutine']);
  });

  for (const [where, says] of Object.entries({
    in_sort: 'cannot wait inside sort: fetch what is compared before sorting',
    in_gsub: 'cannot wait inside gsub: collect the matches with string.gmatch, then wait for each',
    in_tostring: 'cannot wait inside tostring: a __tostring answers at once',
    in_load: 'cannot wait inside load: read the whole text first, and load the string',
    in_coroutine_in_sort: 'cannot wait here: this runs inside a function that has to answer at once, such as a '
      + 'comparator of table.sort or the message handler of xpcall; wait outside it',
    in_handler: 'cannot wait inside error: which calls the message handler of xpcall: wait after xpcall has returned',
    in_close: 'cannot wait while the task is being ended: what closes a variable answers at once; tide.spawn goes '
      + 'on by itself',
  }))
    it(`says what to do instead: ${where}`, async () => { assert.strictEqual(await session.deed(where), says); });

  it('says so of a check, too', async () => {
    session.client.json({ action: 'checked', payload: { word: 'x' } });
    assert.deepStrictEqual(await session.client.nextJson(),
                           { action: 'error', payload: { detail: 'Failed to process message' } });
    const { error } = await session.server.record(({ action }) => action === 'checked', 'the failure');
    assert.match(error, /main\.lua:\d+: cannot wait inside a check or the function of a default: /);
  });
});

describe('the messages of a connection', () => {
  let session;
  before(async () => { session = await Session.open({ args: ['--inbox-messages', '4'] }); });
  after(() => session.close());

  it('are answered in their order, however long each waits', async () => {
    const seconds = [0.03, 0, 0.01, 0.02, 0, 0, 0.01];
    seconds.forEach((time, n) => session.client.json(nap(n, time)));
    for (const n of seconds.keys()) assert.deepStrictEqual(await session.client.nextJson(), said(n));
  });

  it('hold up nobody else', async () => {
    const other = await session.join();
    session.client.json(nap(1, 0.2));
    session.client.json(nap(2, 0));
    other.json(nap(3, 0));
    assert.deepStrictEqual(await other.nextJson(), said(3));
    assert.deepStrictEqual(await session.client.nextJson(), said(1));
    assert.deepStrictEqual(await session.client.nextJson(), said(2));
    other.destroy();
  });

  it('keep their ref while they wait', async () => {
    session.client.json({ ...nap(1, 0.01), ref: 'a ref of some length' });
    session.client.json({ ...nap(2, 0), ref: 9007199254740 });
    assert.strictEqual((await session.client.nextJson()).ref, 'a ref of some length');
    assert.strictEqual((await session.client.nextJson()).ref, 9007199254740);
  });

  it('are refused in their order as well', async () => {
    session.client.json(nap(1, 0.02));
    session.client.text('no JSON');
    session.client.json({ action: 'unknown' });
    assert.deepStrictEqual(await session.client.nextJson(), said(1));
    assert.strictEqual((await session.client.nextJson()).payload[0].type, 'json_invalid');
    assert.strictEqual((await session.client.nextJson()).payload[0].type, 'union_tag_invalid');
  });

  it('run beside each other as far as their handler says, and no others beside them', async () => {
    for (let n = 0; n < 4; n++)
      session.client.json({ action: 'together', payload: { n, seconds: 0.06 - n / 100 } });
    session.client.json(nap(9, 0));
    const answers = [];
    for (let n = 0; n < 5; n++) answers.push((await session.client.nextJson()).payload);
    assert.deepStrictEqual(answers, [[2, 3], [1, 3], [0, 3], [3, 3], 9]);
  });

  it('are not read any more when more wait than inbox_messages', async () => {
    const before = await session.metric('inbox_full_total');
    const texts = Array.from({ length: 300 }, (_, n) => nap(n, n === 0 ? 0.1 : 0));
    for (const message of texts) session.client.json(message);
    for (const n of texts.keys()) assert.deepStrictEqual(await session.client.nextJson(), said(n));
    assert.ok(await session.metric('inbox_full_total') > before);
    assert.strictEqual(await session.metric('inbox_messages'), 0);
  });

  it('wait for `connected`', async () => {
    const slow = await session.join('/ws/slow');
    slow.json(nap(1, 0));
    assert.deepStrictEqual(await slow.nextJson(), said('connected'));
    assert.deepStrictEqual(await slow.nextJson(), said(1));
    slow.destroy();
  });

  it('wait as frames without JSON, too', async () => {
    const text = await session.join('/ws/text');
    for (const frame of ['3', '1', '0']) text.text(frame);
    for (const frame of ['3', '1', '0']) assert.strictEqual(await text.nextText(), frame);
    text.destroy();
  });

  it('end at the timeout of their handler, and the next one follows', async () => {
    session.client.json({ action: 'hurried', payload: { seconds: 60 }, ref: 'h' });
    session.client.json({ action: 'hurried', payload: { seconds: 0 } });
    assert.deepStrictEqual(await session.client.nextJson(), {
      action: 'error', payload: { code: 'handler_timeout', detail: 'The handler took too long' }, ref: 'h' });
    assert.deepStrictEqual(await session.client.nextJson(), said('in time'));
    await session.line('unwound the hurried one');
  });
});

describe('the end of a connection', () => {
  let session;
  before(async () => { session = await Session.open(); });
  after(() => session.close());

  it('ends what it started, before `disconnected`, which may wait', async () => {
    const client = await session.join();
    client.json({ action: 'do', payload: { what: 'lingering' } });
    client.json(nap(1, 0));
    await session.deed('clocks'); // the handler waits by now
    client.destroy();
    const { problem } = await session.line('disconnected has waited');
    assert.strictEqual(problem, 'closed');
    const texts = session.server.records().map(({ text }) => text).filter(Boolean);
    const order = ['unwound a task of the connection', 'unwound the coroutine inside', 'unwound the handler',
                   'disconnected has waited'];
    assert.deepStrictEqual(texts.filter((text) => order.includes(text)), order);
  });

  it('comes with 1011 when `connected` fails after it has waited', async () => {
    const client = await session.join('/ws/failing');
    assert.deepStrictEqual(await client.nextJson(),
                           { action: 'error', payload: { detail: 'Failed to process message' } });
    assert.strictEqual((await client.nextClose()).code, 1011);
    client.destroy();
  });
});

describe('a call', () => {
  let session;
  before(async () => { session = await Session.open({ args: ['--inbox-messages', '2'] }); });
  after(() => session.close());

  async function asked(client, timeout) {
    client.json({ action: 'ask', payload: { question: 'who?', timeout }, ref: 'mine' });
    const question = await client.nextJson();
    assert.deepStrictEqual([question.action, question.payload], ['question', { text: 'who?' }]);
    assert.match(question.ref, /^s:\d+$/);
    return question.ref;
  }

  it('is answered past the inbox', async () => {
    const ref = await asked(session.client);
    session.client.json(nap(1, 0));
    session.client.json({ action: 'whatever', payload: { name: 'me', list: [] }, ref });
    assert.deepStrictEqual(await session.client.nextJson(), { ...said([{ name: 'me', list: [] }]), ref: 'mine' });
    assert.deepStrictEqual(await session.client.nextJson(), said(1));
  });

  it('is not answered by another ref, nor twice', async () => {
    const ref = await asked(session.client);
    session.client.json({ ...nap(5, 0), ref: 's:999' });
    session.client.json({ action: 'x', ref });
    session.client.json({ ...nap(6, 0), ref });
    assert.deepStrictEqual((await session.client.nextJson()).payload, [true]);
    assert.deepStrictEqual(await session.client.nextJson(), { ...said(5), ref: 's:999' });
    assert.deepStrictEqual(await session.client.nextJson(), { ...said(6), ref });
  });

  it('ends at its timeout', async () => {
    await asked(session.client, 0.02);
    assert.deepStrictEqual((await session.client.nextJson()).payload, ['nothing', 'timeout']);
  });

  it('ends when the inbox is full', async () => {
    await asked(session.client);
    session.client.json(nap(1, 0));
    session.client.json(nap(2, 0));
    assert.deepStrictEqual((await session.client.nextJson()).payload, ['nothing', 'busy']);
    assert.deepStrictEqual(await session.client.nextJson(), said(1));
    assert.deepStrictEqual(await session.client.nextJson(), said(2));
  });
});

describe('the end of the server', () => {
  it('waits for handlers, answers, and runs on_stop', async () => {
    const session = await Session.open();
    session.client.json(nap(1, 0.1));
    await session.deed('clocks', await session.join());
    session.server.signal('SIGTERM');
    assert.deepStrictEqual(await session.client.nextJson(), said(1));
    assert.strictEqual((await session.client.nextClose()).code, 1001);
    session.client.close(1001);
    session.client.destroy();
    await session.server.ended();
    assert.ok(session.has('on_stop has waited'));
    assert.strictEqual(session.server.exit.code, 0);
  });

  it('does not wait longer than drain_seconds', async () => {
    const session = await Session.open({ args: ['--drain-seconds', '0'] });
    session.client.json({ action: 'do', payload: { what: 'lingering' } });
    await session.deed('clocks', await session.join());
    await session.close();
    assert.ok(session.has('unwound the handler'));
  });
});
