// Empties the outbox: in order, one message at a time in each conversation, the next after the answer, and by one tab at
// a time. Whether a message was stored may be unknown after a failure; the same client id makes asking again safe.

import type { Api } from '../api/client';
import { failureOf } from '../api/failure';
import type { Turns } from '../device/turns';
import { delay } from '../socket/backoff';
import { newClientId } from './client-id';
import { added, nextFor, type Pending, refused, removed, retried, waitingPeers } from './outbox';
import { receiveStored } from './receive';
import type { State } from './state';

/** Another tab that waits for its turn believes after a while that this one hangs (`turns.ts`). */
const TURN_MS = 10_000;

export interface SenderOptions {
  state: State;
  api: Api;
  turns: Turns;
  /** What other tabs did while this one waited for its turn; and what must be stored before the next one has its. */
  refresh: () => Promise<void>;
  saved: () => Promise<unknown>;
  random?: () => number;
}

export function createSender({ state, api, turns, refresh, saved, random = Math.random }: SenderOptions) {
  const running = new Set<string>();
  const waits = new Set<() => void>();
  let asleep = false;
  let lastWritten = 0;

  /** A turn may be taken away: then it is asked for again. */
  async function run(peer: string): Promise<void> {
    if (running.has(peer)) return;
    running.add(peer);
    while (!asleep && !state.signedOut.peek() && nextFor(state.outbox.peek(), peer))
      await turns.take(`send ${peer}`, (over) => drain(peer, over));
    running.delete(peer);
  }

  async function drain(peer: string, over: AbortSignal): Promise<void> {
    await refresh();
    const until = performance.now() + TURN_MS;
    let attempt = 0;
    while (!over.aborted && !asleep && !state.signedOut.peek()) {
      const item = nextFor(state.outbox.peek(), peer);
      if (!item) break;
      const wait = await attemptSend(item);
      if (wait === null && performance.now() > until) break;
      if (wait === null) {
        attempt = 0;
        continue;
      }
      await pause(delay(attempt, random, wait * 1_000), wait > 0, over);
      attempt += 1;
    }
    await saved();
  }

  /** Null when the item is dealt with; else the seconds that the server wants to be left alone. */
  async function attemptSend(item: Pending): Promise<number | null> {
    try {
      const { peer: recipient, body, clientId: client_id, replyTo: reply_to } = item;
      receiveStored(state, await api.send({ recipient, body, client_id, reply_to }));
      state.outbox.value = removed(state.outbox.peek(), item.clientId);
      return null;
    } catch (error) {
      const failure = failureOf(error);
      if (failure.kind === 'busy') return failure.after ?? 0;
      if (failure.kind === 'unreachable') return 0;
      if (failure.kind === 'signed-out') state.signedOut.value = true;
      else {
        const { reason, request } = failure;
        state.outbox.value = refused(state.outbox.peek(), item.clientId, reason, request);
      }
      return null;
    }
  }

  function pause(ms: number, ordered: boolean, over: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        waits.delete(done);
        over.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      over.addEventListener('abort', done);
      if (!ordered) waits.add(done);
    });
  }

  function start(): void {
    for (const peer of waitingPeers(state.outbox.peek())) void run(peer);
  }

  /** Later than everything that was written before, also where the clock went back. */
  function now(): string {
    const last = Date.parse(state.outbox.peek().at(-1)?.writtenAt ?? '') || 0;
    lastWritten = Math.max(Date.now(), lastWritten + 1, last + 1);
    return new Date(lastWritten).toISOString();
  }

  function send(peer: string, body: string, replyTo: number | null = null): void {
    const writtenAt = now();
    state.outbox.value = added(state.outbox.peek(), {
      clientId: newClientId(),
      peer,
      body,
      writtenAt,
      replyTo,
      refused: null,
    });
    void run(peer);
  }

  return {
    start,
    send,
    retry: (clientId: string) => {
      state.outbox.value = retried(state.outbox.peek(), clientId, now());
      start();
    },
    discard: (clientId: string) => {
      state.outbox.value = removed(state.outbox.peek(), clientId);
    },
    /** The page is put to sleep, in the middle of whatever it does: another tab may go on. */
    sleep: () => {
      asleep = true;
      turns.giveUp();
    },
    wake: () => {
      asleep = false;
      start();
    },
    /** The link is back: no reason to wait any longer, unless the server asked for it. */
    hurry: () => {
      for (const done of [...waits]) done();
      start();
    },
  };
}
