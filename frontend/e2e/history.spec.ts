import type { Page, Request } from '@playwright/test';
import { bubble, type Chatd, connected, expect, log, numbered, requestsTo, shifts, test } from './fixtures';

const COUNT = 1_000;

/** A thousand messages between carol and ivo, all read. Made once for this file. */
async function longHistory(chatd: Chatd): Promise<void> {
  if ((await chatd.history('carol', 'ivo')).length >= COUNT) return;
  await chatd.sendMany('ivo', 'carol', numbered(COUNT, 'line'));
  await chatd.read('carol', 'ivo', COUNT);
}

/** Where a row stands on the screen. */
const topOf = (page: Page, seq: number) =>
  page.evaluate(
    (number) => document.querySelector(`[data-seq="${number}"]`)?.getBoundingClientRect().top,
    seq,
  );

const rowsInDocument = (page: Page) => log(page).locator('[data-key]').count();
const seqsInDocument = (page: Page) =>
  log(page)
    .locator('[data-seq]')
    .evaluateAll((rows) => rows.map((row) => Number((row as HTMLElement).dataset.seq)));

const screensAbove = (page: Page) =>
  log(page).evaluate((element) => element.scrollTop / element.clientHeight);

/** Scrolls, and waits until rows no longer come in: in one frame with a movement even a still row counts as shifted. */
async function scrollBy(page: Page, pixels: number): Promise<void> {
  await log(page).evaluate((element, by) => element.scrollBy(0, by), pixels);
  await expect.poll(() => underWay(page)).toBe(0);
  await log(page).evaluate(async (element) => {
    let height = element.scrollHeight;
    for (let still = 0; still < 10; still += 1) {
      await new Promise((done) => requestAnimationFrame(done));
      if (element.scrollHeight !== height) still = 0;
      height = element.scrollHeight;
    }
  });
}

const requests = new WeakMap<Page, Set<Request>>();

/** How many requests of a page have no answer yet, of those made since this was first asked. */
function underWay(page: Page): number {
  const known = requests.get(page);
  if (known) return known.size;
  const open = new Set<Request>();
  requests.set(page, open);
  page.on('request', (request) => open.add(request));
  page.on('requestfinished', (request) => open.delete(request));
  page.on('requestfailed', (request) => open.delete(request));
  return 0;
}

test.beforeEach(async ({ chatd }) => {
  test.setTimeout(180_000);
  await longHistory(chatd);
});

test('older messages come in without moving the row that is being read', async ({ person }) => {
  const page = await person('carol', 'c/ivo/');
  await expect(bubble(page, `line ${COUNT}`)).toBeInViewport();
  await expect.poll(() => screensAbove(page)).toBeGreaterThan(1);
  // What the opening asked for must not come in together with the first movement.
  await page.waitForLoadState('networkidle');
  await scrollBy(page, 0);
  let moved = 0;
  let loads = 0;
  let least = COUNT;
  while (least > 800) {
    await scrollBy(page, -300);
    const seq = await page.evaluate(() => {
      const frame = document.querySelector('.log')?.getBoundingClientRect();
      const rows = [...document.querySelectorAll<HTMLElement>('[data-seq]')];
      return Number(rows.find((row) => row.getBoundingClientRect().top >= (frame?.top ?? 0))?.dataset.seq);
    });
    const before = await topOf(page, seq);
    // What is above comes in before it is reached.
    await expect.poll(() => screensAbove(page)).toBeGreaterThan(1);
    const after = await topOf(page, seq);
    const now = (await seqsInDocument(page))[0] ?? 0;
    if (now < least) loads += 1;
    least = now;
    moved = Math.max(moved, Math.abs((after ?? 0) - (before ?? 0)));
    expect(await rowsInDocument(page)).toBeLessThanOrEqual(200);
  }
  expect(loads, 'older messages were loaded at all').toBeGreaterThan(3);
  expect(moved).toBeLessThanOrEqual(2);
  expect(await shifts(page)).toEqual([]);
});

