// What a reader sees of when and by whom: the line above what is new, groups and days, times in full. And when a message
// counts as read.

import type { Page } from '@playwright/test';
import { bubble, connected, expect, field, log, numbered, say, test } from './fixtures';

const PHONE = { hasTouch: true, isMobile: true, viewport: { width: 390, height: 844 } };

const entry = (page: Page, name: string) =>
  page.getByRole('navigation').getByRole('link', { name: new RegExp(`\\b${name}\\b`) });

const newLine = (page: Page) => log(page).locator('.new-line');

/** Where the line stands in the log: 0 at its upper edge, 1 at its lower one. */
const heightOf = (page: Page) =>
  log(page).evaluate((element) => {
    const { top, height } = element.getBoundingClientRect();
    const line = element.querySelector('.new-line')?.getBoundingClientRect();
    return line ? (line.top - top) / height : null;
  });

for (const [unread, options] of [
  [20, {}],
  [60, {}],
  [20, PHONE],
] as const) {
  const width = 'viewport' in options ? options.viewport.width : 1280;
  test(`${unread} new messages: their line is in the upper third until one leaves, ${width} pixels`, async ({
    person,
    chatd,
  }) => {
    const [reader, writer] = [`reader${unread}x${width}`, `writer${unread}x${width}`];
    for (const name of [reader, writer]) await chatd.addUser(name);
    await chatd.sendMany(writer, reader, numbered(40, 'old'));
    await chatd.read(reader, writer, 40);
    await chatd.sendMany(writer, reader, numbered(unread, 'new'));
    const page = await person(reader, '', options);
    await entry(page, writer).click();
    await expect(newLine(page)).toHaveText('New messages');
    const at = await heightOf(page);
    expect(at).toBeGreaterThanOrEqual(0);
    expect(at).toBeLessThanOrEqual(1 / 3);
    await expect(bubble(page, 'new 1')).toBeInViewport();

    // Read to the end, and further ones: the line stays.
    await expect(async () => {
      await log(page).evaluate((element) => element.scrollTo(0, element.scrollHeight));
      await expect(bubble(page, `new ${unread}`)).toBeInViewport({ timeout: 100 });
    }).toPass();
    const allRead = () => expect.poll(async () => (await chatd.conversation(reader, writer)).unread).toBe(0);
    await allRead();
    await expect(newLine(page)).toHaveCount(1);
    await chatd.send(writer, reader, 'one more');
    await expect(bubble(page, 'one more')).toBeVisible();
    await allRead();
    await expect(newLine(page)).toHaveCount(1);

    await page.goto('settings/');
    await connected(page);
    await page.goto(`c/${writer}/`);
    await expect(bubble(page, 'one more')).toBeVisible();
    await expect(newLine(page)).toHaveCount(0);
  });
}

declare global {
  interface Window {
    focused: boolean;
  }
}

/** A page whose window has the focus only when that is said: a browser that is driven gives it to all of them. */
function pretend(): void {
  window.focused = false;
  document.hasFocus = () => window.focused;
}

const focus = (page: Page, has: boolean) =>
  page.evaluate((now) => {
    window.focused = now;
    window.dispatchEvent(new Event(now ? 'focus' : 'blur'));
  }, has);

test('a message is read after a second in a window that has the focus, and then everywhere', async ({
  person,
  chatd,
}, testInfo) => {
  for (const name of ['xaver', 'yara']) await chatd.addUser(name);
  await chatd.send('xaver', 'yara', 'first');
  const sender = await person('xaver', 'c/yara/');
  const page = await person('yara', 'healthz');
  const [tab, device] = [await page.context().newPage(), await person('yara')];
  await tab.goto('');
  await page.addInitScript(pretend);
  await page.clock.install();
  const told: string[] = [];
  page.on('request', (request) => {
    if (request.url().endsWith('/read/')) told.push(request.postData() ?? '');
  });
  await page.goto('c/xaver/');
  await connected(page);
  await expect(bubble(page, 'first')).toBeInViewport();
  await page.clock.pauseAt((await page.evaluate(() => Date.now())) + 2_000);

  await page.clock.runFor(10_000);
  expect(told, 'nobody looks').toEqual([]);
  await focus(page, true);
  await page.clock.runFor(900);
  await focus(page, false);
  await page.clock.runFor(50);
  await focus(page, true);
  await page.clock.runFor(900);
  expect(told, 'twice, but not for a second').toEqual([]);
  for (const each of [tab, device]) await expect(entry(each, 'xaver')).toContainText('1 unread message');
  await expect(bubble(sender, 'first').getByText('Read', { exact: true })).toHaveCount(0);

  await page.clock.runFor(600);
  await expect.poll(() => told).toHaveLength(1);
  const since = Date.now();
  await Promise.all([
    ...[tab, device].map((each) => expect(entry(each, 'xaver')).not.toContainText('unread')),
    expect(bubble(sender, 'first').getByText('Read', { exact: true })).toBeAttached(),
  ]);
  testInfo.annotations.push({ type: 'milliseconds until all agree', description: `${Date.now() - since}` });
});

