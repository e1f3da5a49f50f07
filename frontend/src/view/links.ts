// Finds the addresses in a message. The result is text in pieces; nothing here makes HTML of it.

export interface Piece {
  readonly text: string;
  readonly href?: string;
}

const ADDRESS = /\b(?:https?:\/\/|mailto:)[^\s<>"'`]+/giu;
const ALLOWED = new Set(['http:', 'https:', 'mailto:']);

export function pieces(body: string): readonly Piece[] {
  const found: Piece[] = [];
  let from = 0;
  for (const match of body.matchAll(ADDRESS)) {
    const text = trimmed(match[0]);
    const href = addressOf(text);
    if (!href) continue;
    if (match.index > from) found.push({ text: body.slice(from, match.index) });
    found.push({ text, href });
    from = match.index + text.length;
  }
  if (from < body.length) found.push({ text: body.slice(from) });
  return found;
}

function addressOf(text: string): string | null {
  const url = URL.canParse(text) ? new URL(text) : null;
  return url && ALLOWED.has(url.protocol) ? url.href : null;
}

/** Punctuation at the end belongs to the sentence, and so does a bracket that was opened before the address. */
function trimmed(text: string): string {
  let end = text.length;
  for (; end > 0; end -= 1) {
    const last = text[end - 1] ?? '';
    const part = text.slice(0, end);
    if ('.,;:!?…*_~'.includes(last)) continue;
    if (last === ')' && part.split(')').length > part.split('(').length) continue;
    if (last === ']' && part.split(']').length > part.split('[').length) continue;
    break;
  }
  return text.slice(0, end);
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
