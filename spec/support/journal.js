// The journal of the `wire` application: which `disconnected` hooks ran, and what handlers noted.

import { RawClient } from './raw.js';

class Journal {
  static async open(port) {
    const journal = new Journal();
    journal.client = await RawClient.open(port, '/ws/watch');
    await journal.client.nextText(); // watching: from now on everything arrives here
    return journal;
  }

  async next(action) {
    const message = await this.client.nextJson();
    if (message.action !== action) throw new Error(`expected ${action}, got ${JSON.stringify(message)}`);
    return message.payload;
  }

  // The next end of a connection, as { consumer, code, reason, ... }.
  ended() { return this.next('ended'); }

  async noted() { return (await this.next('noted')).what; }

  // Everything that was told so far has been asked for.
  async fence() {
    this.client.text('{"action":"fence"}');
    const message = await this.client.nextJson();
    if (message.action !== 'fenced') throw new Error(`nobody waited for ${JSON.stringify(message)}`);
  }

  close() { this.client.destroy(); }
}

export { Journal };
