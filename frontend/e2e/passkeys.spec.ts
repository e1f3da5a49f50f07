// Passkeys, with Chromium's virtual authenticator: a name is wanted for them, so these browsers call the server localhost.

import type { CDPSession, Page } from '@playwright/test';
import { type Chatd, connected, expect, forget, test } from './fixtures';

const ACCOUNT = 'settings/account/';
const passkeys = (page: Page) => page.getByRole('region', { name: 'Passkeys' });
const local = (chatd: Chatd) => ({ baseURL: chatd.url.replace('127.0.0.1', 'localhost') });

interface Authenticator {
  readonly cdp: CDPSession;
  readonly id: string;
}

/** What the protocol tells of a credential: all that another authenticator needs to have it too. */
type Credential = Awaited<ReturnType<typeof credentials>>[number];

async function authenticator(page: Page, verified = true): Promise<Authenticator> {
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('WebAuthn.enable');
  const { authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: verified,
      automaticPresenceSimulation: true,
    },
  });
  return { cdp, id: authenticatorId };
}

async function credentials({ cdp, id }: Authenticator) {
  return (await cdp.send('WebAuthn.getCredentials', { authenticatorId: id })).credentials;
}

const give = ({ cdp, id }: Authenticator, credential: Credential) =>
  cdp.send('WebAuthn.addCredential', { authenticatorId: id, credential });

async function add(page: Page, chatd: Chatd, user: string, name: string): Promise<void> {
  await passkeys(page).getByRole('button', { name: 'Add a passkey' }).click();
  await passkeys(page).getByLabel('Its name').fill(name);
  await passkeys(page).getByLabel('Current password').fill(chatd.password(user));
  await passkeys(page).getByRole('button', { name: 'Add a passkey' }).click();
}

const signedIn = (page: Page) =>
  expect(page.getByRole('heading', { level: 1, name: 'Settings' })).toBeVisible();
const withPasskey = (page: Page) => page.getByRole('button', { name: 'Sign in with a passkey' });

test('a passkey is made, signs in alone and as the second step, and is removed', async ({
  person,
  stranger,
  chatd,
}) => {
  await chatd.addUser('inge');
  const page = await person('inge', ACCOUNT, local(chatd));
  const phone = await authenticator(page);
  await add(page, chatd, 'inge', 'my phone');
  const line = passkeys(page).getByRole('listitem').filter({ hasText: 'my phone' });
  await expect(line).toContainText('not used yet');
  await expect(page.getByRole('list', { name: 'Recovery codes' }).getByRole('listitem')).toHaveCount(10);
  await page.getByRole('button', { name: 'I have kept them' }).click();
  await connected(page);
  const [credential] = await credentials(phone);
  if (!credential) throw new Error('no credential was made');

  const desk = await stranger(local(chatd));
  await give(await authenticator(desk), credential);
  await test.step('alone: neither a name nor a password', async () => {
    await desk.goto('login/?next=/settings/');
    await withPasskey(desk).click();
    await signedIn(desk);
  });
  await test.step('as the second step', async () => {
    await forget(desk);
    await desk.goto('login/?next=/settings/');
    await desk.getByPlaceholder('Username').fill('inge');
    await desk.getByPlaceholder('Password').fill(chatd.password('inge'));
    await desk.getByRole('button', { name: 'Sign in', exact: true }).click();
    await expect(desk.getByRole('heading', { name: 'One more step' })).toBeVisible();
    await expect(desk.getByLabel('Code', { exact: true })).toBeHidden();
    await withPasskey(desk).click();
    await signedIn(desk);
  });
  await test.step('and it proves who removes it', async () => {
    await page.reload();
    await expect(line).toContainText('Last used');
    await line.getByRole('button', { name: 'Remove: my phone' }).click();
    await passkeys(page).getByLabel('Current password').fill('not mine');
    await passkeys(page).getByRole('button', { name: 'With a passkey instead' }).click();
    await expect(passkeys(page).getByRole('alert')).toContainText('This is not your password.');
    // This authenticator still counts from where it was when the other one was made of it.
    for (const { credentialId } of await credentials(phone)) {
      await phone.cdp.send('WebAuthn.removeCredential', { authenticatorId: phone.id, credentialId });
    }
    await give(phone, { ...credential, signCount: 100 });
    await passkeys(page).getByLabel('Current password').fill(chatd.password('inge'));
    await passkeys(page).getByRole('button', { name: 'With a passkey instead' }).click();
    await expect(line).toHaveCount(0);
    await connected(page);
    // It ends all other sessions, and an open page is led to the sign-in page.
    await expect(desk).toHaveURL(/\/login\//);
  });
  await test.step('after which it leads nowhere, and the password alone does', async () => {
    await desk.goto('login/');
    await withPasskey(desk).click();
    await expect(desk.getByRole('alert')).toContainText('This passkey was not accepted.');
    await desk.getByPlaceholder('Username').fill('inge');
    await desk.getByPlaceholder('Password').fill(chatd.password('inge'));
    await desk.getByRole('button', { name: 'Sign in', exact: true }).click();
    await connected(desk);
  });
});

test('without one, with a copy, or with nobody verified it says so', async ({ person, stranger, chatd }) => {
  await chatd.addUser('jutta');
  const page = await person('jutta', ACCOUNT, local(chatd));
  const nobodyThere = await authenticator(page, false);
  await add(page, chatd, 'jutta', 'no finger');
  await expect(passkeys(page).getByRole('alert')).toContainText('No passkey was made.');
  await nobodyThere.cdp.send('WebAuthn.setUserVerified', {
    authenticatorId: nobodyThere.id,
    isUserVerified: true,
  });
  await add(page, chatd, 'jutta', 'a finger');
  await expect(passkeys(page).getByRole('listitem')).toContainText('a finger');
  const [credential] = await credentials(nobodyThere);
  if (!credential) throw new Error('no credential was made');

  const desk = await stranger(local(chatd));
  const key = await authenticator(desk);
  await desk.goto('login/?next=/settings/');
  await withPasskey(desk).click();
  await expect(desk.getByRole('alert')).toHaveText('No passkey was shown. Try again, or use another way.');
  await give(key, { ...credential, signCount: 40 });
  await withPasskey(desk).click();
  await signedIn(desk);
  // A copy that was made before: it counts from where it was.
  const thief = await stranger(local(chatd));
  await give(await authenticator(thief), { ...credential, signCount: 10 });
  await thief.goto('login/');
  await withPasskey(thief).click();
  await expect(thief.getByRole('alert')).toContainText('This passkey was not accepted.');
});

test('at an address without a name it says why there are none', async ({ person, stranger, chatd }) => {
  await chatd.addUser('karl');
  const page = await person('karl', ACCOUNT);
  await expect(passkeys(page)).toContainText('At this address browsers have no passkeys.');
  await expect(passkeys(page).getByRole('button')).toHaveCount(0);
  const nobody = await stranger();
  await nobody.goto('login/');
  await expect(nobody.getByRole('button', { name: 'Sign in', exact: true })).toBeVisible();
  await expect(withPasskey(nobody)).toHaveCount(0);
});
