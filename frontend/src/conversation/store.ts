// The conversation store: state, and the few things that a person can do to it. No DOM; the views read `state` and call
// the functions. Parts: `sync` (in step with the server), `history` (pages), `sender` (the outbox), `reading` (marks).

import { batch, effect } from '@preact/signals';
import type { Api } from '../api/client';
import { failureOf } from '../api/failure';
import type { Session } from '../api/types';
import type { Link, LinkOptions } from '../socket/link';
import { createHistory } from './history';
import type { OutboxStorage } from './outbox-storage';
import { createReading } from './reading';
import { createSender } from './sender';
import { createState } from './state';
import { fromSnapshot } from './summaries';
import { createSync } from './sync';
import { emptyThread } from './thread';

export interface StoreOptions {
  api: Api;
  session: Session;
  storage: OutboxStorage;
  address: (cursor: string | null) => string;
  createLink: (options: LinkOptions) => Link;
  random?: () => number;
}

export type Store = ReturnType<typeof createStore>;

export function createStore({ api, session, storage, address, createLink, random }: StoreOptions) {
  const state = createState(session, storage.load());
  const history = createHistory(state, api, random);
  const sender = createSender(state, api, random);
  const reading = createReading(state, api);
  let open: { readonly peer: string; readonly seq: number | undefined } | null = null;

  const sync = createSync({ state, api, link: () => link, onReset: startOver });
  const link = createLink({
    address: () => address(sync.cursor()),
    onFrame: sync.hear,
    onState: (now) => {
      state.link.value = now;
      if (now === 'up') linkUp();
    },
    onRefused: sync.mayGoOn,
    ...(random ? { random } : {}),
  });

  let saved = state.outbox.peek();
  effect(() => {
    const now = state.outbox.value;
    storage.save(saved, now);
    saved = now;
  });

  // History is asked for only after the snapshot: then whatever is stored later comes as an event after its cursor.
  effect(() => {
    if (state.list.value === 'ready' && open) void history.open(open.peer, open.seq);
  });

  function linkUp(): void {
    sender.hurry();
    reading.again();
    if (open) void history.again(open.peer);
  }

  function startOver(): void {
    history.abandon();
    batch(() => {
      state.summaries.value = fromSnapshot([]);
      state.list.value = 'loading';
      for (const { thread, loading } of state.opened()) {
        thread.value = emptyThread(thread.peek().peer);
        loading.value = { busy: new Set(), failed: null };
      }
    });
  }

  async function search(text: string): Promise<readonly string[]> {
    const names = (await api.people(text)).results.map((person) => person.username);
    for (const name of names) state.people.add(name);
    return names;
  }

  return {
    state,
    start: async () => {
      await sync.start();
      sender.start();
    },
    /** Opens a conversation, and loads what is missing of it. */
    open: async (peer: string, seq?: number) => {
      open = { peer, seq };
      if (state.list.peek() === 'ready') await history.open(peer, seq);
    },
    close: () => {
      open = null;
    },
    older: history.older,
    newer: history.newer,
    newest: history.newest,
    again: history.again,
    moreConversations: sync.more,
    send: sender.send,
    retry: sender.retry,
    discard: sender.discard,
    seen: reading.seen,
    search,
    known: (name: string) => state.summaries.peek().has(name) || state.people.has(name),
    /** The name as its owner writes it, or null when there is no such person. */
    resolve: async (name: string) => {
      const key = nameKey(name);
      const here = [...state.summaries.peek().keys()].find((peer) => nameKey(peer) === key);
      return here ?? (await search(name)).find((person) => nameKey(person) === key) ?? null;
    },
    /** Somebody looks at the page, or the network is said to be back. */
    wake: () => {
      link.hurry();
      sender.hurry();
    },
    /** Ends the session and forgets what this device holds for it. */
    signOut: async () => {
      await api.signOut().catch((error: unknown) => {
        if (failureOf(error).kind !== 'signed-out') throw error;
      });
      link.stop();
      state.outbox.value = [];
      storage.clear();
    },
    stop: () => link.stop(),
  };
}

function nameKey(name: string): string {
  return name.trim().normalize('NFKC').toLowerCase();
}
