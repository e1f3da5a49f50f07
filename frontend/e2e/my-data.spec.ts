// What belongs to somebody: a copy to take along, and the end of the account.

import { connected, expect, log, say, test } from './fixtures';

const DATA = 'settings/data/';

test('a copy of everything is made, and opened', async ({ person, chatd }) => {
  await chatd.addUser('gerda');
  await chatd.addUser('hugo');
  const page = await person('gerda', 'c/hugo/');
  await connected(page);
  await say(page, 'a <b>bold</b> word');
  await expect(log(page).getByText('a <b>bold</b> word')).toBeVisible();
  await page.goto('settings/');
  await page.getByRole('link', { name: 'My data' }).click();
  await expect(page).toHaveURL(/\/settings\/data\/$/);
  const card = page.getByRole('region', { name: 'Take it along' });
  await card.getByRole('button', { name: 'Make a copy' }).click();
  await expect(card.getByRole('status')).toHaveText(/^Your copy is ready\./, { timeout: 15_000 });
  const [copy] = await Promise.all([
    page.context().waitForEvent('page'),
    card.getByRole('link', { name: 'Read the page' }).click(),
  ]);
  await expect(copy.getByText('a <b>bold</b> word')).toBeVisible();
  await expect(copy.getByRole('heading', { name: 'hugo' })).toBeVisible();
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    card.getByRole('link', { name: /^Download for programs/ }).click(),
  ]);
  expect(download.suggestedFilename()).toMatch(/\.jsonl$/);
});

test('an account is deleted, and the other one keeps what was said', async ({ person, chatd }) => {
  await chatd.addUser('ida');
  await chatd.addUser('jan');
  const page = await person('ida', 'c/jan/');
  await connected(page);
  await say(page, 'remember this');
  await expect(log(page).getByText('remember this')).toBeVisible();
  const other = await person('jan', 'c/ida/');
  await connected(other);
  await page.goto(DATA);
  const card = page.getByRole('region', { name: 'Delete the account' });
  await expect(card).toContainText('Kept by the other person: every message between you and them');
  await card.getByRole('button', { name: 'Delete the account …' }).click();
  await card.getByLabel('Current password').fill('not mine');
  await card.getByRole('button', { name: 'Delete my account for ever' }).click();
  await expect(card.getByRole('alert')).toContainText('This is not your password.');
  await card.getByLabel('Current password').fill(chatd.password('ida'));
  await card.getByRole('button', { name: 'Delete my account for ever' }).click();
  await expect(page).toHaveURL(/\/login\//);
  const again = { data: { username: 'ida', password: chatd.password('ida') } };
  expect((await page.context().request.post('api/v1/session/', again)).status()).toBe(400);
  // Whoever comes anew sees it at once, and a device that keeps a list within the hour.
  const fresh = await person('jan');
  await connected(fresh);
  await expect(fresh.getByRole('link', { name: /Deleted account/ })).toBeVisible();
  await other.clock.install();
  await other.clock.setSystemTime(Date.now() + 2 * 3_600_000);
  await other.goto('./');
  await connected(other);
  await other.clock.runFor(10_000);
  await other.getByRole('link', { name: /Deleted account/ }).click();
  await expect(other).toHaveURL(/\/c\/deleted-\d+\/$/);
  await expect(log(other).getByText('remember this')).toBeVisible();
  await expect(other.getByRole('heading', { name: /^Deleted account @deleted-/ })).toBeVisible();
});
