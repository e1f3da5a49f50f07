// Which of the messages that were just heard are worth an alert. Pure.

import type { ConversationSummary, Message } from '../api/types';
import type { Summaries } from '../conversation/summaries';

/** The newest message of each conversation that was not read meanwhile, here or elsewhere, and is neither muted nor a request. */
export function worthAnAlert(
  heard: readonly Message[],
  summaries: Summaries,
  me: string,
  now: number,
): readonly Message[] {
  const newest = new Map<string, Message>();
  for (const message of heard) {
    if (message.user === me) continue;
    const summary = summaries.get(message.user);
    const read = summary !== undefined && (summary.unread === 0 || message.seq <= summary.read_seq);
    if (read || summary?.request || (summary && isMuted(summary, now))) continue;
    if (message.seq > (newest.get(message.user)?.seq ?? 0)) newest.set(message.user, message);
  }
  return [...newest.values()];
}

/** Whether nothing of it makes a noise. */
export function isMuted({ muted_until }: ConversationSummary, now: number): boolean {
  return muted_until !== null && Date.parse(muted_until) > now;
}
