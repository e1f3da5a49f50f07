// What tells of messages that nobody looks at. A headless browser has no notifications: here are some that tell the test.

import type { BrowserContext, Page } from '@playwright/test';
import { bubble, connected, expect, field, test } from './fixtures';

interface Said {
  readonly what: 'asked' | 'notification' | 'closed' | 'sound' | 'badge';
  readonly text: string;
}

/** Notifications, sounds and badges of all pages of this browser, in order. `answer` is what the browser says when asked. */
async function listen(context: BrowserContext, answer: NotificationPermission): Promise<Said[]> {
  const said: Said[] = [];
  await context.exposeBinding('say', (_, what: Said['what'], text: string) => void said.push({ what, text }));
  await context.addInitScript((permitted) => {
    const { say } = window as unknown as { say: (what: string, text: string) => void };
    const KEY = 'test:permission';
    class Stub {
      static get permission() {
        return localStorage.getItem(KEY) ?? 'default';
      }
      static async requestPermission() {
        say('asked', '');
        localStorage.setItem(KEY, permitted);
        return permitted;
      }
      onclick = () => {};
      readonly title: string;
      constructor(title: string, options: NotificationOptions) {
        this.title = title;
        say('notification', `${title}: ${options.body}`);
        Object.assign(window, { notified: this });
      }
      close() {
        say('closed', this.title);
      }
    }
    Object.assign(window, { Notification: Stub });
    const start = OscillatorNode.prototype.start;
    OscillatorNode.prototype.start = function (...args) {
      say('sound', '');
      return start.apply(this, args);
    };
    for (const name of ['setAppBadge', 'clearAppBadge'])
      Object.defineProperty(navigator, name, { value: async (count = 0) => say('badge', String(count)) });
  }, answer);
  return said;
}

const only = (said: readonly Said[], what: Said['what']) =>
  said.filter((each) => each.what === what).map(({ text }) => text);
const icon = (page: Page) => page.locator('link[rel=icon]');

async function turnOn(page: Page): Promise<void> {
  await page.goto('settings/');
  await connected(page);
  await page.getByRole('button', { name: 'Turn on notifications' }).click();
  await expect(page.getByRole('checkbox', { name: 'Show notifications' })).toBeChecked();
}

test('unread messages are in the title, the icon and the badge, and go when they are read', async ({
  person,
  chatd,
}) => {
  for (const name of ['una', 'vic']) await chatd.addUser(name);
  const page = await person('una');
  const said = await listen(page.context(), 'default');
  await page.reload();
  await connected(page);
  await expect(icon(page)).toHaveAttribute('href', /favicon\.svg$/);
  await chatd.sendMany('vic', 'una', ['one', 'two', 'three']);
  await expect(page).toHaveTitle('(3) chatd');
  await expect(icon(page)).toHaveAttribute('href', /favicon-unread\.svg$/);
  const answer = await page.request.get((await icon(page).getAttribute('href')) ?? '');
  expect(answer.headers()['content-type']).toContain('image/svg+xml');
  await expect.poll(() => only(said, 'badge').at(-1)).toBe('3');
  await page.getByRole('link', { name: /vic/ }).click();
  await expect(page).toHaveTitle('chatd');
  await expect(icon(page)).toHaveAttribute('href', /favicon\.svg$/);
  await expect.poll(() => only(said, 'badge').at(-1)).toBe('0');
  expect([only(said, 'asked'), only(said, 'sound')], 'nothing is asked or heard unless it is chosen').toEqual(
    [[], []],
  );
});

test('permission is asked for by a click below its explanation, and a no is respected and explained', async ({
  person,
  chatd,
}) => {
  const page = await person('carol');
  const said = await listen(page.context(), 'denied');
  await page.goto('settings/');
  await connected(page);
  await expect(page.getByText('tell you of new messages')).toBeVisible();
  expect(only(said, 'asked')).toEqual([]);
  await page.getByRole('button', { name: 'Turn on notifications' }).click();
  await expect(page.getByText('keeps chatd from notifying you')).toBeVisible();
  await expect(page.getByRole('button', { name: 'Turn on notifications' })).toHaveCount(0);
  await expect(page.getByRole('region', { name: 'Notifications and sounds' })).toBeFocused();
  await page.reload();
  await connected(page);
  await chatd.send('dora', 'carol', 'quietly');
  await expect(page).toHaveTitle(/^\(\d+\) chatd$/);
  expect([only(said, 'asked').length, only(said, 'notification')]).toEqual([1, []]);
});

test('of several tabs one notifies and one sounds, not for what can be seen in any, and a click leads there', async ({
  person,
  chatd,
}) => {
  for (const name of ['wim', 'xena', 'yara']) await chatd.addUser(name);
  const page = await person('wim');
  const said = await listen(page.context(), 'granted');
  await turnOn(page);
  await page.getByRole('checkbox', { name: 'Play a sound' }).check();
  await expect.poll(() => only(said, 'sound').length, 'a sample').toBe(2);
  said.length = 0;
  const other = await page.context().newPage();
  await other.goto('c/yara/');
  await connected(other);
  await field(other).click();

  await chatd.send('yara', 'wim', 'this is seen in the other tab');
  await expect(bubble(other, 'this is seen in the other tab')).toBeVisible();
  await chatd.sendMany('xena', 'wim', ['first', 'and **last**']);
  await expect.poll(() => only(said, 'notification').at(-1)).toBe('xena: and last');
  await expect.poll(() => only(said, 'sound').length).toBeGreaterThan(0);
  const times = only(said, 'notification').length;
  expect(only(said, 'notification').every((text) => text.startsWith('xena'))).toBe(true);
  expect(only(said, 'sound').length, 'two notes for each burst').toBe(2 * times);

  const notified = async (each: Page) => (await each.evaluate(() => 'notified' in window)) as boolean;
  const [speaks, silent] = (await notified(page)) ? [page, other] : [other, page];
  expect(await notified(silent)).toBe(false);
  await speaks.evaluate(() =>
    (window as unknown as { notified: { onclick: () => void } }).notified.onclick(),
  );
  await expect(speaks).toHaveURL(/\/c\/xena\/$/);
  await expect(bubble(speaks, 'and last')).toBeVisible();

  said.length = 0;
  await speaks.close();
  await silent.goto('settings/');
  await connected(silent);
  await silent.getByRole('checkbox', { name: 'Hide what messages say' }).check();
  await chatd.send('xena', 'wim', 'a secret');
  await expect.poll(() => only(said, 'notification')).toEqual(['xena: New message']);
});

test('messages of one’s own are silent, also those from another device', async ({ person, chatd }) => {
  const page = await person('ivo');
  const said = await listen(page.context(), 'granted');
  await turnOn(page);
  await page.getByRole('checkbox', { name: 'Play a sound' }).check();
  await expect.poll(() => only(said, 'sound').length).toBe(2);
  said.length = 0;
  await chatd.send('ivo', 'hana', 'mine');
  await chatd.send('hana', 'ivo', 'theirs');
  await expect.poll(() => only(said, 'notification')).toEqual(['hana: theirs']);
  await expect.poll(() => only(said, 'sound').length).toBe(2);
});
