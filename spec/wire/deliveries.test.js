// Every delivery of broadcasts, counted: several senders number what they say, and each member of their groups gets
// each number of each sender once and in order; nobody else gets any. The application is spec/support/apps/groups.
//
// DELIVERIES is how many, at the least.

import assert from 'node:assert';
import { after, before, describe, it } from 'node:test';
import { RawClient } from '../support/raw.js';
import { PATIENCE_MS, Server } from '../support/server.js';

const DELIVERIES = Number(process.env.DELIVERIES || 1000000);
const SENDERS = 8;
const MEMBERS = 100; // the senders among them
const OUTSIDERS = 5;
const EACH = Math.ceil(DELIVERIES / SENDERS / MEMBERS); // messages of one sender
const IN_FLIGHT = 16; // of one sender

const said = (sender, number) => `{"action":"note","payload":{"text":"${sender} ${number}"}}`;

// A client in groups that checks every frame when it comes. A sender says the next thing when its own copy of an
// earlier one has come back.
class Member {
  static async join(port, groups, tally) {
    const member = new Member();
    Object.assign(member, { tally, next: Array(SENDERS).fill(0), replies: 0, toSay: 0, sender: null });
    member.client = await RawClient.open(port, `/ws/talk?groups=${groups}`);
    member.client.socket.on('news', () => member.read());
    member.client.socket.ref();
    return member;
  }

  // The answer to a question says that it is in its groups.
  async settle() {
    this.client.json({ action: 'do', payload: { what: 'groups' }, ref: 'settled' });
    await new Promise((resolve) => { this.settled = resolve; });
  }

  read() {
    try {
      if (this.client.ending && !this.tally.isOver) throw new Error('a connection has ended');
      for (const { opcode, payload } of this.client.queue.splice(0))
        if (opcode === 'text') this.take(payload.toString('latin1'));
    } catch (error) {
      this.tally.fail(error);
    }
  }

  take(text) {
    if (text.startsWith('{"action":"note"')) this.takeNote(text);
    else if (text.endsWith('"ref":"settled"}')) this.settled();
    else this.takeReply(text);
  }

  takeNote(text) {
    const sender = Number(/"text":"(\d+) /.exec(text)[1]);
    assert.strictEqual(text, said(sender, this.next[sender]));
    this.next[sender] += 1;
    this.tally.count();
    if (sender === this.sender) this.say();
  }

  // What the server tells a sender: how many got it.
  takeReply(text) {
    assert.strictEqual(text, `{"action":"said","payload":[${MEMBERS}]}`);
    this.replies += 1;
    this.tally.count();
  }

  begin(sender) {
    this.sender = sender;
    for (let i = 0; i < IN_FLIGHT; i += 1) this.say();
  }

  say() {
    if (this.toSay === EACH) return;
    const groups = this.toSay % 2 ? ['red', 'blue'] : ['blue', 'red', 'green'];
    this.client.json({ action: 'do', payload: { what: 'note', with: { text: `${this.sender} ${this.toSay}`, groups } } });
    this.toSay += 1;
  }
}

// How much has come to all together. Its promise is kept when that is as much as expected.
class Tally {
  constructor(expected) {
    Object.assign(this, { expected, got: 0, isOver: false });
    this.promise = new Promise((resolve, reject) => Object.assign(this, { resolve, reject }));
    this.watchdog = setInterval(() => this.look(), PATIENCE_MS);
  }

  look() {
    if (this.got === this.seen) this.fail(new Error(`only ${this.got} of ${this.expected} frames have come`));
    this.seen = this.got;
  }

  count() {
    this.got += 1;
    if (this.got === this.expected) this.end(this.resolve);
  }

  fail(error) { this.end(() => this.reject(error)); }

  end(settle) {
    this.isOver = true;
    clearInterval(this.watchdog);
    settle();
  }
}

// Of the members every third is in one of the groups, every third in the other and the rest in both.
const GROUPS = ['red', 'blue', 'red,blue'];

describe(`${SENDERS * MEMBERS * EACH} deliveries`, () => {
  let server;
  before(async () => { server = await Server.start('groups'); });
  after(() => server.stop());

  it('reach each member once, in the order of each sender, and nobody else', async () => {
    const tally = new Tally(SENDERS * EACH * (MEMBERS + 1));
    const join = (groups) => Member.join(server.port, groups, tally);
    const members = await Promise.all(Array.from({ length: MEMBERS }, (_, i) => join(GROUPS[i % 3])));
    const outsiders = await Promise.all(Array.from({ length: OUTSIDERS }, () => join('redblue')));
    const everybody = [...members, ...outsiders];
    await Promise.all(everybody.map((one) => one.settle()));

    members.slice(0, SENDERS).forEach((member, sender) => member.begin(sender));
    await tally.promise;
    await Promise.all(everybody.map((one) => one.settle())); // nothing more comes

    assert.strictEqual(tally.got, tally.expected);
    for (const { next } of members) assert.deepStrictEqual(next, Array(SENDERS).fill(EACH));
    for (const { next } of outsiders) assert.deepStrictEqual(next, Array(SENDERS).fill(0));
    for (const { replies } of members.slice(0, SENDERS)) assert.strictEqual(replies, EACH);
    assert.strictEqual(await server.metric('broadcasts_total'), SENDERS * EACH);
    assert.strictEqual(await server.metric('deliveries_total'), SENDERS * EACH * MEMBERS);
    assert.strictEqual(await server.metric('outbox_full_total'), 0);
    for (const { client } of everybody) client.destroy();
    await server.metricUntil('connections', (count) => count === 0);
    for (const name of ['groups', 'group_memberships', 'payload_bytes']) assert.strictEqual(await server.metric(name), 0);
  });
});
