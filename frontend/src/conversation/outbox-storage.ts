// The outbox on this device. Each item has its own key, so two tabs never overwrite each other's; both may then send
// the same item, which its client id makes harmless. Times of writing put them back in order.

import type { Outbox } from './outbox';
import { parse } from './outbox';

export interface OutboxStorage {
  load: () => Outbox;
  save: (before: Outbox, now: Outbox) => void;
  clear: () => void;
}

export function outboxStorage(storage: Storage, user: string): OutboxStorage {
  const prefix = `chatd:outbox:${user}:`;

  function keys(): string[] {
    const all = Array.from({ length: storage.length }, (_, index) => storage.key(index) ?? '');
    return all.filter((key) => key.startsWith(prefix));
  }

  return {
    load: () => {
      const items = keys().flatMap((key) => parse(`[${storage.getItem(key) ?? ''}]`));
      return items.sort((a, b) => (a.writtenAt < b.writtenAt ? -1 : 1));
    },
    save: (before, now) => {
      const kept = new Set(now);
      const ids = new Set(now.map((item) => item.clientId));
      for (const item of before) if (!ids.has(item.clientId)) storage.removeItem(prefix + item.clientId);
      const known = new Set(before);
      for (const item of kept)
        if (!known.has(item)) write(storage, prefix + item.clientId, JSON.stringify(item));
    },
    clear: () => {
      for (const key of keys()) storage.removeItem(key);
    },
  };
}

/** A full disk costs the safety of a reload, not the message: it is still in memory and on its way. */
function write(storage: Storage, key: string, value: string): void {
  try {
    storage.setItem(key, value);
  } catch {
    return;
  }
}
