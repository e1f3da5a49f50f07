// Finds names by some of their letters. Pure, and cheap enough for each key: a name is prepared once, and looked at once
// for each key after that.

export interface Candidate {
  readonly name: string;
  readonly key: string;
}

/** `called`: what they are called besides. */
export function candidate(name: string, called = ''): Candidate {
  const [key, other] = [fold(name), fold(called)];
  // Apart by something that begins a part, and is in no name.
  return { name, key: other === '' || other === key ? key : `${key}@${other}` };
}

/** The names that fit, the best first; those that fit equally well stay in the order they came in. */
export function best(text: string, candidates: readonly Candidate[], limit: number): readonly string[] {
  const wanted = fold(text);
  const fitting = candidates
    .map((each) => ({ each, distance: distance(wanted, each.key) }))
    .filter(({ distance }) => distance < Number.POSITIVE_INFINITY)
    .sort((a, b) => a.distance - b.distance);
  return fitting.slice(0, limit).map(({ each }) => each.name);
}

/** Without case, accents and spaces. */
export function fold(text: string): string {
  return text
    .toLowerCase()
    .normalize('NFKD')
    .replace(/[\p{M}\s]+/gu, '');
}

const SCATTERED = 4;

/** How far a name is from what was typed: the same, its beginning, that of a part, inside of it, or letters in order. */
export function distance(wanted: string, key: string): number {
  if (key === wanted) return 0;
  const at = key.indexOf(wanted);
  if (at === 0) return 1;
  if (at > 0) return isPartStart(key, at) ? 2 : 3;
  return scattered(wanted, key);
}

/** Each jump over letters counts, unless it leads to the beginning of a part: "dk" is near to "dieter.k". */
function scattered(wanted: string, key: string): number {
  let jumps = 0;
  let from = 0;
  for (const letter of wanted) {
    const at = key.indexOf(letter, from);
    if (at < 0) return Number.POSITIVE_INFINITY;
    if (at > from && !isPartStart(key, at)) jumps += 1;
    from = at + letter.length;
  }
  return SCATTERED + jumps;
}

function isPartStart(key: string, at: number): boolean {
  return at === 0 || '._@+-'.includes(key[at - 1] ?? '');
}
