// The settings of notifications and sounds. The browser is asked only after somebody read what for, and clicked.

import { useEffect, useRef } from 'preact/hooks';
import { askPermission, permission, refreshPermission } from '../alerts/permission';
import { pageStrings } from '../words';
import { hideContent, notifications, sounds } from './preferences';
import { Toggle } from './toggle';

export function AlertsCard() {
  const card = useRef<HTMLElement>(null);
  const words = pageStrings.settings;
  useEffect(refreshPermission, []);

  async function ask(): Promise<void> {
    if ((await askPermission()) === 'granted') notifications.choose(true);
    // The button is gone with the question: the focus stays where it was about.
    card.current?.focus();
  }

  return (
    <section class="card" ref={card} tabIndex={-1} aria-labelledby="alerts-title">
      <h2 id="alerts-title">{words.alerts}</h2>
      <Notifications ask={() => void ask()} />
      <Toggle preference={sounds} label={words.sounds} hint={words.soundsText} onChosen={sample} />
    </section>
  );
}

function Notifications({ ask }: { ask: () => void }) {
  const words = pageStrings.settings;
  switch (permission.value) {
    case 'none':
      return <p>{words.alertsNone}</p>;
    case 'denied':
      return <p>{words.alertsDenied}</p>;
    case 'default':
      return (
        <>
          <p>{words.alertsText}</p>
          <button type="button" class="soft card-action" onClick={ask}>
            {words.alertsAsk}
          </button>
        </>
      );
    case 'granted':
      return (
        <>
          <Toggle preference={notifications} label={words.notifications} hint={words.notificationsText} />
          <Toggle preference={hideContent} label={words.hideContent} hint={words.hideContentText} />
        </>
      );
  }
}

/** So that one knows what one has chosen. */
function sample(on: boolean): void {
  if (!on) return;
  import('../alerts/sound').then(({ chime }) => chime()).catch(() => {});
}
