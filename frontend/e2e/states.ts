// What the screens show while they load, when only a part of them came, and when something went wrong. How to add a
// state: its line here, and what is said and offered in it in `states.spec.ts`.

import type { Page, Route } from '@playwright/test';
import { connected, expect } from './fixtures';
import type { Screen } from './screens';

/** What the server calls the requests that fail here. */
export const REQUEST = '5f3a9c0de1b27846';

/** Asked, and never answered. */
export const silent = () => {};
/** No answer because there is no way to the server. */
export const unreachable = (route: Route) => route.abort();
/** It may be tried again by hand; by itself the client waits for as long as it is told to. */
export const troubled = (route: Route) =>
  route.fulfill({
    status: 503,
    headers: { 'X-Request-Id': REQUEST, 'Retry-After': '600' },
    json: { detail: 'Busy.' },
  });
export const denied = (route: Route) =>
  route.fulfill({
    status: 403,
    headers: { 'X-Request-Id': REQUEST },
    json: { detail: 'You do not have permission to perform this action.' },
  });
/** The session ends while the page is open: the server hears of nobody from here on. */
export async function signedOut(route: Route): Promise<void> {
  await route.request().frame().page().context().clearCookies();
  await route.fulfill({ response: await route.fetch({ headers: {} }) });
}

export const LIST = /\/api\/v1\/conversation\/\?/;
export const MESSAGES = /\/api\/v1\/message\/\?/;
export const PEOPLE = /\/api\/v1\/user\//;
export const SETTINGS = /\/api\/v1\/settings\//;
const BLOCKS = /\/api\/v1\/block\//;
const REPORTS = /\/api\/v1\/report\//;
export const SESSION = /\/api\/v1\/session\//;

/** As if this browser had never been here, though somebody is signed in: nothing that it keeps answers for the server. */
async function forget(page: Page): Promise<void> {
  await page.unrouteAll({ behavior: 'ignoreErrors' });
  await page.goto('healthz');
  await page.evaluate(async () => {
    localStorage.clear();
    for (const { name } of await indexedDB.databases()) {
      await new Promise((done) => {
        const request = indexedDB.deleteDatabase(name ?? '');
        request.onsuccess = done;
        request.onblocked = done;
      });
    }
  });
}

/** The page at `path`, with one part of the API answered by `answer`. */
export async function opened(page: Page, path: string, part: RegExp, answer: (route: Route) => unknown) {
  await forget(page);
  await page.route(part, answer);
  await page.goto(path);
}

/** An answer of the server that says that there is more of it. */
export async function withMore(route: Route): Promise<void> {
  const response = await route.fetch();
  const next = `${route.request().url()}&more=yes`;
  await route.fulfill({ response, json: { ...(await response.json()), next } });
}

export const search = (page: Page, text: string) => page.locator('.finder input').fill(text);

const state = (path: string, part: RegExp, answer: (route: Route) => unknown, shown: string) => {
  return async (page: Page) => {
    await opened(page, path, part, answer);
    await expect(page.locator(shown).first()).toBeVisible();
  };
};

const searching =
  (answer: (route: Route) => unknown, shown: string, text = 'zz') =>
  async (page: Page) => {
    await opened(page, '', PEOPLE, answer);
    await connected(page);
    await search(page, text);
    await expect(page.locator(shown).first()).toBeVisible();
  };

/** Of somebody who has conversations. None looks for words: they differ by language. */
export const STATES: readonly Screen[] = [
  ['starting', state('', SESSION, silent, '.skeleton')],
  ['not started', state('', SESSION, troubled, '.shell-alone .soft')],
  ['list, loading', state('', LIST, silent, 'nav .skeleton')],
  ['list, error', state('', LIST, troubled, '.list-notice .request')],
  ['list, offline', state('', LIST, unreachable, '.banner')],
  [
    'list, partial',
    async (page) => {
      await opened(page, '', LIST, (route) =>
        route.request().url().includes('more=yes') ? troubled(route) : withMore(route),
      );
      await page.locator('.more').click();
      await expect(page.locator('.list-notice .request')).toBeVisible();
    },
  ],
  ['conversation, loading', state('c/lea/', MESSAGES, silent, '.log-frame .skeleton')],
  ['conversation, error', state('c/lea/', MESSAGES, troubled, '.load-failed .request')],
  ['conversation, offline', state('c/lea/', MESSAGES, unreachable, '.load-failed')],
  ['conversation, denied', state('c/lea/', MESSAGES, denied, '.load-failed .request')],
  ['conversation, partial', state('c/omar/', /before_seq=1\d&/, troubled, '.rows > .load-failed .request')],
  ['conversation that is not found out about', state('c/zoe/', PEOPLE, troubled, '.notice .request')],
  ['search, loading', searching(silent, '.results .skeleton')],
  ['search, error', searching(troubled, '.results-note .request')],
  ['search, offline', searching(unreachable, '.results-note .soft')],
  ['search, partial', searching(withMore, '.entries + .results-note', 'o')],
  ['settings, loading', state('settings/', SETTINGS, silent, '.toggle input:disabled')],
  ['settings, error', state('settings/', SETTINGS, troubled, '.card .request')],
  ['settings, offline', state('settings/', SETTINGS, unreachable, '.card .menu-note')],
  ['requests, loading', state('requests/', LIST, silent, 'nav .skeleton')],
  ['requests, error', state('requests/', LIST, troubled, '.list-notice .request')],
  ['requests, offline', state('requests/', LIST, unreachable, '.banner')],
  ['blocked people, loading', state('settings/blocked/', BLOCKS, silent, '.card[aria-busy=true]')],
  ['blocked people, error', state('settings/blocked/', BLOCKS, troubled, '.card .request')],
  ['blocked people, offline', state('settings/blocked/', BLOCKS, unreachable, '.card .menu-note')],
  [
    'reports, loading',
    state('settings/reports/', REPORTS, silent, '[aria-labelledby=reports-title] .segments'),
  ],
  ['reports, error', state('settings/reports/', REPORTS, troubled, '.card .request')],
  ['reports, denied', state('settings/reports/', REPORTS, denied, '.card .request')],
  ['reports, offline', state('settings/reports/', REPORTS, unreachable, '.card .menu-note')],
];
