// Keeps the row that is being read where it is while rows come and go above it. The browser's own scroll anchoring is
// switched off in the style: it does not exist everywhere, and two of them would fight.

const NEAR = 50;

export interface Anchor {
  readonly atBottom: boolean;
  /** Rows from the topmost visible one on, so that another can help when the first is gone. */
  readonly rows: readonly { readonly key: string; readonly top: number }[];
}

export function distanceFromEnd(log: HTMLElement): number {
  return log.scrollHeight - log.scrollTop - log.clientHeight;
}

export function isAtBottom(log: HTMLElement): boolean {
  return distanceFromEnd(log) <= NEAR;
}

function rowElements(log: HTMLElement): HTMLElement[] {
  return [...log.querySelectorAll<HTMLElement>('[data-key]')];
}

/** Rows lie one below the other: the first whose end is below `y`, or how many there are. Measuring is slow; halving is not. */
function firstBelow(rows: readonly HTMLElement[], y: number): number {
  let [low, high] = [0, rows.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (bottomOf(rows[middle] as HTMLElement) > y) high = middle;
    else low = middle + 1;
  }
  return low;
}

export function capture(log: HTMLElement): Anchor {
  const [rows, above] = [rowElements(log), log.scrollTop];
  const first = firstBelow(rows, above);
  const visible = rows.slice(first, first + 3).map((row) => ({
    key: row.dataset.key ?? '',
    top: row.offsetTop - above,
  }));
  return { atBottom: isAtBottom(log), rows: visible };
}

export function restore(log: HTMLElement, anchor: Anchor): void {
  const byKey = new Map(rowElements(log).map((row) => [row.dataset.key, row]));
  const held = anchor.rows.find(({ key }) => byKey.has(key));
  const row = held && byKey.get(held.key);
  if (!row) return;
  const moved = row.offsetTop - log.scrollTop - held.top;
  if (moved !== 0) log.scrollTop += moved;
}

export function toEnd(log: HTMLElement): void {
  log.scrollTop = log.scrollHeight;
}

/** What the server knows of. */
function storedRows(log: HTMLElement): HTMLElement[] {
  return rowElements(log).filter((row) => row.dataset.seq);
}

/** The topmost message that can be seen, for coming back to it. */
export function topMessage(log: HTMLElement): { seq: number; offset: number } | null {
  const rows = storedRows(log);
  const row = rows[firstBelow(rows, log.scrollTop)];
  return row ? { seq: Number(row.dataset.seq), offset: row.offsetTop - log.scrollTop } : null;
}

/** The newest message whose end can be seen, or that fills the log. */
export function lastSeen(log: HTMLElement): number {
  const rows = storedRows(log);
  const next = firstBelow(rows, log.scrollTop + log.clientHeight + 1);
  const filling = rows[next];
  const seen = filling && filling.offsetTop <= log.scrollTop ? filling : rows[next - 1];
  return Number(seen?.dataset.seq ?? 0);
}

export function rowOf(log: HTMLElement, seq: number): HTMLElement | null {
  return log.querySelector<HTMLElement>(`[data-seq="${seq}"]`);
}

function bottomOf(row: HTMLElement): number {
  return row.offsetTop + row.offsetHeight;
}
