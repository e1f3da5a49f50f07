// Text of other people stays text, in every place where it is shown. One of the two browsers does without the content
// security policy, so that nothing else stands between a mistake and its execution; in the other the policy is in
// force, and even an attempt would be noted as a violation.

import type { Browser, BrowserContext, Page } from '@playwright/test';
import { test as base, connected, expect, field, log } from './fixtures';
import { PAYLOADS } from './xss-payloads';

const WITHOUT_POLICY = { bypassCSP: true };

/** The two browsers and what is tried in each: everything without the policy, a part of it again with it. */
const BROWSERS = [
  [WITHOUT_POLICY, PAYLOADS],
  [{}, PAYLOADS.filter((_, index) => index % 6 === 0)],
] as const;

interface Hit {
  how: 'called' | 'dialog' | 'title' | 'request';
  what: string;
}

/** Notes whatever ran in any page of the browser. */
async function detect(context: BrowserContext, hits: Hit[]): Promise<void> {
  await context.exposeBinding('hit', ({ frame }, title = false) => {
    hits.push({ how: title === true ? 'title' : 'called', what: frame.name() || frame.url() });
  });
  await context.addInitScript(() => {
    const { hit } = window as unknown as { hit: (title: boolean) => void };
    new MutationObserver(() => {
      if (document.title !== 'hit') return;
      document.title = '';
      hit(true);
    }).observe(document, { subtree: true, childList: true, characterData: true });
  });
  context.on('dialog', (dialog) => {
    hits.push({ how: 'dialog', what: dialog.message() });
    return dialog.dismiss().catch(() => {});
  });
  await context.route(/^https?:\/\/hit\.test\//, (route) => {
    hits.push({ how: 'request', what: route.request().frame().name() });
    return route.abort();
  });
}

const test = base.extend<{ hits: Hit[] }>({
  // biome-ignore lint/correctness/noEmptyPattern: the runner reads the parameter's shape
  hits: async ({}, use) => {
    const hits: Hit[] = [];
    await use(hits);
    expect(hits, 'nothing was executed').toEqual([]);
  },
});

test.beforeEach(() => test.setTimeout(180_000));

/** Work for several pages at once. */
async function shared<T>(
  pages: readonly Page[],
  items: readonly T[],
  work: (page: Page, item: T) => Promise<void>,
) {
  const rest = [...items];
  const worker = async (page: Page) => {
    for (let item = rest.shift(); item !== undefined; item = rest.shift()) await work(page, item);
  };
  await Promise.all(pages.map(worker));
}

async function control(browser: Browser, hits: Hit[]): Promise<void> {
  const context = await browser.newContext();
  await detect(context, hits);
  const page = await context.newPage();
  await page.route('http://control.test/', (route) =>
    route.fulfill({ contentType: 'text/html', body: '<p>x</p>' }),
  );
  await page.goto('http://control.test/');
  await page.evaluate(async (payloads) => {
    for (const [index, payload] of payloads.entries()) {
      const frame = document.createElement('iframe');
      frame.name = `payload ${index}`;
      frame.srcdoc = `<p>${payload}</p>`;
      document.body.append(frame);
      await new Promise((done) => setTimeout(done, 10));
    }
  }, PAYLOADS);
  await expect.poll(() => new Set(hits.map(({ how }) => how)).size).toBe(4);
  await expect.poll(() => hits.length, { timeout: 20_000 }).toBeGreaterThan(90);
  await context.close();
}

test('there are two hundred, and where text is taken for HTML they are executed', async ({
  browser,
  hits,
}) => {
  expect(new Set(PAYLOADS).size).toBeGreaterThanOrEqual(200);
  await control(browser, hits);
  hits.length = 0;
});

