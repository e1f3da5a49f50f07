// What was written here and is not yet known to be stored: one list for all conversations, in the order of writing.
// An item leaves it when the server's copy is seen, wherever that comes from. Pure; `sender.ts` acts on it.

import type { Message } from '../api/types';

export interface Pending {
  readonly clientId: string;
  readonly peer: string;
  readonly body: string;
  readonly writtenAt: string;
  /** The number of the message that it answers. */
  readonly replyTo: number | null;
  /** Why it was refused; while this is null it is being sent, or waits for its turn or for the link. */
  readonly refused: string | null;
  /** What the server's log calls the request that was refused. */
  readonly request?: string | null;
}

export type Outbox = readonly Pending[];

export function added(outbox: Outbox, item: Pending): Outbox {
  return [...outbox, item];
}

export function removed(outbox: Outbox, clientId: string): Outbox {
  return outbox.some((item) => item.clientId === clientId)
    ? outbox.filter((item) => item.clientId !== clientId)
    : outbox;
}

export function refused(
  outbox: Outbox,
  clientId: string,
  reason: string,
  request: string | null = null,
): Outbox {
  return outbox.map((item) => (item.clientId === clientId ? { ...item, refused: reason, request } : item));
}

/** Back to the end of the line: what was written after it may have been stored meanwhile. So its time is now. */
export function retried(outbox: Outbox, clientId: string, now: string): Outbox {
  const item = outbox.find((each) => each.clientId === clientId);
  return item ? [...removed(outbox, clientId), { ...item, refused: null, writtenAt: now }] : outbox;
}

/** What another tab, or an earlier page, knows: its items take the place of what is here, in the order of writing. */
export function merged(outbox: Outbox, put: Outbox, gone: ReadonlySet<string> = new Set()): Outbox {
  const items = new Map(outbox.map((item) => [item.clientId, item]));
  for (const item of put) items.set(item.clientId, item);
  for (const clientId of gone) items.delete(clientId);
  return [...items.values()].sort(byTime);
}

function byTime(a: Pending, b: Pending): number {
  if (a.writtenAt !== b.writtenAt) return a.writtenAt < b.writtenAt ? -1 : 1;
  return a.clientId < b.clientId ? -1 : 1;
}

/** The server's copy of a message of mine takes the place of what I wrote. */
export function settled(outbox: Outbox, message: Message, me: string): Outbox {
  return message.user === me && message.client_id !== null ? removed(outbox, message.client_id) : outbox;
}

export function nextFor(outbox: Outbox, peer: string): Pending | undefined {
  return outbox.find((item) => item.peer === peer && item.refused === null);
}

export function waitingPeers(outbox: Outbox): ReadonlySet<string> {
  return new Set(outbox.filter((item) => item.refused === null).map((item) => item.peer));
}

/** What a previous page left behind. Anything that does not look like an item is dropped. */
export function parse(stored: string | null): Outbox {
  if (!stored) return [];
  try {
    const value: unknown = JSON.parse(stored);
    const items = Array.isArray(value) ? value.filter(isPending) : [];
    // Items of an earlier version answer nothing.
    return items.map((item) => ({ ...item, replyTo: item.replyTo ?? null }));
  } catch {
    return [];
  }
}

function isPending(value: unknown): value is Pending {
  if (typeof value !== 'object' || value === null) return false;
  const item = value as Record<string, unknown>;
  const texts = [item.clientId, item.peer, item.body, item.writtenAt];
  return (
    texts.every((text) => typeof text === 'string') &&
    (item.replyTo === undefined || item.replyTo === null || typeof item.replyTo === 'number') &&
    (item.refused === null || typeof item.refused === 'string')
  );
}
