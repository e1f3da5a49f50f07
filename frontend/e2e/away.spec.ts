import type { Page } from '@playwright/test';
import {
  offline as away,
  bodies,
  bubble,
  type Chatd,
  connected,
  expect,
  field,
  log,
  numbered,
  requestsTo,
  say,
  test,
} from './fixtures';

const HISTORY = /\/api\/v1\/(conversation|message)\//;

/** What both screens must show: the server's order, each message once. */
async function agree(
  chatd: Chatd,
  pages: readonly [Page, Page],
  names: readonly [string, string],
): Promise<void> {
  const stored = (await chatd.history(...names)).map((message) => message.body);
  for (const page of pages) await expect.poll(() => bodies(page)).toEqual(stored);
  expect(new Set(stored).size).toBe(stored.length);
}

test.beforeEach(() => test.setTimeout(120_000));

test('twenty messages that arrive during five seconds away, without asking for anything twice', async ({
  person,
  chatd,
}) => {
  const [ann, bob] = [await person('emil', 'c/fay/'), await person('fay', 'c/emil/')];
  for (const page of [ann, bob]) await connected(page);
  await say(ann, 'before');
  await expect(bubble(bob, 'before')).toBeVisible();
  const asked = [ann, bob].map((page) => requestsTo(page, HISTORY));

  const since = Date.now();
  chatd.cut();
  await Promise.all([away(ann), away(bob)]);
  await chatd.sendMany('fay', 'emil', numbered(12, 'to emil'));
  await chatd.sendMany('emil', 'fay', numbered(12, 'to fay'));
  await expect(ann.getByText('No connection.')).toBeVisible();
  await expect.poll(() => Date.now() - since, { timeout: 15_000 }).toBeGreaterThan(5_000);
  chatd.mend();

  await Promise.all([connected(ann), connected(bob)]);
  await expect(ann.getByText('No connection.')).toBeHidden({ timeout: 1_000 });
  await agree(chatd, [ann, bob], ['emil', 'fay']);
  for (const requests of asked) {
    expect(requests.filter((each) => each.startsWith('GET'))).toEqual([]);
  }
});

test('what is written while away is sent once, in order, when the link is back', async ({
  person,
  chatd,
}) => {
  const [ann, bob] = [await person('gus', 'c/hana/'), await person('hana', 'c/gus/')];
  for (const page of [ann, bob]) await connected(page);
  chatd.cut();
  await away(ann);
  for (const text of numbered(4, 'written away')) await say(ann, text);
  await expect(log(ann).getByText('Sending', { exact: true })).toHaveCount(4);
  await chatd.send('hana', 'gus', 'meanwhile');
  chatd.mend();
  await Promise.all([connected(ann), connected(bob)]);
  await expect(bubble(ann, 'written away 4').getByText(/Sent|Read/)).toBeAttached();
  await agree(chatd, [ann, bob], ['gus', 'hana']);
  const order = (await bodies(bob)).filter((body) => body.startsWith('written away'));
  expect(order).toEqual(numbered(4, 'written away'));
});

test('a message whose answer is lost is not doubled by the retry', async ({ person, chatd }) => {
  const page = await person('ivo', 'c/jana/');
  await connected(page);
  let lost = 0;
  await page.route('**/api/v1/message/', async (route) => {
    if (route.request().method() !== 'POST' || lost === 2) return route.fallback();
    lost += 1;
    await route.fetch();
    return route.abort();
  });
  await say(page, 'once only');
  await expect(bubble(page, 'once only').getByText('Sent')).toBeAttached();
  expect(lost).toBeGreaterThan(0);
  await expect(bubble(page, 'once only')).toHaveCount(1);
  expect((await chatd.history('ivo', 'jana')).filter((each) => each.body === 'once only')).toHaveLength(1);
});

