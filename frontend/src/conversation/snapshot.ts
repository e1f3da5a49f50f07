// What is worth keeping of the state, and the way back: the list, the newest messages of the conversations that were
// looked at, and the cursor that both are as of. With the events after that cursor it is the state again
// (`tests/invariant.test.ts`). Pure.

import type { Block, ConversationSummary, Message } from '../api/types';
import type { Thread } from './thread';

export interface KeptThread {
  readonly peer: string;
  readonly past: readonly Message[];
  readonly lastSeq: number;
}

export interface Snapshot {
  readonly cursor: string;
  /** The address of the following page of the list. */
  readonly following: string | null;
  /** When the list was looked at last: what others are called comes with no event. */
  readonly seen?: number | undefined;
  /** Whom one blocks, if that is known as of the cursor. */
  readonly blocks?: readonly Block[] | undefined;
  readonly summaries: readonly ConversationSummary[];
  readonly threads: readonly KeptThread[];
}

const MOST_MESSAGES = 60;
const MOST_THREADS = 20;

/**
 * What reaches the newest message, and nothing from the middle of a history. Messages beyond a hole stay out: the numbers
 * say that they are missing, and they are fetched again.
 */
export function keptThread(thread: Thread): KeptThread | null {
  if (!thread.loaded || thread.past.length === 0 || !thread.tail) return null;
  return { peer: thread.peer, past: thread.past.slice(-MOST_MESSAGES), lastSeq: thread.lastSeq };
}

export function restoredThread({ peer, past, lastSeq }: KeptThread): Thread {
  return { peer, past, live: [], tail: true, lastSeq, loaded: true };
}

/** Those in which something happened last. */
export function worthKeeping(threads: readonly KeptThread[]): readonly KeptThread[] {
  if (threads.length <= MOST_THREADS) return threads;
  const time = ({ past }: KeptThread) => past.at(-1)?.timestamp ?? '';
  return [...threads].sort((a, b) => (time(a) < time(b) ? 1 : -1)).slice(0, MOST_THREADS);
}
