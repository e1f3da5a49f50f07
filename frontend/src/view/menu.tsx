// The menu behind one's own face: appearance, settings, signing out.

import { useSignal } from '@preact/signals';
import { useRef } from 'preact/hooks';
import { showUnread } from '../alerts/unread';
import { type Failure, failureOf } from '../api/failure';
import { strings } from '../words';
import { Avatar, Handle, Name } from './avatar';
import { useClient } from './context';
import { openLayer } from './layer';
import { chooseTheme, THEMES, theme } from './theme';
import { Trouble } from './trouble';

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
        aria-label={words.label(state.called(state.me))}
        title={words.label(state.called(state.me))}
      >
        <Avatar name={state.me} size="s" />
      </button>
      <div class="menu" id="user-menu" popover="auto" ref={panel}>
        <p class="menu-who">
          <Avatar name={state.me} />
          <span>
            <small>{words.signedInAs}</small>
            <Name of={state.me} />
            <Handle of={state.me} />
          </span>
        </p>
        <ThemeChoice name="menu-theme" />
        <SettingsLink close={() => panel.current?.hidePopover()} />
        <button
          type="button"
          class="menu-item"
          onClick={() => {
            // First: the dialog gives the focus back to what has it, and that must not be hidden then.
            panel.current?.hidePopover();
            openLayer('shortcuts');
          }}
        >
          {strings.shortcuts.title}
        </button>
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
  const { store, signOut } = useClient();
  const failed = useSignal<Failure | null>(null);
  const asked = useSignal(false);
  const unsent = store.state.outbox.value.length;
  const words = strings.menu;

  async function leave(): Promise<void> {
    if (unsent > 0 && !asked.peek()) {
      asked.value = true;
      return;
    }
    try {
      await signOut();
      showUnread(0);
    } catch (error) {
      failed.value = failureOf(error);
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
      {failed.value && <Trouble text={words.signOutFailed} failure={failed.value} />}
      <button type="button" class="menu-item leave" onClick={() => void leave()}>
        {asking ? words.signOutAnyway : words.signOut}
      </button>
    </>
  );
}
