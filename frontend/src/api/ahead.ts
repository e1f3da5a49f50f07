// What a page that knows nothing yet will ask for, asked beside the question who is signed in and not after it: it is of
// use a round trip or two earlier.

import type { Api } from './client';

/** What may be asked for ahead. */
const READS = ['conversations', 'newest', 'around'] as const;
type Read = (typeof READS)[number];
type Answers = Map<string, Promise<unknown>>;

export interface Ahead {
  /** The same API, which answers what was asked for ahead with that, once; unless somebody has signed in since. */
  readonly over: (own: Api) => Api;
  /** Nothing of it is needed any more: a later answer must not be of now. */
  readonly drop: () => void;
}

/**
 * `ask` asks: what depends on the list, after the list. The changes that the client is told of begin where the list was
 * made, so a page of messages that is older than it could lack one for good.
 */
export function askAhead(api: Api, signIn: () => string, ask: (api: Api) => Promise<unknown>): Ahead {
  const asker = signIn();
  const answers: Answers = new Map();
  let needed = true;
  const asking = reads(api, (key, call) => {
    const answer = call();
    if (needed) answers.set(key, answer);
    return answer;
  });
  // Whoever takes it hears of a failure.
  ask(asking).catch(() => {});
  return {
    over: (own) =>
      reads(own, (key, call) => {
        const taken = needed && asker === signIn() ? answers.get(key) : undefined;
        answers.delete(key);
        return taken?.catch(call) ?? call();
      }),
    drop: () => {
      needed = false;
      answers.clear();
    },
  };
}

/** An API of whose reads `how` makes something: it is told what names the question, and how to ask it. */
function reads(api: Api, how: (key: string, call: () => Promise<unknown>) => Promise<unknown>): Api {
  const each =
    (read: Read) =>
    (...args: unknown[]) =>
      how(JSON.stringify([read, ...args]), () =>
        (api[read] as (...args: unknown[]) => Promise<unknown>)(...args),
      );
  return { ...api, ...(Object.fromEntries(READS.map((read) => [read, each(read)])) as Pick<Api, Read>) };
}
