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
  await page.evaluate(() => {
    const block = document.createElement('div');
    block.textContent = 'in the way';
    document.querySelector('.sidebar')?.prepend(block);
  });
  await expect.poll(() => page.evaluate(() => window.shifts.length)).toBeGreaterThan(0);
});
