// Until the database there was, the outbox stood in `localStorage`, a key for each item. What is still there moves over
// once. This file can go when nobody comes from such a version any more.

import type { Outbox } from '../conversation/outbox';
import { parse } from '../conversation/outbox';

export interface OldOutbox {
  readonly items: Outbox;
  readonly remove: () => void;
}

export function oldOutbox(storage: Storage | undefined, user: string): OldOutbox {
  const prefix = `chatd:outbox:${user}:`;
  try {
    const all = Array.from({ length: storage?.length ?? 0 }, (_, index) => storage?.key(index) ?? '');
    const keys = all.filter((key) => key.startsWith(prefix));
    return {
      items: keys.flatMap((key) => parse(`[${storage?.getItem(key) ?? ''}]`)),
      remove: () => {
        for (const key of keys) storage?.removeItem(key);
      },
    };
  } catch {
    return { items: [], remove: () => {} };
  }
}
