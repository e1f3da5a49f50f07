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

export function capture(log: HTMLElement): Anchor {
  const visible = rowElements(log).filter((row) => bottomOf(row) > log.scrollTop);
  const rows = visible.slice(0, 3).map((row) => ({
    key: row.dataset.key ?? '',
    top: row.offsetTop - log.scrollTop,
  }));
  return { atBottom: isAtBottom(log), rows };
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

/** The topmost message that can be seen, for coming back to it. */
export function topMessage(log: HTMLElement): { seq: number; offset: number } | null {
  const row = rowElements(log).find((each) => each.dataset.seq && bottomOf(each) > log.scrollTop);
  return row ? { seq: Number(row.dataset.seq), offset: row.offsetTop - log.scrollTop } : null;
}

/** The newest message whose end can be seen. */
export function lastSeen(log: HTMLElement): number {
  const end = log.scrollTop + log.clientHeight;
  const rows = rowElements(log).filter((row) => row.dataset.seq);
  const seen = rows.findLast(
    (row) => bottomOf(row) <= end + 1 || (row.offsetTop <= log.scrollTop && bottomOf(row) > end),
  );
  return Number(seen?.dataset.seq ?? 0);
}

export function rowOf(log: HTMLElement, seq: number): HTMLElement | null {
  return log.querySelector<HTMLElement>(`[data-seq="${seq}"]`);
}

function bottomOf(row: HTMLElement): number {
  return row.offsetTop + row.offsetHeight;
}
