// The settings: so far who one is here, and how chatd looks on this device.

import { strings } from '../strings';
import { Avatar } from './avatar';
import { useClient } from './context';
import { SignOut, ThemeChoice } from './menu';
import { PaneHeader } from './pane';

export function SettingsPane() {
  const { state } = useClient().store;
  const words = strings.settings;
  return (
    <section class="pane" aria-label={words.title}>
      <PaneHeader title={words.title} />
      <div class="settings">
        <section class="card">
          <h2>{words.account}</h2>
          <p class="menu-who">
            <Avatar name={state.me} />
            <span>
              <small>{strings.menu.signedInAs}</small>
              <bdi>{state.me}</bdi>
            </span>
          </p>
          <SignOut />
        </section>
        <section class="card">
          <h2>{words.appearance}</h2>
          <p>{words.appearanceText}</p>
          <ThemeChoice name="settings-theme" />
        </section>
      </div>
    </section>
  );
}
