// What the tests share: a server for each file, signed-in people, and two things that hold everywhere: no page ever
// breaks the content security policy, and no page throws.

import {
  type BrowserContext,
  type BrowserContextOptions,
  test as base,
  expect,
  type Locator,
  type Page,
} from '@playwright/test';
import { startHarness } from './harness.mjs';

export type Chatd = Awaited<ReturnType<typeof startHarness>>;

interface People {
  /** A browser of their own for this person, signed in, at `path`. */
  person: (name: string, path?: string, options?: BrowserContextOptions) => Promise<Page>;
  /** A browser in which nobody is signed in. */
  stranger: (options?: BrowserContextOptions) => Promise<Page>;
  /** What went wrong so far in any page. A test fails when there is something left at its end. */
  problems: string[];
}

declare global {
  interface Window {
    shifts: { value: number; what: string }[];
  }
}

export interface Workers {
  database: 'sqlite' | 'mariadb';
}

/** The server of the file whose tests are running. */
interface Running {
  of: (file: string) => Promise<Chatd>;
}

export const test = base.extend<People & { chatd: Chatd }, Workers & { running: Running }>({
  database: ['sqlite', { option: true, scope: 'worker' }],

  running: [
    async ({ database }, use) => {
      let now: { readonly file: string; readonly chatd: Chatd } | null = null;
      await use({
        of: async (file) => {
          if (now?.file !== file) {
            await now?.chatd.stop();
            now = { file, chatd: await startHarness({ database }) };
          }
          return now.chatd;
        },
      });
      await (now as { readonly chatd: Chatd } | null)?.chatd.stop();
    },
    { scope: 'worker' },
  ],

  // A server for each file: a name that two files use is two people.
  chatd: async ({ running }, use, { file }) => {
    await use(await running.of(file));
  },

  // biome-ignore lint/correctness/noEmptyPattern: the runner reads the parameter's shape
  problems: async ({}, use) => {
    const problems: string[] = [];
    await use(problems);
    expect(problems, 'errors and violations of the content security policy').toEqual([]);
  },

  stranger: async ({ browser, chatd, problems }, use) => {
    const contexts: BrowserContext[] = [];
    await use(async (options = {}) => {
      const context = await browser.newContext({ baseURL: chatd.url, ...options });
      contexts.push(context);
      await watch(context, problems);
      return context.newPage();
    });
    chatd.mend();
    for (const context of contexts) await context.close();
  },

  person: async ({ chatd, stranger }, use) => {
    await use(async (name, path = '', options = {}) => {
      const page = await stranger(options);
      const answer = await page.context().request.post('api/v1/session/', {
        data: { username: name, password: chatd.password(name) },
      });
      expect(answer.status()).toBe(200);
      await page.goto(path);
      return page;
    });
  },
});

/** Notes what goes wrong in any page of this browser, and in the pages that those lead to. */
export async function watch(context: BrowserContext, problems: string[]): Promise<void> {
  await context.exposeBinding('reportViolation', ({ page }, what: string) => {
    problems.push(`${page.url()}: ${what}`);
  });
  await context.addInitScript(watchPage);
  context.on('weberror', (error) => problems.push(String(error.error().stack)));
  context.on('console', (message) => {
    const text = message.text();
    if (/Content Security Policy|Trusted ?Type|TrustedHTML|TrustedScript/i.test(text)) problems.push(text);
  });
}

export { expect };

function watchPage(): void {
  window.shifts = [];
  // A binding reaches the test at once: what a page says just before it is left is not lost with it.
  const { reportViolation } = window as unknown as { reportViolation: (what: string) => void };
  addEventListener('securitypolicyviolation', (event) => {
    reportViolation(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`);
  });
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const shift = entry as PerformanceEntry & {
        value: number;
        hadRecentInput: boolean;
        sources: { node: Node | null }[];
      };
      // As the definition has it: what follows a click or a key within half a second was wanted.
      if (shift.hadRecentInput) continue;
      const nodes = shift.sources.map(({ node }) =>
        node instanceof Element ? node.outerHTML.slice(0, 90) : 'text',
      );
      window.shifts.push({ value: shift.value, what: nodes.join(' | ') });
    }
  }).observe({ type: 'layout-shift', buffered: true });
}

export const field = (page: Page): Locator => page.getByRole('textbox', { name: /^Message to/ });
export const log = (page: Page): Locator => page.getByRole('log');
export const bubble = (page: Page, text: string): Locator =>
  log(page)
    .locator('.row')
    .filter({ has: page.getByText(text, { exact: true }) });
export const bodies = (page: Page): Promise<string[]> => log(page).locator('.text').allInnerTexts();

export async function say(page: Page, text: string): Promise<void> {
  await field(page).fill(text);
  await field(page).press('Enter');
}

/** After some failures the next try may be up to 30 s away, at random. */
export async function connected(page: Page): Promise<void> {
  await expect(page.locator('.shell')).toHaveAttribute('data-link', 'up', { timeout: 35_000 });
}

/** The requests of a page to one part of the API, from now on. */
export function requestsTo(page: Page, part: RegExp): string[] {
  const seen: string[] = [];
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (part.test(url.pathname)) seen.push(`${request.method()} ${url.pathname}${url.search}`);
  });
  return seen;
}

/** What moved without having been scrolled or asked for. */
export async function shifts(page: Page): Promise<string[]> {
  const seen = await page.evaluate(() => window.shifts);
  return seen.filter((shift) => shift.value > 0).map((shift) => `${shift.value} ${shift.what}`);
}

export function numbered(count: number, word: string): string[] {
  return Array.from({ length: count }, (_, index) => `${word} ${index + 1}`);
}

export async function offline(page: Page): Promise<void> {
  await expect(page.locator('.shell')).not.toHaveAttribute('data-link', 'up');
}

/** Signs out without a word. An open page would notice, and lead to the sign-in page by itself. */
export async function forget(page: Page): Promise<void> {
  await page.goto('about:blank');
  await page.context().clearCookies();
}

/** Waits until this browser has stored a draft, and with it everything that was written before. */
export async function kept(page: Page, user: string, draft: string): Promise<void> {
  await expect
    .poll(async () => (await rows<{ text: string }>(page, user, 'drafts')).map(({ text }) => text))
    .toContain(draft);
}

/** Waits until this browser has stored a list in which this person stands. */
export async function keptPerson(page: Page, user: string, peer: string): Promise<void> {
  await expect
    .poll(async () => (await rows<{ peer: string }>(page, user, 'summaries')).map((each) => each.peer))
    .toContain(peer);
}

/** What this browser has stored for a user. */
export function rows<Row>(page: Page, user: string, store: string): Promise<Row[]> {
  return page.evaluate(
    async ({ user, store }) => {
      const database = (await indexedDB.databases()).find((each) => each.name?.endsWith(` ${user}`));
      const opening = indexedDB.open(database?.name ?? '');
      return new Promise<Row[]>((resolve) => {
        opening.onsuccess = () => {
          const request = opening.result.transaction(store).objectStore(store).getAll();
          request.onsuccess = () => {
            opening.result.close();
            resolve(request.result);
          };
        };
      });
    },
    { user, store },
  );
}
