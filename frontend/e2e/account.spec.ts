// The account's own page: a new password, and where one is signed in.

import type { Page } from '@playwright/test';
import { connected, expect, test } from './fixtures';

const PHONE =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Mobile/15E148 Safari/604.1';
const ACCOUNT = 'settings/account/';
const devices = (page: Page) => page.getByRole('region', { name: 'Where you are signed in' });

async function changePassword(page: Page, current: string, next: string): Promise<void> {
  const form = page.getByRole('region', { name: 'Password', exact: true });
  const open = form.getByRole('button', { name: 'Change the password' });
  if (!(await form.getByLabel('Current password').isVisible())) await open.click();
  await form.getByLabel('Current password').fill(current);
  await form.getByLabel('New password').fill(next);
  await form.getByRole('button', { name: 'Change the password' }).click();
}

test('devices are listed, and signed out one by one and all at once', async ({ person, chatd }) => {
  await chatd.addUser('dita');
  const page = await person('dita');
  const phone = await person('dita', '', { userAgent: PHONE });
  const third = await person('dita');
  await page.getByRole('button', { name: 'Menu of dita' }).click();
  await page.getByRole('link', { name: 'Settings' }).click();
  await page.getByRole('link', { name: 'Password and devices' }).click();
  await expect(page).toHaveURL(/\/settings\/account\/$/);
  const lines = devices(page).getByRole('listitem');
  await expect(lines).toHaveCount(3);
  await expect(lines.filter({ hasText: 'This device' })).toHaveText(/^Chrome on Linux/);
  await devices(page).getByRole('button', { name: 'Sign out Safari on iPhone' }).click();
  await expect(lines).toHaveCount(2);
  await expect(phone).toHaveURL(/\/login\//);
  await connected(third);
  await devices(page).getByRole('button', { name: 'Sign out everywhere else' }).click();
  await expect(lines).toHaveCount(1);
  await expect(third).toHaveURL(/\/login\//);
  await connected(page);
  await page.getByRole('link', { name: 'Back to the settings' }).click();
  await expect(page).toHaveURL(/\/settings\/$/);
});

test('a list that cannot be loaded says so, and is asked for again', async ({ person, chatd }) => {
  await chatd.addUser('edda');
  const page = await person('edda');
  let down = true;
  await page.route('**/api/v1/device/', (route) => (down ? route.abort() : route.fallback()));
  await page.goto(ACCOUNT);
  await connected(page);
  await expect(devices(page).getByRole('alert')).toContainText('The list could not be loaded.');
  down = false;
  await devices(page).getByRole('button', { name: 'Try again' }).click();
  await expect(devices(page).getByRole('listitem')).toHaveCount(1);
  await expect(devices(page).getByRole('alert')).toHaveCount(0);
});

test('a new password signs out everywhere else, and a wrong or weak one says so', async ({
  person,
  chatd,
}) => {
  await chatd.addUser('fritz');
  const page = await person('fritz', ACCOUNT);
  const other = await person('fritz');
  await connected(other);
  const form = page.getByRole('region', { name: 'Password', exact: true });
  await changePassword(page, 'not mine', 'a quite new password');
  await expect(form.getByRole('alert')).toContainText('This is not your password.');
  await expect(form.getByLabel('New password')).toHaveValue('a quite new password');
  await changePassword(page, chatd.password('fritz'), 'password');
  await expect(form.getByRole('alert')).toContainText('Your password was not changed.');
  await connected(other);
  await changePassword(page, chatd.password('fritz'), 'a quite new password');
  await expect(form.getByRole('status')).toHaveText(/^Your password is changed\./);
  await expect(other).toHaveURL(/\/login\//);
  await connected(page);
  await page.reload();
  await connected(page);
  const context = page.context();
  const sign = (password: string) =>
    context.request.post('api/v1/session/', { data: { username: 'fritz', password } });
  expect((await sign(chatd.password('fritz'))).status()).toBe(400);
  expect((await sign('a quite new password')).status()).toBe(200);
});
