// Ties the state to this device: what was kept comes back, and what changes is kept and told to the other tabs. The
// outbox and the drafts are stored as they change; the cache a moment later, all of it as of one cursor.

import { batch, effect } from '@preact/signals';
import type { Device } from '../device/device';
import type { Draft } from '../device/shelf';
import type { News } from '../device/tabs';
import { knownBlocks, learnBlocks } from './blocks';
import { merged, type Outbox, type Pending } from './outbox';
import { type KeptThread, keptThread, restoredThread, type Snapshot, worthKeeping } from './snapshot';
import type { Followers, State } from './state';
import { fromSnapshot } from './summaries';
import type { Thread } from './thread';

/** How long a text may stand in the composer before it is stored. Sending and leaving do not wait for it. */
const DRAFT_MS = 250;
const CACHE_MS = 1_000;

export interface Keeping {
  readonly followers: Followers;
  /** Puts back what was kept, and follows what changes from here on. Null, or the cursor of the cache. */
  readonly begin: (state: State, cursor: () => string | null, onNews: () => void) => Promise<string | null>;
  /** Takes over what other tabs did to the outbox. */
  readonly refresh: () => Promise<void>;
  /** The cache is of a history that is no longer ours. */
  readonly drop: () => Promise<unknown>;
  /** The page is about to be left: nothing waits any longer. */
  readonly flush: () => void;
  readonly stop: () => void;
}

