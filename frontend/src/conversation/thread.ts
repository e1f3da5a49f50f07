// One conversation's messages as three ordered collections: `past`, a run without a gap that came from the server;
// `live`, what arrived beyond it; and the outbox (see `outbox.ts`), what only this device knows. The server numbers
// messages 1, 2, 3, …, so a gap is always visible in the numbers, and every function here is pure.

import type { Message } from '../api/types';

export interface Thread {
  readonly peer: string;
  readonly past: readonly Message[];
  readonly live: readonly Message[];
  /** Whether `past` is meant to reach the newest message. False while reading around an old one. */
  readonly tail: boolean;
  readonly lastSeq: number;
  readonly loaded: boolean;
}

/** Sequence numbers that exist on the server and are missing here: those between the two, both excluded. */
export interface Hole {
  readonly after: number;
  readonly before: number;
}

export function emptyThread(peer: string, lastSeq = 0): Thread {
  return { peer, past: [], live: [], tail: true, lastSeq, loaded: false };
}

export function firstSeq(thread: Thread): number {
  return thread.past[0]?.seq ?? 0;
}

export function pastEnd(thread: Thread): number {
  return thread.past.at(-1)?.seq ?? 0;
}

export function hasOlder(thread: Thread): boolean {
  return firstSeq(thread) > 1;
}

export function hasNewer(thread: Thread): boolean {
  return thread.loaded && !thread.tail && pastEnd(thread) < thread.lastSeq;
}

/** What can be shown, oldest first. Away from the tail, what is live belongs below a part that is not loaded. */
export function shown(thread: Thread): readonly Message[] {
  return thread.tail ? [...thread.past, ...thread.live] : thread.past;
}

export function holeIn(thread: Thread): Hole | null {
  if (!thread.loaded || !thread.tail) return null;
  const after = pastEnd(thread);
  const before = thread.live[0]?.seq ?? thread.lastSeq + 1;
  return before > after + 1 ? { after, before } : null;
}

export type Place = 'newest' | 'around' | 'older' | 'newer';

/**
 * A page of history in any order. The newest and the surrounding page may replace what does not touch them.
 * `more` says that the server has messages beyond the page's newest.
 */
export function withPage(thread: Thread, page: readonly Message[], place: Place, more = false): Thread {
  const run = union([], page);
  const head = run[0];
  const end = run.at(-1);
  const jump = place === 'newest' || place === 'around';
  if (!head || !end) return jump ? { ...thread, loaded: true, tail: true } : thread;
  const touches =
    thread.past.length === 0 || (head.seq <= pastEnd(thread) + 1 && end.seq + 1 >= firstSeq(thread));
  if (!touches && !jump) return thread;
  const past = touches ? union(thread.past, run) : run;
  const live = touches ? thread.live : thread.live.filter((message) => message.seq > end.seq);
  const lastSeq = Math.max(thread.lastSeq, end.seq + (more ? 1 : 0));
  const reached = (past.at(-1)?.seq ?? 0) >= lastSeq;
  const tail = place === 'newest' || (thread.tail && touches && thread.past.length > 0) || reached;
  return absorb({ ...thread, past, live, lastSeq, tail, loaded: true });
}

/** A message that was just heard of: an event, or the answer to a send. */
export function withLive(thread: Thread, message: Message): Thread {
  const lastSeq = Math.max(thread.lastSeq, message.seq);
  if (thread.past.length > 0 && message.seq < firstSeq(thread)) return thread;
  if (message.seq <= pastEnd(thread)) return { ...thread, lastSeq, past: union(thread.past, [message]) };
  return absorb({ ...thread, lastSeq, live: union(thread.live, [message]) });
}

/** A message that changed: replaces the copy that is held, and is otherwise none of this thread's business. */
export function withChanged(thread: Thread, message: Message): Thread {
  const held =
    thread.past.some((m) => m.seq === message.seq) || thread.live.some((m) => m.seq === message.seq);
  return held ? withLive(thread, message) : thread;
}

function absorb(thread: Thread): Thread {
  const { live } = thread;
  if (!thread.loaded || live.length === 0) return thread;
  let end = pastEnd(thread);
  let taken = 0;
  const more: Message[] = [];
  for (const message of live) {
    if (message.seq > end + 1) break;
    taken += 1;
    more.push(message);
    end = Math.max(end, message.seq);
  }
  if (taken === 0) return thread;
  const past = union(thread.past, more);
  return { ...thread, past, live: live.slice(taken), tail: thread.tail || end >= thread.lastSeq };
}

/** Both lists as one, by number; of two copies the one with the higher version stays. */
function union(held: readonly Message[], more: readonly Message[]): readonly Message[] {
  const end = held.at(-1);
  const only = more.length === 1 ? more[0] : undefined;
  if (only && (!end || only.seq > end.seq)) return [...held, only];
  const bySeq = new Map<number, Message>();
  for (const message of [...held, ...more]) {
    const known = bySeq.get(message.seq);
    if (!known || message.version > known.version) bySeq.set(message.seq, message);
  }
  return [...bySeq.values()].sort((a, b) => a.seq - b.seq);
}
