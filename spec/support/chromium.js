// Headless Chromium for specs of pages.

import fs from 'node:fs';
import { chromium } from 'playwright-core';
import { PATIENCE_MS } from './server.js';

const CHROMIUM = process.env.CHROMIUM_BIN || '/usr/bin/chromium';
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
               '--disable-component-update', '--disable-sync'];

// Why specs of pages are skipped, or false.
const unavailable = fs.existsSync(CHROMIUM) ? false : `${CHROMIUM} is not installed`;

// An empty page: { browser, page }; the caller closes the browser.
async function open() {
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
  const page = await browser.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  return { browser, page };
}

export { open, unavailable };
