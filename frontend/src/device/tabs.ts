// What the tabs of one person tell each other: changes of the outbox and of drafts, once they are stored. So whoever
// listens first and reads the database then misses nothing.

import type { Pending } from '../conversation/outbox';

export interface News {
  /** New and changed items. */
  readonly put?: readonly Pending[];
  /** Client ids of items that are dealt with. */
  readonly gone?: readonly string[];
  /** Whether this could be stored: else the tabs have it in memory alone. */
  readonly stored: boolean;
  readonly draft?: { readonly peer: string; readonly text: string };
}

export interface Tabs {
  readonly tell: (news: News) => void;
  readonly hear: (listener: (news: News) => void) => void;
  readonly close: () => void;
}

/** What is heard before somebody listens is kept for them: it may have come after the database was read. */
export function createTabs(name: string): Tabs {
  const channel = typeof BroadcastChannel === 'undefined' ? null : new BroadcastChannel(name);
  const early: News[] = [];
  let listener: ((news: News) => void) | null = null;
  if (channel)
    channel.onmessage = ({ data }: MessageEvent<News>) => {
      if (listener) listener(data);
      else early.push(data);
    };
  return {
    tell: (news) => channel?.postMessage(news),
    hear: (to) => {
      listener = to;
      for (const news of early.splice(0)) to(news);
    },
    close: () => channel?.close(),
  };
}
