// The documentation against the program: every application of a page runs, and the frames under it are
// those that a client sends and receives. How they are written: spec/support/transcript.js, pages.js.

import assert from 'node:assert';
import fs from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { applicationsOf, blocksOf, transcriptsOf, withFolder } from '../support/pages.js';
import { RawClient } from '../support/raw.js';
import { ROOT, Server } from '../support/server.js';
import { perform } from '../support/transcript.js';

const read = (title) => fs.readFileSync(path.join(ROOT, title), 'utf8');

const PAGES = [
  'README.md', 'ARCHITECTURE.md',
  ...fs.readdirSync(path.join(ROOT, 'docs')).filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`),
];

for (const title of PAGES) {
  describe(title, () => {
    for (const { name, files, transcripts } of applicationsOf(title, read(title)))
      for (const transcript of transcripts)
        it(`tells what ${name} answers, at ${transcript.where}`,
           () => withFolder(files, (folder) => perform(folder, transcript)));
  });
}

// An application whose page stands in its folder.
for (const folder of ['consumers', ...fs.readdirSync(path.join(ROOT, 'examples')).map((name) => `examples/${name}`)]) {
  const title = `${folder}/README.md`;
  describe(title, () => {
    for (const transcript of transcriptsOf(title, read(title)))
      it(`tells what the application answers, at ${transcript.where}`,
         () => perform(path.join(ROOT, folder), transcript));
  });
}

const RUN_WHOLE = ['authentication', 'events', 'groups', 'messages', 'tasks', 'topics'];

for (const page of RUN_WHOLE.map((name) => `docs/${name}.md`)) {
  describe(page, () => {
    it('has no block of Lua that is not run', () => {
      const applications = applicationsOf(page, read(page));
      assert.ok(applications.length > 0);
      for (const { where, transcripts } of applications)
        assert.ok(transcripts.length > 0, `${where}: no frames stand under it`);
      for (const { language, lines, line } of blocksOf(read(page)))
        assert.ok(language !== 'lua' || lines[0].startsWith('-- app: '), `${page}:${line} is no application`);
    });
  });
}

// A page of one application, which answers each "say" with "said" and greets whoever connects.
const pageWith = (...transcript) => [
  '# A page', '', '```lua', '-- app: echo', 'local tide <const> = require "tidegate"',
  'local words <const> = require "words"',
  'local said <const> = tide.message("said", tide.schema.string())',
  'local Echo <const> = tide.consumer { path = "/ws/echo" }',
  'Echo:on(tide.message("say", tide.schema.string()), function(_, message)',
  '  return said(words.before .. message.payload)', 'end)',
  'function Echo:connected(conn)', '  conn:send(said "welcome")', 'end',
  'return Echo', '```', '', 'Some words.', '', '```lua', '-- app: echo file: words.lua',
  'return { before = "you said " }', '```', '', '```text', ...transcript, '```', '',
].join('\n');

async function performPage(...transcript) {
  const [{ files, transcripts: [only] }] = applicationsOf('page.md', pageWith(...transcript));
  await withFolder(files, (folder) => perform(folder, only));
}

const WELCOME = '< {"action":"said","payload":"welcome"}';
const SAY = '> {"action":"say","payload":"a"}';
const SAID = '< {"action":"said","payload":"you said a"}';

describe('a transcript', () => {
  it('is right when all frames come, in their order, and no others', () => performPage(WELCOME, SAY, SAID));

  it('is wrong when another frame comes, and names the line and both frames', async () => {
    await assert.rejects(performPage(WELCOME, SAY, SAID.replace('you', 'we')), (error) => {
      assert.match(error.message, /^page\.md:28: expected\n/);
      assert.match(error.message, /"we said a"/);
      assert.match(error.message, /received\n\{"action":"said","payload":"you said a"\}/);
      return true;
    });
  });

  it('is wrong when a frame comes that it does not tell, at the start, between and at the end', async () => {
    const untold = (line) => (error) => {
      assert.match(error.message, new RegExp(`^page\\.md:${line}: received what the transcript does not tell`));
      return true;
    };
    await assert.rejects(performPage(SAY, WELCOME, SAID), untold(26));
    await assert.rejects(performPage(WELCOME, SAY, SAY, SAID, SAID), untold(27));
    await assert.rejects(performPage(WELCOME, SAY), untold(27));
  });

  it('is played with the settings and on the path that it names', () => performPage(
    '! max_errors 1', '! path /ws/echo?x=1', '', WELCOME, '> {"ref":1.5}',
    '< {"action":"error","payload":[{"type":"union_tag_not_found","loc":["action"],' +
    '"msg":"Unable to extract tag using discriminator \'action\'"},' +
    '{"type":"too_many_errors","loc":[],"msg":"1 more error"}]}'));

  it('has no lines of another kind, and no settings behind its frames', () => {
    const parse = (...lines) => applicationsOf('page.md', pageWith(...lines));
    assert.throws(() => parse(WELCOME, '>{"action":"say"}'), /^Error: page\.md:27: expected "> FRAME"/);
    assert.throws(() => parse('! path', SAY), /^Error: page\.md:26: expected/);
    assert.throws(() => parse(WELCOME, '! max_errors 1'), /^Error: page\.md:27: what begins with "!"/);
  });

  it('may have several clients, with names', () => performPage(
    '+ ann', `ann${WELCOME}`, '+ bob /ws/echo?x=1', `bob${WELCOME}`, `bob${SAY}`, `bob${SAID}`, '- bob', `ann${SAY}`, `ann${SAID}`));

  it('of several clients is wrong when one of them gets what it does not tell', async () => {
    await assert.rejects(performPage('+ ann', `ann${WELCOME}`, '+ bob', `ann${SAY}`, `ann${SAID}`),
                         /^Error: page\.md:28: bob: received what the transcript does not tell/);
    await assert.rejects(performPage('+ ann', `ann${WELCOME}`, '- ann', `ann${SAY}`), /page\.md:29: ann is not there; "\+ ann" connects/);
  });

  it('stands under an application', () => {
    assert.throws(() => applicationsOf('page.md', ['```text', SAY, '```'].join('\n')), /page\.md:2: no application/);
  });
});

