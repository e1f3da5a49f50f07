// The list of conversations: what the server's snapshot says, moved on by events. The rule that everything here keeps:
// applying the events after a snapshot's cursor gives what a fresh snapshot would say, even when the snapshot already
// knew some of them or an event comes twice (`tests/invariant.test.ts`).

import type { ChatEvent, ConversationSettings, ConversationSummary, Message, ReadState } from '../api/types';
import { heardMarks, heardSettings } from './meanwhile';

type Marks = Pick<ReadState, 'peer_read_seq'>;

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
      return withMessage(list, event.message, me, event);
    case 'message_edited':
    case 'message_deleted':
      return withChangedMessage(list, event.message, me);
    case 'read':
      return withRead(list, event);
    case 'conversation':
      return withSettings(list, event);
    case 'settings':
      return event.share_read ? list : withoutReceipts(list, me);
    case 'profile_changed':
    case 'blocks':
      return list;
  }
}

interface Told {
  readonly unread?: number;
  readonly request?: boolean;
}

/** A new message; without `unread` (one's own) the count stays as it is. */
export function withMessage(
  list: Summaries,
  message: Message,
  me: string,
  { unread, request = false }: Told = {},
): Summaries {
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
    peer_delivered_seq: self ? Math.max(known.peer_delivered_seq, message.seq) : known.peer_delivered_seq,
    archived: known.archived && !newer,
    // Whoever writes back has accepted; an event of before that says nothing.
    request: message.user !== me && (newer ? request : known.request),
    unread: counts && !self ? unread : known.unread,
  });
}

export function withChangedMessage(list: Summaries, message: Message, me: string): Summaries {
  const known = list.get(peerOf(message, me));
  if (known?.last_message?.seq !== message.seq) return list;
  return new Map(list).set(known.peer, { ...known, last_message: latest(known.last_message, message) });
}

/** Who hides how far they have read does not see it of others. */
function withoutReceipts(list: Summaries, me: string): Summaries {
  const hidden = [...list].map(([peer, each]) => [peer, peer === me ? each : { ...each, peer_read_seq: 0 }]);
  return new Map(hidden as [string, ConversationSummary][]);
}

/** Read marks never move back, but for one that is hidden; a count that belongs to an older mark says nothing. */
export function withRead(list: Summaries, read: ReadState): Summaries {
  const known = list.get(read.peer) ?? unknown(read.conversation, read.peer);
  return new Map(list).set(read.peer, {
    ...known,
    peer_read_seq: seenRead(known, read),
    peer_delivered_seq: Math.max(known.peer_delivered_seq, read.peer_delivered_seq),
    read_seq: Math.max(known.read_seq, read.read_seq),
    unread: read.read_seq >= known.read_seq ? read.unread : known.unread,
  });
}

/** 0 is nothing, or nothing that may be seen. If the peer has read something meanwhile, that comes after it. */
function seenRead(known: Marks, told: Marks): number {
  return told.peer_read_seq === 0 ? 0 : Math.max(known.peer_read_seq, told.peer_read_seq);
}

/** How one keeps a conversation, as it is now. */
export function withSettings(list: Summaries, settings: ConversationSettings): Summaries {
  const known = list.get(settings.peer) ?? unknown(settings.conversation, settings.peer);
  const { muted_until, pinned, archived, request = known.request } = settings;
  return new Map(list).set(settings.peer, { ...known, muted_until, pinned, archived, request });
}

/** One conversation as fetched, and what was heard while it was under way, which `list` knows already. */
export function withSummary(
  list: Summaries,
  answer: ConversationSummary,
  heard: readonly ChatEvent[] = [],
): Summaries {
  // Of a conversation that was not in the list a change was not kept.
  const changed = heard.flatMap((event) =>
    'message' in event && event.message.conversation === answer.id ? event.message : [],
  );
  const last = answer.last_message && changed.reduce<Message>(latest, answer.last_message);
  const fetched = { ...answer, last_message: last };
  const known = list.get(fetched.peer);
  if (!known) return new Map(list).set(fetched.peer, fetched);
  const ahead = known.last_seq > fetched.last_seq || known.read_seq > fetched.read_seq;
  const [told, other] = heardSettings(heard, fetched.peer) ? [known, fetched] : [fetched, known];
  return new Map(list).set(fetched.peer, {
    ...fetched,
    muted_until: told.muted_until,
    pinned: told.pinned,
    // A message of which that does not know yet brings the conversation back; of none it knows nothing at all.
    archived: told.archived && (told.last_seq === 0 || other.last_seq <= told.last_seq),
    last_message: newest(known.last_message, fetched.last_message),
    last_seq: Math.max(known.last_seq, fetched.last_seq),
    read_seq: Math.max(known.read_seq, fetched.read_seq),
    peer_read_seq: heardMarks(heard, fetched.peer) ? known.peer_read_seq : seenRead(known, fetched),
    peer_delivered_seq: Math.max(known.peer_delivered_seq, fetched.peer_delivered_seq),
    unread: ahead ? known.unread : fetched.unread,
    // What was accepted stays so.
    request: known.request === undefined ? fetched.request : known.request && fetched.request,
  });
}

/** What no event tells of somebody: what they are called, and what they have hidden or show again. */
export function withLook(
  list: Summaries,
  fetched: ConversationSummary,
  heard: readonly ChatEvent[] = [],
): Summaries {
  const known = list.get(fetched.peer);
  if (!known) return list;
  const { display_name = '', avatar = null } = fetched;
  const peer_read_seq = heardMarks(heard, fetched.peer) ? known.peer_read_seq : seenRead(known, fetched);
  const isSame = known.display_name === display_name && known.avatar === avatar;
  if (isSame && known.peer_read_seq === peer_read_seq) return list;
  return new Map(list).set(fetched.peer, { ...known, display_name, avatar, peer_read_seq });
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

/** Strangers who wait to be accepted. Those whom one blocks wait for nothing. */
export function requestsIn(
  list: Summaries,
  blocked: ReadonlyMap<string, unknown> | null,
): readonly ConversationSummary[] {
  return inOrder(list).filter(({ peer, request }) => request && !blocked?.has(peer));
}

export function unreadTotal(list: Summaries): number {
  let total = 0;
  for (const { unread, request } of list.values()) if (!request) total += unread;
  return total;
}

function unknown(id: number, peer: string): ConversationSummary {
  const marks = { last_seq: 0, read_seq: 0, peer_read_seq: 0, unread: 0, peer_delivered_seq: 0 };
  return { id, peer, last_message: null, ...marks, muted_until: null, pinned: false, archived: false };
}

function latest(known: Message | null, message: Message): Message {
  if (!known || message.seq !== known.seq) return known ?? message;
  return message.version > known.version ? message : known;
}

function newest(known: Message | null, fetched: Message | null): Message | null {
  if (!known || !fetched) return known ?? fetched;
  return fetched.seq > known.seq ? fetched : latest(known, fetched);
}
