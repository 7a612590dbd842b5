// The applications of a documentation page: blocks of Lua that begin with a line of their name,
//
//     -- app: chat
//     -- app: chat file: lib/words.lua        another file of an application further up
//
// and blocks of text under them that hold a transcript (transcript.js). Each transcript is a conversation
// of its own with a program of its own.

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseTranscript } from './transcript.js';

const HEAD = /^-- app: (\w+)(?: file: ([\w./-]+))?$/;

// The fenced blocks of a page: { language, lines, line }, `line` that of the first one inside.
function blocksOf(page) {
  const blocks = [];
  let open = null;
  page.split('\n').forEach((text, index) => {
    if (open && text === '```') {
      blocks.push(open);
      open = null;
    } else if (open) {
      open.lines.push(text);
    } else if (text.startsWith('```')) {
      open = { language: text.slice(3), lines: [], line: index + 2 };
    }
  });
  return blocks;
}

const isTranscript = (block) => block.language === 'text' && block.lines.some((line) => /^(?:[a-z]*[<>]|\+) /.test(line));

function addFile(applications, block, [, name, file], where) {
  const known = applications.find((application) => application.name === name);
  if (file && !known) throw new Error(`${where}: ${name} has no first file further up`);
  if (!file && known) throw new Error(`${where}: ${name} stands at ${known.where} already`);
  const text = `${block.lines.join('\n')}\n`;
  if (known) known.files[file] = text;
  else applications.push({ name, where, files: { [`${name}.lua`]: text }, transcripts: [] });
}

// Every application of `page` (its text; `title` is its path): { name, where, files, transcripts }.
function applicationsOf(title, page) {
  const applications = [];
  for (const block of blocksOf(page)) {
    const at = (index) => `${title}:${block.line + index}`;
    const head = block.language === 'lua' && HEAD.exec(block.lines[0]);
    if (head) {
      addFile(applications, block, head, at(0));
    } else if (isTranscript(block)) {
      if (!applications.length) throw new Error(`${at(0)}: no application stands above these frames`);
      applications[applications.length - 1].transcripts.push(parseTranscript(block.lines, at));
    }
  }
  return applications;
}

// Every transcript of a page that has no application of its own.
function transcriptsOf(title, page) {
  return blocksOf(page).filter(isTranscript)
    .map(({ lines, line }) => parseTranscript(lines, (index) => `${title}:${line + index}`));
}

// Calls `use` with a folder that holds the files, which is gone afterwards.
async function withFolder(files, use) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tidegate-page-'));
  try {
    for (const [name, text] of Object.entries(files)) {
      const full = path.join(folder, name);
      fs.mkdirSync(path.dirname(full), { recursive: true });
      fs.writeFileSync(full, text);
    }
    return await use(folder);
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

export { applicationsOf, blocksOf, transcriptsOf, withFolder };
