// The sign-in page, which the server writes: its states, its passwords, and where it leads.

import type { Page } from '@playwright/test';
import { connected, expect, test } from './fixtures';
import { passwordOf, startProgram } from './program.mjs';
import { silent } from './states';

test('the sign-in page in all its states', async ({ stranger, chatd }) => {
  const page = await stranger();
  const name = page.getByPlaceholder('Username');
  const password = page.getByPlaceholder('Password');
  const button = page.getByRole('button', { name: 'Sign in' });
  const posts: string[] = [];
  page.on('request', (request) => {
    if (request.method() === 'POST') posts.push(request.url());
  });
  await page.goto('login/?next=/settings/');

  await test.step('empty, and with the name alone: the field that is missing has the focus', async () => {
    await expect(name).toBeFocused();
    await button.click();
    await expect(name).toBeFocused();
    await name.fill('ann');
    await button.click();
    await expect(password).toBeFocused();
  });
  await test.step('without a network: what was typed is still there', async () => {
    await name.fill('ann');
    await password.fill('not this');
    chatd.cut();
    await button.click();
    await expect(page.getByRole('alert')).toContainText('The server cannot be reached.');
    await expect(name).toHaveValue('ann');
    await expect(password).toHaveValue('not this');
    chatd.mend();
    expect(posts).toEqual([]);
  });
  await test.step('denied: a wrong password', async () => {
    await button.click();
    await expect(page.getByRole('alert')).toContainText('Please enter a correct username and password.');
    await expect(name).toHaveValue('ann');
    await expect(password).toBeFocused();
  });
  await test.step('loading: asked once, however often it is clicked; and then where one wanted to go', async () => {
    await password.fill(passwordOf('ann'));
    await page.route(/\/login\//, (route) =>
      route.request().method() === 'HEAD' ? silent() : route.fallback(),
    );
    await button.click();
    await expect(page.locator('form')).toHaveAttribute('aria-busy', 'true');
    await button.click();
    const before = posts.length;
    // What was held goes on.
    await page.unrouteAll({ behavior: 'ignoreErrors' });
    await expect(page.getByRole('heading', { level: 1, name: 'Settings' })).toBeVisible();
    expect(posts.slice(before)).toHaveLength(1);
  });
});

test('password managers know the fields, and the page needs no script', async ({ stranger }) => {
  const page = await stranger({ javaScriptEnabled: false });
  await page.goto('c/bob/');
  const form = page.locator('form[method=post]');
  const name = form.locator('input[autocomplete=username]');
  const password = form.locator('input[autocomplete=current-password]');
  await expect(name).toHaveAttribute('name', 'username');
  await expect(password).toHaveAttribute('type', 'password');
  // What a manager fills in: the values, without a key.
  await name.fill('ann');
  await password.fill(passwordOf('ann'));
  await form.getByRole('button', { name: 'Sign in' }).click();
  await expect(page).toHaveURL(/\/c\/bob\/$/);
});

test('it leads to the page that was asked for, and never to another site', async ({ stranger, chatd }) => {
  for (const [asked, then] of [
    ['c/bob/?from=mail', 'c/bob/?from=mail'],
    ['settings/', 'settings/'],
    ['login/?next=https://elsewhere.test/', ''],
    ['login/?next=//elsewhere.test/', ''],
  ] as const) {
    const page = await stranger();
    await page.goto(asked);
    await expect(page).toHaveURL(/\/login\/\?next=/);
    await page.getByPlaceholder('Username').fill('ann');
    await page.getByPlaceholder('Password').fill(passwordOf('ann'));
    await page.getByRole('button', { name: 'Sign in' }).click();
    await connected(page);
    expect(page.url(), asked).toBe(chatd.url + then);
  }
});

test('after too many wrong passwords it says for how long, and keeps the name', async ({ stranger }) => {
  const program = await startProgram({ users: ['ann'], env: { CHATD_LOGIN_FAILURES_PER_MINUTE: '2' } });
  try {
    const page = await stranger({ baseURL: `http://127.0.0.1:${program.port}/` });
    await page.goto('login/?next=/settings/');
    const alert = page.getByRole('alert');
    await page.getByPlaceholder('Username').fill('ann');
    for (const said of [/correct username/, /correct username/, /^Error!Too many wrong passwords\. /]) {
      const answer = page.waitForResponse((response) => response.request().method() === 'POST');
      await page.getByPlaceholder('Password').fill('not this');
      await page.getByRole('button', { name: 'Sign in' }).click();
      const wait = (await answer).headers()['retry-after'];
      await expect(alert).toHaveText(said);
      await expect(page.getByPlaceholder('Username')).toHaveValue('ann');
      if (wait === undefined) continue;
      expect(Number(wait)).toBeGreaterThan(0);
      await expect(alert).toContainText(`Try again in ${wait} second`);
    }
    await expect(alert).toContainText('Try again in');
    await expect(page).toHaveURL(/next=\/settings\/$/);
  } finally {
    await program.stop();
  }
});

test('the token of a session is in no address, and in nothing that a script can read', async ({
  stranger,
}) => {
  const page = await stranger();
  const asked: string[] = [];
  page.on('request', (request) => asked.push(request.url()));
  page.on('websocket', (socket) => asked.push(socket.url()));
  await page.goto('');
  await page.getByPlaceholder('Username').fill('ann');
  await page.getByPlaceholder('Password').fill(passwordOf('ann'));
  await page.getByRole('button', { name: 'Sign in' }).click();
  await connected(page);
  await page.goto('c/bob/');
  await connected(page);

  const cookie = (await page.context().cookies()).find(({ name }) => name === 'sessionid');
  expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Lax' });
  const token = cookie?.value ?? '';
  expect(token.length).toBeGreaterThan(20);
  expect(asked.some((url) => url.includes('/ws?'))).toBe(true);
  const secrets = [token, passwordOf('ann')];
  expect(asked.filter((url) => secrets.some((secret) => url.includes(secret)))).toEqual([]);
  // The cache is written a moment after it changed.
  const known = ['chatd:session', 'cursor'];
  await expect.poll(() => findable(page, known)).toEqual(known);
  expect(await findable(page, [...known, ...secrets])).toEqual(known);
  await page.evaluate((value) => localStorage.setItem('left', value), token);
  expect(await findable(page, secrets), 'it would be found').toEqual([token]);
  expect(cookie?.secure, 'with TLS it is Secure: cross-site.spec.ts').toBe(false);
});

/** Those of these words that a script of the page can come by. */
function findable(page: Page, words: string[]): Promise<string[]> {
  return page.evaluate(async (wanted) => {
    const held: unknown[] = [document.cookie, { ...localStorage }, { ...sessionStorage }, location.href];
    held.push(document.documentElement.outerHTML, history.state);
    for (const { name } of await indexedDB.databases()) {
      const opening = indexedDB.open(name ?? '');
      const database = await new Promise<IDBDatabase>((done) => {
        opening.onsuccess = () => done(opening.result);
      });
      for (const store of database.objectStoreNames) {
        const all = database.transaction(store).objectStore(store).getAll();
        const rows = await new Promise((done) => {
          all.onsuccess = () => done(all.result);
        });
        held.push(rows);
      }
      database.close();
    }
    const text = JSON.stringify(held);
    return wanted.filter((word) => text.includes(word));
  }, words);
}
