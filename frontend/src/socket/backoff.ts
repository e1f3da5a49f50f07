// Waiting before another try: full jitter, so that a thousand clients of a restarted server do not come back together.

const FIRST_MS = 500;
const LONGEST_MS = 30_000;

/** A moment between now and 0.5 s, 1 s, 2 s, … 30 s; `atLeast` is what the server asked for. */
export function delay(attempt: number, random: () => number = Math.random, atLeast = 0): number {
  const ceiling = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(attempt, 10));
  return Math.max(atLeast, random() * ceiling);
}
