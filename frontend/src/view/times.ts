// Points in time as people say them, in local time and the browser's language.

import { signal } from '@preact/signals';
import { strings } from '../strings';

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const weekday = new Intl.DateTimeFormat(undefined, { weekday: 'long' });
const shortDay = new Intl.DateTimeFormat(undefined, { weekday: 'short' });
const date = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'long' });
const dateWithYear = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'long', year: 'numeric' });
const shortDate = new Intl.DateTimeFormat(undefined, { day: '2-digit', month: '2-digit', year: '2-digit' });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'medium' });

/** The start of the current day; moves at midnight, and so does everything that was said with it. */
export const today = signal(startOfDay(new Date()));

export function watchMidnight(): void {
  setInterval(() => {
    const now = startOfDay(new Date());
    if (now !== today.peek()) today.value = now;
  }, 30_000);
}

export function startOfDay(at: Date): number {
  return new Date(at.getFullYear(), at.getMonth(), at.getDate()).getTime();
}

export function timeOfDay(timestamp: string): string {
  return clock.format(new Date(timestamp));
}

export function inFull(timestamp: string): string {
  return full.format(new Date(timestamp));
}

/** For the line between two days. */
export function dayName(day: number, now: number): string {
  const ago = daysBetween(day, now);
  if (ago === 0) return strings.days.today;
  if (ago === 1) return strings.days.yesterday;
  if (ago > 1 && ago < 7) return weekday.format(day);
  const sameYear = new Date(day).getFullYear() === new Date(now).getFullYear();
  return (sameYear ? date : dateWithYear).format(day);
}

/** For a line of the list. */
export function shortTime(timestamp: string, now: number): string {
  const at = new Date(timestamp);
  const ago = daysBetween(startOfDay(at), now);
  if (ago <= 0) return clock.format(at);
  if (ago === 1) return strings.days.yesterday;
  return (ago < 7 ? shortDay : shortDate).format(at);
}

/** Whole days; a day of 23 or 25 hours is one. */
function daysBetween(day: number, now: number): number {
  return Math.round((now - day) / 86_400_000);
}
