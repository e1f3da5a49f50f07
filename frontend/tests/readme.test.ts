// The README names the tests that hold the items of the UX list: each must be there under that name.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '..');
const WANTED = [
  1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 30,
  31, 32, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59,
  60, 61, 62, 63, 64, 65, 66, 67, 68, 69, 70,
];

interface Held {
  readonly item: number;
  readonly file: string;
  readonly name: string;
}

function table(): readonly Held[] {
  const part = readFileSync(join(ROOT, 'README.md'), 'utf8').split('\n## What holds which item\n')[1] ?? '';
  return [...part.matchAll(/^\| (\d+) \| `([^`]+)` \| (.+) \|$/gmu)].map(
    ([, item, file = '', name = '']) => ({
      item: Number(item),
      file,
      name,
    }),
  );
}

/** A script is named with its folder and has the words anywhere. A test's name stands behind `test(`, `it(`, the brackets of `each`, or as the first of a row of such. */
function isTest({ file, name }: Held): boolean {
  if (file.includes('/')) return readFileSync(join(ROOT, file), 'utf8').includes(name);
  const path = ['tests', 'e2e'].map((folder) => join(ROOT, folder, file)).find((each) => existsSync(each));
  if (!path) return false;
  const exact = name.replace(/[.*+?^${}()|[\]\\]/gu, '\\$&');
  return new RegExp(`(?:\\btest\\(|\\bit\\(|\\)\\(|^  \\[)\\s*(['"\`])${exact}\\1,`, 'mu').test(
    readFileSync(path, 'utf8'),
  );
}

describe('the table of the README', () => {
  it.each(table().map((row) => [row.item, row.name, row] as const))('item %i: %s', (_, __, row) => {
    expect(isTest(row), `${row.file} has no such test`).toBe(true);
  });

  it('has every item that is said to be held', () => {
    expect([...new Set(table().map(({ item }) => item))]).toEqual(WANTED);
  });

  it('is compared with names, not with any text of a file', () => {
    expect(isTest({ item: 0, file: 'readme.test.ts', name: 'tests' })).toBe(false);
    expect(isTest({ item: 0, file: 'nowhere.test.ts', name: 'item %i: %s' })).toBe(false);
    expect(isTest({ item: 0, file: 'readme.test.ts', name: 'item %i: %s' })).toBe(true);
  });
});
