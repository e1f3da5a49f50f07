// The fixtures look for violations in every test; here are the pages that no other test opens, and the proof that a
// violation is seen on each of them. (The server's tests compare the policy itself.)

import type { Page } from '@playwright/test';
import { connected, expect, test, watch } from './fixtures';
import { startProgram } from './program.mjs';

/** Does what the policy forbids: a script in the page. */
async function violate(page: Page): Promise<void> {
  await page.evaluate(() => {
    const script = document.createElement('script');
    script.append('window.ran = true');
    document.body.append(script);
  });
  expect(await page.evaluate(() => 'ran' in window), 'the script was kept from running').toBe(false);
}

const PAGES = [
  '',
  'c/ivo/',
  'c/nobody-like-this/',
  'settings/',
  'api/v1/?format=api',
  'api/v1/message/?format=api',
  'api/v1/message/?format=api&target=ivo',
  'api/v1/message/?format=api&page=none',
  'api/v1/message/1/?format=api',
  'api/v1/message/999999/?format=api',
  'api/v1/user/?format=api',
  'api/v1/conversation/?format=api',
  'api/v1/conversation/ivo/?format=api',
  'api/v1/event/?format=api',
  'api/v1/event/?format=api&after=none',
  'api/v1/session/?format=api',
  'api/v1/schema/?format=api',
  'api/v1/nothing/',
  'nothing/',
  'static/nothing',
  'setup/nothing/',
  'healthz',
  'robots.txt',
];

test('every page that is opened by its address keeps the policy, and is watched', async ({
  person,
  problems,
  chatd,
}) => {
  await chatd.send('gus', 'ivo', 'hello');
  const page = await person('gus');
  for (const path of PAGES) {
    const answer = await page.goto(path);
    const header = (await answer?.headerValue('content-security-policy')) ?? '';
    expect(header, path).toContain("script-src 'self'; style-src 'self';");
    expect(problems, path).toEqual([]);
    await violate(page);
    await expect.poll(() => problems.splice(0).length, path).toBeGreaterThan(0);
  }
});

test('signing in and out keeps the policy, and is watched', async ({ stranger, problems, chatd }) => {
  const page = await stranger();
  const watched = async () => {
    expect(problems, page.url()).toEqual([]);
    await violate(page);
    await expect.poll(() => problems.splice(0).length, page.url()).toBeGreaterThan(0);
  };
  await page.goto('login/');
  await watched();
  await page.getByPlaceholder('Username').fill('ann');
  await page.getByPlaceholder('Password').fill('wrong');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByRole('alert')).toBeVisible();
  await watched();
  await page.context().clearCookies();
  await page.getByPlaceholder('Password').fill(chatd.password('ann'));
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByText('CSRF verification failed.')).toBeVisible();
  await watched();

  await page.goto('login/');
  await page.getByPlaceholder('Username').fill('ann');
  await page.getByPlaceholder('Password').fill(chatd.password('ann'));
  await page.getByRole('button', { name: 'Sign in' }).click();
  await connected(page);
  await page.route('http://elsewhere.test/', (route) =>
    route.fulfill({ contentType: 'text/html', body: `<a href="${chatd.url}logout/">leave</a>` }),
  );
  await page.goto('http://elsewhere.test/');
  await page.getByRole('link', { name: 'leave' }).click();
  await expect(page.getByRole('heading', { name: 'Sign out?' })).toBeVisible();
  await watched();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await expect(page).toHaveURL(/\/login\//);
});

test('the first account is made within the policy', async ({ browser, problems }) => {
  const empty = await startProgram();
  const context = await browser.newContext();
  try {
    await watch(context, problems);
    const page = await context.newPage();
    await expect.poll(() => empty.said()).toContain('/setup/');
    await page.goto(/http\S+\/setup\/\S+/.exec(empty.said())?.[0] ?? '');
    expect(problems).toEqual([]);
    await violate(page);
    await expect.poll(() => problems.splice(0).length).toBeGreaterThan(0);
    for (const [second, then] of [
      ['another-2026', page.getByRole('alert')],
      ['pw-root-2026', page.getByRole('navigation', { name: 'Conversations' })],
    ] as const) {
      await page.getByLabel('Username').fill('root');
      await page.getByLabel('Password', { exact: true }).fill('pw-root-2026');
      await page.getByLabel('Password, once more').fill(second);
      await page.getByRole('button', { name: 'Make the account' }).click();
      await expect(then).toBeVisible();
    }
  } finally {
    await context.close();
    await empty.stop();
  }
});

test('a name that is not served here answers within the policy', async ({ stranger, problems, chatd }) => {
  const page = await stranger();
  await page.route('http://another.test/**', async (route) =>
    route.fulfill({ response: await route.fetch({ url: chatd.url, headers: { host: 'another.test' } }) }),
  );
  await page.goto('http://another.test/');
  await expect(page.getByText('This host is not served here.')).toBeVisible();
  expect(problems).toEqual([]);
  await violate(page);
  await expect.poll(() => problems.splice(0).length).toBeGreaterThan(0);
});

test.fail('a violation makes its test fail, also when the page is left at once', async ({ person }) => {
  const page = await person('ann', 'settings/');
  await page.evaluate(() => {
    const script = document.createElement('script');
    script.append('window.ran = true');
    document.body.append(script);
    location.assign('/');
  });
  await connected(page);
});

test.fail('an error that nobody caught makes its test fail', async ({ person }) => {
  const page = await person('ann', 'settings/');
  await page.evaluate(() => {
    setTimeout(() => {
      throw new Error('on purpose');
    });
    // A page that is left before its timer runs would never throw.
    return new Promise((done) => setTimeout(done, 1));
  });
  await page.goto('healthz');
});
