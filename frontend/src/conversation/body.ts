// The text of a message as the server takes it. JavaScript's own trim() differs: it takes U+FEFF off, and leaves U+0085
// and the four separators U+001C to U+001F. A text that seems empty to one and not to the other would be refused.

const WHITE = /^\p{White_Space}$/u;

function isSpace(char: string | undefined): boolean {
  return char !== undefined && (WHITE.test(char) || (char >= '\u001c' && char <= '\u001f'));
}

/** All white space is one UTF-16 unit each. A pattern for the end would take quadratic time in a long run of spaces. */
export function trimBody(text: string): string {
  let [from, to] = [0, text.length];
  while (from < to && isSpace(text[from])) from += 1;
  while (to > from && isSpace(text[to - 1])) to -= 1;
  return text.slice(from, to);
}
