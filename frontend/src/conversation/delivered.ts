// Tells the server what has reached this device: the highest number of a conversation, a moment after it came in, once
// for what came in together. What is being read says the same, and more.

import { effect } from '@preact/signals';
import type { Api } from '../api/client';
import { failureOf } from '../api/failure';
import type { State } from './state';

const GATHER_MS = 600;

export function createDelivered(state: State, api: Api) {
  const told = new Map<string, number>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let telling = false;

  /** What has not been told, of one conversation after the other. */
  function untold(): [string, number] | undefined {
    for (const { peer, unread, last_seq, read_seq, request } of state.summaries.peek().values()) {
      const known = Math.max(told.get(peer) ?? 0, read_seq);
      if (!request && unread > 0 && last_seq > known) return [peer, last_seq];
    }
    return undefined;
  }

  async function tell(): Promise<void> {
    if (telling) return;
    telling = true;
    for (let next = untold(); next && state.link.peek() === 'up'; next = untold()) {
      const [peer, seq] = next;
      try {
        await api.delivered(peer, seq);
      } catch (error) {
        const { kind } = failureOf(error);
        if (kind === 'signed-out') state.signedOut.value = true;
        // It is told with the next message, or when the link is back.
        if (kind !== 'refused') break;
      }
      told.set(peer, seq);
    }
    telling = false;
  }

  effect(() => {
    void state.summaries.value;
    clearTimeout(timer);
    if (state.link.value === 'up') timer = setTimeout(() => void tell(), GATHER_MS);
  });
}
