// The list of conversations: what the server's snapshot says, moved on by events. The rule that everything here keeps:
// applying the events after a snapshot's cursor gives what a fresh snapshot would say, even when the snapshot already
// knew some of them or an event comes twice (`tests/invariant.test.ts`).

import type { ChatEvent, ConversationSummary, Message, ReadState } from '../api/types';

export type Summaries = ReadonlyMap<string, ConversationSummary>;

export function peerOf(message: Message, me: string): string {
  return message.user === me ? message.recipient : message.user;
}

export function fromSnapshot(results: readonly ConversationSummary[]): Summaries {
  return new Map(results.map((summary) => [summary.peer, summary]));
}

export function withEvent(list: Summaries, event: ChatEvent, me: string): Summaries {
  switch (event.type) {
    case 'message_created':
      return withMessage(list, event.message, me, event.unread);
    case 'message_edited':
    case 'message_deleted':
      return withChangedMessage(list, event.message, me);
    case 'read':
      return withRead(list, event);
  }
}

/** A new message; without `unread` (one's own) the count stays as it is. */
export function withMessage(list: Summaries, message: Message, me: string, unread?: number): Summaries {
  const peer = peerOf(message, me);
  const known = list.get(peer) ?? unknown(message.conversation, peer);
  const newer = message.seq > known.last_seq || !known.last_message;
  const self = peer === me;
  const counts = unread !== undefined && message.seq > known.read_seq;
  return new Map(list).set(peer, {
    ...known,
    last_message: newer ? message : latest(known.last_message, message),
    last_seq: Math.max(known.last_seq, message.seq),
    read_seq: self ? Math.max(known.read_seq, message.seq) : known.read_seq,
    peer_read_seq: self ? Math.max(known.peer_read_seq, message.seq) : known.peer_read_seq,
    unread: counts && !self ? unread : known.unread,
  });
}

function withChangedMessage(list: Summaries, message: Message, me: string): Summaries {
  const known = list.get(peerOf(message, me));
  if (known?.last_message?.seq !== message.seq) return list;
  return new Map(list).set(known.peer, { ...known, last_message: latest(known.last_message, message) });
}

/** Read marks never move back; a count that belongs to an older mark says nothing. */
export function withRead(list: Summaries, read: ReadState): Summaries {
  const known = list.get(read.peer) ?? unknown(read.conversation, read.peer);
  return new Map(list).set(read.peer, {
    ...known,
    peer_read_seq: Math.max(known.peer_read_seq, read.peer_read_seq),
    read_seq: Math.max(known.read_seq, read.read_seq),
    unread: read.read_seq >= known.read_seq ? read.unread : known.unread,
  });
}

/** One conversation as fetched; events may have run ahead of the answer while it was under way. */
export function withSummary(list: Summaries, fetched: ConversationSummary): Summaries {
  const known = list.get(fetched.peer);
  if (!known) return new Map(list).set(fetched.peer, fetched);
  const ahead = known.last_seq > fetched.last_seq || known.read_seq > fetched.read_seq;
  return new Map(list).set(fetched.peer, {
    ...fetched,
    last_message: known.last_seq > fetched.last_seq ? known.last_message : fetched.last_message,
    last_seq: Math.max(known.last_seq, fetched.last_seq),
    read_seq: Math.max(known.read_seq, fetched.read_seq),
    peer_read_seq: Math.max(known.peer_read_seq, fetched.peer_read_seq),
    unread: ahead ? known.unread : fetched.unread,
  });
}

/** Newest activity first: by time, then by id, as the server lists them. */
export function inOrder(list: Summaries): readonly ConversationSummary[] {
  return [...list.values()].sort((a, b) => {
    const [x, y] = [a.last_message, b.last_message];
    if (!x || !y) return x ? -1 : y ? 1 : b.id - a.id;
    if (x.timestamp !== y.timestamp) return x.timestamp < y.timestamp ? 1 : -1;
    return y.id - x.id;
  });
}

export function unreadTotal(list: Summaries): number {
  let total = 0;
  for (const summary of list.values()) total += summary.unread;
  return total;
}

function unknown(id: number, peer: string): ConversationSummary {
  return { id, peer, last_message: null, last_seq: 0, read_seq: 0, peer_read_seq: 0, unread: 0 };
}

function latest(known: Message | null, message: Message): Message {
  if (!known || message.seq !== known.seq) return known ?? message;
  return message.version > known.version ? message : known;
}
