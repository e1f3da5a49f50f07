// Without a network: what a page shows that is opened then, and what becomes of what is written. With the service worker.

import type { Page } from '@playwright/test';
import {
  bodies,
  bubble,
  connected,
  expect,
  field,
  kept,
  log,
  numbered,
  offline,
  requestsTo,
  say,
  test,
} from './fixtures';
import { freePort, passwordOf, startProgram } from './program.mjs';

test.use({ serviceWorkers: 'allow' });

test.beforeEach(() => test.setTimeout(120_000));

/** From here on this browser can open the client without a network. */
async function workerReady(page: Page): Promise<void> {
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
}

const entry = (page: Page, name: string) => page.locator('.entry').filter({ hasText: name });

test('a page that is opened without a network shows what was kept, and catches up', async ({
  person,
  chatd,
}) => {
  await chatd.sendMany('bob', 'carol', numbered(40, 'kept'));
  await chatd.send('dora', 'carol', 'from dora');
  const page = await person('carol', 'c/bob/');
  await connected(page);
  await workerReady(page);
  await expect(bubble(page, 'kept 40')).toBeVisible();
  await entry(page, 'dora').click();
  await expect(bubble(page, 'from dora')).toBeVisible();
  await field(page).fill('half of a thought');
  await entry(page, 'bob').click();
  await expect(entry(page, 'dora')).toContainText('Draft: half of a thought');
  await kept(page, 'carol', 'half of a thought');

  chatd.cut();
  await page.reload();
  await expect(bubble(page, 'kept 40')).toBeVisible();
  await expect(entry(page, 'dora')).toContainText('Draft: half of a thought');
  await expect(page.getByText('You can read what is kept here and go on writing.')).toBeVisible();
  await say(page, 'written without a network');
  await expect(bubble(page, 'written without a network').getByText('Sending')).toBeAttached();
  await page.goto('c/dora/');
  await expect(bubble(page, 'from dora')).toBeVisible();
  await expect(field(page)).toHaveValue('half of a thought');
  await page.goto('c/bob/');
  await expect(bubble(page, 'written without a network')).toBeVisible();

  await chatd.send('bob', 'carol', 'meanwhile');
  const asked = requestsTo(page, /\/api\/v1\/(conversation|message)\//);
  chatd.mend();
  await connected(page);
  await expect(bubble(page, 'written without a network').getByText(/Sent|Read/)).toBeAttached();
  const stored = (await chatd.history('carol', 'bob')).map((message) => message.body);
  expect(stored.slice(-2)).toEqual(['meanwhile', 'written without a network']);
  await expect.poll(() => bodies(page)).toEqual(stored.slice(-(await bodies(page)).length));
  expect(
    asked.filter((each) => each.startsWith('GET')),
    'by cursor alone',
  ).toEqual([]);
});

test('a conversation that is kept is drawn within three frames of the click, without asking', async ({
  person,
  chatd,
}) => {
  for (const peer of ['bob', 'carol']) await chatd.sendMany(peer, 'dora', numbered(30, `from ${peer}`));
  const page = await person('dora', 'c/bob/');
  await connected(page);
  await expect(bubble(page, 'from bob 30')).toBeVisible();
  await entry(page, 'carol').click();
  await expect(bubble(page, 'from carol 30')).toBeVisible();
  await page.goto('');
  await connected(page);
  const asked = requestsTo(page, /\/api\/v1\/message\//);
  for (const peer of ['bob', 'carol']) {
    await expect(entry(page, peer)).toBeVisible();
    const drawn = await page.evaluate((name) => {
      const links = [...document.querySelectorAll<HTMLElement>('.entry')];
      links.find((link) => link.textContent?.includes(name))?.click();
      const shown = () => document.querySelector('[role=log]')?.textContent ?? '';
      return new Promise<string>((resolve) => {
        const frame = (left: number) =>
          requestAnimationFrame(() =>
            setTimeout(() => (left === 1 || shown().includes('from ') ? resolve(shown()) : frame(left - 1))),
          );
        frame(3);
      });
    }, peer);
    expect(drawn).toContain(`from ${peer} 30`);
  }
  expect(asked).toEqual([]);
});

test('the client can be installed', async ({ person }) => {
  const page = await person('dora');
  await workerReady(page);
  const session = await page.context().newCDPSession(page);
  const { errors, data } = await session.send('Page.getAppManifest');
  expect(errors).toEqual([]);
  expect(JSON.parse(data ?? '{}')).toMatchObject({ display: 'standalone', start_url: '../' });
  const { installabilityErrors } = await session.send('Page.getInstallabilityErrors');
  // A window in private mode is the one thing that is in the way: each test has one.
  expect(installabilityErrors.filter(({ errorId }) => errorId !== 'in-incognito')).toEqual([]);
  for (const file of [
    'favicon.svg',
    'icon-192.png',
    'icon-512.png',
    'icon-maskable-512.png',
    'icon-180.png',
  ]) {
    const answer = await page.request.get(`static/${file}`);
    expect(answer.headers()['content-type'], file).toMatch(/^image\//);
  }
});

test('the worker keeps the page and its parts, and nothing of what is said', async ({ person, chatd }) => {
  await chatd.send('bob', 'gus', 'a secret');
  const page = await person('gus', 'c/bob/');
  await workerReady(page);
  await expect(bubble(page, 'a secret')).toBeVisible();
  const held = await page.evaluate(async () => {
    const all: [string, string][] = [];
    for (const name of await caches.keys()) {
      const cache = await caches.open(name);
      for (const request of await cache.keys())
        all.push([new URL(request.url).pathname, (await (await cache.match(request))?.text()) ?? '']);
    }
    return all;
  });
  const paths = held.map(([path]) => path);
  expect(paths).toContain('/');
  expect(paths.filter((path) => path !== '/' && !path.startsWith('/static/'))).toEqual([]);
  expect(held.filter(([, text]) => /a secret|\bgus\b/.test(text))).toEqual([]);
});

test('below a path the worker answers for that path alone', async ({ stranger, chatd }) => {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}/chat/`;
  const program = await startProgram({ port, users: ['ann'], env: { CHATD_PUBLIC_URL: url } });
  try {
    const page = await stranger();
    expect(chatd.url).not.toBe(url);
    const answer = await page.request.post(`${url}api/v1/session/`, {
      data: { username: 'ann', password: passwordOf('ann') },
    });
    expect(answer.status()).toBe(200);
    await page.goto(url);
    await connected(page);
    await workerReady(page);
    const scopes = await page.evaluate(async () =>
      (await navigator.serviceWorker.getRegistrations()).map((each) => each.scope),
    );
    expect(scopes).toEqual([url]);
    await program.kill();
    await page.goto(`${url}c/ann/`);
    await offline(page);
    await expect(page.getByText('No connection.')).toBeVisible();
    await expect(log(page)).toBeAttached({ attached: false });
  } finally {
    await program.stop();
  }
});

test('after an upgrade a missing part has the page loaded anew, once', async ({ person, problems }) => {
  const page = await person('ivo', 'healthz', { locale: 'de-DE', serviceWorkers: 'block' });
  await page.route('**/static/assets/de-*.js', (route) => route.fulfill({ status: 404 }));
  const opened: string[] = [];
  page.on('request', (request) => {
    if (request.isNavigationRequest()) opened.push(request.url());
  });
  await page.goto('');
  await connected(page);
  await expect(page.getByRole('searchbox', { name: 'Find a person' })).toBeVisible();
  expect(opened).toHaveLength(2);
  expect(problems).toEqual([]);
});
