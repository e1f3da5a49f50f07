// Addresses: `/`, `/requests/`, `/c/NAME/`, `/c/NAME/SEQ/`, `/settings/`, `/settings/SECTION/`, all below the base path. Each entry of the browser's history
// remembers where its conversation was scrolled to.

import { type ReadonlySignal, signal } from '@preact/signals';

export type Route =
  | { readonly page: 'home' }
  | { readonly page: 'requests' }
  | { readonly page: 'settings'; readonly section?: Section }
  | { readonly page: 'conversation'; readonly name: string; readonly seq?: number };

/** A page of the settings of its own. */
export type Section = 'account' | 'blocked' | 'data' | 'invites' | 'profile' | 'reports';

/** The topmost visible message and how far its top is from the top of the log; null at the end. */
type Scroll = { readonly seq: number; readonly offset: number } | null;

/** One stay at an address. Coming back to it is another visit, with the scroll position of the first. */
export interface Visit {
  readonly number: number;
  readonly route: Route;
  readonly scroll: Scroll;
}

export interface Router {
  readonly visit: ReadonlySignal<Visit>;
  readonly base: string;
  go: (path: string) => void;
  replace: (path: string) => void;
  /** To what an address lies below, else to the list: by the browser's own Back where that leads there. */
  up: (path?: string) => void;
  /** Where the current conversation is scrolled to; asked for when it is left. */
  remember: (scroll: Scroll) => void;
}

interface Entry {
  readonly scroll?: Scroll;
  readonly from?: string;
}

export function parseRoute(path: string, base: string): Route {
  const rest = path.startsWith(base) ? path.slice(base.length) : '';
  if (rest === 'requests/') return { page: 'requests' };
  if (rest === 'settings/') return { page: 'settings' };
  const section = /^settings\/(account|blocked|data|invites|profile|reports)\/$/.exec(rest)?.[1];
  if (section) return { page: 'settings', section: section as Section };
  const match = /^c\/([^/]+)\/(?:(\d+)\/)?$/.exec(rest);
  if (!match?.[1]) return { page: 'home' };
  const name = decoded(match[1]);
  return match[2] ? { page: 'conversation', name, seq: Number(match[2]) } : { page: 'conversation', name };
}

export function conversationPath(base: string, name: string): string {
  return `${base}c/${encodeURIComponent(name)}/`;
}

/** The strangers who wait to be accepted. */
export function requestsPath(base: string): string {
  return `${base}requests/`;
}

export function settingsPath(base: string, section?: Section): string {
  return section ? `${base}settings/${section}/` : `${base}settings/`;
}

export function messagePath(base: string, name: string, seq: number): string {
  return `${conversationPath(base, name)}${seq}/`;
}

export function createRouter(base: string): Router {
  const entry = (): Entry => (history.state as Entry | null) ?? {};
  const here = (number: number): Visit => ({
    number,
    route: parseRoute(location.pathname, base),
    scroll: entry().scroll ?? null,
  });
  const visit = signal<Visit>(here(0));
  const arrive = () => {
    visit.value = here(visit.peek().number + 1);
  };
  history.scrollRestoration = 'manual';
  addEventListener('popstate', arrive);

  function go(path: string): void {
    const from = location.pathname;
    if (path === location.pathname) history.replaceState({ ...entry(), scroll: null }, '', path);
    else history.pushState({ from }, '', path);
    arrive();
  }

  return {
    visit,
    base,
    go,
    replace: (path) => {
      history.replaceState(entry(), '', path);
      arrive();
    },
    up: (path = base) => (entry().from === path ? history.back() : go(path)),
    remember: (scroll) => history.replaceState({ ...entry(), scroll }, ''),
  };
}

/** Follows a plain click on one of our own links without leaving the page. */
export function followLinks(event: MouseEvent, router: Router): void {
  const link = event.target instanceof Element ? event.target.closest('a') : null;
  const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
  if (!link || !plain || event.defaultPrevented || link.target !== '' || link.origin !== location.origin)
    return;
  const route = parseRoute(link.pathname, router.base);
  if (route.page === 'home' && link.pathname !== router.base) return;
  event.preventDefault();
  router.go(link.pathname);
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
