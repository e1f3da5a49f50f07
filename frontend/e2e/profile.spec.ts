// What people say of themselves: a name, a line, a picture, the time where they are, the language they speak.

import type { Page } from '@playwright/test';
import { bubble, connected, expect, field, keptPerson, log, requestsTo, say, shifts, test } from './fixtures';

const PROFILE = 'settings/profile/';
const PHONE = { viewport: { width: 390, height: 844 } };

const about = (page: Page) => page.getByRole('region', { name: 'About you' });
const picture = (page: Page) => page.getByRole('region', { name: 'Your picture' });
const entry = (page: Page, text: string) =>
  page.getByRole('navigation').getByRole('link').filter({ hasText: text });
const language = (page: Page, name: string) => page.getByRole('combobox', { name });
const heading = (page: Page) => page.getByRole('heading', { level: 1 });

async function profileOf(page: Page): Promise<void> {
  await page.goto(PROFILE);
  await expect(about(page).getByLabel('What you are called')).toBeVisible();
}

async function save(page: Page, name: string, line = '', zone = ''): Promise<void> {
  const form = about(page);
  await form.getByLabel('What you are called').fill(name);
  await form.getByLabel('A line about you').fill(line);
  await form.getByLabel('Your time zone').selectOption(zone);
  await form.getByRole('button', { name: 'Save' }).click();
}

/** The newest picture of somebody, as it is drawn. */
const drawn = (page: Page, where: string) =>
  page.locator(`${where} .avatar img`).evaluate((image: HTMLImageElement) => image.naturalWidth);

test('a name is seen where people are, with the user name where they could be confused', async ({
  person,
  chatd,
}) => {
  for (const name of ['gerda', 'hilde']) await chatd.addUser(name);
  await chatd.send('gerda', 'hilde', 'hello');
  const hilde = await person('hilde', 'c/gerda/');
  await connected(hilde);
  const gerda = await person('gerda', 'settings/');
  const phone = await person('gerda', '', PHONE);
  await connected(phone);
  await gerda.getByRole('link', { name: 'Profile' }).click();
  await expect(gerda).toHaveURL(/\/settings\/profile\/$/);
  // A zone is offered, and is not told before it is saved.
  const here = await gerda.evaluate(() => Intl.DateTimeFormat().resolvedOptions().timeZone);
  await expect(about(gerda).getByLabel('Your time zone')).toHaveValue(here);
  await save(gerda, '  Gerda  Müller ', 'On holiday until <b>Monday</b>', 'Asia/Tokyo');
  await expect(about(gerda).getByRole('status')).toHaveText('Saved.');
  // One's other devices follow.
  await expect(phone.getByRole('button', { name: 'Menu of Gerda Müller' })).toBeVisible();
  // The other person sees it with the next look.
  await hilde.goto('');
  await entry(hilde, 'gerda').click();
  await expect(heading(hilde)).toHaveText('Gerda Müller @gerda');
  await expect(entry(hilde, 'Gerda Müller')).toBeVisible();
  await expect(log(hilde).locator('.sender')).toHaveText('Gerda Müller');
  await expect(field(hilde)).toHaveAccessibleName(/gerda|Gerda/);
  const options = hilde.getByRole('button', { name: 'Options for the conversation with Gerda Müller' });
  await options.click();
  const who = hilde.locator('.conversation-menu .menu-who');
  await expect(who).toContainText('Gerda Müller@gerdaOn holiday until <b>Monday</b>');
  const times = await hilde.evaluate(() => {
    const clock = { hour: '2-digit', minute: '2-digit', timeZone: 'Asia/Tokyo' } as const;
    const there = new Intl.DateTimeFormat(navigator.language, clock);
    return [0, 60_000].map((past) => `Local time: ${there.format(Date.now() - past)}`);
  });
  expect(times).toContain(await who.locator('small').last().textContent());
  await hilde.keyboard.press('Escape');
  expect(await shifts(hilde)).toEqual([]);
  // In the search, under both names.
  for (const text of ['gerd', 'müll']) {
    await hilde.getByRole('searchbox').fill(text);
    await expect(hilde.locator('.results .entry')).toHaveText(/Gerda Müller@gerda$/);
  }
  await hilde.getByRole('searchbox').fill('');
  await hilde.keyboard.press('Control+k');
  await hilde.getByRole('combobox').fill('mül');
  await expect(hilde.getByRole('option')).toHaveText(/Gerda Müller @gerda/);
  await hilde.keyboard.press('Escape');
  // Without a network it is there as well.
  await hilde.reload();
  await connected(hilde);
  await expect(entry(hilde, 'Gerda Müller')).toBeVisible();
  // And taken back.
  await save(gerda, '');
  await expect(phone.getByRole('button', { name: 'Menu of gerda' })).toBeVisible();
  await hilde.goto('c/gerda/');
  await expect(heading(hilde)).toHaveText('gerda');
  await expect(entry(hilde, 'Gerda Müller')).toHaveCount(0);
});

