// The locks of one browser, shared by the tabs of a test.

interface Held {
  readonly name: string;
  readonly mode: LockMode;
}

type Granted = (lock: Held) => Promise<void>;

export function createLocks() {
  const held = new Set<Held>();
  let waiting: { lock: Held; granted: () => void }[] = [];

  function grantWhatFits(): void {
    waiting = waiting.filter(({ lock, granted }) => {
      const others = [...held].filter(({ name }) => name === lock.name);
      const fits = others.every(({ mode }) => mode === 'shared' && lock.mode === 'shared');
      if (fits) held.add(lock);
      if (fits) granted();
      return !fits;
    });
  }

  async function request(
    name: string,
    { mode = 'exclusive', signal }: LockOptions,
    work: Granted,
  ): Promise<void> {
    const lock: Held = { name, mode };
    await new Promise<void>((resolve, reject) => {
      waiting.push({ lock, granted: resolve });
      signal?.addEventListener('abort', () => {
        waiting = waiting.filter((each) => each.lock !== lock);
        reject(signal.reason);
      });
      grantWhatFits();
    });
    await work(lock);
    held.delete(lock);
    grantWhatFits();
  }

  const query = async () => ({ held: [...held], pending: waiting.map(({ lock }) => lock) });
  return { request, query } as unknown as LockManager;
}
