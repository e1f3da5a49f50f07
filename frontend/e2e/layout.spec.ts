import type { Page } from '@playwright/test';
import { bubble, connected, expect, field, log, numbered, say, shifts, test } from './fixtures';

const LONG = 'Donaudampfschifffahrtsgesellschaftskapitän'.repeat(6);

test('no horizontal scroll at 320 pixels, and text lines stay readable', async ({ person, chatd }) => {
  await chatd.send('jana', 'bob', LONG);
  await chatd.send('jana', 'bob', `https://example.org/${'path/'.repeat(60)}`);
  const page = await person('bob', '', { viewport: { width: 320, height: 568 } });
  const overflow = () => page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  await expect(page.getByRole('link', { name: /jana/ })).toBeVisible();
  expect(await overflow()).toBeLessThanOrEqual(0);
  await page.getByRole('link', { name: /jana/ }).click();
  await expect(log(page).getByText(LONG)).toBeVisible();
  expect(await overflow()).toBeLessThanOrEqual(0);
  const wide = await log(page).evaluate((element) => element.scrollWidth - element.clientWidth);
  expect(wide).toBeLessThanOrEqual(0);
  await page.setViewportSize({ width: 1900, height: 900 });
  const text = await log(page).locator('.bubble').first().boundingBox();
  expect(text?.width ?? 9_999).toBeLessThanOrEqual(42 * 16);
});

test('two panes from 800 pixels, one below, and Back returns to the list', async ({ person, chatd }) => {
  await chatd.send('jana', 'bob', 'hello from jana');
  const page = await person('bob', '', { viewport: { width: 800, height: 700 } });
  const list = page.getByRole('navigation', { name: 'Conversations' });
  const width = (await list.boundingBox())?.width ?? 0;
  expect(width).toBeGreaterThanOrEqual(18 * 16);
  expect(width).toBeLessThanOrEqual(22 * 16);
  await list.getByRole('link', { name: /jana/ }).click();
  await expect(log(page)).toBeVisible();
  await expect(list).toBeVisible();

  await page.setViewportSize({ width: 799, height: 700 });
  await expect(list).toBeHidden();
  await page.goBack();
  await expect(list).toBeVisible();
  await expect(log(page)).toBeHidden();
  await list.getByRole('link', { name: /jana/ }).click();
  await page.getByRole('link', { name: 'Back to conversations' }).click();
  await expect(list).toBeVisible();
  await page.goForward();
  await expect(log(page)).toBeVisible();
});

test('nothing shifts while loading, sending, receiving and reading history', async ({ person, chatd }) => {
  await chatd.sendMany('hana', 'bob', numbered(90, 'shift'));
  const page = await person('bob');
  await connected(page);
  await page.getByRole('link', { name: /hana/ }).click();
  await expect(log(page).locator('[data-seq]').first()).toBeVisible();
  await page.getByRole('button', { name: /^Jump to latest/ }).click();
  await expect(bubble(page, 'shift 90')).toBeInViewport();
  await say(page, 'sent by me');
  await expect(bubble(page, 'sent by me').getByText(/Sent|Read/)).toBeAttached();
  await chatd.send('hana', 'bob', 'received');
  await expect(bubble(page, 'received')).toBeInViewport();
  await expect(async () => {
    await log(page).evaluate((element) => element.scrollBy(0, -400));
    await expect(bubble(page, 'shift 1').first()).toBeInViewport({ timeout: 50 });
  }).toPass({ intervals: [100] });
  expect(await shifts(page)).toEqual([]);
});

test('a short conversation does not shift when messages arrive', async ({ person, chatd }) => {
  const page = await person('bob', 'c/gus/');
  await connected(page);
  await expect(field(page)).toBeVisible();
  for (const text of numbered(3, 'short')) await chatd.send('gus', 'bob', text);
  await expect(bubble(page, 'short 3')).toBeVisible();
  await say(page, 'mine');
  await expect(bubble(page, 'mine').getByText('Sent')).toBeAttached();
  expect(await shifts(page)).toEqual([]);
});

