import type { Page } from '@playwright/test';
import { bodies, bubble, connected, expect, field, log, say, test } from './fixtures';

test('Enter sends, Shift+Enter breaks the line, Enter while composing does neither', async ({ person }) => {
  const page = await person('dora', 'c/fay/');
  await field(page).click();
  await page.keyboard.type('one');
  await page.keyboard.press('Shift+Enter');
  await page.keyboard.type('two');
  await expect(field(page)).toHaveValue('one\ntwo');
  expect(await bodies(page)).not.toContain('one\ntwo');
  await page.keyboard.press('Enter');
  await expect(field(page)).toHaveValue('');
  await expect(bubble(page, 'one two')).toHaveCount(1);

  const session = await page.context().newCDPSession(page);
  await session.send('Input.imeSetComposition', { text: 'にほん', selectionStart: 3, selectionEnd: 3 });
  await expect(field(page)).toHaveValue('にほん');
  await page.keyboard.press('Enter');
  await expect(bubble(page, 'にほん')).toHaveCount(0);
  expect(await field(page).inputValue()).toContain('にほん');
  await session.send('Input.insertText', { text: '日本' });
  await page.keyboard.press('Enter');
  await expect(bubble(page, '日本')).toHaveCount(1);
});

test('it grows to eight lines and counts from ninety per cent of the limit', async ({ person }) => {
  const page = await person('dora', 'c/gus/');
  const height = async () => (await field(page).boundingBox())?.height ?? 0;
  const one = await height();
  await field(page).fill('a\nb\nc\nd');
  expect(await height()).toBeGreaterThan(one * 1.8);
  await field(page).fill(Array.from({ length: 30 }, () => 'line').join('\n'));
  const most = await height();
  expect(most).toBeLessThan(one + 7 * 26);
  await field(page).fill('x'.repeat(8_999));
  await expect(page.getByText(/characters? left/)).toHaveCount(0);
  await field(page).fill('😀'.repeat(9_500));
  await expect(page.getByText('500 characters left')).toBeVisible();
  await field(page).fill('x'.repeat(10_001));
  await expect(page.getByText(/1 character too long/)).toBeVisible();
  await expect(page.getByRole('button', { name: 'Send' })).toBeDisabled();
  await field(page).press('Enter');
  await expect(log(page).locator('.row')).toHaveCount(0);
});

test('a refused message says why, and can be edited, tried again and deleted', async ({ person }) => {
  const page = await person('dora', 'c/hana/');
  await page.route('**/api/v1/message/', (route) =>
    route.request().method() === 'POST'
      ? route.fulfill({ status: 400, json: { body: ['Not like this.'] } })
      : route.continue(),
  );
  await say(page, 'refused');
  const row = bubble(page, 'refused');
  await expect(row.getByText('Not like this.')).toBeVisible();
  await expect(row.getByText('Not sent', { exact: true })).toBeAttached();
  await row.getByRole('button', { name: 'Edit' }).click();
  await expect(row).toHaveCount(0);
  await expect(field(page)).toHaveValue('refused');
  await field(page).press('Enter');
  await expect(row.getByText('Not like this.')).toBeVisible();
  await page.unroute('**/api/v1/message/');
  await row.getByRole('button', { name: 'Retry' }).click();
  await expect(row.getByText('Sent', { exact: true })).toBeAttached();
  await expect(row).toHaveCount(1);
});

test('a refusal without a reason says what to quote, and loses nothing', async ({ person }) => {
  const page = await person('dora', 'c/gus/');
  let request = '';
  await page.route('**/api/v1/message/', async (route) => {
    if (route.request().method() !== 'POST') return route.fallback();
    // As something between here and the server would answer, with the number that the server gives each request.
    const response = await route.fetch({ method: 'GET' });
    request = response.headers()['x-request-id'] ?? '';
    return route.fulfill({ response, status: 413, body: '<h1>Too large</h1>' });
  });
  await say(page, 'too much');
  const row = bubble(page, 'too much');
  await expect(row.getByText('The server did not accept this message.')).toBeVisible();
  expect(request).toMatch(/^\w{8,}$/);
  await expect(row.getByText(`If you ask for help, quote request ${request}`)).toBeVisible();
  await page.reload();
  await expect(row.getByText(`If you ask for help, quote request ${request}`)).toBeVisible();
  await row.getByRole('button', { name: 'Edit' }).click();
  await expect(field(page)).toHaveValue('too much');
});

