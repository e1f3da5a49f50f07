// People are invited, and make their accounts.

import { connected, expect, test } from './fixtures';
import { PHONE } from './screens';

test('an invite is made, used on a phone, and seen to be used up', async ({ person, stranger, chatd }) => {
  await chatd.addUser('ida');
  const page = await person('ida', 'settings/');
  await page.getByRole('link', { name: 'Invite people' }).click();
  await expect(page.getByText('No invites yet.')).toBeVisible();
  await page.getByLabel(/^For whom/).fill('for Jon');
  await page.getByRole('button', { name: 'Make a link' }).click();
  const url = (await page.locator('.new-link code').textContent()) ?? '';
  expect(url).toMatch(/\/signup\/[\w-]{22,}\/$/);
  const line = page.getByRole('listitem').filter({ hasText: 'for Jon' });
  await expect(line).toContainText(/0 of 1 used · open until \d+ \w+ 20\d\d/);

  const guest = await stranger(PHONE);
  await guest.goto(url);
  await guest.getByLabel('Username').fill('ida');
  await guest.getByLabel(/^Email/).fill('jon@example.org');
  await guest.getByLabel('Password').fill('a quite good password');
  await guest.getByRole('button', { name: 'Create an account' }).click();
  await expect(guest.getByRole('alert').first()).toContainText('already exists');
  await expect(guest.getByLabel(/^Email/)).toHaveValue('jon@example.org');
  await guest.getByLabel('Username').fill('jon');
  await guest.getByLabel('Password').fill('a quite good password');
  await guest.getByRole('button', { name: 'Create an account' }).click();
  await connected(guest);
  await expect(guest.getByRole('button', { name: 'Menu of jon' })).toBeVisible();

  await page.reload();
  await expect(line).toContainText('1 of 1 used · used up');
  await expect(line.getByRole('button')).toHaveCount(0);
  const late = await stranger();
  await late.goto(url);
  await expect(late.getByRole('heading', { name: 'Create an account' })).toBeVisible();
  await expect(late.getByText(/Ask for a new one\.$/)).toBeVisible();
  await expect(late.getByLabel('Username')).toHaveCount(0);
});

test('a link is copied, an invite is revoked, and what cannot be is said', async ({ person, chatd }) => {
  await chatd.addUser('kuno');
  const page = await person('kuno', 'settings/invites/');
  await page.getByLabel('For how many accounts').fill('5');
  await page.getByRole('button', { name: 'Make a link' }).click();
  await page.getByRole('button', { name: 'Copy the link' }).click();
  await expect(page.getByRole('button', { name: 'Copied' })).toBeVisible();
  const line = page.getByRole('listitem').filter({ hasText: '0 of 5 used' });
  let down = true;
  await page.route('**/api/v1/invite/**', (route) => (down ? route.abort() : route.fallback()));
  await line.getByRole('button', { name: /^Revoke/ }).click();
  await expect(page.getByRole('alert')).toContainText('It could not be revoked.');
  await page.getByRole('button', { name: 'Make a link' }).click();
  await expect(page.getByText('The link could not be made.')).toBeVisible();
  down = false;
  await line.getByRole('button', { name: /^Revoke/ }).click();
  await expect(line).toContainText('revoked');
  await expect(page.getByRole('alert')).toHaveCount(1);
});
