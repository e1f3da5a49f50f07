// Pages that end, pages beside each other, and who is signed in.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BrowserContext, Page } from '@playwright/test';
import { chromium } from '@playwright/test';
import config from '../playwright.config';
import {
  bodies,
  bubble,
  connected,
  expect,
  field,
  kept,
  numbered,
  offline,
  requestsTo,
  say,
  test,
} from './fixtures';

test.use({ serviceWorkers: 'allow' });

test.beforeEach(() => test.setTimeout(120_000));

const isSend = /\/api\/v1\/message\/$/;

async function anotherTab(page: Page, path = ''): Promise<Page> {
  const other = await page.context().newPage();
  await other.goto(path);
  return other;
}

/** This page's messages do not get through; those of others do. */
async function holdSends(page: Page): Promise<() => Promise<void>> {
  await page.route('**/api/v1/message/', (route) =>
    route.request().method() === 'POST' ? undefined : route.fallback(),
  );
  return () => page.unroute('**/api/v1/message/');
}

const stored = async (
  chatd: { history: (a: string, b: string) => Promise<{ body: string }[]> },
  a: string,
  b: string,
) => (await chatd.history(a, b)).map((message) => message.body);

test('a page that is closed in the middle of sending', async ({ person, chatd }) => {
  const page = await person('ann', 'c/emil/');
  await connected(page);
  await holdSends(page);
  const sends = requestsTo(page, isSend);
  for (const text of numbered(3, 'closed')) await say(page, text);
  await expect.poll(() => sends.filter((each) => each.startsWith('POST'))).toHaveLength(1);
  await field(page).fill('and a thought');
  await kept(page, 'ann', 'and a thought');
  await page.context().newPage();
  await page.close();
  const [next] = page.context().pages();
  if (!next) throw new Error('a page is left');
  await next.goto('c/emil/');
  await expect(bubble(next, 'closed 3').getByText('Sent')).toBeAttached();
  await expect(field(next)).toHaveValue('and a thought');
  expect(await stored(chatd, 'ann', 'emil')).toEqual(numbered(3, 'closed'));
});

test('a browser that is killed in the middle of sending', async ({ chatd }) => {
  const profile = await mkdtemp(join(tmpdir(), 'chatd-profile-'));
  const signedIn = async () => {
    const options = { ...config.use?.launchOptions, baseURL: chatd.url };
    const context = await chromium.launchPersistentContext(profile, options);
    await context.request.post('api/v1/session/', {
      data: { username: 'ann', password: chatd.password('ann') },
    });
    return context;
  };
  const open = async (context: BrowserContext) => {
    const page = context.pages()[0] ?? (await context.newPage());
    await page.goto('c/fay/');
    return page;
  };
  try {
    let context = await signedIn();
    let page = await open(context);
    await connected(page);
    await holdSends(page);
    for (const text of numbered(2, 'killed')) await say(page, text);
    await field(page).fill('and a thought');
    await kept(page, 'ann', 'and a thought');
    const dead = new Promise((done) => context.once('close', done));
    const session = await context.newCDPSession(page);
    await Promise.all([dead, session.send('Browser.crash').catch(() => {})]);

    // Chromium stores cookies every half minute: it may not know any more who was signed in.
    context = await signedIn();
    page = await open(context);
    await expect(bubble(page, 'killed 2').getByText('Sent')).toBeAttached();
    await expect(field(page)).toHaveValue('and a thought');
    expect(await stored(chatd, 'ann', 'fay')).toEqual(numbered(2, 'killed'));
    await context.close();
  } finally {
    await rm(profile, { recursive: true, force: true });
  }
});

test('two tabs without a network, then with it: each message once, and in order', async ({
  person,
  chatd,
}) => {
  const one = await person('ann', 'c/gus/');
  const two = await anotherTab(one, 'c/gus/');
  for (const page of [one, two]) {
    await connected(page);
    await expect(field(page)).toBeVisible();
  }
  const answered: number[] = [];
  for (const page of [one, two])
    page.on('response', (response) => {
      if (response.request().method() === 'POST' && isSend.test(response.url()))
        answered.push(response.status());
    });
  chatd.cut();
  for (const page of [one, two]) await offline(page);
  const texts = numbered(6, 'both');
  for (const [index, text] of texts.entries()) {
    await say(index % 2 === 0 ? one : two, text);
    for (const page of [one, two]) await expect.poll(() => bodies(page)).toEqual(texts.slice(0, index + 1));
  }
  chatd.mend();
  for (const page of [one, two])
    await expect(bubble(page, 'both 6').getByText('Sent')).toBeAttached({ timeout: 35_000 });
  expect(await stored(chatd, 'ann', 'gus')).toEqual(texts);
  expect(answered, 'nothing was sent twice').toEqual(texts.map(() => 201));
});

