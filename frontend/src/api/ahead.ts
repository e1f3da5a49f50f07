// The list of conversations, asked for beside the question who is signed in and not after it: a page that knows nothing
// yet is of use a round trip earlier.

import type { Api } from './client';
import type { ConversationPage } from './types';

export interface Ahead {
  /** The same API, whose first list is the one that was asked for; unless somebody has signed in since. */
  readonly over: (own: Api) => Api;
  /** The list is not needed: a later one must not be of now. */
  readonly drop: () => void;
}

export function askAhead(api: Api, signIn: () => string): Ahead {
  const asker = signIn();
  let first: Promise<ConversationPage> | null = api.conversations();
  // Whoever takes it hears of a failure.
  first.catch(() => {});
  return {
    over: (own) => ({
      ...own,
      conversations: (limit) => {
        const taken = asker === signIn() ? first : null;
        first = null;
        return taken?.catch(() => own.conversations(limit)) ?? own.conversations(limit);
      },
    }),
    drop: () => {
      first = null;
    },
  };
}
