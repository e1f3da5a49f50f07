// What tells of unread messages without being looked at: the page's title, its icon, and the badge of the installed app.

import { strings } from '../words';

interface Badged {
  readonly setAppBadge?: (count: number) => Promise<void>;
  readonly clearAppBadge?: () => Promise<void>;
}

export function showUnread(count: number, page: Document = document, app: Badged = navigator): void {
  page.title = strings.title(count);
  const icon = page.querySelector<HTMLLinkElement>('link[rel="icon"]');
  const href = icon?.href.replace(
    /favicon(?:-unread)?\.svg$/,
    count > 0 ? 'favicon-unread.svg' : 'favicon.svg',
  );
  if (icon && href && icon.href !== href) icon.href = href;
  // Only some browsers have a badge, and only for an installed app: elsewhere it is refused.
  const badge = count > 0 ? app.setAppBadge?.(count) : app.clearAppBadge?.();
  badge?.catch(() => {});
}