test('what was scrolled past within a second is not read', async ({ person, chatd }) => {
  for (const name of ['zelda', 'zeno']) await chatd.addUser(name);
  await chatd.sendMany('zeno', 'zelda', numbered(60, 'line'));
  const page = await person('zelda', 'healthz');
  await page.addInitScript(pretend);
  await page.clock.install();
  await page.goto('c/zeno/');
  await connected(page);
  await expect(bubble(page, 'line 1')).toBeInViewport();
  const told: number[] = [];
  page.on('request', (request) => {
    if (request.url().endsWith('/read/')) told.push(request.postDataJSON().seq);
  });
  const scrollTo = async (top: number) => {
    await log(page).evaluate((element, to) => element.scrollTo(0, to), top);
    await page.clock.runFor(100);
  };
  await page.clock.pauseAt((await page.evaluate(() => Date.now())) + 2_000);
  await scrollTo(10_000);
  await focus(page, true);
  await page.clock.runFor(500);
  await scrollTo(0);
  await page.clock.runFor(2_000);
  await expect.poll(() => told.length).toBeGreaterThan(0);
  expect(Math.max(...told)).toBeLessThan(60);
  await expect(async () => {
    await scrollTo(10_000);
    await page.clock.runFor(2_000);
    expect(told.at(-1), 'until somebody stays there').toBe(60);
  }).toPass();
});

/** What the time shows beside the bubble, if anything. */
const tooltip = (page: Page) =>
  page
    .locator('.row')
    .first()
    .locator('.meta time')
    .evaluate((time) => getComputedStyle(time, '::after').content);

const IN_FULL = /\w+, \d{1,2} \w+ 20\d\d at \d\d:\d\d:\d\d/;

test('the full date and time: by pointer, by key and by a finger that rests on it', async ({
  person,
  chatd,
}) => {
  for (const name of ['quinn', 'rhea']) await chatd.addUser(name);
  const sent = await chatd.send('quinn', 'rhea', 'when?');
  const page = await person('rhea', 'c/quinn/');
  const time = bubble(page, 'when?').locator('.meta time');
  await expect(time).toHaveAttribute('datetime', sent.timestamp);
  await expect(time).toHaveAttribute('title', IN_FULL);
  const full = (await time.getAttribute('title')) ?? '';
  expect(await tooltip(page)).toBe('none');

  await field(page).press('Shift+Tab');
  await expect(bubble(page, 'when?').locator('.actions')).toBeFocused();
  expect(await tooltip(page)).toBe(`"${full}"`);
  await page.keyboard.press('Enter');
  const menu = page.locator('.message-menu');
  await expect(menu.locator('time')).toHaveText(full);
  await expect(page.getByRole('menu')).toHaveAccessibleDescription(full);
  await page.keyboard.press('Escape');

  const phone = await person('rhea', 'c/quinn/', PHONE);
  const on = bubble(phone, 'when?').locator('.meta time');
  const box = await on.boundingBox();
  const at = { x: (box?.x ?? 0) + 4, y: (box?.y ?? 0) + 4 };
  const session = await phone.context().newCDPSession(phone);
  const touch = (type: 'touchStart' | 'touchEnd', points: (typeof at)[]) =>
    session.send('Input.dispatchTouchEvent', { type, touchPoints: points });
  await touch('touchStart', [at]);
  await expect.poll(() => tooltip(phone)).toBe(`"${full}"`);
  await touch('touchEnd', []);
  expect(await tooltip(phone), 'it stays').toBe(`"${full}"`);
  await phone.touchscreen.tap(200, 400);
  expect(await tooltip(phone)).toBe('none');
  await on.tap();
  await expect(phone.locator('.message-menu time'), 'and a tap opens the menu').toHaveText(full);
});

