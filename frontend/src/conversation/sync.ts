// Keeps the state in step with the server: a snapshot first, then every event after its cursor. The cursor moves only
// with an event or a snapshot; greetings and heads say how far behind one is, nothing more.

import { batch } from '@preact/signals';
import type { Api } from '../api/client';
import { type Failure, failureOf } from '../api/failure';
import type { ChatEvent, UnknownEvent } from '../api/types';
import { delay } from '../socket/backoff';
import type { Frame, Link } from '../socket/link';
import { isKnown, receiveEvent } from './receive';
import type { State } from './state';
import { fromSnapshot, peerOf, withSummary } from './summaries';

export interface SyncOptions {
  state: State;
  api: Api;
  link: () => Link;
  /** The server started over: nothing that is held here can be trusted. */
  onReset: () => void;
}

const GONE = 410;

export function createSync({ state, api, link, onReset }: SyncOptions) {
  let cursor: string | null = null;
  let lagging: string | null = null;
  let attempt = 0;
  let retry: ReturnType<typeof setTimeout> | undefined;
  const asked = new Set<string>();

  async function start(): Promise<void> {
    clearTimeout(retry);
    try {
      const page = await api.conversations();
      attempt = 0;
      batch(() => {
        state.summaries.value = fromSnapshot(page.results);
        state.following.value = page.next;
        state.list.value = 'ready';
      });
      cursor = page.cursor;
      link().start();
    } catch (error) {
      if (signedOut(failureOf(error))) return;
      if (state.list.peek() === 'loading') state.list.value = 'failed';
      retry = setTimeout(() => void start(), delay(attempt, Math.random, 250));
      attempt += 1;
    }
  }

  async function reset(): Promise<void> {
    link().stop();
    cursor = null;
    onReset();
    await start();
  }

  function hear(frame: Frame): void {
    if (frame.type === 'event') take(frame.cursor as string, frame.event as ChatEvent | UnknownEvent);
    else if (frame.type === 'head') compare(frame.cursor as string);
    else if (frame.type === 'reset') void reset();
  }

  function take(next: string, event: ChatEvent | UnknownEvent): void {
    cursor = next;
    lagging = null;
    if (!isKnown(event)) return;
    const strange =
      event.type === 'message_created' && !state.summaries.peek().has(peerOf(event.message, state.me));
    receiveEvent(state, event);
    if (strange && event.message.seq > 1) void complete(peerOf(event.message, state.me));
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
      if (failure.kind === 'refused' && failure.status === GONE) await reset();
    }
  }

  /** A conversation that the list did not hold was heard of: its read marks are not in the event. */
  async function complete(peer: string): Promise<void> {
    if (asked.has(peer)) return;
    asked.add(peer);
    try {
      state.summaries.value = withSummary(state.summaries.peek(), await api.conversation(peer));
    } catch (error) {
      signedOut(failureOf(error));
    } finally {
      asked.delete(peer);
    }
  }

  async function more(): Promise<void> {
    const next = state.following.peek();
    if (next === null) return;
    state.following.value = null;
    try {
      const page = await api.moreConversations(next);
      batch(() => {
        state.summaries.value = page.results.reduce(withSummary, state.summaries.peek());
        state.following.value = page.next;
      });
    } catch (error) {
      if (!signedOut(failureOf(error))) state.following.value = next;
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

  return { start, hear, more, mayGoOn, cursor: () => cursor };
}