test('somebody new is called as they like from their first message on', async ({ person, chatd }) => {
  for (const name of ['ilse', 'jutta']) await chatd.addUser(name);
  const jutta = await person('jutta');
  await profileOf(jutta);
  await save(jutta, 'Jutta 山田');
  await expect(about(jutta).getByRole('status')).toHaveText('Saved.');
  const ilse = await person('ilse');
  await connected(ilse);
  await jutta.goto('c/ilse/');
  await say(jutta, 'hello');
  await expect(entry(ilse, 'Jutta 山田')).toBeVisible();
  await entry(ilse, 'Jutta 山田').click();
  await expect(bubble(ilse, 'hello')).toBeVisible();
});

test('a name that pretends is refused, with the reason, and what was typed stays', async ({
  person,
  chatd,
}) => {
  await chatd.addUser('karla');
  const page = await person('karla');
  await profileOf(page);
  for (const [name, reason] of [
    ['b0b', 'looks like, the username of somebody else'],
    ['Support', 'reserved'],
    ['Раypal', 'different scripts'],
  ] as const) {
    await save(page, name);
    await expect(about(page).getByRole('alert')).toContainText(reason);
    await expect(about(page).getByLabel('What you are called')).toHaveValue(name);
  }
  await save(page, 'Karla');
  await expect(about(page).getByRole('status')).toHaveText('Saved.');
  await expect(about(page).getByRole('alert')).toHaveCount(0);
});

test('a profile that cannot be loaded says so, and is asked for again', async ({ person, chatd }) => {
  await chatd.addUser('lotte');
  const page = await person('lotte');
  let down = true;
  await page.route('**/api/v1/account/profile/', (route) => (down ? route.abort() : route.fallback()));
  await page.goto(PROFILE);
  await expect(about(page).getByRole('alert')).toContainText('Your profile could not be loaded.');
  down = false;
  await about(page).getByRole('button', { name: 'Try again' }).click();
  await expect(about(page).getByLabel('What you are called')).toBeVisible();
});

