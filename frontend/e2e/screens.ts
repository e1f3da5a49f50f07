// The screens of the client, for what must hold on each of them. How to add one: its line here.

import type { Page } from '@playwright/test';
import { type Chatd, connected, expect, numbered } from './fixtures';

export type Screen = readonly [name: string, show: (page: Page) => Promise<void>];

export const PHONE = { viewport: { width: 390, height: 844 } };

const prepared = new WeakSet<Chatd>();

/** What has to be there first, once for each server. The names are known to no other test. */
export async function prepare(chatd: Chatd): Promise<void> {
  if (prepared.has(chatd)) return;
  prepared.add(chatd);
  for (const name of ['kim', 'lea', 'max', 'nora', 'omar', 'pia', 'quin']) await chatd.addUser(name);
  await chatd.send(
    'lea',
    'kim',
    'see https://example.org, **bold** and `code`\n> quoted\n```ts\nconst a = 1;\n```',
  );
  await chatd.send('kim', 'lea', 'mine: **bold** `code`\n> quoted\n```ts\nconst a = 1;\n```');
  await chatd.send('max', 'kim', 'مرحبا بك');
  await chatd.change('max', 'account/profile/', {
    display_name: 'ماكس Maximilian von und zu Immenhausen-Oberkirchen',
    about:
      'A line that is as long as a line can be, or almost: it goes on and on, and does not end before it has to.',
    time_zone: 'Asia/Tokyo',
  });
  await chatd.sendMany('kim', 'omar', numbered(45, 'to omar'));
  await chatd.change('kim', 'settings/', { who_may_write: 'requests' });
  await chatd.send('pia', 'kim', 'We have not met. Do you know where the meeting is?');
  await chatd.post('kim', 'block/', { user: 'quin' });
}

const at = (path: string) => async (page: Page) => {
  await page.goto(path);
  await connected(page);
};

const reported = (id: number, user: string, body: string) => ({
  ...{ id, user, recipient: user === 'pia' ? 'kim' : 'pia', body },
  timestamp: '2026-11-20T10:00:00Z',
});
const AROUND = [reported(1, 'pia', 'Hello'), reported(2, 'pia', 'x'.repeat(120)), reported(3, 'kim', 'No.')];
/** What the staff sees; nobody here is of it. */
const REPORTS = {
  next: 'http://any/api/v1/report/?cursor=1',
  previous: null,
  results: [1, 2].map((id) => ({
    ...{
      id,
      reporter: 'kim',
      reason: id === 1 ? 'This is not nice.' : '',
      message: AROUND[1],
      context: AROUND,
    },
    created_at: '2026-11-20T11:00:00Z',
    ...(id === 1
      ? { closed_at: null, closed_by: null }
      : { closed_at: '2026-11-21T10:00:00Z', closed_by: 'lea' }),
  })),
};

// What an account with all second factors has; the person of these screens has none, and goes on signing in without.
const CODES = Array.from({ length: 10 }, (_, index) => `${index}kqd-7hzn-e2vx-0m8t`);
const SET_UP = {
  token: 'x',
  secret: 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP',
  uri: 'otpauth://totp/x',
  qr: { size: 29, path: 'M4 4h21v1h-21zM4 6h1v19h-1z' },
};
const FACTOR = {
  on: true,
  totp_since: '2026-11-01T10:00:00Z',
  passkeys: [
    { id: 1, name: 'my phone', created_at: '2026-11-01T10:00:00Z', last_used_at: null },
    {
      id: 2,
      name: 'the blue key that lies in the drawer below the old telephone',
      created_at: '2026-11-02T10:00:00Z',
      last_used_at: '2026-11-03T10:00:00Z',
    },
  ],
  recovery_codes: 8,
  passkeys_here: true,
};

