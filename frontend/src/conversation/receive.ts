// One door for everything that the server says about messages, whichever way it came: an event, or the answer to a send.

import { batch } from '@preact/signals';
import type { ChatEvent, Message, OwnProfile, UnknownEvent } from '../api/types';
import { learnFace } from './faces';
import { settled } from './outbox';
import type { State } from './state';
import { peerOf, withChangedMessage, withEvent, withMessage } from './summaries';
import { type Thread, withChanged, withLive } from './thread';

const KNOWN: ReadonlySet<string> = new Set<ChatEvent['type']>([
  'message_created',
  'message_edited',
  'message_deleted',
  'read',
  'conversation',
  'settings',
  'profile_changed',
  'blocks',
]);

export function isKnown(event: ChatEvent | UnknownEvent): event is ChatEvent {
  return KNOWN.has(event.type);
}

export function receiveEvent(state: State, event: ChatEvent): void {
  for (const heard of state.reads) heard.push(event);
  batch(() => {
    state.summaries.value = withEvent(state.summaries.peek(), event, state.me);
    if (event.type === 'message_created') placeNew(state, event.message);
    if (event.type === 'message_edited' || event.type === 'message_deleted') {
      receiveChanged(state, event.message);
    }
    if (event.type === 'settings') {
      const { share_typing, share_presence, share_read, who_may_write } = event;
      state.sharing.value = { share_typing, share_presence, share_read, who_may_write };
    }
    if (event.type === 'blocks') state.blocksTold.value += 1;
    if (event.type === 'profile_changed') receiveProfile(state, event);
  });
}

/** A thread with what an event says of it; it may be known already. */
export function threadWith(thread: Thread, event: ChatEvent, me: string): Thread {
  if (!('message' in event) || peerOf(event.message, me) !== thread.peer) return thread;
  return (event.type === 'message_created' ? withLive : withChanged)(thread, event.message);
}

/** What one says of oneself, as it is now. */
export function receiveProfile(state: State, profile: OwnProfile): void {
  const { display_name, avatar, about, time_zone } = profile;
  learnFace(state, state.me, { display_name, avatar, about, time_zone });
  state.language.value = profile.language;
}

/** A message as it is now: wherever it is held, and where it is quoted. */
export function receiveChanged(state: State, message: Message): void {
  batch(() => {
    state.summaries.value = withChangedMessage(state.summaries.peek(), message, state.me);
    const opened = state.openedWith(peerOf(message, state.me));
    if (!opened) return;
    opened.thread.value = withChanged(opened.thread.peek(), message);
    const quoted = opened.quotes.peek().get(message.seq);
    if (quoted && quoted.version < message.version) {
      opened.quotes.value = new Map(opened.quotes.peek()).set(message.seq, message);
    }
  });
}

/** The answer to a send. It says nothing of unread messages. */
export function receiveStored(state: State, message: Message): void {
  batch(() => {
    state.summaries.value = withMessage(state.summaries.peek(), message, state.me);
    placeNew(state, message);
  });
}

/** A page of history may hold what the outbox believes to be on its way. */
export function settleAll(state: State, messages: readonly Message[]): void {
  state.outbox.value = messages.reduce(
    (box, message) => settled(box, message, state.me),
    state.outbox.peek(),
  );
}

function placeNew(state: State, message: Message): void {
  const seen = state.openedWith(peerOf(message, state.me))?.thread.peek().lastSeq ?? 0;
  update(state, message, withLive);
  state.outbox.value = settled(state.outbox.peek(), message, state.me);
  if (message.user !== state.me && message.seq > seen) state.heard.value = message;
}

function update(state: State, message: Message, change: typeof withLive): void {
  const opened = state.openedWith(peerOf(message, state.me));
  if (opened) opened.thread.value = change(opened.thread.peek(), message);
}
