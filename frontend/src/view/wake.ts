// Notices that somebody looks again, or that the network is back.

type Page = Pick<Document, 'visibilityState' | 'addEventListener'>;

export function onReturn(
  wake: () => void,
  view: Pick<Window, 'addEventListener'> = window,
  page: Page = document,
): void {
  view.addEventListener('online', wake);
  page.addEventListener('visibilitychange', () => {
    if (page.visibilityState === 'visible') wake();
  });
}
