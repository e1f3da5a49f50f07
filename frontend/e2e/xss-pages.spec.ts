// Text of other people, and of addresses, stays text on the pages that the server writes.

import type { Page } from '@playwright/test';
import { expect, forget } from './fixtures';
import { BROWSERS, detect, shared, test, WITHOUT_POLICY } from './xss-detector';
import { PAYLOADS, TRIED } from './xss-payloads';

test.beforeEach(() => test.setTimeout(180_000));

test('as messages on the pages of the API', async ({ person, hits, chatd }) => {
  let sent = await chatd.history('rosa', 'jana');
  if (sent.length < TRIED.length) {
    await chatd.sendMany('rosa', 'jana', TRIED);
    sent = await chatd.history('rosa', 'jana');
  }
  const shown = async (page: Page) => JSON.parse((await page.getByLabel('Answer').textContent()) ?? '');
  const plain = async (page: Page) => expect(await page.locator('pre *').count()).toBe(0);
  for (const options of [WITHOUT_POLICY, {}]) {
    const page = await person('rosa', 'healthz', options);
    await detect(page.context(), hits);
    const bodies: string[] = [];
    for (let next: string | null = 'api/v1/message/?target=jana'; next; ) {
      await page.goto(next);
      const answer: { next: string | null; results: { body: string }[] } = await shown(page);
      bodies.push(...answer.results.map(({ body }) => body));
      await plain(page);
      next = answer.next;
    }
    expect(bodies.toReversed()).toEqual(sent.map(({ body }) => body));
  }
  const page = await person('jana', 'healthz', WITHOUT_POLICY);
  await detect(page.context(), hits);
  const pages = [page, await page.context().newPage()];
  await shared(pages, sent, async (page, { id, body }) => {
    await page.goto(`api/v1/message/${id}/`);
    expect((await shown(page)).body).toBe(body);
    await plain(page);
  });
});

/** Fills the sign-in form and sends it as it is, without the checks that a browser would make first. */
async function submit(page: Page, username: string, password: string): Promise<void> {
  const loaded = page.waitForEvent('load');
  await page.evaluate(
    ([name, word]) => {
      const form = document.querySelector('form');
      for (const [id, value] of [
        ['username', name],
        ['password', word],
      ]) {
        const input = form?.querySelector<HTMLInputElement>(`#${id}`);
        if (input) input.value = value ?? '';
      }
      form?.submit();
    },
    [username, password],
  );
  await loaded;
}

test('as the name at the sign-in form, which keeps it', async ({ stranger, hits }) => {
  for (const [options, payloads] of BROWSERS) {
    const first = await stranger(options);
    await detect(first.context(), hits);
    const pages = [first, await first.context().newPage()];
    for (const page of pages) await page.goto('login/');
    const elements = await first.locator('body *').count();
    await shared(pages, payloads, async (page, payload) => {
      // Without a password the answer is the same page, but nothing has to be hashed for it.
      await submit(page, payload, payload.length % 8 === 0 ? 'wrong' : '');
      await expect(page.getByRole('alert')).toBeVisible();
      const shown = await page.getByPlaceholder('Username').inputValue();
      expect(shown).toBe(payload.replace(/[\r\n]/gu, ''));
      // The sentence in the alert is two elements in a third.
      expect(await page.locator('body *').count()).toBe(elements + 3);
    });
  }
});

test('as the address to go to after signing in', async ({ stranger, hits, chatd }) => {
  const page = await stranger(WITHOUT_POLICY);
  await detect(page.context(), hits);
  const { request } = page.context();
  const csrfmiddlewaretoken = 'x'.repeat(64);
  const addresses = PAYLOADS.filter((each) => /^\W{0,2}(java|data|hit|http|x:)/iu.test(each));
  expect(addresses.length).toBeGreaterThan(15);
  for (const payload of new Set([...addresses, ...TRIED.filter((_, index) => index % 3 === 0)])) {
    const address = `login/?next=${encodeURIComponent(payload)}`;
    await page.context().clearCookies();
    await page.context().addCookies([{ name: 'csrftoken', value: csrfmiddlewaretoken, url: chatd.url }]);
    const form = { csrfmiddlewaretoken, username: 'gus', password: chatd.password('gus') };
    const answer = await request.post(address, { form, maxRedirects: 0 });
    expect(answer.status()).toBe(302);
    expect(answer.headers().location, payload).toBe('/');
  }
  for (const payload of addresses) {
    await forget(page);
    await page.goto(`login/?next=${encodeURIComponent(payload)}`);
    await submit(page, 'gus', chatd.password('gus'));
    expect(page.url()).toBe(chatd.url);
  }
});

test('in the addresses of the pages that the server writes', async ({ person, hits }) => {
  const parameters = ['target', 'page', 'before_seq', 'format', 'search', 'limit', 'x'];
  const endpoints = ['message', 'message/1', 'user', 'conversation', 'event', 'session'];
  const missing = ['nothing', 'static', 'api/v1', 'setup', 'api/v1/conversation', 'api/v1/message'];
  const escaped = encodeURIComponent;
  for (const [options, payloads] of BROWSERS) {
    const first = await person('ann', 'healthz', options);
    await detect(first.context(), hits);
    const pages = [first, await first.context().newPage()];
    await shared(pages, [...payloads.entries()], async (page, [index, payload]) => {
      await page.goto(`api/v1/message/?target=${escaped(payload)}`);
      expect(await page.locator('main h2').textContent()).toContain('target=');
      expect(await page.locator('form').evaluate((form: HTMLFormElement) => form.action)).toBe(page.url());
      if (index % 3 !== 0) return;
      const parameter = parameters[(index / 3) % parameters.length];
      const endpoint = endpoints[(index / 3) % endpoints.length];
      // As little is escaped as the browser allows.
      await page.goto(`api/v1/${endpoint}/?${parameter}=${payload.replaceAll('#', '%23')}`);
      if (parameter !== 'format') {
        const { pathname, search } = new URL(page.url());
        expect(await page.locator('main h2').textContent()).toBe(`GET ${pathname}${search}`);
      }
      expect(await page.locator('body *').count()).toBeLessThan(20);
      await page.goto(`${missing[(index / 3) % missing.length]}/${escaped(payload)}/`);
      expect(await page.locator('body *').count()).toBeLessThan(20);
    });
  }
});
