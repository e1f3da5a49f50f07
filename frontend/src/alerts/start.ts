// Fetches the alerts while something is switched on, and stops them when nothing is.

import { effect } from '@preact/signals';
import type { Client } from '../view/context';
import { notifications, sounds } from '../view/preferences';

export function watchAlerts(
  client: Client,
  fetchIt: () => Promise<{ startAlerts: (client: Client) => () => void }> = () => import('./alerts'),
): void {
  let stop = () => {};
  let wanted = false;
  effect(() => {
    const now = notifications.on.value || sounds.on.value;
    if (now === wanted) return;
    wanted = now;
    stop();
    stop = () => {};
    if (now) void begin();
  });

  async function begin(): Promise<void> {
    // Without this part the page goes on, quietly; the next visit asks for it again.
    const part = await fetchIt().catch(() => null);
    if (part && wanted) stop = part.startAlerts(client);
  }
}
