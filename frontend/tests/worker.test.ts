// The service worker's part that decides, with caches in memory; and the page's part when something of it is missing.

import { describe, expect, it } from 'vitest';
import { onMissingPart } from '../src/worker/missing';
import { createShell } from '../src/worker/shell';
import { memoryStorage } from './client';

const SCOPE = 'https://example.org/chat/';
const PAGE = '<script src="/chat/static/assets/index-1.js"></script>';

type Answers = Record<string, () => Promise<Response>>;

function memoryCaches(fetcher: (address: string) => Promise<Response>): CacheStorage {
  const all = new Map<string, Map<string, Response>>();
  const address = (of: Request | string) => (typeof of === 'string' ? of : of.url);
  const cache = (held: Map<string, Response>) => ({
    put: async (key: Request | string, response: Response) => void held.set(address(key), response),
    addAll: async (keys: Request[]) => {
      const got = await Promise.all(keys.map((key) => fetcher(key.url)));
      if (!got.every((response) => response.ok)) throw new TypeError('not all are there');
      for (const [index, response] of got.entries()) held.set(keys[index]?.url ?? '', response);
    },
    match: async (key: Request | string) => held.get(address(key))?.clone(),
  });
  return {
    open: async (name: string) => {
      if (!all.has(name)) all.set(name, new Map());
      return cache(all.get(name) ?? new Map());
    },
    keys: async () => [...all.keys()],
    delete: async (name: string) => all.delete(name),
    match: async (key: Request | string) => {
      for (const held of all.values()) if (held.has(address(key))) return held.get(address(key))?.clone();
      return undefined;
    },
  } as unknown as CacheStorage;
}

const text =
  (body: string, status = 200) =>
  async () =>
    new Response(body, { status });
const away = async () => {
  throw new TypeError('no network');
};

function build(version = '1', files = ['assets/index-1.js', 'theme.js'], caches?: CacheStorage) {
  const net: Answers = {};
  const address = (of: Request | string) => (typeof of === 'string' ? of : of.url);
  const fetch = (of: Request | string) => (net[address(of)] ?? text('from the network'))();
  const shared = caches ?? memoryCaches(fetch);
  net[SCOPE] = text(PAGE);
  const shell = createShell({ caches: shared, fetch, scope: SCOPE, version, files, patience: 10 });
  const get = async (path: string, mode: RequestMode = 'navigate') => {
    const url = new URL(path, SCOPE).href;
    const answer = shell.answer({ method: 'GET', mode, url } as Request);
    return answer && (await answer).text();
  };
  const cut = () => {
    for (const path of ['', 'c/bob/', 'settings/', 'static/theme.js', 'static/assets/index-1.js'])
      net[SCOPE + path] = away;
  };
  return { shell, net, get, cut, caches: shared };
}

describe('the page without a network', () => {
  it.each(['', 'requests/', 'c/bob/', 'c/b%C3%B6b/12/', 'settings/', 'settings/notifications/'])(
    'is there for %j',
    async (path) => {
      const { shell, net, get } = build();
      await shell.fill();
      net[SCOPE + path] = away;
      expect(await get(path)).toBe(PAGE);
    },
  );

  it.each(['login/', 'logout/', 'api/v1/', 'c/bob', 'c/', 'nothing/', 'static/none', '../other/'])(
    'is not for %j',
    async (path) => {
      const { shell, get } = build();
      await shell.fill();
      expect(await get(path)).toBeNull();
    },
  );

  it('is the server’s where that answers, except with a failure of its own', async () => {
    const { shell, net, get } = build();
    await shell.fill();
    net[SCOPE] = text('newer');
    expect(await get('')).toBe('newer');
    net[SCOPE] = text('not found', 404);
    expect(await get('')).toBe('not found');
    net[SCOPE] = text('bad gateway', 502);
    expect(await get('')).toBe(PAGE);
  });

  it('does not wait for ever', async () => {
    const { shell, net, get } = build();
    await shell.fill();
    net[SCOPE] = () => new Promise(() => {});
    expect(await get('')).toBe(PAGE);
  });

  it('comes with its parts', async () => {
    const { shell, get, cut } = build();
    await shell.fill();
    cut();
    expect(await get('static/assets/index-1.js', 'cors')).toBe('from the network');
    expect(await get('static/theme.js', 'no-cors')).toBe('from the network');
  });
});

describe('what the worker leaves alone', () => {
  it.each([
    ['GET', 'api/v1/session/'],
    ['GET', 'ws?events=1'],
    ['GET', 'static/app.webmanifest'],
    ['POST', ''],
    ['GET', 'https://elsewhere.example/chat/static/theme.js'],
  ])('%s %s', async (method, path) => {
    const { shell } = build();
    await shell.fill();
    const url = new URL(path, SCOPE).href;
    // What is posted is a form: it would be a page.
    const mode = method === 'POST' ? 'navigate' : 'cors';
    expect(shell.answer({ method, mode, url } as Request)).toBeNull();
  });
});

describe('a new build', () => {
  it('takes the place of the one before the last', async () => {
    const first = build('1');
    await first.shell.fill();
    for (const version of ['2', '3']) {
      const next = build(version, undefined, first.caches);
      await next.shell.fill();
      await next.shell.tidy();
    }
    expect(await first.caches.keys()).toEqual(['chatd /chat/ 2', 'chatd /chat/ 3']);
  });

  it('leaves the caches of others alone', async () => {
    const { shell, caches } = build();
    for (const name of ['other', 'chatd / 1', 'chatd /chat/ 0', 'chatd /chat/ 9']) await caches.open(name);
    await shell.fill();
    await shell.tidy();
    expect(await caches.keys()).toEqual(['other', 'chatd / 1', 'chatd /chat/ 9', 'chatd /chat/ 1']);
  });

  it.each([
    ['the page is of another build', text('<script src="/chat/static/assets/index-2.js"></script>')],
    ['nobody is signed in', async () => Response.error()],
    ['there is no page', text('', 503)],
  ])('is not kept while %s', async (_, answer) => {
    const { shell, net, caches } = build();
    net[SCOPE] = answer;
    await expect(shell.fill()).rejects.toThrow();
    expect(await caches.keys()).toEqual([]);
  });
});

describe('a part that is missing', () => {
  function page(storage: Storage | undefined = memoryStorage()) {
    let reloads = 0;
    const miss = (build: string, there = true) =>
      onMissingPart({
        build,
        storage,
        isServerThere: async () => there,
        reload: () => {
          reloads += 1;
        },
      });
    return { miss, reloads: () => reloads };
  }

  it('has the page loaded anew once, and once more after another upgrade', async () => {
    const { miss, reloads } = page();
    expect([await miss('one'), await miss('one'), await miss('two'), await miss('two')]).toEqual([
      true,
      false,
      true,
      false,
    ]);
    expect(reloads()).toBe(2);
  });

  it('does not while there is no server, nor where a loop could not be noticed', async () => {
    const { miss, reloads } = page();
    await miss('one', false);
    const poor = page(null as unknown as undefined);
    await poor.miss('one');
    expect([reloads(), poor.reloads()]).toEqual([0, 0]);
  });
});