test('the observer of shifts does see one', async ({ person }) => {
  const page = await person('bob');
  await connected(page);
  // Again and again: a frame that was not drawn yet has nothing that could shift.
  const seen = () =>
    page.evaluate(() => {
      const block = document.createElement('div');
      block.textContent = 'in the way';
      document.querySelector('.sidebar')?.prepend(block);
      return window.shifts.length;
    });
  await expect.poll(seen).toBeGreaterThan(0);
});

test('at 400 % zoom nothing is cut off, also with eight lines in the composer', async ({
  stranger,
  person,
  chatd,
}) => {
  const options = { viewport: { width: 320, height: 256 } };
  const overflow = (page: Page) =>
    page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  const out = await stranger(options);
  await out.goto('login/');
  await expect(out.getByRole('button', { name: 'Sign in' })).toBeVisible();
  expect(await overflow(out), 'sign-in').toBeLessThanOrEqual(0);

  await chatd.send('jana', 'bob', 'a message to look at');
  const page = await person('bob', '', options);
  await expect(page.getByRole('link', { name: /jana/ })).toBeVisible();
  expect(await overflow(page), 'list').toBeLessThanOrEqual(0);
  await page.getByRole('button', { name: 'Menu of bob' }).click();
  const menu = await page.locator('.menu').boundingBox();
  expect((menu?.y ?? 999) + (menu?.height ?? 999), 'menu').toBeLessThanOrEqual(256);
  await page.keyboard.press('Escape');

  await page.getByRole('link', { name: /jana/ }).click();
  await field(page).fill(numbered(8, 'line').join('\n'));
  expect(await overflow(page), 'conversation').toBeLessThanOrEqual(0);
  expect((await log(page).boundingBox())?.height ?? 0).toBeGreaterThanOrEqual(40);
  await expect(page.getByRole('button', { name: 'Send' })).toBeInViewport({ ratio: 1 });

  await page.goto('settings/');
  await expect(page.getByRole('heading', { name: 'Settings' })).toBeVisible();
  expect(await overflow(page), 'settings').toBeLessThanOrEqual(0);
});

test('on a phone the menu opens below its button', async ({ person }) => {
  const page = await person('bob', '', { viewport: { width: 390, height: 844 } });
  const button = page.getByRole('button', { name: 'Menu of bob' });
  await button.click();
  const [opener, menu] = [await button.boundingBox(), await page.locator('.menu').boundingBox()];
  if (!opener || !menu) throw new Error('nothing opened');
  const middle = opener.x + opener.width / 2;
  expect(menu.x).toBeLessThan(middle);
  expect(menu.x + menu.width).toBeGreaterThan(middle);
  expect(menu.y).toBeGreaterThan(opener.y + opener.height / 2);
});

test('the list shows how a long message begins, in either direction', async ({ person, chatd }) => {
  await chatd.send('fay', 'hana', 'A message that is much longer than what the list has room for, by far');
  await chatd.send('jana', 'hana', 'שלום לכולם זאת הודעה ארוכה מאוד שלא נכנסת בשורה אחת בכלל ועוד קצת');
  const page = await person('hana', '', { viewport: { width: 320, height: 568 } });
  for (const name of ['fay', 'jana']) {
    const preview = page.getByRole('link', { name: new RegExp(name) }).locator('.entry-preview');
    await expect(preview).toBeVisible();
    const outside = await preview.evaluate((element) => {
      const [box, text] = [element.getBoundingClientRect(), element.querySelector('bdi')?.firstChild];
      if (!text) return 999;
      const first = document.createRange();
      first.setStart(text, 0);
      first.setEnd(text, 1);
      const letter = first.getBoundingClientRect();
      return Math.max(box.left - letter.left, letter.right - box.right);
    });
    expect(outside, name).toBeLessThanOrEqual(1);
  }
});
