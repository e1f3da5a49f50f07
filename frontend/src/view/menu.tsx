// The menu behind one's own face: appearance, settings, signing out.

import { useSignal } from '@preact/signals';
import { useRef } from 'preact/hooks';
import { strings } from '../strings';
import { Avatar } from './avatar';
import { useClient } from './context';
import { chooseTheme, THEMES, theme } from './theme';

export function UserMenu() {
  const { state } = useClient().store;
  const panel = useRef<HTMLDivElement>(null);
  const words = strings.menu;
  return (
    <>
      <button
        type="button"
        class="round face"
        popovertarget="user-menu"
        aria-label={words.label(state.me)}
        title={words.label(state.me)}
      >
        <Avatar name={state.me} size="s" />
      </button>
      <div class="menu" id="user-menu" popover="auto" ref={panel}>
        <p class="menu-who">
          <Avatar name={state.me} />
          <span>
            <small>{words.signedInAs}</small>
            <bdi>{state.me}</bdi>
          </span>
        </p>
        <ThemeChoice name="menu-theme" />
        <SettingsLink close={() => panel.current?.hidePopover()} />
        <SignOut />
      </div>
    </>
  );
}

function SettingsLink({ close }: { close: () => void }) {
  const { router } = useClient();
  return (
    <a class="menu-item" href={`${router.base}settings/`} onClick={close}>
      {strings.menu.settings}
    </a>
  );
}

export function ThemeChoice({ name }: { name: string }) {
  const words = strings.menu;
  return (
    <fieldset class="themes">
      <legend>{words.theme}</legend>
      <div class="segments">
        {THEMES.map((each) => (
          <label key={each}>
            <input
              type="radio"
              name={name}
              checked={theme.value === each}
              onChange={() => chooseTheme(each)}
            />
            <span>{words.themes[each]}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}

export function SignOut() {
  const { store, router } = useClient();
  const failed = useSignal(false);
  const asked = useSignal(false);
  const unsent = store.state.outbox.value.length;
  const words = strings.menu;

  async function leave(): Promise<void> {
    if (unsent > 0 && !asked.peek()) {
      asked.value = true;
      return;
    }
    try {
      await store.signOut();
      announceSignOut();
      location.assign(`${router.base}login/`);
    } catch {
      failed.value = true;
    }
  }

  const asking = asked.value && unsent > 0;
  return (
    <>
      {asking && (
        <p class="menu-note" role="alert">
          {words.unsent(unsent)}
        </p>
      )}
      {failed.value && (
        <p class="menu-note" role="alert">
          {words.signOutFailed}
        </p>
      )}
      <button type="button" class="menu-item leave" onClick={() => void leave()}>
        {asking ? words.signOutAnyway : words.signOut}
      </button>
    </>
  );
}

const SIGNED_OUT_KEY = 'chatd:signed-out';

/** Other tabs of this browser hear it and leave too. */
function announceSignOut(): void {
  try {
    localStorage.setItem(SIGNED_OUT_KEY, String(Date.now()));
  } catch {
    return;
  }
}

export function onSignOutElsewhere(leave: () => void): void {
  addEventListener('storage', (event) => {
    if (event.key === SIGNED_OUT_KEY) leave();
  });
}
