// What every view needs: the store and the router.

import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { Api } from '../api/client';
import type { Failure } from '../api/failure';
import type { Store } from '../conversation/store';
import type { Router } from './router';

export interface Client {
  readonly store: Store;
  readonly router: Router;
  /** For what the store does not hold: what a screen asks for when it is opened. */
  readonly api: Api;
  /**
   * What went wrong with a request. Here and not imported by the parts that are fetched late: with that the bundler takes
   * what all share out of the client's first file, and its start costs two more requests.
   */
  readonly failureOf: (error: unknown) => Failure;
  /** Here for the same reason. */
  readonly languages: {
    readonly all: Readonly<Record<string, { readonly name: string }>>;
    readonly chosen: () => string | null;
    /** The page is drawn anew in it; empty: the browser's. */
    readonly choose: (code: string) => void;
  };
  /** Ends the session, and everything that this device holds for it, in all tabs. Rejects when the server cannot be told. */
  readonly signOut: () => Promise<void>;
}

export const ClientContext = createContext<Client | null>(null);

export function useClient(): Client {
  const client = useContext(ClientContext);
  if (!client) throw new Error('a view outside of the app');
  return client;
}