test('a tab that crashes while it sends leaves that to the other', async ({ person, chatd }) => {
  const one = await person('ann', 'c/hana/');
  const two = await anotherTab(one, 'c/hana/');
  for (const page of [one, two]) await connected(page);
  await holdSends(one);
  for (const text of numbered(3, 'crashed')) await say(one, text);
  await expect(bubble(two, 'crashed 3').getByText('Sending')).toBeAttached();
  const crashed = one.waitForEvent('crash');
  await Promise.all([crashed, one.goto('chrome://crash').catch(() => {})]);
  await expect(bubble(two, 'crashed 3').getByText('Sent')).toBeAttached();
  expect(await stored(chatd, 'ann', 'hana')).toEqual(numbered(3, 'crashed'));
  await one.close();
});

test('what is refused, retried and deleted in one tab is so in the other', async ({ person }) => {
  const one = await person('ann', 'c/ivo/');
  const two = await anotherTab(one, 'c/ivo/');
  for (const page of [one, two]) {
    await connected(page);
    await page.route('**/api/v1/message/', (route) =>
      route.request().method() === 'POST'
        ? route.fulfill({ status: 400, json: { body: ['Not like this.'] } })
        : route.fallback(),
    );
  }
  await say(one, 'refused');
  await expect(bubble(two, 'refused').getByText('Not like this.')).toBeVisible();
  await bubble(two, 'refused').getByRole('button', { name: 'Delete' }).click();
  await expect(bubble(one, 'refused')).toHaveCount(0);
  await field(one).fill('seen in both');
  await expect(field(two)).toHaveValue('seen in both');
});

/** Everything of somebody's that a script could find in this browser. */
function leftBehind(page: Page) {
  return page.evaluate(async () => {
    const databases = (await indexedDB.databases()).map(({ name }) => name);
    return { databases, keys: Object.keys(localStorage).filter((key) => key !== 'chatd:theme') };
  });
}

test('signing out in one tab leaves nothing in this browser, and signs the other out', async ({
  person,
  chatd,
}) => {
  await chatd.send('jana', 'ann', 'a secret');
  const one = await person('ann', 'c/jana/');
  const two = await anotherTab(one, 'c/jana/');
  for (const page of [one, two]) await connected(page);
  await holdSends(one);
  await holdSends(two);
  await say(one, 'unsent');
  await field(two).fill('half');
  await kept(two, 'ann', 'half');
  await one.getByRole('button', { name: 'Menu of ann' }).click();
  await one.getByRole('button', { name: 'Sign out' }).click();
  await one.getByRole('button', { name: 'Sign out anyway' }).click();
  for (const page of [one, two]) await expect(page).toHaveURL(/\/login\//);
  await expect.poll(() => leftBehind(one)).toEqual({ databases: [], keys: [] });

  await one.context().request.post('api/v1/session/', {
    data: { username: 'ann', password: chatd.password('ann') },
  });
  await one.goto('c/jana/');
  await connected(one);
  await expect(field(one)).toHaveValue('');
  await expect(bubble(one, 'a secret')).toBeVisible();
  expect(await bodies(one)).not.toContain('unsent');
});

test('a session that has ended asks to sign in, and keeps what was written', async ({ person, chatd }) => {
  const page = await person('ann', 'c/rosa/');
  await connected(page);
  await expect(field(page)).toBeVisible();
  chatd.cut();
  await offline(page);
  await say(page, 'written before');
  await field(page).fill('half of a thought');
  await kept(page, 'ann', 'half of a thought');
  await page.context().clearCookies({ name: 'sessionid' });
  chatd.mend();
  await expect(page).toHaveURL(/\/login\/\?next=/, { timeout: 35_000 });
  await page.getByPlaceholder('Username').fill('ann');
  await page.getByPlaceholder('Password').fill(chatd.password('ann'));
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page).toHaveURL(/\/c\/rosa\/$/);
  await expect(bubble(page, 'written before').getByText('Sent')).toBeAttached();
  await expect(field(page)).toHaveValue('half of a thought');
});