describe('an application of a page', () => {
  it('has one first file, and others only behind it', () => {
    const block = (head) => ['```lua', head, 'return {}', '```'].join('\n');
    assert.throws(() => applicationsOf('page.md', block('-- app: a file: b.lua')), /page\.md:2: a has no first file/);
    assert.throws(() => applicationsOf('page.md', `${block('-- app: a')}\n${block('-- app: a')}`),
                  /page\.md:6: a stands at page\.md:2 already/);
    const [{ files }] = applicationsOf('page.md', `${block('-- app: a')}\n${block('-- app: a file: lib/b.lua')}`);
    assert.deepStrictEqual(Object.keys(files), ['a.lua', 'lib/b.lua']);
  });
});

// What a client sends to get each error of the table, in the table's order: an action, and its payload.
const wrong = [
  ['say', '{}'], ...[
    '{"name":5}', '{"name":"a"}', `{"name":"${'a'.repeat(21)}"}`, '{"slug":"A b"}', '{"age":"x"}', '{"page":"x"}',
    '{"price":"1"}', '{"rate":"x"}', '{"gift":1}', '{"quiet":"x"}', '{"price":0}', '{"age":7}', '{"share":1.5}',
    '{"age":200}', '{"price":0.7}', '{"version":1}', '{"size":"huge"}', '{"scores":5}', '{"author":"Ann"}',
    '{"tags":"new"}', '{"tags":[]}', '{"tags":["a","b","c","d"]}', '{"scores":{}}', '{"scores":{"a":1,"b":2,"c":3}}',
    '{"tags":["a","b","a"]}', '{"nothing":false}', '{"colour":"red"}', '{"email":"ann"}', '{"host":"-a-"}',
    '{"site":"example"}', '{"id":"7"}', '{"day":"11.5.2025"}', '{"time":"14:30"}', '{"at":"2025-05-11"}',
    '{"ipv4":"1.2.3"}', '{"ipv6":"1.2.3.4"}', '{"room":"private-a"}', `{"riddle":"${'a'.repeat(40)}b"}`,
    '{"thread":{"replies":[{"replies":[{"replies":[{"replies":[]}]}]}]}}',
  ].map((payload) => ['fields', payload]),
  ['nope', 'null'], [null, 'null'], ['fields', '{"post":{"kind":"video"}}'], ['fields', '{"post":{}}'],
].map(([action, payload]) => `{${action === null ? '' : `"action":"${action}",`}"payload":${payload}}`);

describe('the table of errors in docs/protocol.md', () => {
  it('has what a client gets, row by row', async () => {
    const rows = [...read('docs/protocol.md').matchAll(/^\| `([a-z0-9_]+)` \| `(\{"type":"\1",.*\})` \|$/gm)];
    const examples = rows.map(([, , example]) => example);
    const server = await Server.start('errors');
    const client = await RawClient.open(server.port, '/ws/errors');
    const answers = [];
    for (const text of [...wrong, '{"action":}']) {
      client.text(text);
      answers.push(await client.nextText());
    }
    client.destroy();
    await server.stop();
    assert.strictEqual(examples.pop(), '{"type":"too_many_errors","loc":[],"msg":"3 more errors"}');
    assert.deepStrictEqual(answers, examples.map((example) => `{"action":"error","payload":[${example}]}`));
  });
});