test('what is written survives a reload while away', async ({ person, chatd }) => {
  const page = await person('ivo', 'c/hana/');
  await connected(page);
  await page.route('**/api/v1/message/', (route) =>
    route.request().method() === 'POST' ? route.abort() : route.fallback(),
  );
  await say(page, 'kept');
  await expect(bubble(page, 'kept').getByText('Sending')).toBeAttached();
  await page.reload();
  await expect(bubble(page, 'kept')).toHaveCount(1);
  await page.unroute('**/api/v1/message/');
  await expect(bubble(page, 'kept').getByText('Sent')).toBeAttached();
  expect((await chatd.history('ivo', 'hana')).filter((each) => each.body === 'kept')).toHaveLength(1);
});

test('a killed and restarted server', async ({ person, chatd }) => {
  const [ann, bob] = [await person('jana', 'c/ann/'), await person('ann', 'c/jana/')];
  for (const page of [ann, bob]) await connected(page);
  await say(ann, 'before the end');
  await expect(bubble(bob, 'before the end')).toBeVisible();
  const asked = requestsTo(bob, HISTORY);
  await chatd.kill();
  await Promise.all([away(ann), away(bob)]);
  await say(ann, 'written without a server');
  await expect(field(ann)).toHaveValue('');
  await chatd.restart();
  await Promise.all([connected(ann), connected(bob)]);
  await expect(bubble(bob, 'written without a server')).toBeVisible();
  await expect(bubble(ann, 'written without a server').getByText(/Sent|Read/)).toBeAttached();
  await agree(chatd, [ann, bob], ['jana', 'ann']);
  expect(asked.filter((each) => each.startsWith('GET'))).toEqual([]);
});

/** Notes in the page with which codes sockets are closed, and how soon after that anything is said about it. */
function watchClosing(): void {
  const noted = { codes: [] as number[], said: [] as number[] };
  Object.assign(window, { noted });
  let lost = Number.POSITIVE_INFINITY;
  window.WebSocket = class extends WebSocket {
    constructor(address: string | URL) {
      super(address);
      this.addEventListener('close', ({ code }) => {
        noted.codes.push(code);
        lost = Math.min(lost, performance.now());
      });
    }
  };
  new MutationObserver(() => {
    if (document.querySelector('.banner, [role=alert]')) noted.said.push(performance.now() - lost);
  }).observe(document, { subtree: true, childList: true });
}

test('a restarted server says so (1012), and the client comes back without an error', async ({
  person,
  chatd,
}) => {
  const page = await person('hana', 'healthz');
  await page.addInitScript(watchClosing);
  await page.goto('c/ivo/');
  await connected(page);
  await say(page, 'before');
  await expect(bubble(page, 'before').getByText('Sent')).toBeAttached();
  const noted = () =>
    page.evaluate(() => (window as unknown as { noted: { codes: number[]; said: number[] } }).noted);
  await chatd.kill('SIGTERM');
  await expect.poll(async () => (await noted()).codes[0]).toBe(1012);
  await chatd.restart();
  await connected(page);
  await say(page, 'after');
  await expect(bubble(page, 'after').getByText('Sent')).toBeAttached();
  const { said } = await noted();
  expect(said.filter((after) => after < 2_900)).toEqual([]);
});

test('on a phone the word of it covers neither the search nor the composer', async ({ person, chatd }) => {
  for (const [path, wanted] of [
    ['', (page: Page) => page.getByRole('searchbox')],
    ['c/fay/', field],
  ] as const) {
    const page = await person('emil', path, { viewport: { width: 390, height: 844 } });
    await connected(page);
    chatd.cut();
    await expect(page.locator('.banner')).toBeVisible();
    const [word, other] = [await page.locator('.banner').boundingBox(), await wanted(page).boundingBox()];
    chatd.mend();
    if (!word || !other) throw new Error('both are drawn');
    expect(word.y + word.height <= other.y || other.y + other.height <= word.y).toBe(true);
    await connected(page);
  }
});

test('a conversation whose person could not be asked for opens by itself', async ({ person }) => {
  const page = await person('dora', '');
  await connected(page);
  let away = true;
  await page.route('**/api/v1/user/**', (route) => (away ? route.abort() : route.fallback()));
  await page.goto('c/sven/');
  await expect(page.getByText('This conversation could not be opened')).toBeVisible();
  away = false;
  await expect(field(page)).toBeVisible();
});
