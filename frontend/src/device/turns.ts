// Turns between the tabs of one person: work of one name is done by one tab at a time. The browser gives a turn on when a
// tab is closed or crashes. A tab that is put to sleep gives its turns up by itself, and one that could not is passed
// over after a while. Without Web Locks (no secure context) every tab works: what they do must bear that.

/** Longer than a request may take. Two tabs that both wait for the network take turns at this pace. */
const PATIENCE_MS = 30_000;

export interface Turns {
  /** `over` is aborted when the turn was given up or taken away while the work went on. */
  readonly take: (name: string, work: (over: AbortSignal) => Promise<void>) => Promise<void>;
  /** This tab is about to sleep. */
  readonly giveUp: () => void;
}

export type Locks = Pick<LockManager, 'request'>;

export function createTurns(locks: Locks | undefined, prefix: string, patience = PATIENCE_MS): Turns {
  const held = new Set<AbortController>();

  async function take(name: string, work: (over: AbortSignal) => Promise<void>): Promise<void> {
    const turn = new AbortController();
    let begun = false;
    const run = async () => {
      begun = true;
      held.add(turn);
      await Promise.race([work(turn.signal), aborted(turn.signal)]).finally(() => held.delete(turn));
    };
    if (!locks) return run();
    try {
      await locks.request(prefix + name, { signal: AbortSignal.timeout(patience) }, run);
    } catch {
      if (!begun) await locks.request(prefix + name, { steal: true }, run).catch(() => turn.abort());
      else turn.abort();
    }
  }

  return {
    take,
    giveUp: () => {
      for (const turn of held) turn.abort();
    },
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve());
  });
}
