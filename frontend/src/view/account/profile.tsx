// What one says of oneself: a name, a line, where the clock goes as it does here; and the language that chatd speaks.

import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { Failure } from '../../api/failure';
import type { OwnProfile } from '../../api/types';
import { pageStrings } from '../../words';
import { useClient } from '../context';
import { Trouble } from '../trouble';

export function ProfileCard() {
  const { api, store, failureOf } = useClient();
  const profile = useSignal<OwnProfile | null>(null);
  const missing = useSignal<Failure | null>(null);
  const up = store.state.link.value === 'up';
  const words = pageStrings.profile;

  async function load(): Promise<void> {
    try {
      profile.value = await api.ownProfile();
      missing.value = null;
    } catch (error) {
      missing.value = failureOf(error);
    }
  }

  // Not over what is being written.
  useEffect(() => {
    if (profile.peek() === null) void load();
  }, [up]);

  return (
    <section
      class="card"
      aria-labelledby="profile-title"
      aria-busy={profile.value === null && missing.value === null}
    >
      <h2 id="profile-title">{words.about}</h2>
      <p>{words.aboutText}</p>
      {missing.value && <Trouble text={words.missing} failure={missing.value} again={() => void load()} />}
      {profile.value && <ProfileForm now={profile.value} />}
    </section>
  );
}

function ProfileForm({ now }: { now: OwnProfile }) {
  const { api, store, failureOf } = useClient();
  const failed = useSignal<Failure | null>(null);
  const busy = useSignal(false);
  const saved = useSignal(false);
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const words = pageStrings.profile;

  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const fields = new FormData(event.currentTarget as HTMLFormElement);
    const text = (name: string) => String(fields.get(name) ?? '');
    busy.value = true;
    [failed.value, saved.value] = [null, false];
    try {
      const change = { display_name: text('name'), about: text('about'), time_zone: text('zone') };
      store.learnOwn(await api.changeProfile(change));
      saved.value = true;
    } catch (error) {
      failed.value = failureOf(error);
    }
    busy.value = false;
  }

  return (
    <form
      class="card-form"
      onSubmit={(event) => void submit(event)}
      onInput={() => {
        saved.value = false;
      }}
    >
      <label>
        {words.name}
        <input
          name="name"
          dir="auto"
          autocomplete="nickname"
          maxLength={64}
          placeholder={store.state.me}
          defaultValue={now.display_name}
        />
        <small>{words.nameHint}</small>
      </label>
      <label>
        {words.line}
        <input name="about" dir="auto" autocomplete="off" maxLength={200} defaultValue={now.about} />
      </label>
      <label>
        {words.zone}
        <select class="choice" name="zone">
          <Zones chosen={now.version === 0 ? here : now.time_zone} here={here} />
        </select>
        <small>{words.zoneHint}</small>
      </label>
      {failed.value && <Trouble text={words.notSaved} failure={failed.value} />}
      <div class="card-buttons">
        <button type="submit" class="button" disabled={busy.value}>
          {words.save}
        </button>
        <span role="status">{saved.value && words.saved}</span>
      </div>
    </form>
  );
}

/** Nobody's, this browser's, and all others. */
function Zones({ chosen, here }: { chosen: string; here: string }) {
  const words = pageStrings.profile;
  const all = new Set([here, chosen, ...Intl.supportedValuesOf('timeZone')]);
  all.delete('');
  return (
    <>
      <option value="" selected={chosen === ''}>
        {words.zoneNone}
      </option>
      {[...all].map((zone) => (
        <option key={zone} value={zone} selected={zone === chosen}>
          {zone.replaceAll('_', ' ')}
        </option>
      ))}
    </>
  );
}

/** It is chosen for the account; what this device remembers of it is for the moments before the server has said so. */
export function LanguageCard() {
  const { api, failureOf, languages } = useClient();
  const failed = useSignal<Failure | null>(null);
  const words = pageStrings.settings;

  async function choose(code: string): Promise<void> {
    failed.value = null;
    try {
      await api.changeProfile({ language: code });
      languages.choose(code);
    } catch (error) {
      failed.value = failureOf(error);
    }
  }

  return (
    <section class="card" aria-labelledby="language-title">
      <h2 id="language-title">{words.language}</h2>
      <p>{words.languageText}</p>
      <select
        class="choice"
        aria-labelledby="language-title"
        value={languages.chosen() ?? ''}
        onChange={(event) => void choose(event.currentTarget.value)}
      >
        <option value="">{words.languageSystem}</option>
        {Object.entries(languages.all).map(([code, { name }]) => (
          <option key={code} value={code} lang={code}>
            {name}
          </option>
        ))}
      </select>
      {failed.value && <Trouble text={words.notSaved} failure={failed.value} />}
    </section>
  );
}
