// What the composer of a conversation is about: a new message, an answer to one, or a change of one. A change has a text
// of its own: the draft, which other tabs see too, is left alone.

import { signal } from '@preact/signals';
import type { Message } from '../api/types';
import type { State } from './state';
import { shown } from './thread';

export function compose(state: State, peer: string, what: 'reply' | 'edit', message: Message): void {
  state.conversation(peer).composing.value =
    what === 'reply' ? { kind: 'reply', to: message } : { kind: 'edit', message, text: signal(message.body) };
}

/** Back to a new message. */
export function composeNew(state: State, peer: string): void {
  const { composing } = state.conversation(peer);
  if (composing.peek().kind !== 'new') composing.value = { kind: 'new' };
}

/** The newest message of one's own that can be changed. */
export function lastOwn(state: State, peer: string): Message | undefined {
  return shown(state.conversation(peer).thread.peek()).findLast(
    (message) => message.user === state.me && message.deleted_at === null,
  );
}
