// The server's rule for the ends of a text, as `src/domain/body.rs` has it.

import { describe, expect, it } from 'vitest';
import { trimBody } from '../src/conversation/body';

/** Unicode's White_Space, and the four separators. */
const SPACES = [
  ...[0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x1c, 0x1d, 0x1e, 0x1f, 0x20, 0x85, 0xa0, 0x1680],
  ...[0x2000, 0x2001, 0x2002, 0x2003, 0x2004, 0x2005, 0x2006, 0x2007, 0x2008, 0x2009, 0x200a],
  ...[0x2028, 0x2029, 0x202f, 0x205f, 0x3000],
];

describe('the ends of a text', () => {
  it('lose what the server takes off, and nothing else in all of Unicode', () => {
    const taken: number[] = [];
    for (let code = 0; code <= 0x10ffff; code += 1) {
      if (code >= 0xd800 && code <= 0xdfff) continue;
      const char = String.fromCodePoint(code);
      const left = trimBody(`${char}a${char}b${char}`);
      if (left === `a${char}b`) taken.push(code);
      else if (left !== `${char}a${char}b${char}`) throw new Error(`half of U+${code.toString(16)}`);
    }
    expect(taken).toEqual(SPACES);
  });

  it.each([
    ['  \n padded \t body \n\n ', 'padded \t body'],
    ['\u0085\u001cx\u001f', 'x'],
    ['\ufeffx\ufeff', '\ufeffx\ufeff'],
    ['\u200b', '\u200b'],
    [' \u00a0\u3000', ''],
    ['', ''],
  ])('%j', (text, body) => {
    expect(trimBody(text)).toBe(body);
  });

  it('are found in time that grows with the text alone', () => {
    const text = `x${' '.repeat(2_000_000)}x`;
    const since = performance.now();
    expect(trimBody(text)).toBe(text);
    expect(performance.now() - since).toBeLessThan(1_000);
  });
});
