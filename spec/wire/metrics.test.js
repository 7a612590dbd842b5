// What /metrics says of handlers, errors and the loop: the application is spec/support/apps/metrics.

import assert from 'node:assert';
import { after, before, describe, it } from 'node:test';

import { RawClient } from '../support/raw.js';
import { Server } from '../support/server.js';

class Scrape {
  static async of(server) { return new Scrape((await server.http('/metrics')).body); }

  constructor(text) {
    this.lines = text.trimEnd().split('\n');
    this.series = new Map(this.lines.filter((line) => !line.startsWith('#')).map((line) => {
      const end = line.lastIndexOf(' ');
      return [line.slice(0, end), Number(line.slice(end + 1))];
    }));
  }

  // The value of `tidegate_<series>`; undefined when there is no such series.
  get(series) { return this.series.get(`tidegate_${series}`); }
}

describe('the metrics of handlers', () => {
  let server;
  let client;
  before(async () => {
    server = await Server.start('metrics', { args: ['--stall-ms', '5'] });
    client = await RawClient.open(server.port, '/ws/costs');
  });
  after(async () => {
    client.destroy();
    await server.stop();
  });

  const ask = async (action, payload) => {
    client.json(payload ? { action, payload } : { action });
    return client.nextJson();
  };

  it('are there before the first message, but for hooks that have not run', async () => {
    const scrape = await Scrape.of(server);
    assert.strictEqual(scrape.get('action_messages_total{consumer="costs",action="quick",generation="1"}'), 0);
    assert.strictEqual(scrape.get('handler_seconds_count{consumer="costs",action="quick",generation="1"}'), 0);
    assert.strictEqual(scrape.get('handler_seconds_count{consumer="costs",hook="connected",generation="1"}'), 1);
    assert.strictEqual(scrape.get('handler_seconds_count{consumer="costs",hook="disconnected",generation="1"}'), undefined);
    assert.strictEqual(scrape.get('handler_seconds_count{consumer="text",hook="receive",generation="1"}'), undefined);
  });

  it('count messages by consumer and action, and wrong ones by consumer and type of error', async () => {
    for (let i = 0; i < 3; i++) await ask('quick', { word: 'x' });
    await ask('quick', { word: 7, more: 1 });
    await ask('nobody');
    const scrape = await Scrape.of(server);
    assert.strictEqual(scrape.get('action_messages_total{consumer="costs",action="quick",generation="1"}'), 3);
    assert.strictEqual(scrape.get('action_messages_total{consumer="costs",action="busy",generation="1"}'), 0);
    assert.strictEqual(scrape.get('consumer_messages_invalid_total{consumer="costs",generation="1"}'), 2);
    assert.strictEqual(scrape.get('consumer_messages_invalid_total{consumer="text",generation="1"}'), 0);
    assert.strictEqual(scrape.get('issues_total{type="string_type"}'), 1);
    assert.strictEqual(scrape.get('issues_total{type="union_tag_invalid"}'), 1);
    assert.strictEqual(scrape.get('issues_total{type="missing"}'), 0);
  });

  it('escape what an action is called', async () => {
    assert.strictEqual((await ask('odd "name"\\')).action, 'done');
    const scrape = await Scrape.of(server);
    assert.strictEqual(scrape.get('action_messages_total{consumer="costs",action="odd \\"name\\"\\\\",generation="1"}'), 1);
  });

  it('tell the time that a handler held the loop from the time that it waited', async () => {
    await ask('nap');
    await ask('busy');
    const scrape = await Scrape.of(server);
    const most = (family, action) => scrape.get(`${family}_bucket{consumer="costs",action="${action}",generation="1",le="0.01"}`);
    assert.strictEqual(most('handler_seconds', 'nap'), 0);
    assert.strictEqual(most('handler_seconds', 'busy'), 0);
    assert.strictEqual(most('handler_cpu_seconds', 'busy'), 0);
    const sum = (family) => scrape.get(`${family}_sum{consumer="costs",action="nap",generation="1"}`);
    assert.ok(sum('handler_cpu_seconds') < sum('handler_seconds'));
    assert.strictEqual(scrape.get('handler_cpu_seconds_count{consumer="costs",action="nap",generation="1"}'), 1);
  });

  it('count frames of a text consumer as runs of its hook', async () => {
    const text = await RawClient.open(server.port, '/ws/text');
    text.text('hello');
    await text.nextText();
    text.destroy();
    const scrape = await Scrape.of(server);
    assert.strictEqual(scrape.get('handler_seconds_count{consumer="text",hook="receive",generation="1"}'), 1);
  });

  it('name the handler that stalled the loop', async () => {
    const earlier = (await Scrape.of(server)).get('loop_stalls_total');
    await ask('busy');
    const later = (await Scrape.of(server)).get('loop_stalls_total');
    assert.ok(later > earlier);
    const line = await server.record(({ event, action }) => event === 'loop_stalled' && action === 'busy', 'a stall');
    assert.strictEqual(line.consumer, 'costs');
    assert.ok(Number(line.ms) >= 20 && Number(line.handler_ms) >= 20, JSON.stringify(line));
  });

  it('show that garbage is collected when nothing runs', async () => {
    const earlier = await server.metric('gc_cycles_total');
    await ask('litter');
    await server.metricUntil('gc_cycles_total', (value) => value > earlier);
    assert.ok((await Scrape.of(server)).get('gc_step_seconds_count') > 0);
  });

  it('are families, each whole behind its head, with buckets that only grow', async () => {
    const { lines } = await Scrape.of(server);
    const seen = new Set();
    let family;
    let last;
    for (const line of lines) {
      const head = /^# TYPE (\S+) (counter|gauge|histogram)$/.exec(line);
      if (head) {
        assert.ok(!seen.has(head[1]), `${head[1]} comes twice`);
        seen.add(head[1]);
        [, family] = head;
      }
      if (line.startsWith('#')) continue;
      assert.ok(line.startsWith(family), `${line} stands in ${family}`);
      const bucket = /_bucket\{(.*)le="([^"]+)"\} (\d+)$/.exec(line);
      if (!bucket) continue;
      const [, labels, bound, count] = bucket;
      if (last?.labels === labels) assert.ok(Number(count) >= last.count, line);
      last = bound === '+Inf' ? undefined : { labels, count: Number(count) };
    }
    assert.strictEqual(new Set(lines.filter((line) => !line.startsWith('#')).map((line) => line.replace(/ \S+$/, '')))
      .size, lines.filter((line) => !line.startsWith('#')).length, 'a series comes twice');
  });
});
