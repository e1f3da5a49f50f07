// Whether the browser lets chatd notify. It is asked only from a click (`settings-alerts.tsx`), and a no stays a no.

import { signal } from '@preact/signals';

/** `none`: the browser has no notifications, or has them for encrypted connections only. */
export type Permission = NotificationPermission | 'none';

export const permission = signal<Permission>(current());

export async function askPermission(): Promise<Permission> {
  if ('Notification' in globalThis) await Notification.requestPermission();
  permission.value = current();
  return permission.peek();
}

/** It can be changed in the browser's own settings at any time; looked at again when somebody is about to read of it. */
export function refreshPermission(): void {
  permission.value = current();
}

function current(): Permission {
  return 'Notification' in globalThis ? Notification.permission : 'none';
}
