// A new password, with the current one once more.

import { useSignal } from '@preact/signals';
import type { Failure } from '../../api/failure';
import { pageStrings } from '../../words';
import { useClient } from '../context';
import { Trouble } from '../trouble';

export function PasswordCard() {
  const { api, store } = useClient();
  const open = useSignal(false);
  const done = useSignal(false);
  const words = pageStrings.account;

  const close = (changed: boolean) => {
    open.value = false;
    done.value = changed;
  };

  return (
    <section class="card" aria-labelledby="password-title">
      <h2 id="password-title">{words.password}</h2>
      <p role="status">{done.value ? words.passwordChanged : words.passwordText}</p>
      {open.value ? (
        <PasswordForm me={store.state.me} change={api.changePassword} close={close} />
      ) : (
        <button type="button" class="menu-item" onClick={() => (open.value = true)}>
          {words.changePassword}
        </button>
      )}
    </section>
  );
}

interface FormProps {
  readonly me: string;
  readonly change: (current: string, next: string) => Promise<null>;
  readonly close: (changed: boolean) => void;
}

function PasswordForm({ me, change, close }: FormProps) {
  const { failureOf } = useClient();
  const failed = useSignal<Failure | null>(null);
  const busy = useSignal(false);
  const words = pageStrings.account;

  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const fields = new FormData(event.currentTarget as HTMLFormElement);
    busy.value = true;
    failed.value = null;
    try {
      await change(String(fields.get('current')), String(fields.get('next')));
      close(true);
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
        {words.currentPassword}
        <input name="current" type="password" autocomplete="current-password" required />
      </label>
      <label>
        {words.newPassword}
        <input
          name="next"
          type="password"
          autocomplete="new-password"
          minLength={8}
          maxLength={128}
          required
        />
        <small>{words.newPasswordHint}</small>
      </label>
      {failed.value && <Trouble text={words.passwordNotChanged} failure={failed.value} />}
      <div class="card-buttons">
        <button type="submit" class="button" disabled={busy.value}>
          {words.changePassword}
        </button>
        <button type="button" class="soft" onClick={() => close(false)}>
          {words.cancel}
        </button>
      </div>
    </form>
  );
}
