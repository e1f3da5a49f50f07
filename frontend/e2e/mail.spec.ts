// What needs a mail: a forgotten password, another address, an account. The mail goes into a directory and is read there.

import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connected, expect, test, watch } from './fixtures';
import { violations } from './inspect';
import { passwordOf, startProgram } from './program.mjs';

type Program = Awaited<ReturnType<typeof startProgram>>;

let program: Program;
let url: string;
let mails: string;

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  const address = server.address();
  await new Promise((done) => server.close(done));
  return typeof address === 'object' && address ? address.port : 0;
}

test.beforeAll(async ({ database }) => {
  mails = mkdtempSync(join(tmpdir(), 'chatd-mail-'));
  const port = await freePort();
  url = `http://127.0.0.1:${port}/`;
  program = await startProgram({
    database,
    port,
    env: {
      CHATD_PUBLIC_URL: url,
      CHATD_EMAIL_URL: `dir:${mails}`,
      CHATD_EMAIL_FROM: 'chatd <chatd@example.org>',
      CHATD_SIGNUP: 'open',
      CHATD_LOGIN_FAILURES_PER_MINUTE: '1000',
    },
  });
  for (const name of ['ulla', 'vera']) await program.addUser(name, '--email', `${name}@example.org`);
});

test.afterAll(async () => {
  await program?.stop();
  rmSync(mails, { recursive: true, force: true });
});

/** The link in the mail to this address that came last. */
async function linkTo(address: string, subject: string): Promise<string> {
  const found = (): string | undefined => {
    const texts = readdirSync(mails)
      .filter((name) => name.endsWith('.eml'))
      .map((name) =>
        readFileSync(join(mails, name), 'utf8')
          .replaceAll(/=\r?\n/g, '')
          .replaceAll('=3D', '='),
      )
      .filter((text) => text.includes(`To: ${address}`) && text.includes(`Subject: ${subject}`));
    return texts.map((text) => text.match(/http:\/\/127\.0\.0\.1:\d+\/[\w/-]+/)?.[0]).pop();
  };
  await expect.poll(found).toBeTruthy();
  return found() ?? '';
}

test('whoever has forgotten the password chooses a new one', async ({ browser, problems }) => {
  const context = await browser.newContext({ baseURL: url, viewport: { width: 390, height: 844 } });
  await watch(context, problems);
  const page = await context.newPage();
  await page.goto('login/');
  await page.getByRole('link', { name: 'Forgot your password?' }).click();
  await expect(page.getByRole('textbox', { name: 'Username or email' })).toBeFocused();
  expect(await violations(page)).toEqual([]);
  await page.keyboard.type('ulla@example.org');
  await page.keyboard.press('Enter');
  await expect(page.getByText('If there is such an account')).toBeVisible();
  await page.goto(await linkTo('ulla@example.org', 'Choose a new password'));
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Choose a new password');
  expect(await violations(page)).toEqual([]);
  await page.getByLabel('Password').fill('password');
  await page.getByRole('button', { name: 'Set the password' }).click();
  await expect(page.getByRole('alert')).toContainText('too common');
  await page.getByLabel('Password').fill('a quite new password');
  await page.getByRole('button', { name: 'Set the password' }).click();
  await expect(page.getByText('The new password of ulla is set')).toBeVisible();
  expect(await violations(page)).toEqual([]);
  await page.getByRole('link', { name: 'Sign in' }).click();
  await page.getByLabel('Username').fill('ulla');
  await page.getByLabel('Password').fill('a quite new password');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await connected(page);
  await context.close();
});

test('another address is confirmed there', async ({ browser, problems }) => {
  const context = await browser.newContext({ baseURL: url });
  await watch(context, problems);
  const answer = await context.request.post('api/v1/session/', {
    data: { username: 'vera', password: passwordOf('vera') },
  });
  expect(answer.status()).toBe(200);
  const page = await context.newPage();
  await page.goto('settings/account/');
  const card = page.getByRole('region', { name: 'Email address' });
  await expect(card).toContainText('vera@example.org');
  await card.getByRole('button', { name: 'Change the address' }).click();
  await card.getByLabel('New address').fill('new@example.org');
  await card.getByLabel('Current password').fill('wrong');
  await card.getByRole('button', { name: 'Change the address' }).click();
  await expect(card.getByRole('alert')).toContainText('This is not your password.');
  await card.getByLabel('Current password').fill(passwordOf('vera'));
  await card.getByRole('button', { name: 'Change the address' }).click();
  await expect(card.getByRole('status')).toContainText('A link is on its way to new@example.org.');
  await expect(card).toContainText('vera@example.org');
  const link = await linkTo('new@example.org', 'Confirm your new address');
  const confirming = await context.newPage();
  await confirming.goto(link);
  expect(await violations(confirming)).toEqual([]);
  await confirming.getByRole('button', { name: 'Confirm' }).click();
  await expect(confirming.getByText('is the address of your account now')).toBeVisible();
  await confirming.getByRole('link', { name: 'Go on' }).click();
  await connected(confirming);
  await page.reload();
  await connected(page);
  await expect(card).toContainText('new@example.org');
  await context.close();
});

test('an account is made by the link', async ({ browser, problems }) => {
  const context = await browser.newContext({ baseURL: url, viewport: { width: 390, height: 844 } });
  await watch(context, problems);
  const page = await context.newPage();
  await page.goto('login/');
  await page.getByRole('link', { name: 'Create an account' }).click();
  await page.getByLabel('Username').fill('wanda');
  await page.getByLabel('Email').fill('wanda@example.org');
  await page.getByLabel('Password').fill('a quite new password');
  await page.getByRole('button', { name: 'Create an account' }).click();
  await expect(page.getByText('A link is on its way to wanda@example.org.')).toBeVisible();
  await page.goto(await linkTo('wanda@example.org', 'Confirm your account'));
  await expect(page.getByLabel('Username')).toHaveValue('wanda');
  expect(await violations(page)).toEqual([]);
  await page.getByRole('button', { name: 'Create an account' }).click();
  await connected(page);
  await context.close();
});
