// Points in time as people say them, in local time and the language that is spoken.

import { signal } from '@preact/signals';
import { locale, strings } from '../words';

const FORMS = {
  clock: { hour: '2-digit', minute: '2-digit' },
  weekday: { weekday: 'long' },
  shortDay: { weekday: 'short' },
  date: { day: 'numeric', month: 'long' },
  dateWithYear: { day: 'numeric', month: 'long', year: 'numeric' },
  shortDate: { day: '2-digit', month: '2-digit', year: '2-digit' },
  full: { dateStyle: 'full', timeStyle: 'medium' },
} as const satisfies Record<string, Intl.DateTimeFormatOptions>;

const made = new Map<string, Intl.DateTimeFormat>();

/** Made once each, and not before it is known which language is spoken. */
function written(form: keyof typeof FORMS, at: Date | number): string {
  const key = `${locale} ${form}`;
  const format = made.get(key) ?? new Intl.DateTimeFormat(locale, FORMS[form]);
  made.set(key, format);
  return format.format(at);
}

/** What time it is there; null for a zone that this browser does not know. */
export function clockIn(timeZone: string): string | null {
  try {
    return new Intl.DateTimeFormat(locale, { ...FORMS.clock, timeZone }).format();
  } catch {
    return null;
  }
}

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
  return written('clock', new Date(timestamp));
}

export function inFull(timestamp: string): string {
  return written('full', new Date(timestamp));
}

/** A day that may be far off. */
export function dateOf(timestamp: string): string {
  return written('dateWithYear', new Date(timestamp));
}

/** For the line between two days. */
export function dayName(day: number, now: number): string {
  const ago = daysBetween(day, now);
  if (ago === 0) return strings.days.today;
  if (ago === 1) return strings.days.yesterday;
  if (ago > 1 && ago < 7) return written('weekday', day);
  const sameYear = new Date(day).getFullYear() === new Date(now).getFullYear();
  return written(sameYear ? 'date' : 'dateWithYear', day);
}

/** For a line of the list. */
export function shortTime(timestamp: string, now: number): string {
  const at = new Date(timestamp);
  const ago = daysBetween(startOfDay(at), now);
  if (ago <= 0) return written('clock', at);
  if (ago === 1) return strings.days.yesterday;
  return written(ago < 7 ? 'shortDay' : 'shortDate', at);
}

/** Whole days; a day of 23 or 25 hours is one. */
function daysBetween(day: number, now: number): number {
  return Math.round((now - day) / 86_400_000);
}
