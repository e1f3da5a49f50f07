// The first page of the settings: who one is here, what belongs to the account, and how chatd looks and sounds on this
// device.

import { pageStrings, strings } from '../words';
import { Avatar, Handle, Name } from './avatar';
import { useClient } from './context';
import { SignOut, ThemeChoice } from './menu';
import { PrivacyCard, WritersCard } from './privacy';
import { settingsPath } from './router';
import { AlertsCard } from './settings-alerts';
import { KeyboardCard } from './settings-keyboard';

export function SettingsCards() {
  const { router, store } = useClient();
  const { state } = store;
  const words = pageStrings.settings;
  const titles = strings.settings.pages;
  return (
    <>
      <section class="card">
        <h2>{words.account}</h2>
        <p class="menu-who">
          <Avatar name={state.me} />
          <span>
            <small>{strings.menu.signedInAs}</small>
            <Name of={state.me} />
            <Handle of={state.me} />
          </span>
        </p>
        <a class="menu-item" href={settingsPath(router.base, 'profile')}>
          {titles.profile}
        </a>
        <a class="menu-item" href={settingsPath(router.base, 'account')}>
          {titles.account}
        </a>
        {state.session.may_invite && (
          <a class="menu-item" href={settingsPath(router.base, 'invites')}>
            {titles.invites}
          </a>
        )}
        <a class="menu-item" href={settingsPath(router.base, 'data')}>
          {titles.data}
        </a>
        {(state.session.is_staff || state.session.is_superuser) && (
          <a class="menu-item" href={settingsPath(router.base, 'reports')}>
            {titles.reports}
          </a>
        )}
        <SignOut />
      </section>
      <section class="card">
        <h2>{words.appearance}</h2>
        <p>{words.appearanceText}</p>
        <ThemeChoice name="settings-theme" />
      </section>
      <PrivacyCard />
      <WritersCard />
      <AlertsCard />
      <KeyboardCard />
    </>
  );
}