test('days and times are said anew at midnight, and messages of one person are a group', async ({
  person,
  chatd,
}) => {
  for (const name of ['selma', 'timo']) await chatd.addUser(name);
  await chatd.sendMany('timo', 'selma', numbered(5, 'line'));
  await chatd.send('selma', 'timo', 'line 6');
  const page = await person('selma', 'healthz');
  const day = 86_400_000;
  const noon = new Date();
  noon.setUTCHours(11, 0, 0, 0);
  const minutes = (number: number, days = 0) => new Date(noon.getTime() + number * 60_000 - days * day);
  const times = [minutes(0, 9), minutes(0, 1), minutes(0), minutes(4), minutes(10), minutes(11)];
  await page.route(/\/api\/v1\/(message|conversation)\/\?/, async (route) => {
    const response = await route.fetch();
    const body = JSON.stringify(await response.json(), (_, value) =>
      value && typeof value === 'object' && 'timestamp' in value
        ? { ...value, timestamp: times[value.seq - 1]?.toISOString() }
        : value,
    );
    await route.fulfill({ response, body });
  });
  await page.clock.install({ time: minutes(30) });
  await page.goto('c/timo/');
  await expect(bubble(page, 'line 6')).toBeVisible();
  const days = log(page).locator('.day-line');
  const dated = new Intl.DateTimeFormat('en-GB', {
    day: 'numeric',
    month: 'long',
    timeZone: 'Europe/Berlin',
  });
  const older = new RegExp(`^${dated.format(times[0])}( \\d{4})?$`);
  await expect(days).toHaveText([older, 'Yesterday', 'Today']);

  const today = log(page).locator('.day').last();
  expect(await today.locator('.row').evaluateAll(faces)).toEqual([
    ['line 3', true],
    ['line 4', false],
    ['line 5', true],
    ['line 6', false],
  ]);
  await expect(entry(page, 'timo').locator('time')).toHaveText(/^\d\d:11$/);

  await page.clock.runFor(day);
  await expect(days).toHaveText([older, /^[A-Z]\w+day$/, 'Yesterday']);
  await expect(entry(page, 'timo').locator('time')).toHaveText('Yesterday');
});

/** Of each row what it says, and whether it has the face and the name of who wrote it. */
function faces(rows: Element[]): [string, boolean][] {
  return rows.map((row) => [
    row.querySelector('.text')?.textContent ?? '',
    row.querySelector('.avatar') !== null && row.querySelector('.sender') !== null,
  ]);
}

test('choosing a conversation leads to writing, on a touch screen to reading', async ({ person, chatd }) => {
  await chatd.send('bob', 'hana', 'hello');
  await chatd.send('carol', 'hana', 'hello');
  const page = await person('hana');
  await entry(page, 'bob').click();
  await expect(field(page)).toBeFocused();
  await entry(page, 'carol').click();
  await expect(page.getByRole('textbox', { name: 'Message to carol' })).toBeFocused();
  await page.keyboard.press('Alt+ArrowUp');
  await expect(page.getByRole('textbox', { name: /^Message to/ })).toBeFocused();
  await page.keyboard.press('Control+k');
  await page.keyboard.type('car');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('textbox', { name: 'Message to carol' })).toBeFocused();

  const phone = await person('hana', '', PHONE);
  await entry(phone, 'bob').tap();
  await expect(bubble(phone, 'hello')).toBeVisible();
  await expect(field(phone)).toBeVisible();
  await expect(field(phone)).not.toBeFocused();
  await field(phone).tap();
  await expect(field(phone)).toBeFocused();
  await say(phone, 'from the phone');
  await expect(field(phone), 'who writes goes on writing').toBeFocused();
});

test('who hides how far they have read does not see it of others, and one’s own counts stay', async ({
  person,
  chatd,
}) => {
  for (const name of ['ursel', 'veit']) await chatd.addUser(name);
  await chatd.send('ursel', 'veit', 'before');
  const ursel = await person('ursel', 'c/veit/');
  const tick = (page: Page, text: string) => bubble(page, text).locator('.delivery');
  await expect(tick(ursel, 'before')).toHaveClass(/stored|delivered/);
  const veit = await person('veit', 'settings/');
  const other = await person('veit', '');
  await connected(other);
  await veit.getByLabel('How far you have read what they wrote').uncheck();
  await expect(veit.getByLabel('How far you have read what they wrote')).toBeEnabled();
  await veit.goto('c/ursel/');
  await expect(bubble(veit, 'before')).toBeVisible();
  // It is read: on all of veit's devices, and nowhere else.
  await expect(other.locator('.entry .badge')).toHaveCount(0);
  await expect(tick(ursel, 'before')).toHaveClass(/delivered/);
  await say(veit, 'an answer');
  await expect(bubble(ursel, 'an answer')).toBeVisible();
  await expect.poll(async () => (await chatd.conversation('ursel', 'veit')).unread).toBe(0);
  expect((await chatd.conversation('veit', 'ursel')).peer_read_seq).toBe(0);
  await expect(tick(veit, 'an answer')).toHaveClass(/delivered/);
  await expect(tick(ursel, 'before')).toHaveClass(/delivered/);
  // Shared again, both see it with the next look.
  await veit.goto('settings/');
  await veit.getByLabel('How far you have read what they wrote').check();
  await expect.poll(async () => (await chatd.conversation('veit', 'ursel')).peer_read_seq).toBe(2);
  await veit.goto('c/ursel/');
  await expect(tick(veit, 'an answer')).toHaveClass(/read/);
  await say(ursel, 'and this?');
  await expect(bubble(veit, 'and this?')).toBeVisible();
  await expect(tick(ursel, 'and this?')).toHaveClass(/read/);
  await expect(tick(ursel, 'before')).toHaveClass(/read/);
  await say(veit, 'yes');
  await expect(tick(veit, 'yes')).toHaveClass(/read/);
});
