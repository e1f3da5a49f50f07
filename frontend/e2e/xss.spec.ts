// Text of other people stays text, in every place where the client shows it.

import type { Browser, Page } from '@playwright/test';
import { connected, expect, field, log } from './fixtures';
import { BROWSERS, detect, type Hit, shared, test, WITHOUT_POLICY } from './xss-detector';
import { PAYLOADS, TRIED } from './xss-payloads';

test.beforeEach(() => test.setTimeout(180_000));

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
  for (const [index, payload] of TRIED.entries()) {
    const writer = index % 2 === 0 ? rosa : sven;
    await field(writer).fill(payload);
    await field(writer).press('Enter');
    expect(await newest(rosa, payload)).toEqual([payload, payload]);
    expect(await newest(sven, payload)).toEqual([payload, payload]);
  }
  // Other tests of this server may have left some before.
  const stored = (await chatd.history('rosa', 'sven')).map(({ body }) => body);
  expect(stored.slice(-TRIED.length)).toEqual(TRIED);
  for (const page of [rosa, sven]) {
    const foreign = await page
      .locator('.log .text :not(a), .entry-preview bdi *, .sr-only[aria-live] *')
      .count();
    expect(foreign, 'elements made of text').toBe(0);
    await page.reload();
    expect(await everyBubble(page, TRIED.length)).toEqual(TRIED);
    const links = log(page).getByRole('link');
    const schemes = await links.evaluateAll((all) => all.map((each) => (each as HTMLAnchorElement).protocol));
    expect([...new Set(schemes)].filter((each) => !['http:', 'https:', 'mailto:'].includes(each))).toEqual(
      [],
    );
  }
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
    for (const payload of TRIED.filter((_, index) => index % 25 === 0)) {
      await first.goto(`c/${encodeURIComponent(payload)}/`);
      await expect.poll(() => first.locator('.notice h2').textContent()).toContain(`“${payload}”`);
    }
  }
  const { request } = (await person('fay')).context();
  const shell = await (await request.get(chatd.url)).text();
  for (const payload of TRIED) {
    const answer = await request.get(`c/${encodeURIComponent(payload)}/`);
    expect(await answer.text(), 'the page holds nothing of its address').toBe(shell);
  }
});

const go = (page: Page, path: string) =>
  page.evaluate((to) => {
    history.pushState({}, '', to);
    dispatchEvent(new PopStateEvent('popstate'));
  }, path);

test('as what people say of themselves', async ({ person, hits, chatd }) => {
  for (const name of ['paula', 'quinn']) await chatd.addUser(name);
  await chatd.send('paula', 'quinn', 'hello');
  const own = await person('paula', 'settings/', WITHOUT_POLICY);
  const other = await person('quinn', 'c/paula/', WITHOUT_POLICY);
  for (const page of [own, other]) {
    await detect(page.context(), hits);
    await page.reload();
    await connected(page);
  }
  let taken = 0;
  for (const payload of TRIED) {
    const name = payload.slice(0, 64);
    const said = { display_name: name, about: payload.slice(0, 200), time_zone: '' };
    // What is refused (nothing to be seen in it, no letter, letters of several scripts) is shown nowhere.
    const kept = await chatd.change('paula', 'account/profile/', said).catch((error: Error) => {
      expect(error.message).toContain(': 400 ');
      return null;
    });
    if (!kept) continue;
    taken += 1;
    const shown = kept.display_name;
    await expect.poll(() => own.locator('.card .menu-who bdi').first().textContent()).toBe(shown);
    await go(other, '/settings/');
    await expect(other.locator('.settings')).toBeVisible();
    await go(other, '/c/paula/');
    await expect.poll(() => other.locator('h1 bdi').first().textContent()).toBe(shown);
    await expect.poll(() => other.locator('.entry-name bdi').first().textContent()).toBe(shown);
    expect(await other.locator('.sender bdi').first().textContent()).toBe(shown);
    await expect.poll(() => other.locator('.conversation-menu small').first().textContent()).toBe(kept.about);
    for (const page of [own, other]) {
      const places = 'h1 bdi *, .entry-name bdi *, .sender bdi *, .menu-who bdi *, .menu-who small *';
      expect(await page.locator(places).count(), payload).toBe(0);
    }
  }
  expect(taken).toBeGreaterThan(TRIED.length / 2);
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
