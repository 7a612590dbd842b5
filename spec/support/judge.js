// The application spec/support/apps/differential over one connection: which values its schemas accept.

import WebSocket from 'ws';
import { PATIENCE_MS } from './server.js';

const WINDOW = 64; // messages that are on their way at once

class Judge {
  static open(port) {
    const judge = new Judge();
    judge.waiting = []; // of those who wait for an answer, in the order in which they asked
    judge.socket = new WebSocket(`ws://127.0.0.1:${port}/ws/judge`, { perMessageDeflate: false });
    judge.socket.on('message', (data) => judge.answer(JSON.parse(data.toString())));
    judge.socket.on('close', (code) => judge.end(new Error(`the connection was closed with ${code}`)));
    judge.socket.on('error', (error) => judge.end(error));
    return new Promise((resolve, reject) => {
      judge.socket.once('open', () => resolve(judge));
      judge.socket.once('error', reject);
    });
  }

  answer(frame) {
    const { ref, resolve, reject, timer } = this.waiting.shift();
    clearTimeout(timer);
    // What was no JSON has no ref either.
    if (frame.ref === ref || frame.payload?.[0]?.type === 'json_invalid') resolve(frame);
    else reject(new Error(`waited for ${ref}, heard ${JSON.stringify(frame)}`));
  }

  end(error) {
    for (const { reject, timer } of this.waiting.splice(0)) {
      clearTimeout(timer);
      reject(error);
    }
  }

  // The frame that answers `action` with `payload`, which may be text of JSON already.
  ask(action, payload, text = JSON.stringify(payload)) {
    const ref = (this.asked = (this.asked ?? 0) + 1);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.end(new Error(`no answer to ${action} ${text}`)), PATIENCE_MS);
      this.waiting.push({ ref, resolve, reject, timer });
      this.socket.send(`{"action":${JSON.stringify(action)},"payload":${text},"ref":${ref}}`);
    });
  }

  // The answers to `pairs` of { action, value }, in their order.
  async askAll(pairs) {
    const answers = [];
    for (let at = 0; at < pairs.length; at += WINDOW)
      answers.push(...await Promise.all(
        pairs.slice(at, at + WINDOW).map(({ action, value }) => this.ask(action, value))));
    return answers;
  }

  async schema(action) {
    return (await this.ask('get_schema', { action })).payload;
  }

  close() { this.socket.terminate(); }
}

export { Judge };
