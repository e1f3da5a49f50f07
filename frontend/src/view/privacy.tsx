// What others may see of oneself while it happens, and who may write to one, in the settings.

import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { Failure } from '../api/failure';
import type { Sharing, WhoMayWrite } from '../api/types';
import { pageStrings, strings } from '../words';
import { useClient } from './context';
import { settingsPath } from './router';
import { Trouble } from './trouble';

/** What one has chosen, and the way to choose. */
function useSharing() {
  const { store } = useClient();
  const failed = useSignal<Failure | null>(null);

  async function share(change: Partial<Sharing>): Promise<void> {
    failed.value = null;
    failed.value = await store.share(change);
  }

  const trouble = failed.value && <Trouble text={pageStrings.settings.notSaved} failure={failed.value} />;
  return { sharing: store.state.sharing.value, share, trouble };
}

/** Asks for what has been chosen, for both cards. */
export function PrivacyCard() {
  const { store } = useClient();
  const { sharing, share, trouble } = useSharing();
  const up = store.state.link.value === 'up';
  const missing = useSignal<Failure | null>(null);
  const words = pageStrings.settings;

  async function load(): Promise<void> {
    missing.value = await store.loadSharing();
  }

  useEffect(() => {
    if (sharing === null) void load();
  }, [sharing === null, up]);

  return (
    <section class="card">
      <h2>{words.privacy}</h2>
      <p>{words.privacyText}</p>
      <Switch
        label={words.shareTyping}
        on={sharing?.share_typing}
        turn={(on) => void share({ share_typing: on })}
      />
      <Switch
        label={words.sharePresence}
        on={sharing?.share_presence}
        turn={(on) => void share({ share_presence: on })}
      />
      <Switch
        label={words.shareRead}
        on={sharing?.share_read}
        turn={(on) => void share({ share_read: on })}
      />
      {sharing === null && missing.value && (
        <Trouble text={words.notLoaded} failure={missing.value} again={() => void load()} />
      )}
      {trouble}
    </section>
  );
}

const WRITERS = ['everyone', 'requests', 'contacts', 'nobody'] as const satisfies readonly WhoMayWrite[];

/** Who may write to one, and who may not. */
export function WritersCard() {
  const { router } = useClient();
  const { sharing, share, trouble } = useSharing();
  /** What is being saved. */
  const wanted = useSignal<WhoMayWrite | null>(null);
  const now = wanted.value ?? sharing?.who_may_write ?? (sharing ? 'everyone' : null);
  const words = pageStrings.writers;

  async function choose(who: WhoMayWrite): Promise<void> {
    wanted.value = who;
    await share({ who_may_write: who });
    wanted.value = null;
  }

  return (
    <section class="card">
      <h2 id="writers-title">{words.title}</h2>
      <p>{words.text}</p>
      <div role="radiogroup" aria-labelledby="writers-title">
        {WRITERS.map((who) => (
          <label key={who} class="pick">
            <span>
              {words.names[who]}
              <small id={`writers-${who}`}>{words.texts[who]}</small>
            </span>
            <input
              type="radio"
              name="writers"
              aria-label={words.names[who]}
              aria-describedby={`writers-${who}`}
              checked={now === who}
              disabled={sharing === null}
              onChange={() => void choose(who)}
            />
          </label>
        ))}
      </div>
      {trouble}
      <a class="menu-item" href={settingsPath(router.base, 'blocked')}>
        {strings.settings.pages.blocked}
      </a>
    </section>
  );
}

interface SwitchProps {
  readonly label: string;
  /** Unknown until the server has said so. */
  readonly on: boolean | undefined;
  readonly turn: (on: boolean) => void;
}

function Switch({ label, on, turn }: SwitchProps) {
  return (
    <label class="toggle">
      <span>{label}</span>
      <input
        type="checkbox"
        checked={on ?? false}
        disabled={on === undefined}
        onChange={(event) => turn(event.currentTarget.checked)}
      />
    </label>
  );
}
