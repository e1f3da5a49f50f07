// Several tabs of one browser, and one that speaks for them. Web Locks say which, and who reads what: a lock goes with its
// tab, also with one that crashes. They exist only in secure contexts, as notifications do; without them each tab speaks
// for itself.

export interface Tabs {
  /** Whether this one speaks. */
  readonly leads: () => boolean;
  /** The conversation that can be seen in this tab. */
  readonly show: (peer: string | null) => void;
  /** Whether a conversation can be seen in any of them. */
  readonly isShown: (peer: string) => Promise<boolean>;
  readonly leave: () => void;
}

export function createTabs(user: string, locks: LockManager | null = navigator.locks ?? null): Tabs {
  const prefix = `chatd:${user}:`;
  let leading = locks === null;
  let shown: string | null = null;
  let hide = () => {};
  const resign = hold(locks, `${prefix}alerts`, 'exclusive', () => {
    leading = true;
  });

  return {
    leads: () => leading,
    show: (peer) => {
      if (peer === shown) return;
      hide();
      shown = peer;
      hide = peer === null ? () => {} : hold(locks, `${prefix}shows:${peer}`, 'shared');
    },
    isShown: async (peer) => {
      if (peer === shown) return true;
      const { held = [] } = (await locks?.query()) ?? {};
      return held.some(({ name }) => name === `${prefix}shows:${peer}`);
    },
    leave: () => {
      leading = false;
      hide();
      resign();
    },
  };
}

/** Waits for a lock and keeps it until the function that it returns is called. */
function hold(
  locks: LockManager | null,
  name: string,
  mode: LockMode,
  onGranted: () => void = () => {},
): () => void {
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const stop = new AbortController();
  locks
    ?.request(name, { mode, signal: stop.signal }, () => {
      if (!stop.signal.aborted) onGranted();
      return released;
    })
    .catch(() => {});
  return () => {
    stop.abort();
    release();
  };
}
