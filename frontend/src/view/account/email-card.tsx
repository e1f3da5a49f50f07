// The account's address, to which a link is sent when the password is forgotten.

import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { Failure } from '../../api/failure';
import { pageStrings } from '../../words';
import { useClient } from '../context';
import { Trouble } from '../trouble';

type State = 'closed' | 'open' | 'sent' | 'changed';

export function EmailCard() {
  const { api, store, failureOf } = useClient();
  const email = useSignal<string | null>(null);
  const missing = useSignal<Failure | null>(null);
  const state = useSignal<State>('closed');
  const wanted = useSignal('');
  const up = store.state.link.value === 'up';
  const words = pageStrings.account;

  async function load(): Promise<void> {
    try {
      email.value = (await api.account()).email;
      missing.value = null;
    } catch (error) {
      missing.value = failureOf(error);
    }
  }

  useEffect(() => void load(), [up, state.value]);

  const close = (next: State, address = '') => {
    wanted.value = address;
    state.value = next;
  };

  return (
    <section class="card" aria-labelledby="email-title" aria-busy={email.value === null && !missing.value}>
      <h2 id="email-title">{words.email}</h2>
      {missing.value && (
        <Trouble text={words.emailMissing} failure={missing.value} again={() => void load()} />
      )}
      {email.value !== null && <p>{email.value ? <bdi>{email.value}</bdi> : words.noEmail}</p>}
      <p role="status">
        {state.value === 'sent' && words.emailSent(wanted.value)}
        {state.value === 'changed' && words.emailChanged}
      </p>
      {state.value === 'open' ? (
        <EmailForm me={store.state.me} email={email.value ?? ''} close={close} />
      ) : (
        <button type="button" class="menu-item" onClick={() => close('open')}>
          {words.changeEmail}
        </button>
      )}
    </section>
  );
}

interface FormProps {
  readonly me: string;
  readonly email: string;
  readonly close: (next: State, address?: string) => void;
}

function EmailForm({ me, email, close }: FormProps) {
  const { api, failureOf } = useClient();
  const failed = useSignal<Failure | null>(null);
  const busy = useSignal(false);
  const words = pageStrings.account;

  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const fields = new FormData(event.currentTarget as HTMLFormElement);
    const wanted = String(fields.get('email'));
    busy.value = true;
    failed.value = null;
    try {
      const sent = await api.changeEmail(String(fields.get('current')), wanted);
      close(sent ? 'sent' : 'changed', wanted);
    } catch (error) {
      failed.value = failureOf(error);
      busy.value = false;
    }
  }

  return (
    <form class="card-form" onSubmit={(event) => void submit(event)}>
      {/* A password manager wants to know whose password it is. */}
      <input hidden name="username" autocomplete="username" value={me} readOnly />
      <label>
        {words.newEmail}
        <input name="email" type="email" autocomplete="email" maxLength={254} defaultValue={email} />
        <small>{words.newEmailHint}</small>
      </label>
      <label>
        {words.currentPassword}
        <input name="current" type="password" autocomplete="current-password" required />
      </label>
      {failed.value && <Trouble text={words.emailNotChanged} failure={failed.value} />}
      <div class="card-buttons">
        <button type="submit" class="button" disabled={busy.value}>
          {words.changeEmail}
        </button>
        <button type="button" class="soft" onClick={() => close('closed')}>
          {words.cancel}
        </button>
      </div>
    </form>
  );
}
