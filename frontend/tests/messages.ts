// Builders for tests.

import type { ConversationSummary, Message } from '../src/api/types';

export function message(seq: number, more: Partial<Message> = {}): Message {
  const at = new Date(Date.UTC(2026, 10, 22, 7, 0, 0) + seq * 60_000).toISOString();
  return {
    id: seq,
    user: seq % 2 === 0 ? 'ann' : 'bob',
    recipient: seq % 2 === 0 ? 'bob' : 'ann',
    timestamp: at,
    body: `message ${seq}`,
    seq,
    conversation: 1,
    client_id: null,
    version: 1,
    edited_at: null,
    deleted_at: null,
    reply_to: null,
    ...more,
  };
}

/** A conversation of one message, as the list has it. */
export function summary(peer: string, more: Partial<ConversationSummary> = {}): ConversationSummary {
  const marks = { last_seq: 1, read_seq: 0, peer_read_seq: 0, unread: 0, peer_delivered_seq: 0 };
  const kept = { muted_until: null, pinned: false, archived: false };
  return { id: 1, peer, last_message: null, ...marks, ...kept, ...more };
}

/** Messages from `first` to `last`, newest first, as the server lists them. */
export function page(first: number, last: number): Message[] {
  return Array.from({ length: last - first + 1 }, (_, index) => message(last - index));
}

export function seqs(messages: readonly Message[]): number[] {
  return messages.map((each) => each.seq);
}

export function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}
