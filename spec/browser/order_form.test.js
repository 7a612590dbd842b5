// The example whose page shows each error beside the field that it is about, in headless Chromium.

import assert from 'node:assert';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { ROOT, Server } from '../support/server.js';
import { open, unavailable } from '../support/chromium.js';

describe('the form of the bakery', { skip: unavailable }, () => {
  let server;
  let browser;
  let page;
  before(async () => {
    server = await Server.start(path.join(ROOT, 'examples/order_form'));
    ({ browser, page } = await open());
    await page.goto(`http://127.0.0.1:${server.port}/`);
    await page.locator('button:enabled').waitFor();
  });
  after(async () => {
    await browser.close();
    await server.stop();
  });

  const errorOf = (id) => page.locator(`#${id}-error`).textContent();

  it('shows what is missing, field by field', async () => {
    await page.click('button');
    for (const id of ['name', 'email', 'bread', 'loaves', 'ready']) assert.strictEqual(await errorOf(id), 'Field required');
    assert.strictEqual(await page.locator('.error').count(), 5);
    assert.strictEqual(await page.evaluate(() => document.activeElement.id), 'name');
  });

  it('says what was expected and what was got', async () => {
    await page.fill('#name', 'Ada');
    await page.fill('#email', 'ada at example.org');
    await page.selectOption('#bread', 'rye');
    await page.fill('#loaves', '21');
    await page.selectOption('#kind', 'courier');
    await page.fill('#street', 'Quay 1');
    await page.fill('#code', '123');
    await page.fill('#voucher', 'tide');
    await page.click('button');
    await page.locator('#code-error').waitFor();
    assert.strictEqual(await errorOf('email'), "Input should be a valid email address, got 'ada at example.org'");
    assert.strictEqual(await errorOf('loaves'), "Input should be less than or equal to 20, got '21'");
    assert.strictEqual(await errorOf('code'), "String should match pattern '^[0-9]{5}$', got '123'");
    assert.strictEqual(await page.locator('.error').count(), 3);
  });

  it('runs the check of the application when all else is right', async () => {
    await page.fill('#email', 'ada@example.org');
    await page.fill('#loaves', '2');
    await page.fill('#code', '12345');
    await page.click('button');
    await page.locator('#voucher-error').waitFor();
    assert.strictEqual(await errorOf('voucher'), 'Value error, no such voucher');
    assert.strictEqual(await page.locator('.error').count(), 1);
  });

  it('takes the order', async () => {
    await page.fill('#voucher', 'TIDE');
    await page.click('button');
    await page.locator('output', { hasText: 'Order 1' }).waitFor();
    assert.strictEqual(await page.locator('output').textContent(), 'Order 1: 2 rye for Ada, to Quay 1. 7.56');
    assert.strictEqual(await page.locator('.error').count(), 0);
  });
});