export function createKeeping(device: Device): Keeping {
  let state: State;
  let cursor: () => string | null = () => null;
  let saved: Outbox = [];
  /** Client ids of items that are known to be stored: when they are not any more, another tab has dealt with them. */
  const stored = new Set<string>();
  const drafts = new Map<string, string>();
  const unsaved = new Map<string, string>();
  const threads = new WeakMap<Thread, KeptThread | null>();
  let snapshot: Snapshot | null = null;
  let draftTimer: ReturnType<typeof setTimeout> | undefined;
  let cacheTimer: ReturnType<typeof setTimeout> | undefined;
  let begun = false;
  let over = false;

  async function begin(of: State, at: () => string | null, onNews: () => void): Promise<string | null> {
    [state, cursor] = [of, at];
    const held = await device.load();
    if (over) return null;
    for (const { clientId } of held.outbox) stored.add(clientId);
    batch(() => {
      for (const { peer, text } of held.drafts) putDraft(peer, text);
      saved = merged(state.outbox.peek(), held.outbox);
      state.outbox.value = saved;
      if (held.snapshot) restore(held.snapshot);
    });
    begun = true;
    effect(() => outboxChanged(state.outbox.value));
    effect(() => {
      void [state.summaries.value, state.following.value, state.blocksTold.value, state.blocksKnown.value];
      soon();
    });
    device.tabs.hear((news) => {
      if (over) return;
      hear(news);
      onNews();
    });
    return held.snapshot?.cursor ?? null;
  }

  function restore(kept: Snapshot): void {
    state.summaries.value = fromSnapshot(kept.summaries);
    state.following.value = kept.following;
    state.seen.value = kept.seen ?? 0;
    if (kept.blocks) learnBlocks(state, kept.blocks);
    for (const each of kept.threads) state.conversation(each.peer).thread.value = restoredThread(each);
    state.list.value = 'ready';
  }

  function outboxChanged(now: Outbox): void {
    const [before, ids] = [new Set(saved), new Set(now.map((item) => item.clientId))];
    const put = now.filter((item) => !before.has(item));
    const gone = saved.flatMap(({ clientId }) => (ids.has(clientId) ? [] : [clientId]));
    saved = now;
    if (!over && put.length + gone.length > 0) void store(put, gone);
  }

  async function store(put: readonly Pending[], gone: readonly string[]): Promise<void> {
    for (const clientId of gone) stored.delete(clientId);
    const rows = [
      ...put.map((item) => [item.clientId, item] as const),
      ...gone.map((id) => [id, null] as const),
    ];
    const done = await device.save({ outbox: new Map(rows) });
    if (over) return;
    if (done) for (const { clientId } of put) stored.add(clientId);
    device.tabs.tell({ put, gone, stored: done });
  }

  function draftChanged(peer: string, text: string): void {
    if (over || !begun || text === (drafts.get(peer) ?? '')) return;
    drafts.set(peer, text);
    unsaved.set(peer, text);
    // A text that was sent leaves the composer in one step with what it became in the outbox.
    if (text === '') void saveDrafts();
    else draftTimer ??= setTimeout(() => void saveDrafts(), DRAFT_MS);
  }

  async function saveDrafts(): Promise<void> {
    clearTimeout(draftTimer);
    draftTimer = undefined;
    if (over || unsaved.size === 0) return;
    const changed = [...unsaved].map(([peer, text]) => ({ peer, text }));
    unsaved.clear();
    const rows = changed.map((draft) => [draft.peer, draft.text === '' ? null : draft] as const);
    const done = await device.save({ drafts: new Map<string, Draft | null>(rows) });
    if (!over) for (const draft of changed) device.tabs.tell({ draft, stored: done });
  }

  function putDraft(peer: string, text: string): void {
    drafts.set(peer, text);
    state.draft(peer).value = text;
  }

  function hear({ put = [], gone = [], draft, stored: done }: News): void {
    // What is being written here is newer than what was written there.
    if (draft && !unsaved.has(draft.peer)) putDraft(draft.peer, draft.text);
    if (done) for (const { clientId } of put) stored.add(clientId);
    if (put.length + gone.length > 0) takeOver(put, gone);
  }

  function takeOver(put: readonly Pending[], gone: readonly string[]): void {
    for (const clientId of gone) stored.delete(clientId);
    saved = merged(state.outbox.peek(), put, new Set(gone));
    state.outbox.value = saved;
  }

  async function refresh(): Promise<void> {
    await device.saved();
    const [sure, before] = [new Set(stored), state.outbox.peek()];
    const there = await device.outbox();
    if (!there || over) return;
    const here = new Map(state.outbox.peek().map((item) => [item.clientId, item]));
    // An item may have gone from here while the database was read.
    const lately = new Set(before.flatMap(({ clientId }) => (here.has(clientId) ? [] : [clientId])));
    const put = there.filter((item) => !lately.has(item.clientId) && !isSame(item, here.get(item.clientId)));
    for (const { clientId } of there) {
      stored.add(clientId);
      sure.delete(clientId);
    }
    if (put.length + sure.size > 0) takeOver(put, [...sure]);
  }

  function soon(): void {
    if (begun && !over) cacheTimer ??= setTimeout(keepCache, CACHE_MS);
  }

  function keepCache(): void {
    clearTimeout(cacheTimer);
    cacheTimer = undefined;
    const at = cursor();
    if (over || at === null || state.list.peek() !== 'ready') return;
    const now: Snapshot = {
      cursor: at,
      following: state.following.peek(),
      seen: state.seen.peek(),
      blocks: knownBlocks(state),
      summaries: [...state.summaries.peek().values()],
      threads: worthKeeping(state.opened().flatMap(({ thread }) => kept(thread.peek()) ?? [])),
    };
    const before = snapshot;
    snapshot = now;
    void device.keep(now, before).then((done) => {
      if (!done && snapshot === now) snapshot = null;
    });
  }

  /** The same object for the same thread: it is stored once. */
  function kept(thread: Thread): KeptThread | null {
    const known = threads.get(thread) ?? keptThread(thread);
    threads.set(thread, known);
    return known;
  }

  return {
    followers: {
      draft: (peer, draft) => void draft.subscribe((text) => draftChanged(peer, text)),
      thread: (thread) => void thread.subscribe(soon),
    },
    begin,
    refresh,
    drop: () => {
      clearTimeout(cacheTimer);
      [cacheTimer, snapshot] = [undefined, null];
      return device.keep(null, null);
    },
    flush: () => {
      void saveDrafts();
      if (cacheTimer === undefined) return;
      // All of it, since it cannot wait to hear what is stored already.
      snapshot = null;
      keepCache();
    },
    stop: () => {
      over = true;
      clearTimeout(draftTimer);
      clearTimeout(cacheTimer);
    },
  };
}

function isSame(item: Pending, other: Pending | undefined): boolean {
  return other?.refused === item.refused && other.writtenAt === item.writtenAt;
}
