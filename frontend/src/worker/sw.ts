// The service worker: `shell.ts` behind the browser's events. A new one takes over as soon as it has everything; pages
// that are open go on with what they have loaded.

import { createShell } from './shell';

/** The worker's global, as far as it is used here: its types and those of a page do not go together. */
interface Worker {
  readonly registration: { readonly scope: string };
  readonly clients: { claim: () => Promise<void> };
  skipWaiting: () => Promise<void>;
  addEventListener: (type: string, listener: (event: Lasting) => void) => void;
}

interface Lasting extends Event {
  readonly request: Request;
  waitUntil: (work: Promise<unknown>) => void;
  respondWith: (answer: Promise<Response>) => void;
}

const worker = self as unknown as Worker;

const shell = createShell({
  caches,
  fetch: (input, init) => fetch(input, init),
  scope: worker.registration.scope,
  // Both are put in by the build (`scripts/worker-files.mjs`).
  version: '__VERSION__',
  files: '__FILES__' as unknown as readonly string[],
});

worker.addEventListener('install', (event) => {
  event.waitUntil(shell.fill().then(() => worker.skipWaiting()));
});

worker.addEventListener('activate', (event) => {
  event.waitUntil(shell.tidy().then(() => worker.clients.claim()));
});

worker.addEventListener('fetch', (event) => {
  const answer = shell.answer(event.request);
  if (answer) event.respondWith(answer);
});
