// Who this device belongs to just now: the last session that the server told of, so that a start without a network knows
// whose data to show. It holds for one sign-in alone. The server gives another token at each (`csrftoken`, a cookie that
// scripts may read), so a changed token means: ask first whose session this is. Only a hash of it is kept.
//
// Other tabs see the key change or go: somebody else has signed in, or nobody is signed in any more.

import type { Session } from '../api/types';

interface Remembered {
  readonly session: Session;
  readonly signIn: string;
}

export interface Who {
  /** The session of before, if nobody has signed in since. */
  readonly recall: () => Session | null;
  readonly remember: (session: Session) => void;
  readonly forget: () => void;
  /** Whether a change of storage, in another tab, says that this is not `user`'s browser any more. */
  readonly isOver: (event: Pick<StorageEvent, 'key' | 'newValue'>, user: string) => 'other' | 'nobody' | null;
  /** Changes with each sign-in. */
  readonly signIn: () => string;
}

export function createWho(storage: Storage | undefined, cookies: () => string, base: string): Who {
  const key = `chatd:session:${base}`;
  const signIn = () => hashed(/(?:^|; )csrftoken=([^;]*)/.exec(cookies())?.[1] ?? '');

  return {
    signIn,
    recall: () => {
      const known = parse(attempt(() => storage?.getItem(key)));
      return known?.signIn === signIn() ? known.session : null;
    },
    remember: (session) => {
      attempt(() =>
        storage?.setItem(key, JSON.stringify({ session, signIn: signIn() } satisfies Remembered)),
      );
    },
    forget: () => {
      attempt(() => storage?.removeItem(key));
    },
    isOver: (event, user) => {
      if (event.key !== key) return null;
      const now = parse(event.newValue);
      if (now === null) return 'nobody';
      return now.session.user === user ? null : 'other';
    },
  };
}

/**
 * Asks in the name of one person only. Somebody else may sign in in another tab: then what this page holds must neither
 * be sent as theirs, nor be mixed with theirs. `isMine` asks the server; `onOther` leaves the page.
 */
export function loyal(
  fetcher: typeof fetch,
  signIn: () => string,
  isMine: () => Promise<boolean>,
  onOther: () => void,
): typeof fetch {
  let mine = signIn();
  return async (input, init) => {
    const now = signIn();
    if (now !== mine) {
      if (!(await isMine())) {
        onOther();
        throw new Error('somebody else has signed in');
      }
      mine = now;
    }
    return fetcher(input, init);
  };
}

function parse(text: string | null | undefined): Remembered | null {
  const value = attempt(() => JSON.parse(text ?? 'null') as Partial<Remembered> | null);
  const whole = typeof value?.session?.user === 'string' && typeof value.signIn === 'string';
  return whole ? (value as Remembered) : null;
}

function attempt<T>(act: () => T): T | null {
  try {
    return act();
  } catch {
    return null;
  }
}

/** FNV-1a, twice with different starts. It tells tokens apart; it need not hide a random one from guessing. */
function hashed(text: string): string {
  const one = (start: number) => {
    let hash = start;
    for (const char of text) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01000193) >>> 0;
    return hash.toString(36);
  };
  return one(0x811c9dc5) + one(0x01234567);
}