test('a picture is chosen, looked at, used, and removed', async ({ person, chatd }) => {
  for (const name of ['mira', 'nele']) await chatd.addUser(name);
  await chatd.send('mira', 'nele', 'hello');
  const mira = await person('mira', PROFILE);
  const nele = await person('nele');
  await connected(nele);
  const initials = nele.locator('.entry .avatar');
  await expect(initials).toHaveText('MI');
  await expect(initials.locator('img')).toHaveCount(0);
  const file = { name: 'photo.png', mimeType: 'image/png', buffer: await mira.screenshot() };
  const choose = picture(mira).getByLabel('Choose a picture');
  // What is no picture is not sent.
  await choose.setInputFiles({ ...file, buffer: Buffer.from('<svg/>') });
  await expect(picture(mira).getByRole('alert')).toContainText('cannot be read');
  await choose.setInputFiles(file);
  await expect(picture(mira).getByRole('img', { name: 'The picture that you chose' })).toBeVisible();
  await expect(picture(mira).getByRole('alert')).toBeEmpty();
  await picture(mira).getByRole('button', { name: 'Cancel' }).click();
  await expect(picture(mira).getByRole('img')).toHaveCount(0);
  await choose.setInputFiles(file);
  const sent = mira.waitForRequest((request) => request.method() === 'PUT');
  await picture(mira).getByRole('button', { name: 'Use this picture' }).click();
  expect((await sent).headers()['content-type']).toBe('image/jpeg');
  await expect.poll(() => drawn(mira, '.picture')).toBe(256);
  await expect.poll(() => drawn(mira, '.face')).toBe(256);
  await entry(nele, 'mira').click();
  await expect.poll(() => drawn(nele, '.pane-header >')).toBe(256);
  await expect.poll(() => drawn(nele, '.entry')).toBe(256);
  await expect.poll(() => drawn(nele, '.log .row')).toBe(256);
  expect(await shifts(nele), 'its room was there before it').toEqual([]);
  // One that cannot be had leaves the initials.
  await nele.route('**/api/v1/avatar/**', (route) => route.abort());
  await picture(mira).getByRole('button', { name: 'Remove it' }).click();
  await expect(mira.locator('.avatar img')).toHaveCount(0);
  await nele.goto('c/mira/');
  await expect(nele.locator('.avatar img')).toHaveCount(0);
  await expect(nele.locator('.pane-header > .avatar')).toHaveText('MI');
});

test('a language is chosen for everywhere one is signed in', async ({ person, chatd }) => {
  await chatd.addUser('olga');
  const first = await person('olga', PROFILE);
  const second = await person('olga', 'settings/');
  await connected(second);
  await language(first, 'Language').selectOption('de');
  await expect(first.getByRole('heading', { name: 'Dein Bild' })).toBeVisible();
  await expect(second.getByRole('heading', { level: 1, name: 'Einstellungen' })).toBeVisible();
  const third = await person('olga', 'settings/');
  await expect(third.getByRole('heading', { level: 1, name: 'Einstellungen' })).toBeVisible();
  await expect(third.locator('html')).toHaveAttribute('lang', 'de');
  await third.reload();
  await connected(third);
  await expect(third.locator('html')).toHaveAttribute('lang', 'de');
  await language(first, 'Sprache').selectOption('');
  for (const page of [first, second, third]) await expect(page.locator('html')).toHaveAttribute('lang', 'en');
  // A device that was away meanwhile.
  await second.goto('healthz');
  await language(first, 'Language').selectOption('ar');
  await expect(first.locator('html')).toHaveAttribute('dir', 'rtl');
  await second.goto('settings/');
  await expect(second.locator('html')).toHaveAttribute('dir', 'rtl');
});

test('a list that was kept is looked at anew once an hour', async ({ person, chatd }) => {
  for (const name of ['petra', 'renate']) await chatd.addUser(name);
  await chatd.send('petra', 'renate', 'hello');
  const page = await person('renate');
  await connected(page);
  await expect(entry(page, 'petra')).toBeVisible();
  await chatd.change('petra', 'account/profile/', { display_name: 'Petra Kurz' });
  await keptPerson(page, 'renate', 'petra');
  const asked = requestsTo(page, /\/api\/v1\/conversation\/$/);
  await page.clock.install();
  await page.reload();
  await connected(page);
  await page.clock.runFor(10_000);
  await expect(entry(page, 'petra')).toBeVisible();
  expect(asked).toEqual([]);
  await page.clock.setSystemTime(Date.now() + 2 * 3_600_000);
  await page.reload();
  await connected(page);
  await page.clock.runFor(10_000);
  await expect(entry(page, 'Petra Kurz')).toBeVisible();
  expect(asked).toHaveLength(1);
});