/** The server refuses every message that this page sends. */
const refuse = (page: Page) =>
  page.route('**/api/v1/message/', (route) =>
    route.request().method() === 'POST'
      ? route.fulfill({ status: 400, json: { body: ['Not like this.'] } })
      : route.fallback(),
  );

test('a refused message that is deleted is gone, also after a reload', async ({ person, chatd }) => {
  const page = await person('dora', 'c/ivo/');
  await refuse(page);
  await say(page, 'to be deleted');
  await say(page, 'to be kept');
  await expect(log(page).getByText('Not like this.')).toHaveCount(2);
  await page.reload();
  await expect(bubble(page, 'to be deleted').getByText('Not like this.')).toBeVisible();
  await bubble(page, 'to be deleted').getByRole('button', { name: 'Delete' }).click();
  await expect(bubble(page, 'to be deleted')).toHaveCount(0);
  await expect(bubble(page, 'to be kept')).toHaveCount(1);
  await page.reload();
  await expect(bubble(page, 'to be kept').getByText('Not like this.')).toBeVisible();
  await expect(bubble(page, 'to be deleted')).toHaveCount(0);
  expect(await chatd.history('dora', 'ivo')).toEqual([]);
});

test('editing a refused message loses neither its text nor what was being written', async ({ person }) => {
  const page = await person('dora', 'c/jana/');
  await refuse(page);
  await say(page, 'refused first');
  await expect(bubble(page, 'refused first').getByText('Not like this.')).toBeVisible();
  await field(page).fill('half of a thought');
  await bubble(page, 'refused first').getByRole('button', { name: 'Edit' }).click();
  await expect(bubble(page, 'refused first')).toHaveCount(0);
  await expect(field(page)).toBeFocused();
  await expect(field(page)).toHaveValue('refused first\nhalf of a thought');
});

test('the ends of a text are those that the server takes off', async ({ person }) => {
  const page = await person('dora', 'c/emil/');
  const send = page.getByRole('button', { name: 'Send' });
  await field(page).fill(' \u0085\u001c\u3000');
  await expect(send).toBeDisabled();
  await field(page).fill('\ufeff');
  await expect(send).toBeEnabled();
});

test('a message says how far it got, in words too: sending, sent, read, or not sent', async ({ person }) => {
  const page = await person('gus', 'c/ivo/');
  await connected(page);
  const status = bubble(page, 'how far?').locator('.delivery .sr-only');
  let asked: ((refuse: boolean) => void) | null = null;
  const answer = async (refuse: boolean) => {
    await expect.poll(() => asked !== null, 'the server is asked').toBe(true);
    asked?.(refuse);
    asked = null;
  };
  await page.route('**/api/v1/message/', async (route) => {
    if (route.request().method() !== 'POST') return route.fallback();
    const refused = await new Promise<boolean>((resolve) => {
      asked = resolve;
    });
    return refused ? route.fulfill({ status: 400, json: { body: ['Not like this.'] } }) : route.fallback();
  });
  await say(page, 'how far?');
  await expect(status).toHaveText('Sending');
  await answer(false);
  await expect(status).toHaveText('Sent');
  const reader = await person('ivo', 'c/gus/');
  await reader.bringToFront();
  await expect(bubble(reader, 'how far?')).toBeVisible();
  await expect(status).toHaveText('Read');
  await say(page, 'no further');
  await expect(bubble(page, 'no further').locator('.delivery .sr-only')).toHaveText('Sending');
  await answer(true);
  await expect(bubble(page, 'no further').locator('.delivery .sr-only')).toHaveText('Not sent');
});
