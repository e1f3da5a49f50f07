// Keeps the state in step with the server: a snapshot first, fresh or kept on this device, then every event after its
// cursor. The cursor moves only with an event or a snapshot; greetings and heads say how far behind one is, nothing more.

import { batch } from '@preact/signals';
import type { Api } from '../api/client';
import { type Failure, failureOf, waitAfter } from '../api/failure';
import type { ChatEvent, UnknownEvent } from '../api/types';
import { delay } from '../socket/backoff';
import type { Frame, Link } from '../socket/link';
import { lookAt, lookAtList } from './faces';
import { readMeanwhile } from './meanwhile';
import { isKnown, receiveEvent } from './receive';
import type { State } from './state';
import { fromSnapshot, peerOf, withSummary } from './summaries';

export interface SyncOptions {
  state: State;
  api: Api;
  link: () => Link;
  /** The server started over: nothing that is held here can be trusted. */
  onReset: () => void;
  /** Frames that are neither events nor about the log. */
  onPassing: (frame: Frame) => void;
}

/** The cursor cannot be served, or is none any more: it may come from a cache of long ago. */
const UNSERVED = new Set([400, 410]);

export function createSync({ state, api, link, onReset, onPassing }: SyncOptions) {
  let cursor: string | null = null;
  let lagging: string | null = null;
  let attempt = 0;
  /** Counts how often everything was to be had anew. */
  let lineage = 0;
  let retry: ReturnType<typeof setTimeout> | undefined;
  const asked = new Set<string>();

  /** Goes on from the cursor of what this device kept, else from a fresh snapshot. */
  async function start(kept: string | null): Promise<void> {
    if (kept === null) return fetchSnapshot();
    cursor = kept;
    link().start();
  }

  async function fetchSnapshot(): Promise<void> {
    clearTimeout(retry);
    try {
      const page = await api.conversations();
      attempt = 0;
      cursor = page.cursor;
      batch(() => {
        state.summaries.value = fromSnapshot(page.results);
        state.following.value = page.next;
        state.seen.value = Date.now();
        state.list.value = 'ready';
        state.listFailure.value = null;
      });
      link().start();
    } catch (error) {
      const failure = failureOf(error);
      if (signedOut(failure)) return;
      batch(() => {
        state.listFailure.value = failure;
        if (state.list.peek() === 'loading') state.list.value = 'failed';
      });
      const wait = delay(attempt, Math.random, Math.max(250, waitAfter(failure)));
      retry = setTimeout(() => void fetchSnapshot(), wait);
      attempt += 1;
    }
  }

  /** Somebody does not want to wait until it is tried again by itself. */
  async function again(): Promise<void> {
    if (state.list.peek() !== 'failed') return;
    state.list.value = 'loading';
    await fetchSnapshot();
  }

  async function reset(): Promise<void> {
    link().stop();
    lineage += 1;
    cursor = null;
    onReset();
    await fetchSnapshot();
  }

  function hear(frame: Frame): void {
    if (frame.type === 'event') take(frame.cursor as string, frame.event as ChatEvent | UnknownEvent);
    else if (frame.type === 'head') compare(frame.cursor as string);
    else if (frame.type === 'reset') void reset();
    else onPassing(frame);
  }

  function take(next: string, event: ChatEvent | UnknownEvent): void {
    cursor = next;
    lagging = null;
    if (!isKnown(event)) return;
    const peer = puts(event, state.me);
    const strange = peer !== null && !state.summaries.peek().has(peer);
    receiveEvent(state, event);
    if (event.type === 'settings' && event.share_read) lookAnew();
    if (!strange) return;
    // Of the first message of all everything is known but what its sender is called.
    const isFirst = event.type === 'message_created' && event.message.seq === 1;
    if (!isFirst) void complete(peer);
    else if (!state.faces.peek().has(peer)) void lookAt(state, api, peer);
  }

  /**
   * What others have read may be seen again: no event has told it meanwhile. Until somebody has looked, the list is one of
   * long ago: if this page ends before the answer, the next one looks.
   */
  function lookAnew(): void {
    state.seen.value = 0;
    void lookAtList(state, api, () => void reset());
  }

  /** Behind at two heads in a row without an event between them: ask instead of waiting. */
  function compare(head: string): void {
    if (head === cursor) lagging = null;
    else if (lagging === cursor) void catchUp();
    else lagging = cursor;
  }

  /** The events by plain requests: for a link that says less than the log holds, or cannot be had at all. */
  async function catchUp(): Promise<void> {
    try {
      for (let more = true; more && cursor !== null; ) {
        const from: string = cursor;
        const page = await api.events(from);
        if (cursor !== from) return;
        for (const event of page.events) take(event.cursor, event);
        cursor = page.cursor;
        more = page.more;
      }
    } catch (error) {
      const failure = failureOf(error);
      if (signedOut(failure)) return;
      if (failure.kind === 'refused' && UNSERVED.has(failure.status)) await reset();
    }
  }

  /** A conversation that the list did not hold was heard of: no event says all of it. */
  async function complete(peer: string): Promise<void> {
    if (asked.has(peer)) return;
    asked.add(peer);
    try {
      await readMeanwhile(
        state,
        () => api.conversation(peer),
        (fetched, heard) => {
          state.summaries.value = withSummary(state.summaries.peek(), fetched, heard);
        },
      );
    } catch (error) {
      signedOut(failureOf(error));
    } finally {
      asked.delete(peer);
    }
  }

  async function more(): Promise<void> {
    const next = state.following.peek();
    if (next === null) return;
    const mine = lineage;
    state.following.value = null;
    state.moreFailure.value = null;
    try {
      await readMeanwhile(
        state,
        () => api.moreConversations(next),
        (page, heard) =>
          batch(() => {
            state.summaries.value = page.results.reduce(
              (list, each) => withSummary(list, each, heard),
              state.summaries.peek(),
            );
            state.following.value = page.next;
          }),
      );
    } catch (error) {
      const failure = failureOf(error);
      if (signedOut(failure) || mine !== lineage) return;
      batch(() => {
        state.following.value = next;
        state.moreFailure.value = failure;
      });
    }
  }

  /** The link was refused: no session, or no way for sockets. In the second case plain requests still bring the news. */
  async function mayGoOn(): Promise<boolean> {
    try {
      await api.session();
    } catch (error) {
      return !signedOut(failureOf(error));
    }
    await catchUp();
    return true;
  }

  function signedOut(failure: Failure): boolean {
    if (failure.kind === 'signed-out') state.signedOut.value = true;
    return failure.kind === 'signed-out';
  }

  return { start, again, reset: () => void reset(), hear, more, mayGoOn, cursor: () => cursor };
}

/** Whose conversation an event puts into the list, if it is not there yet. */
function puts(event: ChatEvent, me: string): string | null {
  if (event.type === 'message_created') return peerOf(event.message, me);
  return event.type === 'read' || event.type === 'conversation' ? event.peer : null;
}
