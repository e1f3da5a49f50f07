// Finds the addresses in a text, and the texts that are shown large. Nothing here makes HTML of anything.

interface Address {
  readonly start: number;
  readonly end: number;
  readonly href: string;
}

const ADDRESS = /(?<![a-z0-9])(?:https?:\/\/|mailto:)[^\s<>"'`]+/giu;
const ALLOWED = new Set(['http:', 'https:', 'mailto:']);

export function addressesIn(text: string): readonly Address[] {
  const found: Address[] = [];
  for (const { 0: match, index: start } of text.matchAll(ADDRESS)) {
    const address = trimmed(match);
    const href = hrefOf(address);
    if (href) found.push({ start, end: start + address.length, href });
  }
  return found;
}

function hrefOf(text: string): string | null {
  const url = URL.canParse(text) ? new URL(text) : null;
  return url && ALLOWED.has(url.protocol) ? url.href : null;
}

/** Punctuation at the end belongs to the sentence, and so does a bracket that was opened before the address. */
function trimmed(text: string): string {
  const unopened = new Map([
    [')', count(text, ')') - count(text, '(')],
    [']', count(text, ']') - count(text, '[')],
  ]);
  let end = text.length;
  for (; end > 0; end -= 1) {
    const last = text[end - 1] ?? '';
    if ('.,;:!?…*_~'.includes(last)) continue;
    const more = unopened.get(last) ?? 0;
    if (more <= 0) break;
    unopened.set(last, more - 1);
  }
  return text.slice(0, end);
}

function count(text: string, char: string): number {
  return text.split(char).length - 1;
}

/** What an emoji is made of. */
const EMOJI_PARTS =
  /^(?:\p{Regional_Indicator}|\p{Extended_Pictographic}|\p{Emoji_Modifier}|\u{FE0F}|\u{200D}|\s)+$/u;

/** One to three emoji and nothing else are shown large. */
export function isBigEmoji(body: string): boolean {
  if (body.length > 40 || !EMOJI_PARTS.test(body)) return false;
  const graphemes = [...new Intl.Segmenter().segment(body.replace(/\s/gu, ''))];
  return graphemes.length >= 1 && graphemes.length <= 3;
}
