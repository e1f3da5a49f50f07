// Tells the server how far one has read: the highest number seen, a moment after it was seen, once.

import type { Api } from '../api/client';
import { failureOf } from '../api/failure';
import { heardMarks, readMeanwhile } from './meanwhile';
import type { State } from './state';
import { withRead } from './summaries';

const GATHER_MS = 300;

export function createReading(state: State, api: Api) {
  const wanted = new Map<string, number>();
  let timer: ReturnType<typeof setTimeout> | undefined;

  function seen(peer: string, seq: number): void {
    const summary = state.summaries.peek().get(peer);
    // A stranger does not learn whether a request was read.
    if (!summary || summary.request || summary.unread === 0 || seq <= summary.read_seq) return;
    if (seq <= (wanted.get(peer) ?? 0)) return;
    wanted.set(peer, seq);
    clearTimeout(timer);
    timer = setTimeout(flush, GATHER_MS);
  }

  function flush(): void {
    for (const [peer, seq] of wanted) void tell(peer, seq);
  }

  async function tell(peer: string, seq: number): Promise<void> {
    try {
      await readMeanwhile(
        state,
        () => api.read(peer, seq),
        (answer, heard) => {
          // Of one's own mark an event will tell as well.
          if (!heardMarks(heard, peer)) state.summaries.value = withRead(state.summaries.peek(), answer);
        },
      );
    } catch (error) {
      const { kind } = failureOf(error);
      if (kind === 'signed-out') state.signedOut.value = true;
      if (kind === 'unreachable' || kind === 'busy') return;
    }
    if (wanted.get(peer) === seq) wanted.delete(peer);
  }

  /** `again` repeats what did not get through, when the link is back. */
  return { seen, again: flush };
}
