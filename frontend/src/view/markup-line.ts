// The marks inside of one line: **bold**, *italic*, _italic_, ~~strike~~, `code`, and addresses. One pass from left to
// right, with what is open on a stack. Each mark is open at most once, so the stack is short, no text is nested deeply,
// and the time grows with the line alone.

import { addressesIn } from './links';

export type Mark = '**' | '*' | '_' | '~~';

export type Inline =
  | string
  | { readonly mark: Mark; readonly children: readonly Inline[] }
  /** `ticks` is what stood before and after it. */
  | { readonly ticks: string; readonly code: string }
  | { readonly href: string; readonly text: string };

interface Run {
  readonly start: number;
  readonly text: string;
}

interface Open {
  readonly mark: Mark | '';
  readonly children: Inline[];
}

const RUNS = /`+|\*+|_+|~+/gu;

/** What a run of a mark's signs opens, the outermost first. Other lengths are text: __init__, ~100, a line of stars. */
const OPENED: Readonly<Record<string, readonly Mark[]>> = {
  '*': ['*'],
  '**': ['**'],
  '***': ['**', '*'],
  _: ['_'],
  '~~': ['~~'],
};

/** Marks stand at the edge of words: snake_case, 2*3*4 and /usr/*_old are none. Some scripts have no space there. */
const NO_SPACES = '\\p{sc=Han}\\p{sc=Hira}\\p{sc=Kana}\\p{sc=Thai}\\p{sc=Lao}\\p{sc=Khmer}\\p{sc=Myanmar}';
const SIGNS = `[^\\p{ASCII}\\p{L}\\p{N}\\p{M}]|\\u{FE0F}|[${NO_SPACES}]`;
const BEFORE = new RegExp(`^$|[\\s(\\[{"'*_~|-]|${SIGNS}`, 'u');
const AFTER = new RegExp(`^$|[\\s)\\]}"'.,;:!?*_~|-]|${SIGNS}`, 'u');
/** Directly inside of a mark: neither a space, as in 2 * 3, nor what makes a comment or a pattern of files of it. */
const INSIDE = /^[^\s/]/u;

export function readLine(line: string): readonly Inline[] {
  return new LineReader(line).read();
}

class LineReader {
  private readonly stack: Open[] = [{ mark: '', children: [] }];
  private readonly line: string;
  private readonly runs: readonly Run[];

  constructor(line: string) {
    this.line = line;
    this.runs = [...line.matchAll(RUNS)].map((match) => ({ start: match.index, text: match[0] }));
  }

  read(): readonly Inline[] {
    const { line, runs } = this;
    const closing = closingTicks(runs);
    const addresses = addressesIn(line);
    let at = 0;
    for (let [run, address] = [0, 0]; ; ) {
      while ((runs[run]?.start ?? line.length) < at) run += 1;
      while ((addresses[address]?.start ?? line.length) < at) address += 1;
      const [nextRun, link] = [runs[run], addresses[address]];
      if (link && link.start < (nextRun?.start ?? line.length)) {
        this.add(line.slice(at, link.start));
        this.add({ href: link.href, text: line.slice(link.start, link.end) });
        at = link.end;
      } else if (nextRun) {
        this.add(line.slice(at, nextRun.start));
        at = this.take(nextRun, closing[run]);
        run += 1;
      } else break;
    }
    this.add(line.slice(at));
    this.dissolveFrom(1);
    return this.stack[0]?.children ?? [];
  }

  /** Returns where to go on. */
  private take(run: Run, closing: Run | undefined): number {
    const end = run.start + run.text.length;
    if (run.text[0] !== '`') this.mark(run);
    else if (closing && BEFORE.test(charBefore(this.line, run.start))) {
      this.add({ ticks: run.text, code: this.line.slice(end, closing.start) });
      return closing.start + closing.text.length;
    } else this.add(run.text);
    return end;
  }

  private mark({ start, text }: Run): void {
    const marks = OPENED[text];
    const before = charBefore(this.line, start);
    const after = charAt(this.line, start + text.length);
    const closes = marks && INSIDE.test(before) && AFTER.test(after);
    const left = closes ? this.close(text) : text;
    const opens = marks && INSIDE.test(after) && BEFORE.test(before);
    if (opens && left === text) for (const mark of marks) this.open(mark);
    else this.add(left);
  }

  private open(mark: Mark): void {
    const known = this.stack.findIndex((open) => open.mark === mark);
    if (known > 0) this.dissolve(known);
    this.stack.push({ mark, children: [] });
  }

  /** Ends what these signs can end, and returns those that are left. Three end what is open last, be it one or two. */
  private close(signs: string): string {
    let left = signs;
    while (left !== '') {
      const index = this.stack.findLastIndex(
        ({ mark }) => mark === left || (left === '***' && (mark === '*' || mark === '**')),
      );
      const ended = this.stack[index];
      if (!ended || ended.mark === '') break;
      this.dissolveFrom(index + 1);
      this.stack.pop();
      this.add({ mark: ended.mark, children: ended.children });
      left = left.slice(ended.mark.length);
    }
    return left;
  }

  private dissolveFrom(index: number): void {
    while (this.stack.length > index) this.dissolve(index);
  }

  /** A mark that nothing ends is text. */
  private dissolve(index: number): void {
    const [open] = this.stack.splice(index, 1);
    const below = this.stack[index - 1]?.children;
    if (!open || !below) return;
    append(below, open.mark);
    for (const child of open.children) append(below, child);
  }

  private add(item: Inline): void {
    append(this.stack.at(-1)?.children ?? [], item);
  }
}

/** For each run of backticks the next one of the same length. */
function closingTicks(runs: readonly Run[]): readonly (Run | undefined)[] {
  const next = new Map<string, Run>();
  const closing = runs.toReversed().map((run) => {
    const found = next.get(run.text);
    next.set(run.text, run);
    return found;
  });
  return closing.toReversed();
}

/** Two texts in a row are one. */
export function append<T>(list: (T | string)[], item: T | string): void {
  const last = list.at(-1);
  if (item === '') return;
  if (typeof item === 'string' && typeof last === 'string') list[list.length - 1] = last + item;
  else list.push(item);
}

function charAt(text: string, index: number): string {
  const code = text.codePointAt(index);
  return code === undefined ? '' : String.fromCodePoint(code);
}

function charBefore(text: string, index: number): string {
  const pair = /[\udc00-\udfff]/.test(text[index - 1] ?? '') && index > 1;
  return pair ? charAt(text, index - 2) : (text[index - 1] ?? '');
}
