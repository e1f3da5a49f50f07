// The second step of signing in: turning an app on, signing in with it, recovery codes, turning it off.

import type { Page } from '@playwright/test';
import { type Chatd, connected, expect, test } from './fixtures';
import { totp } from './totp';

const ACCOUNT = 'settings/account/';
const card = (page: Page) => page.getByRole('region', { name: 'Second step' });

/** Sets an app up; its key and the recovery codes. */
async function turnOn(page: Page, chatd: Chatd, name: string): Promise<{ key: string; codes: string[] }> {
  await card(page).getByRole('button', { name: 'Set up an app' }).click();
  await card(page).getByLabel('Current password').fill(chatd.password(name));
  await card(page).getByRole('button', { name: 'Go on' }).click();
  await expect(card(page).getByRole('img', { name: 'QR code with the key for the app' })).toBeVisible();
  const key = await card(page).locator('.totp-key code').innerText();
  await card(page).getByLabel('Code that the app shows now').fill(totp(key));
  await card(page).getByRole('button', { name: 'Turn on' }).click();
  const codes = card(page).getByRole('list', { name: 'Recovery codes' }).getByRole('listitem');
  await expect(codes).toHaveCount(10);
  return { key, codes: await codes.allInnerTexts() };
}

/** The sign-in page up to the second step. */
async function firstStep(page: Page, chatd: Chatd, name: string): Promise<void> {
  await page.goto('login/?next=/settings/');
  await page.getByPlaceholder('Username').fill(name);
  await page.getByPlaceholder('Password').fill(chatd.password(name));
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await expect(page.getByRole('heading', { name: 'One more step' })).toBeVisible();
}

const goOn = (page: Page) => page.getByRole('button', { name: 'Go on' }).click();
const arrived = (page: Page) =>
  expect(page.getByRole('heading', { level: 1, name: 'Settings' })).toBeVisible();

