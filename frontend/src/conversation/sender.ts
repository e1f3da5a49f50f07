// Empties the outbox: in order, one message at a time in each conversation, the next after the answer. Whether a
// message was stored may be unknown after a failure; the same client id makes asking again safe.

import type { Api } from '../api/client';
import { failureOf } from '../api/failure';
import { delay } from '../socket/backoff';
import { newClientId } from './client-id';
import { added, nextFor, type Pending, refused, removed, retried, waitingPeers } from './outbox';
import { receiveStored } from './receive';
import type { State } from './state';

export function createSender(state: State, api: Api, random: () => number = Math.random) {
  const running = new Set<string>();
  const waits = new Set<() => void>();
  let lastWritten = 0;

  async function run(peer: string): Promise<void> {
    if (running.has(peer)) return;
    running.add(peer);
    let attempt = 0;
    while (!state.signedOut.peek()) {
      const item = nextFor(state.outbox.peek(), peer);
      if (!item) break;
      const wait = await attemptSend(item);
      if (wait === null) {
        attempt = 0;
        continue;
      }
      await pause(delay(attempt, random, wait * 1_000), wait > 0);
      attempt += 1;
    }
    running.delete(peer);
  }

  /** Null when the item is dealt with; else the seconds that the server wants to be left alone. */
  async function attemptSend(item: Pending): Promise<number | null> {
    try {
      const { peer: recipient, body, clientId: client_id } = item;
      receiveStored(state, await api.send({ recipient, body, client_id }));
      state.outbox.value = removed(state.outbox.peek(), item.clientId);
      return null;
    } catch (error) {
      const failure = failureOf(error);
      if (failure.kind === 'busy') return failure.after ?? 0;
      if (failure.kind === 'unreachable') return 0;
      if (failure.kind === 'signed-out') state.signedOut.value = true;
      else state.outbox.value = refused(state.outbox.peek(), item.clientId, failure.reason);
      return null;
    }
  }

  function pause(ms: number, ordered: boolean): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        waits.delete(done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      if (!ordered) waits.add(done);
    });
  }

  function start(): void {
    for (const peer of waitingPeers(state.outbox.peek())) void run(peer);
  }

  function send(peer: string, body: string): void {
    lastWritten = Math.max(Date.now(), lastWritten + 1);
    const writtenAt = new Date(lastWritten).toISOString();
    state.outbox.value = added(state.outbox.peek(), {
      clientId: newClientId(),
      peer,
      body,
      writtenAt,
      refused: null,
    });
    void run(peer);
  }

  return {
    start,
    send,
    retry: (clientId: string) => {
      state.outbox.value = retried(state.outbox.peek(), clientId);
      start();
    },
    discard: (clientId: string) => {
      state.outbox.value = removed(state.outbox.peek(), clientId);
    },
    /** The link is back: no reason to wait any longer, unless the server asked for it. */
    hurry: () => {
      for (const done of [...waits]) done();
      start();
    },
  };
}