/** What the newest bubble and the list's line show, once it is `wanted` or after a while. */
function newest(page: Page, wanted: string): Promise<readonly (string | null | undefined)[]> {
  return page.evaluate(async (text) => {
    const look = () => {
      const bubble = [...document.querySelectorAll('.log .text')].at(-1);
      const preview = document.querySelector('.entry[aria-current=page] .entry-preview bdi');
      return [bubble?.textContent, preview?.textContent];
    };
    for (let turn = 0; turn < 300; turn += 1) {
      if (look().every((shown) => shown === text)) break;
      await new Promise((done) => setTimeout(done, 20));
    }
    return look();
  }, wanted);
}

/** All messages of the open conversation, by number. It may have opened at the first one that was not read. */
async function everyBubble(page: Page, last: number): Promise<string[]> {
  const seen = new Map<number, string>();
  for (const [wanted, edge] of [
    [last, Number.MAX_SAFE_INTEGER],
    [1, 0],
  ] as const) {
    await expect(async () => {
      const rows = await log(page).evaluate((element, top) => {
        const bubbles = [...element.querySelectorAll<HTMLElement>('[data-seq]')];
        element.scrollTo(0, top);
        return bubbles.map(
          (each) => [Number(each.dataset.seq), each.querySelector('.text')?.textContent ?? ''] as const,
        );
      }, edge);
      for (const [seq, text] of rows) seen.set(seq, text);
      expect(seen.has(wanted)).toBe(true);
    }).toPass({ intervals: [30], timeout: 30_000 });
  }
  return [...seen].sort(([a], [b]) => a - b).map(([, text]) => text);
}

test('as messages: written, received, in the list, after a reload', async ({ person, hits, chatd }) => {
  const rosa = await person('rosa', 'c/sven/', WITHOUT_POLICY);
  const sven = await person('sven', 'c/rosa/');
  for (const page of [rosa, sven]) {
    await detect(page.context(), hits);
    await page.reload();
    await connected(page);
  }
  for (const [index, payload] of PAYLOADS.entries()) {
    const writer = index % 2 === 0 ? rosa : sven;
    await field(writer).fill(payload);
    await field(writer).press('Enter');
    expect(await newest(rosa, payload)).toEqual([payload, payload]);
    expect(await newest(sven, payload)).toEqual([payload, payload]);
  }
  // Other tests of this server may have left some before.
  const stored = (await chatd.history('rosa', 'sven')).map(({ body }) => body);
  expect(stored.slice(-PAYLOADS.length)).toEqual(PAYLOADS);
  for (const page of [rosa, sven]) {
    const foreign = await page
      .locator('.log .text :not(a), .entry-preview bdi *, .sr-only[aria-live] *')
      .count();
    expect(foreign, 'elements made of text').toBe(0);
    await page.reload();
    expect(await everyBubble(page, PAYLOADS.length)).toEqual(PAYLOADS);
    const links = log(page).getByRole('link');
    const schemes = await links.evaluateAll((all) => all.map((each) => (each as HTMLAnchorElement).protocol));
    expect([...new Set(schemes)].filter((each) => !['http:', 'https:', 'mailto:'].includes(each))).toEqual(
      [],
    );
  }
});

test('as messages on the pages of the API', async ({ person, hits, chatd }) => {
  let sent = await chatd.history('rosa', 'sven');
  if (sent.length < PAYLOADS.length) {
    await chatd.sendMany('rosa', 'sven', PAYLOADS);
    sent = await chatd.history('rosa', 'sven');
  }
  const shown = async (page: Page) => JSON.parse((await page.getByLabel('Answer').textContent()) ?? '');
  const plain = async (page: Page) => expect(await page.locator('pre *').count()).toBe(0);
  for (const options of [WITHOUT_POLICY, {}]) {
    const page = await person('rosa', 'healthz', options);
    await detect(page.context(), hits);
    const bodies: string[] = [];
    for (let next: string | null = 'api/v1/message/?target=sven'; next; ) {
      await page.goto(next);
      const answer: { next: string | null; results: { body: string }[] } = await shown(page);
      bodies.push(...answer.results.map(({ body }) => body));
      await plain(page);
      next = answer.next;
    }
    expect(bodies.toReversed()).toEqual(sent.map(({ body }) => body));
  }
  const page = await person('sven', 'healthz', WITHOUT_POLICY);
  await detect(page.context(), hits);
  const pages = [page, await page.context().newPage()];
  await shared(pages, sent, async (page, { id, body }) => {
    await page.goto(`api/v1/message/${id}/`);
    expect((await shown(page)).body).toBe(body);
    await plain(page);
  });
});

