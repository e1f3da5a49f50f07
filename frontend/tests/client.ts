// A signed-in client without a browser: the real store, API client and link, talking to the mock server.

import { IDBFactory } from 'fake-indexeddb';
import WebSocket from 'ws';
import { socketAddress } from '../src/api/base';
import { createApi } from '../src/api/client';
import { createStore, type Store } from '../src/conversation/store';
import { openDevice } from '../src/device/device';
import type { Locks } from '../src/device/turns';
import { createLink } from '../src/socket/link';
import type { startMock } from './mock-server.mjs';

export type Mock = Awaited<ReturnType<typeof startMock>>;

/** What the pages of one browser share. */
export interface Browser {
  readonly factory: IDBFactory | undefined;
  readonly storage: Storage;
  readonly locks: Locks | undefined;
  readonly id: string;
}

let browsers = 0;

export function newBrowser(more: Partial<Browser> = {}): Browser {
  browsers += 1;
  return {
    factory: new IDBFactory(),
    storage: memoryStorage(),
    locks: fakeLocks(),
    id: `browser ${browsers}`,
    ...more,
  };
}

export async function signIn(mock: Mock, name: string, browser: Browser = newBrowser()): Promise<Store> {
  const answer = await fetch(`${mock.address}api/v1/session/`, {
    method: 'POST',
    body: JSON.stringify({ username: name, password: `pw-${name}-2026` }),
  });
  const cookie = (answer.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
  const fetcher: typeof fetch = (input, init) =>
    fetch(input, { ...init, headers: { ...(init?.headers as Record<string, string>), cookie } });
  const api = createApi(mock.address, fetcher);
  const store = createStore({
    api,
    session: await api.session(),
    device: await openDevice({ ...browser, base: browser.id, user: name }),
    address: (cursor) =>
      socketAddress({ protocol: 'http:', href: mock.address } as Location, mock.address, cursor),
    createLink: (options) =>
      createLink({
        ...options,
        open: (address) => {
          const socket = new WebSocket(address, { headers: { cookie } });
          socket.on('error', () => {});
          return socket as unknown as globalThis.WebSocket;
        },
      }),
    random: () => 0.05,
  });
  return store;
}

export function memoryStorage(): Storage {
  const items = new Map<string, string>();
  return {
    get length() {
      return items.size;
    },
    key: (index) => [...items.keys()][index] ?? null,
    getItem: (key) => items.get(key) ?? null,
    setItem: (key, value) => void items.set(key, value),
    removeItem: (key) => void items.delete(key),
    clear: () => items.clear(),
  };
}

/** Waits for a condition, never for a duration. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + 8_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Web Locks as far as they are used here: one holder, a line behind it, and taking by force. */
export function fakeLocks(): Locks {
  interface Holder {
    readonly end: (error: Error) => void;
  }
  const holders = new Map<string, Holder>();
  const lines = new Map<string, (() => void)[]>();

  async function hold(name: string, work: () => Promise<void>): Promise<void> {
    const stolen = new Promise<never>((_, reject) => {
      holders.set(name, { end: reject });
    });
    const mine = holders.get(name);
    try {
      await Promise.race([work(), stolen]);
    } finally {
      if (holders.get(name) === mine) {
        holders.delete(name);
        lines.get(name)?.shift()?.();
      }
    }
  }

  async function request(
    name: string,
    options: { signal?: AbortSignal; steal?: boolean },
    work: () => Promise<void>,
  ) {
    if (options.steal) holders.get(name)?.end(new DOMException('stolen', 'AbortError'));
    else if (holders.has(name)) {
      await new Promise<void>((resolve, reject) => {
        const line = lines.get(name) ?? [];
        lines.set(name, line);
        line.push(resolve);
        options.signal?.addEventListener('abort', () => {
          if (!line.includes(resolve)) return;
          line.splice(line.indexOf(resolve), 1);
          reject(options.signal?.reason);
        });
      });
    }
    return hold(name, work);
  }
  return { request: request as Locks['request'] };
}
