// A signed-in client without a browser: the real store, API client and link, talking to the mock server.

import WebSocket from 'ws';
import { socketAddress } from '../src/api/base';
import { createApi } from '../src/api/client';
import { outboxStorage } from '../src/conversation/outbox-storage';
import { createStore, type Store } from '../src/conversation/store';
import { createLink } from '../src/socket/link';
import type { startMock } from './mock-server.mjs';

export type Mock = Awaited<ReturnType<typeof startMock>>;

export async function signIn(mock: Mock, name: string, storage: Storage = memoryStorage()): Promise<Store> {
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
    storage: outboxStorage(storage, name),
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
