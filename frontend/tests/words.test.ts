// Every sentence stands in `src/words`, in each language; numbers and dates are said as `Intl` says them.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSync } from 'vite';
import { describe, expect, it } from 'vitest';
import { refusalIn } from '../src/view/trouble';
import { LANGUAGES, speakOnPages, type Words } from '../src/words';
import { ar } from '../src/words/ar';
import { de } from '../src/words/de';
import { en } from '../src/words/en';
import { en as enPages } from '../src/words/pages-en';
import { counted } from '../src/words/plural';

const SRC = join(import.meta.dirname, '../src');
const read = (file: string) => readFileSync(join(SRC, file), 'utf8');
const files = (name: RegExp) =>
  readdirSync(SRC, { recursive: true })
    .map(String)
    .filter((file) => name.test(file));

/** What a person reads or hears, among the properties of an element. */
const SPOKEN = new Set(['title', 'placeholder', 'alt', 'label', 'text', 'aria-label', 'aria-description']);
const LETTER = /\p{L}/u;

interface Node {
  readonly type: string;
  readonly [key: string]: unknown;
}

const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';

/** The words that stand in a component itself. */
function spokenIn(source: string): string[] {
  const found: string[] = [];
  const say = (text: unknown) => {
    if (typeof text === 'string' && LETTER.test(text)) found.push(text.trim());
  };

  /** `spoken`: whether what this comes to is read or heard. */
  function walk(value: unknown, spoken: boolean): void {
    if (Array.isArray(value)) for (const each of value) walk(each, spoken);
    if (!isNode(value)) return;
    if (value.type === 'JSXText') say(value.value);
    if (spoken && value.type === 'Literal') say(value.value);
    if (spoken && value.type === 'TemplateElement') say((value.value as { raw: string }).raw);
    for (const [key, child] of Object.entries(value)) walk(child, isSpoken(value, key, spoken));
  }

  walk(parseSync('component.tsx', source).program.body, false);
  return found;
}

function isSpoken({ type, name, operator }: Node, part: string, spoken: boolean): boolean {
  if (type === 'JSXElement' || type === 'JSXFragment') return part === 'children';
  if (type === 'JSXAttribute') return part === 'value' && SPOKEN.has(String((name as Node).name));
  if (type === 'ConditionalExpression') return spoken && part !== 'test';
  if (type === 'LogicalExpression') return spoken && (operator !== '&&' || part === 'right');
  // What is called, looked up or compared is said nowhere.
  return spoken && !/^(Call|Member|Binary|ArrowFunction)/.test(type);
}

describe('components', () => {
  it.each(files(/\.tsx$/))('%s has no words of its own', (file) => {
    expect(spokenIn(read(file))).toEqual([]);
  });

  it('would be caught at it', () => {
    const source = `const a = (
      <p title="one" class="not" aria-label={\`two \${x}\`}>
        three {b ? 'four' : f('not')} {c === 'not' && 'five'} {strings.a} 1 {'2'}
      </p>
    );`;
    expect(spokenIn(source).sort()).toEqual(['five', 'four', 'one', 'three', 'two']);
  });

  it('ask nothing in a window of the browser’s own', () => {
    const asking = files(/\.tsx?$/).filter((file) => /\b(alert|confirm|prompt)\(/.test(read(file)));
    expect(asking).toEqual([]);
  });
});

describe('languages', () => {
  const keys = (words: object, path = ''): string[] =>
    Object.entries(words).flatMap(([key, value]) =>
      typeof value === 'object' ? keys(value, `${path}${key}.`) : `${path}${key}: ${typeof value}`,
    );

  it('lack nothing: that would not compile', () => {
    const { trouble: _, ...lacking } = en;
    // @ts-expect-error a key is missing
    const words: Words = lacking;
    expect(keys(words)).not.toEqual(keys(en));
  });

  it.each(Object.entries(LANGUAGES))(
    '%s has the keys of English, and says something for each',
    async (_, { load, loadPages }) => {
      const [words, pages] = await Promise.all([load(), loadPages()]);
      expect(keys(words).sort()).toEqual(keys(en).sort());
      const { refusals, ...ofPages } = pages;
      expect(keys({ ...ofPages, refusals: {} }).sort()).toEqual(keys(enPages).sort());
      expect(JSON.stringify([words, pages])).not.toContain('""');
    },
  );

  it('say why something is refused, with its numbers', async () => {
    const short = 'This password is too short. It must contain at least 8 characters.';
    expect(refusalIn(short)).toBe(short);
    await speakOnPages('de');
    expect(refusalIn(short)).toBe('Dieses Passwort ist zu kurz. Es braucht mindestens 8 Zeichen.');
    expect(refusalIn('Ensure this value is between 1 and 365.')).toBe(
      'Hier muss eine Zahl von 1 bis 365 stehen.',
    );
    expect(refusalIn('Nobody has said 5 of this.')).toBe('Nobody has said 5 of this.');
    await speakOnPages('en');
  });

  it('count as Intl.PluralRules says', () => {
    const forms = (words: Words, numbers: number[]) =>
      new Set(numbers.map((number) => words.list.unread(number).replace(/\p{N}+/gu, '#'))).size;
    expect([en.list.unread(1), en.list.unread(2), en.list.unread(0)]).toEqual([
      '1 unread message',
      '2 unread messages',
      '0 unread messages',
    ]);
    expect(de.list.unread(1_200)).toBe('1.200 ungelesene Nachrichten');
    // Arabic has six forms, of which two pairs are written alike here.
    expect(forms(ar, [0, 1, 2, 3, 11, 100])).toBeGreaterThanOrEqual(5);
    expect(counted('pl')(5, { one: 'one', few: 'few', many: 'many', other: 'other' })).toBe('5 many');
  });

  it.each(files(/\.tsx?$/))('%s writes dates and numbers by Intl alone', (file) => {
    const own = /\.toLocale\w*\(|\.to(Date|Time|UTC)String\(|=== 1 \? '/g;
    expect(read(file).match(own) ?? []).toEqual([]);
  });
});
