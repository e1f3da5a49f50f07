// One door for everything that the server says about messages, whichever way it came: an event, or the answer to a send.

import { batch } from '@preact/signals';
import type { ChatEvent, Message, UnknownEvent } from '../api/types';
import { settled } from './outbox';
import type { State } from './state';
import { peerOf, withEvent, withMessage } from './summaries';
import { withChanged, withLive } from './thread';

export function isKnown(event: ChatEvent | UnknownEvent): event is ChatEvent {
  return ['message_created', 'message_edited', 'message_deleted', 'read'].includes(event.type);
}

export function receiveEvent(state: State, event: ChatEvent): void {
  batch(() => {
    state.summaries.value = withEvent(state.summaries.peek(), event, state.me);
    if (event.type === 'message_created') placeNew(state, event.message);
    if (event.type === 'message_edited' || event.type === 'message_deleted') {
      update(state, event.message, withChanged);
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
