import { bodies, bubble, expect, field, log, say, test } from './fixtures';

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
