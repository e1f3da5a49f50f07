// Pages that tell when something in them was executed. One of two browsers does without the content security policy, so
// that nothing else stands between a mistake and its execution; in the other the policy is in force, and even an attempt
// would be noted as a violation.

import type { BrowserContext, Page } from '@playwright/test';
import { test as base, expect } from './fixtures';
import { TRIED } from './xss-payloads';

export const WITHOUT_POLICY = { bypassCSP: true };

/** The two browsers and what is tried in each: everything without the policy, a part of it again with it. */
export const BROWSERS = [
  [WITHOUT_POLICY, TRIED],
  [{}, TRIED.filter((_, index) => index % 6 === 0)],
] as const;

export interface Hit {
  how: 'called' | 'dialog' | 'title' | 'request';
  what: string;
}

/** Notes whatever ran in any page of the browser. */
export async function detect(context: BrowserContext, hits: Hit[]): Promise<void> {
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

export const test = base.extend<{ hits: Hit[] }>({
  // biome-ignore lint/correctness/noEmptyPattern: the runner reads the parameter's shape
  hits: async ({}, use) => {
    const hits: Hit[] = [];
    await use(hits);
    expect(hits, 'nothing was executed').toEqual([]);
  },
});

/** Work for several pages at once. */
export async function shared<T>(
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
