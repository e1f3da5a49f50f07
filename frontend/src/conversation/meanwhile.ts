// An answer of the server may be older than what was heard while it was under way: it is put where it belongs, and what
// was heard is applied to it again. Without that an edited message would stay as it was, and a deleted one would come back.

import type { ChatEvent } from '../api/types';
import type { State } from './state';

/** `put` is told of the events that came since the question, in their order. A failure is thrown on. */
export async function readMeanwhile<T>(
  state: State,
  ask: () => Promise<T>,
  put: (answer: T, heard: readonly ChatEvent[]) => void,
): Promise<void> {
  const heard: ChatEvent[] = [];
  state.reads.add(heard);
  try {
    put(await ask(), heard);
  } finally {
    state.reads.delete(heard);
  }
}