test('somebody else who signs in here sees nothing of the first, who finds it again', async ({
  person,
  chatd,
}) => {
  await chatd.send('sven', 'ann', 'for ann alone');
  const page = await person('ann', 'c/sven/');
  await connected(page);
  await field(page).fill('also for ann alone');
  await kept(page, 'ann', 'also for ann alone');
  const signIn = (name: string) =>
    page
      .context()
      .request.post('api/v1/session/', { data: { username: name, password: chatd.password(name) } });

  const other = await anotherTab(page, 'healthz');
  await signIn('rosa');
  const seen: string[] = [];
  await other.exposeBinding('sawText', (_, text: string) => void seen.push(text));
  await other.addInitScript(() => {
    const { sawText } = window as unknown as { sawText: (text: string) => void };
    new MutationObserver(() => sawText(document.body?.textContent ?? '')).observe(document, {
      subtree: true,
      childList: true,
      characterData: true,
    });
  });
  await other.goto('c/sven/');
  await connected(other);
  await expect(other.getByRole('button', { name: 'Menu of rosa' })).toBeVisible();
  await expect(page.getByRole('button', { name: 'Menu of rosa' }), 'the first tab follows').toBeVisible();
  await expect(field(other)).toHaveValue('');
  expect(seen.length).toBeGreaterThan(0);
  expect(seen.filter((text) => text.includes('ann alone'))).toEqual([]);
  await other.close();

  await signIn('ann');
  await expect(bubble(page, 'for ann alone'), 'the page follows by itself').toBeVisible();
  await expect(field(page)).toHaveValue('also for ann alone');
});

test('what waits to be sent is never sent in the name of somebody else', async ({ person, chatd }) => {
  const page = await person('ann', 'c/bob/');
  await connected(page);
  await expect(field(page)).toBeVisible();
  chatd.cut();
  await offline(page);
  await say(page, 'by ann');
  await expect(bubble(page, 'by ann').getByText('Sending')).toBeAttached();
  // As if the other person had signed in elsewhere in this browser, while this page looks on.
  await page.context().addCookies(await chatd.cookiesOf('rosa'));
  const sends = requestsTo(page, isSend);
  chatd.mend();
  await expect(page.getByRole('button', { name: 'Menu of rosa' })).toBeVisible({ timeout: 35_000 });
  expect(sends.filter((each) => each.startsWith('POST'))).toEqual([]);
  expect(await stored(chatd, 'rosa', 'bob')).toEqual([]);

  await page.context().addCookies(await chatd.cookiesOf('ann'));
  await page.goto('c/bob/');
  await expect(bubble(page, 'by ann').getByText('Sent'), 'ann sends it herself').toBeAttached();
});

test('a server that cannot serve the cursor: the cache is dropped, the outbox and the drafts stay', async ({
  person,
  chatd,
}) => {
  await chatd.sendMany('bob', 'fay', numbered(3, 'kept'));
  const page = await person('fay', 'c/bob/');
  await connected(page);
  await holdSends(page);
  await say(page, 'unsent');
  await field(page).fill('half');
  await kept(page, 'fay', 'half');
  await page.goto('healthz');
  await page.evaluate(spoilCursor);
  const asked = requestsTo(page, /\/api\/v1\/conversation\/$/);
  await page.goto('c/bob/');
  await connected(page);
  await expect.poll(() => asked.length, 'it starts over').toBeGreaterThan(0);
  await expect(field(page)).toHaveValue('half');
  await expect(bubble(page, 'unsent')).toHaveCount(1);
  await page.unroute('**/api/v1/message/');
  await expect(bubble(page, 'unsent').getByText(/Sent|Read/)).toBeAttached();
  expect(await stored(chatd, 'fay', 'bob')).toEqual([...numbered(3, 'kept'), 'unsent']);
});

/** As if the row that the cursor stands for were another one now: a database that was put back. */
async function spoilCursor(): Promise<void> {
  const [found] = await indexedDB.databases();
  const request = indexedDB.open(found?.name ?? '');
  const database = await new Promise<IDBDatabase>((done) => {
    request.onsuccess = () => done(request.result);
  });
  const transaction = database.transaction('about', 'readwrite');
  const store = transaction.objectStore('about');
  const read = store.getAll();
  read.onsuccess = () => {
    const [row] = read.result;
    const last = row.cursor.at(-1) === 'A' ? 'E' : 'A';
    store.put({ ...row, cursor: row.cursor.slice(0, -3) + last.repeat(3) });
  };
  await new Promise((done) => {
    transaction.oncomplete = done;
  });
  database.close();
}
