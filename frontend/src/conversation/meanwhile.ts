// An answer of the server may be older than what was heard while it was under way. What has a number or a version finds its
// place whichever comes first; of anything else what was heard counts, and the answer says nothing. Without that an edited
// message would stay as it was, and a deleted one would come back.

import type { ChatEvent } from '../api/types';
import type { State } from './state';

/**
 * `put` is told of the events that came since the question, in their order. It is not called once everything is to be had
 * anew. A failure is thrown on.
 */
export async function readMeanwhile<T>(
  state: State,
  ask: () => Promise<T>,
  put: (answer: T, heard: readonly ChatEvent[]) => void,
): Promise<void> {
  const heard: ChatEvent[] = [];
  state.reads.add(heard);
  try {
    const answer = await ask();
    if (state.reads.has(heard)) put(answer, heard);
  } finally {
    state.reads.delete(heard);
  }
}

/** Whether something was heard of how one keeps a conversation. */
export function heardSettings(heard: readonly ChatEvent[], peer: string): boolean {
  return heard.some((event) => event.type === 'conversation' && event.peer === peer);
}

/** Whether something was heard of how far the two have read, or of who may see that. */
export function heardMarks(heard: readonly ChatEvent[], peer: string): boolean {
  return heard.some((event) => event.type === 'settings' || (event.type === 'read' && event.peer === peer));
}
