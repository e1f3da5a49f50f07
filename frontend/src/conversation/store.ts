// The conversation store: state, and the few things that a person can do to it. No DOM; the views read `state` and call
// the functions. Parts: `sync` (in step with the server), `history` (pages), `sender` (the outbox), `reading` and
// `delivered` (marks), `changes` (of what is stored), `passing` (typing and presence), `blocks` (whom one blocks), `keeping` (what this device holds).

import { batch, effect } from '@preact/signals';
import type { Api } from '../api/client';
import { failureOf } from '../api/failure';
import type { Face, Message, OwnProfile, Session } from '../api/types';
import type { Device } from '../device/device';
import type { Link, LinkOptions } from '../socket/link';
import { createBlocks } from './blocks';
import { createChanges } from './changes';
import { compose, composeNew } from './composing';
import { createDelivered } from './delivered';
import { followList, learnFace, lookAt, lookAtList } from './faces';
import { createHistory } from './history';
import { createKeeping } from './keeping';
import { createPassing } from './passing';
import { createReading } from './reading';
import { receiveProfile } from './receive';
import { createSender } from './sender';
import { createState } from './state';
import { fromSnapshot } from './summaries';
import { createSync } from './sync';
import { emptyThread } from './thread';

export interface StoreOptions {
  api: Api;
  session: Session;
  device: Device;
  address: (cursor: string | null) => string;
  createLink: (options: LinkOptions) => Link;
  random?: () => number;
}

/** What a page needs to be of use comes first, and a list that was looked at lately will do. */
const SETTLED_MS = 2_000;
const LATELY_MS = 3_600_000;

export type Store = ReturnType<typeof createStore>;

export function createStore({ api, session, device, address, createLink, random }: StoreOptions) {
  const keeping = createKeeping(device);
  const state = createState(session, keeping.followers);
  const history = createHistory(state, api, random);
  const { turns, saved } = device;
  const sender = createSender({
    state,
    api,
    turns,
    refresh: keeping.refresh,
    saved,
    ...(random ? { random } : {}),
  });
  const reading = createReading(state, api);
  const changes = createChanges(state, api);
  const blocks = createBlocks(state, api, random);
  const passing = createPassing(state, () => link);
  createDelivered(state, api);
  followList(state);
  let open: { readonly peer: string; readonly seq: number | undefined } | null = null;

  const sync = createSync({ state, api, link: () => link, onReset: startOver, onPassing: passing.hear });
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

  let settled: ReturnType<typeof setTimeout> | undefined;
  let kept: Promise<string | null> | undefined;
  /** Puts back what this device holds: enough to draw the page. */
  function load(): Promise<string | null> {
    kept ??= keeping.begin(state, sync.cursor, sender.start);
    return kept;
  }

  // History is asked for only after the snapshot: then whatever is stored later comes as an event after its cursor.
  effect(() => {
    if (state.list.value === 'ready' && open) void history.open(open.peer, open.seq);
  });

  effect(() => {
    const message = state.heard.value;
    if (message) passing.stops(message.user);
  });

  function linkUp(): void {
    passing.linkUp();
    sender.hurry();
    reading.again();
    if (open) void history.again(open.peer);
  }

  /** What is on its way to the server, or is being written, stays. */
  function startOver(): void {
    history.abandon();
    state.reads.clear();
    void keeping.drop();
    batch(() => {
      state.summaries.value = fromSnapshot([]);
      state.list.value = 'loading';
      state.blocksTold.value += 1;
      for (const { thread, loading, quotes } of state.opened()) {
        quotes.value = new Map();
        thread.value = emptyThread(thread.peek().peer);
        loading.value = { busy: new Set(), failed: null };
      }
    });
  }

  function stop(): void {
    clearTimeout(settled);
    link.stop();
    sender.sleep();
    blocks.stop();
    keeping.stop();
    device.close();
  }

  /** `more`: there are others whose names begin like this. */
  async function search(text: string): Promise<{ names: readonly string[]; more: boolean }> {
    try {
      const { results, next } = await api.people(text);
      const names = results.map((person) => person.username);
      for (const person of results) {
        state.people.add(person.username);
        learnFace(state, person.username, person);
      }
      return { names, more: next !== null };
    } catch (error) {
      if (failureOf(error).kind === 'signed-out') state.signedOut.value = true;
      throw error;
    }
  }

  return {
    state,
    load,
    start: async () => {
      const kept = await load();
      await sync.start(kept);
      sender.start();
      const old = Date.now() - state.seen.peek() > LATELY_MS;
      if (kept !== null && old)
        settled = setTimeout(() => void lookAtList(state, api, sync.reset), SETTLED_MS);
    },
    /** Opens a conversation, and loads what is missing of it. */
    open: async (peer: string, seq?: number) => {
      open = { peer, seq };
      if (state.list.peek() === 'ready') await history.open(peer, seq);
    },
    close: () => {
      open = null;
    },
    lacks: history.lacks,
    older: history.older,
    newer: history.newer,
    newest: history.newest,
    again: history.again,
    moreConversations: sync.more,
    loadAgain: sync.again,
    send: (peer: string, body: string, replyTo?: number) => {
      sender.send(peer, body, replyTo);
      passing.sent(peer);
    },
    retry: sender.retry,
    discard: sender.discard,
    seen: reading.seen,
    compose: (peer: string, what: 'reply' | 'edit', message: Message) => compose(state, peer, what, message),
    composeNew: (peer: string) => composeNew(state, peer),
    edit: changes.edit,
    remove: changes.remove,
    arrange: changes.arrange,
    accept: changes.accept,
    block: blocks.block,
    unblock: blocks.unblock,
    loadBlocks: blocks.load,
    share: changes.share,
    loadSharing: changes.loadSharing,
    quoted: changes.quoted,
    look: (name: string) => lookAt(state, api, name),
    /** One's own name and picture, as the server says. */
    learn: (face: Face) => learnFace(state, state.me, face),
    learnOwn: (profile: OwnProfile) => receiveProfile(state, profile),
    types: passing.types,
    watch: passing.watch,
    attend: passing.attend,
    search,
    known: (name: string) => state.summaries.peek().has(name) || state.people.has(name),
    /** The name as its owner writes it, or null when there is no such person. */
    resolve: async (name: string) => {
      const key = nameKey(name);
      const here = [...state.summaries.peek().keys()].find((peer) => nameKey(peer) === key);
      return here ?? (await search(name)).names.find((person) => nameKey(person) === key) ?? null;
    },
    /** Somebody looks at the page, or the network is said to be back. */
    wake: () => {
      link.hurry();
      sender.hurry();
    },
    doubt: () => link.doubt(),
    /** Ends the session and forgets what this device holds for it. */
    signOut: async () => {
      await api.signOut().catch((error: unknown) => {
        if (failureOf(error).kind !== 'signed-out') throw error;
      });
      stop();
      state.outbox.value = [];
      await device.erase();
    },
    /** The page may be gone in a moment: nothing waits to be stored. If it sleeps, other tabs go on with the outbox. */
    rest: (asleep: boolean) => {
      keeping.flush();
      if (asleep) sender.sleep();
    },
    /** It is there again. */
    rise: sender.wake,
    /** Nothing is kept here any longer: somebody signed out, or signed in as somebody else. */
    stop,
  };
}

function nameKey(name: string): string {
  return name.trim().normalize('NFKC').toLowerCase();
}
