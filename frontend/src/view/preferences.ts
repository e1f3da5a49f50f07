// What is chosen on this device, with yes or no. How to add one: its line here, a `Toggle` for it in the settings.

import { type ReadonlySignal, signal } from '@preact/signals';

export interface Preference {
  readonly on: ReadonlySignal<boolean>;
  readonly choose: (on: boolean) => void;
}

const PREFIX = 'chatd:';
const followers = new Map<string, () => void>();

/** `?` and the like, which somebody who dictates, or whose hand rests on the keys, may not want. */
export const singleKeys = preference('single-keys', true);

/** Notifications: on only once the browser was asked. */
export const notifications = preference('notifications', false);
export const hideContent = preference('hide-content', false);
export const sounds = preference('sounds', false);

/** Other tabs of this browser hear of a choice and follow it. */
export function followChoices(view: Pick<Window, 'addEventListener'> = window): void {
  view.addEventListener('storage', ({ key }) => {
    // Without a key everything was removed.
    if (key === null) for (const follow of followers.values()) follow();
    else followers.get(key)?.();
  });
}

function preference(name: string, unless: boolean): Preference {
  const key = PREFIX + name;
  const on = signal(stored(key) ?? unless);
  followers.set(key, () => {
    on.value = stored(key) ?? unless;
  });
  return {
    on,
    choose: (chosen) => {
      on.value = chosen;
      store(key, chosen);
    },
  };
}

function stored(key: string): boolean | null {
  try {
    const value = localStorage.getItem(key);
    return value === null ? null : value === 'yes';
  } catch {
    return null;
  }
}

/** Where nothing can be stored the choice holds until the page is left. */
function store(key: string, chosen: boolean): void {
  try {
    localStorage.setItem(key, chosen ? 'yes' : 'no');
  } catch {
    return;
  }
}
