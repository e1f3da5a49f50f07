// What every view needs: the store and the router.

import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { Store } from '../conversation/store';
import type { Router } from './router';

export interface Client {
  readonly store: Store;
  readonly router: Router;
}

export const ClientContext = createContext<Client | null>(null);

export function useClient(): Client {
  const client = useContext(ClientContext);
  if (!client) throw new Error('a view outside of the app');
  return client;
}