test('the whole history can be read up to the first message and down again, in at most 200 rows', async ({
  person,
}) => {
  const page = await person('carol', 'c/ivo/');
  await expect(bubble(page, `line ${COUNT}`)).toBeInViewport();
  const most: number[] = [];
  const first = page.getByText('This is the beginning of your conversation with ivo.');
  await expect(async () => {
    await log(page).evaluate((element) => element.scrollTo(0, 0));
    most.push(await rowsInDocument(page));
    await expect(first).toBeInViewport({ timeout: 50 });
  }).toPass({ timeout: 60_000, intervals: [20] });
  await expect(bubble(page, 'line 1').first()).toBeInViewport();
  const asked = requestsTo(page, /\/api\/v1\/message\//);
  await expect(async () => {
    await log(page).evaluate((element) => element.scrollTo(0, element.scrollHeight));
    most.push(await rowsInDocument(page));
    await expect(bubble(page, `line ${COUNT}`)).toBeInViewport({ timeout: 50 });
  }).toPass({ timeout: 60_000, intervals: [20] });
  expect(Math.max(...most)).toBeLessThanOrEqual(200);
  expect(Math.max(...most)).toBeGreaterThan(100);
  expect(asked).toEqual([]);
  const seqs = await seqsInDocument(page);
  expect(seqs).toEqual(seqs.map((_, index) => (seqs[0] ?? 0) + index));
});

test('away from the end nothing moves, and a button with the count leads back', async ({ person, chatd }) => {
  const page = await person('carol', 'c/ivo/');
  await expect(bubble(page, `line ${COUNT}`)).toBeInViewport();
  await connected(page);
  await scrollBy(page, -1_500);
  await page.waitForLoadState('networkidle');
  const seq = (await seqsInDocument(page)).at(-40) ?? 0;
  const before = await topOf(page, seq);
  await chatd.sendMany('ivo', 'carol', ['news 1', 'news 2']);
  const jump = page.getByRole('button', { name: 'Jump to latest, 2 new messages' });
  await expect(jump).toBeVisible();
  expect(Math.abs(((await topOf(page, seq)) ?? 0) - (before ?? 0))).toBeLessThanOrEqual(1);
  await jump.click();
  await expect(bubble(page, 'news 2').last()).toBeInViewport();
  await expect(jump).toBeHidden();
  await chatd.send('ivo', 'carol', 'news 3');
  await expect(bubble(page, 'news 3').last()).toBeInViewport();
});

for (const [title, distance, follows] of [
  ['50 pixels from the end the view stays at the end', 50, true],
  ['51 pixels from the end the view stays where it is', 51, false],
] as const) {
  test(title, async ({ person, chatd }) => {
    const page = await person('carol', 'c/ivo/');
    await expect(log(page).locator('[data-seq]').last()).toBeInViewport();
    await connected(page);
    const fromEnd = () =>
      log(page).evaluate((element) => element.scrollHeight - element.scrollTop - element.clientHeight);
    const drawn = () =>
      page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
    const jump = page.getByRole('button', { name: /^Jump to latest/ });
    await expect.poll(fromEnd).toBeLessThanOrEqual(1);
    // At the end the view stays there whenever something is drawn: that must be over before it is scrolled away.
    await expect(async () => {
      await log(page).evaluate((element, left) => {
        element.scrollTop = element.scrollHeight - element.clientHeight - left;
      }, distance);
      await drawn();
      expect(await fromEnd()).toBe(distance);
    }).toPass({ timeout: 10_000 });
    await expect(jump).toHaveCount(follows ? 0 : 1);
    const seq = (await seqsInDocument(page)).at(-1) ?? 0;
    const before = (await topOf(page, seq)) ?? 0;
    const news = `at ${distance} pixels`;
    await chatd.send('ivo', 'carol', news);
    await expect(bubble(page, news)).toBeAttached();
    await drawn();
    if (follows) {
      expect(await fromEnd()).toBeLessThanOrEqual(1);
      await expect(jump).toHaveCount(0);
    } else {
      expect(Math.abs(((await topOf(page, seq)) ?? 0) - before)).toBeLessThanOrEqual(1);
      await expect(jump).toHaveAccessibleName('Jump to latest, 1 new message');
    }
  });
}

test('the address of a message opens it, and both ways lead on', async ({ person, chatd }) => {
  const page = await person('carol', 'c/ivo/500/');
  await expect(bubble(page, 'line 500')).toBeInViewport();
  await expect(bubble(page, 'line 500')).toHaveClass(/highlighted/);
  for (const direction of [-1, 1]) {
    const wanted = 500 + direction * 60;
    await expect(async () => {
      await scrollBy(page, direction * 700);
      await expect(bubble(page, `line ${wanted}`)).toBeInViewport({ timeout: 50 });
    }).toPass({ intervals: [20] });
  }
  const last = (await chatd.history('carol', 'ivo')).at(-1);
  await page.getByRole('button', { name: /^Jump to latest/ }).click();
  await expect(log(page).locator(`[data-seq="${last?.seq}"]`)).toBeInViewport();
});

test('Back, Forward and reload restore the conversation and where it was scrolled to', async ({ person }) => {
  const page = await person('carol', 'c/ivo/');
  await expect(log(page).locator('[data-seq]').last()).toBeInViewport();
  await scrollBy(page, -2_500);
  await page.waitForLoadState('networkidle');
  const remembered = () => page.evaluate(() => history.state?.scroll?.seq ?? 0);
  await expect.poll(remembered).toBeGreaterThan(0);
  const seq = await remembered();
  const top = (await topOf(page, seq)) ?? 0;
  const restored = async () => {
    await expect(page.getByRole('heading', { level: 1, name: 'ivo' })).toBeVisible();
    await expect.poll(async () => Math.abs(((await topOf(page, seq)) ?? 9_999) - top)).toBeLessThanOrEqual(2);
  };
  await page.getByRole('link', { name: 'chatd' }).click();
  await expect(page.getByRole('heading', { name: 'Good to see you' })).toBeVisible();
  const asked = requestsTo(page, /\/api\/v1\/(message|conversation)\//);
  await page.goBack();
  await restored();
  const loads = asked.filter((each) => each.startsWith('GET'));
  expect(loads, 'nothing is loaded that is already here').toEqual([]);
  await page.goForward();
  await page.goBack();
  await restored();
  await page.reload();
  await restored();
});
