// What holds of the style as it is written: it follows the direction of the text, and its colours can be told apart.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const FOLDER = join(import.meta.dirname, '..', 'src', 'view', 'css');
const FILES = readdirSync(FOLDER).map((name) => [name, readFileSync(join(FOLDER, name), 'utf8')] as const);

/** Declarations that say left or right, where start or end is meant. */
function physical(css: string): string[] {
  const declarations = [...css.matchAll(/^\s*([\w-]+):\s*([^;{}]+);/gmu)].map(
    ([, name = '', value = '']) => [name, value] as const,
  );
  return declarations
    .filter(([name, value]) => {
      if (name.startsWith('--safe-')) return false;
      if (/(?:^|-)(?:left|right)(?:$|-)/u.test(name)) return true;
      if (/(?:text-align|float|clear)$/u.test(name)) return /\b(?:left|right)\b/u.test(value);
      // Four values that differ at the sides; functions count as one.
      const parts = value.replace(/\([^()]*(?:\([^()]*\)[^()]*)*\)/gu, '()').split(/\s+/u);
      return /^(?:margin|padding|inset)$/u.test(name) && parts.length === 4 && parts[1] !== parts[3];
    })
    .map(([name, value]) => `${name}: ${value}`);
}

describe('the style', () => {
  it.each(FILES)('%s says start and end, not left and right', (_, css) => {
    expect(physical(css)).toEqual([]);
  });

  it('would be seen to say left', () => {
    const css =
      'a {\n  margin-left: 1px;\n  text-align: right;\n  padding: 1px 2px 3px 4px;\n  padding: 1px 2px 3px 2px;\n}';
    expect(physical(css)).toEqual(['margin-left: 1px', 'text-align: right', 'padding: 1px 2px 3px 4px']);
  });
});

/** The colours of `tokens.css` for the light and the dark scheme. */
function tokens(): ReadonlyMap<string, readonly [string, string]> {
  const css = FILES.find(([name]) => name === 'tokens.css')?.[1] ?? '';
  const pairs = [...css.matchAll(/--([\w-]+): light-dark\((#\w+), (#\w+)\);/gu)];
  const single = [...css.matchAll(/--([\w-]+): (#\w+);/gu)];
  return new Map([
    ...pairs.map(([, name = '', light = '', dark = '']) => [name, [light, dark]] as const),
    ...single.map(([, name = '', both = '']) => [name, [both, both]] as const),
  ]);
}

function luminance(colour: string): number {
  const digits =
    colour.length === 4 ? [...colour.slice(1)].map((digit) => digit + digit).join('') : colour.slice(1);
  const [red = 0, green = 0, blue = 0] = [0, 2, 4].map((at) => {
    const value = Number.parseInt(digits.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one: string, other: string): number {
  const [low = 0, high = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}

describe('the colours', () => {
  const GROUNDS = ['paper', 'surface', 'raised', 'sunken', 'hover', 'plum-soft'];
  const wanted = [
    // The focus ring, and the edges of controls that have nothing else to be known by.
    ...[...GROUNDS].map((ground) => ['plum', ground, 3] as const),
    ...['paper', 'surface', 'raised'].map((ground) => ['line-strong', ground, 3] as const),
    ...['plum-fill', 'danger'].flatMap((name) => [[name, 'paper', 3] as const, [name, 'raised', 3] as const]),
    ...GROUNDS.map((ground) => ['ink', ground, 4.5] as const),
    ...['paper', 'surface', 'raised', 'sunken'].map((ground) => ['ink-soft', ground, 4.5] as const),
    ['mine-ink', 'mine-top', 4.5] as const,
    ['mine-soft', 'mine-top', 4.5] as const,
    ['apricot-ink', 'apricot', 4.5] as const,
  ];

  it.each(wanted)('%s on %s: at least %d in both schemes', (front, back, least) => {
    const [one, other] = [tokens().get(front), tokens().get(back)];
    for (const scheme of [0, 1] as const)
      expect(contrast(one?.[scheme] ?? '', other?.[scheme] ?? '')).toBeGreaterThanOrEqual(least);
  });

  it('are compared as the guidelines compare them', () => {
    expect(contrast('#fff', '#000000')).toBeCloseTo(21, 5);
    expect(contrast('#777777', '#fff')).toBeCloseTo(4.48, 2);
  });
});
