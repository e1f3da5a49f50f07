// From messages to what stands in the log: days, the line above the new ones, groups of one person's messages, and the
// outbox at the end. Pure.

import type { Message } from '../api/types';
import type { Pending } from '../conversation/outbox';
import { startOfDay } from './times';

export type Delivery = 'sending' | 'stored' | 'delivered' | 'read' | 'failed';

export interface MessageRow {
  readonly kind: 'message';
  readonly key: string;
  /** Missing while only this device knows the message. */
  readonly seq: number | null;
  readonly sender: string;
  readonly mine: boolean;
  readonly body: string;
  readonly timestamp: string;
  readonly delivery: Delivery | null;
  readonly refused: string | null;
  /** The id of the request that was refused. */
  readonly request: string | null;
  /** What the server knows of it; missing while only this device does. */
  readonly message: Message | null;
  readonly replyTo: number | null;
  /** The message that it answers, when it is here. */
  readonly quote: Message | null;
  readonly first: boolean;
  readonly last: boolean;
}

export type Row = MessageRow | { readonly kind: 'unread'; readonly key: string };

/** The rows of one day in local time. */
export interface Day {
  readonly day: number;
  readonly rows: Row[];
}

export interface RowsInput {
  readonly messages: readonly Message[];
  readonly pending: readonly Pending[];
  readonly me: string;
  readonly peerReadSeq: number;
  readonly peerDeliveredSeq: number;
  readonly quoted: (seq: number) => Message | null;
  /** The new messages begin after this number; null when there are none. */
  readonly readBefore: number | null;
  /** The message above the first one, when it is here but not shown. */
  readonly above: Message | undefined;
}

const GROUP_MS = 5 * 60_000;

type Item = Omit<MessageRow, 'first' | 'last'>;

export function buildDays(input: RowsInput): readonly Day[] {
  const items = [
    ...input.messages.map((message) => fromMessage(message, input)),
    ...input.pending.map((pending) => fromPending(pending, input)),
  ];
  const line = newLine(input);
  const days: Day[] = [];
  let above = input.above && fromMessage(input.above, input);
  items.forEach((item, index) => {
    const below = items[index + 1];
    const day = startOfDay(new Date(item.timestamp));
    if (days.at(-1)?.day !== day) days.push({ day, rows: [] });
    const unread = item.seq !== null && item.seq === line;
    if (unread) days.at(-1)?.rows.push({ kind: 'unread', key: 'unread' });
    const first = unread || !together(above, item);
    const last = !below || (line !== undefined && below.seq === line) || !together(item, below);
    days.at(-1)?.rows.push({ ...item, first, last });
    above = item;
  });
  return days;
}

/** The first message of somebody else's that was not read. */
function newLine({ messages, me, readBefore }: RowsInput): number | undefined {
  if (readBefore === null) return undefined;
  return messages.find((message) => message.seq > readBefore && message.user !== me)?.seq;
}

function together(above: Item | undefined, below: Item): boolean {
  if (above?.sender !== below.sender) return false;
  const [from, to] = [new Date(above.timestamp), new Date(below.timestamp)];
  return to.getTime() - from.getTime() <= GROUP_MS && startOfDay(from) === startOfDay(to);
}

function fromMessage(message: Message, input: RowsInput): Item {
  const mine = message.user === input.me;
  return {
    kind: 'message',
    // The bubble that was shown while sending stays the same element when the server's copy takes its place.
    key: mine && message.client_id !== null ? message.client_id : `#${message.seq}`,
    seq: message.seq,
    sender: message.user,
    mine,
    body: message.body,
    timestamp: message.timestamp,
    delivery: mine ? cameTo(message.seq, input.peerReadSeq, input.peerDeliveredSeq) : null,
    refused: null,
    request: null,
    message,
    ...answer(message.reply_to, input),
  };
}

/** How far a message of one's own got. */
export function cameTo(seq: number, peerReadSeq: number, peerDeliveredSeq: number): Delivery {
  if (seq <= peerReadSeq) return 'read';
  return seq <= peerDeliveredSeq ? 'delivered' : 'stored';
}

function answer(replyTo: number | null, { quoted }: RowsInput) {
  return { replyTo, quote: replyTo === null ? null : quoted(replyTo) };
}

function fromPending(pending: Pending, input: RowsInput): Item {
  return {
    kind: 'message',
    key: pending.clientId,
    seq: null,
    sender: input.me,
    mine: true,
    body: pending.body,
    timestamp: pending.writtenAt,
    delivery: pending.refused === null ? 'sending' : 'failed',
    refused: pending.refused,
    request: pending.request ?? null,
    message: null,
    ...answer(pending.replyTo, input),
  };
}