test('as names in the address of a conversation and in the search', async ({ person, hits, chatd }) => {
  for (const [options, payloads] of BROWSERS) {
    const first = await person('fay', '', options);
    await detect(first.context(), hits);
    const pages = [first];
    while (pages.length < 4) pages.push(await first.context().newPage());
    for (const page of pages) {
      await page.goto('');
      await connected(page);
    }
    await shared(pages, payloads, async (page, payload) => {
      await page.evaluate((name) => {
        history.pushState({}, '', `/c/${encodeURIComponent(name)}/`);
        dispatchEvent(new PopStateEvent('popstate'));
      }, payload);
      await page.getByRole('searchbox').fill(payload);
      const typed = (await page.getByRole('searchbox').inputValue()).trim();
      const note = page.locator('.results-note');
      await expect.poll(() => page.locator('.notice h2').textContent()).toContain(`“${payload}”`);
      expect(await page.locator('h1 bdi').textContent()).toBe(payload);
      await expect.poll(() => note.textContent()).toContain(`“${typed}”`);
      expect(await page.locator('h1 bdi *, .notice h2 *, .results-note *').count()).toBe(0);
    });
    for (const payload of PAYLOADS.filter((_, index) => index % 25 === 0)) {
      await first.goto(`c/${encodeURIComponent(payload)}/`);
      await expect.poll(() => first.locator('.notice h2').textContent()).toContain(`“${payload}”`);
    }
  }
  const { request } = (await person('fay')).context();
  const shell = await (await request.get(chatd.url)).text();
  for (const payload of PAYLOADS) {
    const answer = await request.get(`c/${encodeURIComponent(payload)}/`);
    expect(await answer.text(), 'the page holds nothing of its address').toBe(shell);
  }
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
  for (const payload of new Set([...addresses, ...PAYLOADS.filter((_, index) => index % 3 === 0)])) {
    const address = `login/?next=${encodeURIComponent(payload)}`;
    await page.context().clearCookies();
    await page.context().addCookies([{ name: 'csrftoken', value: csrfmiddlewaretoken, url: chatd.url }]);
    const form = { csrfmiddlewaretoken, username: 'gus', password: chatd.password('gus') };
    const answer = await request.post(address, { form, maxRedirects: 0 });
    expect(answer.status()).toBe(302);
    expect(answer.headers().location, payload).toBe('/');
  }
  for (const payload of addresses) {
    await page.context().clearCookies();
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

test('as names that are names', async ({ person, hits, chatd }) => {
  const names = ['__proto__', 'constructor', 'hasOwnProperty', 'javascript.alert-1', '@import', '..+'];
  for (const name of names) await chatd.addUser(name);
  for (const name of names) await chatd.send(name, 'hana', `hello from ${name}`);
  const page = await person('hana', '', WITHOUT_POLICY);
  await detect(page.context(), hits);
  await connected(page);
  for (const name of names) {
    const entry = page.getByRole('navigation').getByRole('link').filter({ hasText: name });
    await entry.click();
    await expect(page.getByRole('heading', { level: 1, name, exact: true })).toBeVisible();
    await expect(log(page).getByText(`hello from ${name}`)).toBeVisible();
    await field(page).fill(`hello ${name}`);
    await field(page).press('Enter');
    await expect(log(page).getByText(`hello ${name}`)).toBeVisible();
    await page.reload();
    await expect(log(page).getByText(`hello ${name}`)).toBeVisible();
  }
});
