// From the text of a message to a small tree: quotes, blocks of code, and lines with marks in them. Pure, and no HTML
// comes into it. Nothing is lost: the text of the tree is the source without the marks that were used, and every node
// knows its marks, so that the source could be written again (`tests/markup.test.ts`). An address is always shown as it
// is: a link that says something else than where it leads is how people are deceived.

import { append, type Inline, readLine } from './markup-line';

export type Block =
  | Inline
  | { readonly quote: readonly Inline[] }
  /** `end` is the break of the line after the block, which shows as none. */
  | { readonly language: string; readonly lines: string; readonly end: string };

const FENCE = /^```([\w+#.-]{0,20})$/u;
const QUOTE = /^> (?=.*\S)/u;

export function parse(text: string): readonly Block[] {
  const lines = text.split('\n');
  const closing = closingFences(lines);
  const blocks: Block[] = [];
  for (let at = 0; at < lines.length; ) {
    const line = lines[at] ?? '';
    const fence = FENCE.exec(line)?.[1];
    const close = closing[at] ?? 0;
    if (fence !== undefined && close > at + 1) {
      const end = close + 1 < lines.length ? '\n' : '';
      blocks.push({ language: fence, lines: lines.slice(at + 1, close).join('\n'), end });
      at = close + 1;
    } else if (QUOTE.test(line)) {
      const from = at;
      while (QUOTE.test(lines[at] ?? '')) at += 1;
      const quoted = lines.slice(from, at).map((each) => each.slice(2));
      blocks.push({ quote: read(withBreaks(quoted, at < lines.length)) });
    } else {
      for (const item of read(withBreaks([line], at + 1 < lines.length))) append(blocks, item);
      at += 1;
    }
  }
  return blocks;
}

/** The text without its marks, for where there is room for a line of it only. */
export function plainText(text: string): string {
  return parse(text).map(textOf).join('');
}

export function textOf(block: Block): string {
  if (typeof block === 'string') return block;
  if ('quote' in block) return block.quote.map(textOf).join('');
  if ('lines' in block) return `${headOf(block.language)}${block.lines}${block.end}`;
  if ('code' in block) return block.code;
  return 'href' in block ? block.text : block.children.map(textOf).join('');
}

/** The line above a block of code. */
export function headOf(language: string): string {
  return language === '' ? '' : `${language}\n`;
}

function read(lines: readonly string[]): readonly Inline[] {
  const items: Inline[] = [];
  for (const item of lines.flatMap(readLine)) append(items, item);
  return items;
}

function withBreaks(lines: readonly string[], more: boolean): readonly string[] {
  return lines.map((line, index) => (more || index + 1 < lines.length ? `${line}\n` : line));
}

/** For each line the next one below it that ends a block of code. */
function closingFences(lines: readonly string[]): readonly number[] {
  let next = 0;
  const found = lines.toReversed().map((line, index) => {
    const below = next;
    if (line === '```') next = lines.length - 1 - index;
    return below;
  });
  return found.toReversed();
}
