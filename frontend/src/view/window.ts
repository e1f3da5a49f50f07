// Which part of the loaded messages is in the document: never more than `MOST` rows, moved in steps while scrolling.
// Pure; numbers are sequence numbers, and an open end follows what arrives.

import type { Message } from '../api/types';

export interface View {
  readonly from: number;
  readonly to: number;
}

export const MOST = 170;
const STEP = 50;
const FIRST = 80;

/** The newest messages. */
export function atEnd(messages: readonly Message[]): View {
  return { from: (messages.at(-FIRST) ?? messages[0])?.seq ?? 0, to: Number.POSITIVE_INFINITY };
}

export function around(messages: readonly Message[], seq: number): View {
  const index = indexOf(messages, seq);
  const end = messages[index + FIRST / 2];
  return {
    from: messages[Math.max(0, index - FIRST / 2)]?.seq ?? 0,
    to: end?.seq ?? Number.POSITIVE_INFINITY,
  };
}

export function inView(messages: readonly Message[], view: View): readonly Message[] {
  const start = indexOf(messages, view.from);
  const end = view.to === Number.POSITIVE_INFINITY ? messages.length : indexOf(messages, view.to) + 1;
  return messages.slice(start, end);
}

/** Whether one more step fits without taking rows away on the other side. */
export function hasRoom(messages: readonly Message[], view: View): boolean {
  return inView(messages, view).length + STEP <= MOST;
}

export function extendedUp(messages: readonly Message[], view: View): View {
  const start = Math.max(0, indexOf(messages, view.from) - STEP);
  return { from: messages[start]?.seq ?? 0, to: shorter(view.to, messages[start + MOST - 1]?.seq) };
}

export function extendedDown(messages: readonly Message[], view: View): View {
  const end = indexOf(messages, view.to) + STEP;
  const last = messages[end];
  const to = last ? last.seq : Number.POSITIVE_INFINITY;
  const from = messages[Math.min(end, messages.length - 1) - MOST + 1]?.seq ?? 0;
  return { from: Math.max(view.from, from), to };
}

/**
 * What the next drawing shows. Messages that arrived may have made it too long: the side that is not being read gives
 * way. It begins at a message that is here, so that older ones come in by steps and not all at once.
 */
export function settled(messages: readonly Message[], view: View, room: number, atBottom: boolean): View {
  const from = Math.max(view.from, messages[0]?.seq ?? 0);
  const start = indexOf(messages, from);
  if (messages.length - start <= room || view.to !== Number.POSITIVE_INFINITY) return { ...view, from };
  if (atBottom) return { ...view, from: messages[messages.length - room + STEP / 2]?.seq ?? from };
  return { from, to: messages[start + room - 1]?.seq ?? view.to };
}

function shorter(to: number, limit: number | undefined): number {
  return limit === undefined ? to : Math.min(to, limit);
}

/** The first message with at least this number. Found by halving: the list may be long. */
function indexOf(messages: readonly Message[], seq: number): number {
  let [low, high] = [0, messages.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((messages[middle]?.seq ?? 0) < seq) low = middle + 1;
    else high = middle;
  }
  return low;
}