/** Each begins where the one before left off. None looks for words: they differ by language. */
export const SCREENS: readonly Screen[] = [
  ['list', at('')],
  [
    'search',
    async (page) => {
      await page.locator('.finder input').fill('zzz');
      await expect(page.locator('.results-note')).toBeVisible();
    },
  ],
  [
    'menu',
    async (page) => {
      await page.locator('.finder input').fill('');
      await page.locator('.face').click();
      await expect(page.locator('.menu')).toBeVisible();
    },
  ],
  [
    'conversation',
    async (page) => {
      await at('c/lea/')(page);
      await expect(page.locator('.text pre')).toHaveCount(2);
    },
  ],
  [
    'refused message',
    async (page) => {
      await page.route('**/api/v1/message/', (route) =>
        route.request().method() === 'POST'
          ? route.fulfill({ status: 400, json: { body: [''] } })
          : route.fallback(),
      );
      await page.locator('.composer textarea').fill('refused');
      await page.locator('.composer textarea').press('Enter');
      await expect(page.locator('.refusal')).toBeVisible();
    },
  ],
  [
    'too long a message',
    async (page) => {
      await page.locator('.composer textarea').fill('x '.repeat(6_000));
      await expect(page.locator('.count')).toBeVisible();
    },
  ],
  [
    'switcher',
    async (page) => {
      await page.locator('.composer textarea').fill('');
      await page.keyboard.press('Control+k');
      await expect(page.locator('.options [role=option]').first()).toBeVisible();
    },
  ],
  [
    'switcher without an answer',
    async (page) => {
      await page.locator('.switcher input').fill('zzz');
      await expect(page.locator('.switcher .results-note')).toBeVisible();
    },
  ],
  [
    'shortcuts',
    async (page) => {
      await page.keyboard.press('Escape');
      await page.locator('.log').focus();
      await page.keyboard.press('?');
      await expect(page.locator('.shortcuts')).toBeVisible();
    },
  ],
  [
    'beginning',
    async (page) => {
      await at('c/nora/')(page);
      await expect(page.locator('.beginning')).toBeVisible();
    },
  ],
  ['settings', at('settings/')],
  [
    'signing out with unsent messages',
    async (page) => {
      await page.locator('.card .leave').click();
      await expect(page.locator('.card .menu-note')).toBeVisible();
    },
  ],
  [
    'settings with notifications',
    async (page) => {
      await page.addInitScript(() => Object.defineProperty(Notification, 'permission', { value: 'granted' }));
      await at('settings/')(page);
      await expect(page.locator('.toggle')).toHaveCount(7);
    },
  ],
  [
    'account',
    async (page) => {
      await at('settings/account/')(page);
      await expect(page.locator('.device')).not.toHaveCount(0);
      await page.locator('.card .menu-item').first().click();
      await expect(page.locator('.card-form')).toBeVisible();
    },
  ],
  [
    'my data',
    async (page) => {
      await at('settings/data/')(page);
      await page.locator('.card .leave').click();
      await expect(page.locator('.card-form')).toBeVisible();
      await expect(page.locator('[aria-busy=true]')).toHaveCount(0);
    },
  ],
  [
    'profile',
    async (page) => {
      await at('settings/profile/')(page);
      await expect(page.locator('.card-form')).toBeVisible();
      await page.locator('.picture input').setInputFiles({
        name: 'photo.png',
        mimeType: 'image/png',
        buffer: await page.screenshot(),
      });
      await expect(page.locator('.picture img')).toBeVisible();
    },
  ],
  [
    'setting up an app',
    async (page) => {
      await page.route('**/api/v1/account/second-factor/', (route) =>
        route.request().method() === 'POST' ? route.fulfill({ json: SET_UP }) : route.fallback(),
      );
      await at('settings/account/')(page);
      const card = page.locator('[aria-labelledby=second-factor-title]');
      await card.locator('.menu-item').click();
      await card.locator('input[name=current]').fill('x');
      await card.locator('.button').click();
      await expect(card.locator('.qr')).toBeVisible();
    },
  ],
  [
    'recovery codes',
    async (page) => {
      await page.route('**/api/v1/account/second-factor/confirm/', (route) =>
        route.fulfill({ json: { recovery_codes: CODES } }),
      );
      const card = page.locator('[aria-labelledby=second-factor-title]');
      await card.locator('input[name=code]').fill('123456');
      await card.locator('.button').click();
      await expect(card.locator('.codes code')).toHaveCount(10);
    },
  ],
  [
    'second factor',
    async (page) => {
      await page.route('**/api/v1/account/second-factor/', (route) => route.fulfill({ json: FACTOR }));
      await at('settings/account/')(page);
      await expect(page.locator('[aria-labelledby=passkeys-title] .device')).toHaveCount(2);
      await page.locator('[aria-labelledby=passkeys-title] .device .soft').first().click();
      await expect(page.locator('[aria-labelledby=passkeys-title] .card-form')).toBeVisible();
    },
  ],
  [
    'invites',
    async (page) => {
      await at('settings/invites/')(page);
      await page.locator('.card-form .button').click();
      await expect(page.locator('.new-link code')).toBeVisible();
      await expect(page.locator('.device')).not.toHaveCount(0);
    },
  ],
  [
    'somebody with a name of their own',
    async (page) => {
      await at('c/max/')(page);
      await page.locator('.pane-header .round').last().click();
      await expect(page.locator('.conversation-menu .handle')).toBeVisible();
    },
  ],
  ['requests', at('requests/')],
  [
    'a request',
    async (page) => {
      await at('c/pia/')(page);
      await expect(page.locator('.contact')).toBeVisible();
    },
  ],
  [
    'blocking',
    async (page) => {
      await page.locator('.contact .danger').click();
      await expect(page.locator('.question')).toBeVisible();
    },
  ],
  [
    'reporting',
    async (page) => {
      await page.keyboard.press('Escape');
      await page.locator('.contact .soft').last().click();
      await expect(page.locator('.question textarea')).toBeVisible();
    },
  ],
  [
    'reporting, not done',
    async (page) => {
      await page.route('**/api/v1/report/', (route) => route.fulfill({ status: 429, json: {} }));
      await page.locator('.question .button').click();
      await expect(page.locator('.question .menu-note')).toBeVisible();
    },
  ],
  [
    'somebody who is blocked',
    async (page) => {
      await at('c/quin/')(page);
      await expect(page.locator('.contact')).toBeVisible();
    },
  ],
  [
    'blocked people',
    async (page) => {
      await at('settings/blocked/')(page);
      await expect(page.locator('.device')).toHaveCount(1);
    },
  ],
  [
    'reports',
    async (page) => {
      await page.route('**/api/v1/report/**', (route) => route.fulfill({ json: REPORTS }));
      await at('settings/reports/')(page);
      await expect(page.locator('.report')).toHaveCount(2);
    },
  ],
  ['nobody', at('c/nobody-here/')],
  [
    'missing part',
    async (page) => {
      await at('c/lea/')(page);
      await page.route('**/static/assets/switcher-*.js', (route) => route.abort());
      // The first time it may be of another version: the page is loaded anew.
      await Promise.all([page.waitForEvent('load'), page.keyboard.press('Control+k')]);
      await connected(page);
      await page.keyboard.press('Control+k');
      await expect(page.locator('.part-missing')).toBeVisible();
    },
  ],
];