test('an app is turned on, and from then on its code is wanted', async ({ person, stranger, chatd }) => {
  await chatd.addUser('gerda');
  const page = await person('gerda', ACCOUNT);
  const other = await person('gerda');
  await connected(other);

  await test.step('a wrong password and a wrong first code say so, and nothing is on', async () => {
    await card(page).getByRole('button', { name: 'Set up an app' }).click();
    await card(page).getByLabel('Current password').fill('not mine');
    await card(page).getByRole('button', { name: 'Go on' }).click();
    await expect(card(page).getByRole('alert')).toContainText('This is not your password.');
    await card(page).getByLabel('Current password').fill(chatd.password('gerda'));
    await card(page).getByRole('button', { name: 'Go on' }).click();
    await card(page).getByLabel('Code that the app shows now').fill('abcdef');
    await card(page).getByRole('button', { name: 'Turn on' }).click();
    await expect(card(page).getByRole('alert')).toContainText('This code is not right');
    await card(page).getByRole('button', { name: 'Cancel' }).click();
    await connected(other);
  });

  const { key, codes } = await turnOn(page, chatd, 'gerda');
  await expect(other).toHaveURL(/\/login\//);
  await connected(page);
  await card(page).getByRole('button', { name: 'Copy the codes' }).click();
  await expect(card(page).getByRole('button', { name: 'Copied' })).toBeVisible();
  await card(page).getByRole('button', { name: 'I have kept them' }).click();
  await expect(card(page)).toContainText('10 left.');
  await expect(card(page).getByRole('listitem')).toHaveCount(0);

  const desk = await stranger();
  await test.step('a wrong code and the one that was used say so', async () => {
    await firstStep(desk, chatd, 'gerda');
    await expect(desk.getByLabel('Code', { exact: true })).toBeFocused();
    for (const code of ['nonsense', '12345', totp(key, -5)]) {
      await desk.getByLabel('Code', { exact: true }).fill(code);
      await goOn(desk);
      await expect(desk.getByRole('alert')).toContainText('This code is not right, or it has been used.');
    }
    expect((await desk.context().cookies()).some(({ name }) => name === 'sessionid')).toBe(false);
  });
  const code = totp(key, 1);
  await test.step('the right one leads to where one wanted to go', async () => {
    await desk.getByLabel('Code', { exact: true }).fill(code);
    await goOn(desk);
    await arrived(desk);
  });
  await test.step('the same one again leads nowhere, by the same page that was kept open or a new one', async () => {
    const again = await stranger();
    await firstStep(again, chatd, 'gerda');
    await again.getByLabel('Code', { exact: true }).fill(code);
    await goOn(again);
    await expect(again.getByRole('alert')).toContainText('This code is not right, or it has been used.');
  });
  await test.step('a recovery code leads in once, without script too', async () => {
    const plain = await stranger({ javaScriptEnabled: false });
    for (const [step, works] of [
      [0, true],
      [0, false],
      [1, true],
    ] as const) {
      await plain.context().clearCookies();
      await firstStep(plain, chatd, 'gerda');
      await plain.getByText('Use a recovery code').click();
      await plain.getByLabel('Recovery code').fill((codes[step] ?? '').toUpperCase());
      await goOn(plain);
      if (works) await expect(plain).toHaveURL(/\/settings\/$/);
      else await expect(plain.getByRole('alert')).toContainText('This code is not right');
    }
  });
  await page.reload();
  await expect(card(page)).toContainText('8 left.');
});

test('recovery codes are made anew, and the app is turned off', async ({ person, chatd }) => {
  await chatd.addUser('heinz');
  const page = await person('heinz', ACCOUNT);
  const { codes } = await turnOn(page, chatd, 'heinz');
  await card(page).getByRole('button', { name: 'I have kept them' }).click();
  const prove = async (code: string) => {
    await card(page).getByLabel('Current password').fill(chatd.password('heinz'));
    await card(page).getByLabel('Code').fill(code);
  };
  await card(page).getByRole('button', { name: 'New recovery codes' }).click();
  await prove('');
  await card(page).getByRole('button', { name: 'New recovery codes' }).click();
  await expect(card(page).getByRole('alert')).toContainText('This field is required.');
  await prove(codes[0] ?? '');
  await card(page).getByRole('button', { name: 'New recovery codes' }).click();
  const list = card(page).getByRole('list', { name: 'Recovery codes' }).getByRole('listitem');
  await expect(list).toHaveCount(10);
  const renewed = await list.allInnerTexts();
  expect(renewed.filter((each) => codes.includes(each))).toEqual([]);
  await card(page).getByRole('button', { name: 'I have kept them' }).click();

  await card(page).getByRole('button', { name: 'Turn the app off' }).click();
  await prove(codes[1] ?? '');
  await card(page).getByRole('button', { name: 'Turn the app off' }).click();
  await expect(card(page).getByRole('alert')).toContainText('This code is not right');
  await prove(renewed[0] ?? '');
  await card(page).getByRole('button', { name: 'Turn the app off' }).click();
  await expect(card(page).getByRole('button', { name: 'Set up an app' })).toBeVisible();
  await expect(card(page).getByRole('status')).toHaveText(/^Done\./);
  await connected(page);
  await expect(card(page)).not.toContainText('left.');
});

test('deleting the account asks for the second step too', async ({ person, chatd }) => {
  await chatd.addUser('hugo');
  const page = await person('hugo', ACCOUNT);
  const { codes } = await turnOn(page, chatd, 'hugo');
  await page.goto('settings/data/');
  const erase = page.getByRole('region', { name: 'Delete the account' });
  await erase.getByRole('button', { name: 'Delete the account …' }).click();
  const sure = erase.getByRole('button', { name: 'Delete my account for ever' });
  await erase.getByLabel('Current password').fill(chatd.password('hugo'));
  for (const code of ['', '000000']) {
    await erase.getByLabel('Code').fill(code);
    await sure.click();
    await expect(erase.getByRole('alert')).toBeVisible();
    await expect(sure).toBeEnabled();
  }
  await erase.getByLabel('Code').fill(codes[0] ?? '');
  await sure.click();
  await expect(page).toHaveURL(/\/login\//);
  const again = { data: { username: 'hugo', password: chatd.password('hugo') } };
  expect((await page.context().request.post('api/v1/session/', again)).status()).toBe(400);
});
