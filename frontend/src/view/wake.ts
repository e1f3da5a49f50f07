// Notices that somebody looks again, that the network comes or goes, and that the page may be about to end or to sleep.

type Page = Pick<Document, 'visibilityState' | 'addEventListener'>;

export function onReturn(
  wake: () => void,
  doubt: () => void,
  view: Pick<Window, 'addEventListener'> = window,
  page: Page = document,
): void {
  view.addEventListener('online', wake);
  view.addEventListener('offline', doubt);
  page.addEventListener('visibilitychange', () => {
    if (page.visibilityState === 'visible') wake();
  });
}

/**
 * A page that is hidden may be ended without another word; one that is frozen, or kept for Back, may wake up again.
 * `leave` may be called more than once.
 */
export function onLeave(
  leave: (asleep: boolean) => void,
  rise: () => void,
  view: Pick<Window, 'addEventListener'> = window,
  page: Page = document,
): void {
  page.addEventListener('visibilitychange', () => {
    if (page.visibilityState === 'hidden') leave(false);
  });
  view.addEventListener('pagehide', () => leave(true));
  page.addEventListener('freeze', () => leave(true));
  page.addEventListener('resume', rise);
  view.addEventListener('pageshow', (event) => {
    if ((event as PageTransitionEvent).persisted) rise();
  });
}
