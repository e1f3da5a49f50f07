// The password once more, and the second step where there is one: a session alone may be a screen that was left open.

import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import type { Failure } from '../../api/failure';
import type { FactorProof, SecondFactor } from '../../api/types';
import { canUsePasskeys, show } from '../../api/webauthn';
import { pageStrings } from '../../words';
import { useClient } from '../context';
import { Trouble } from '../trouble';

interface Props {
  readonly factor: SecondFactor;
  readonly label: string;
  /** What is to be done with it; it fails as requests fail. */
  readonly act: (proof: FactorProof, fields: FormData) => Promise<void>;
  readonly close: () => void;
  /** Nothing of other devices is to be said. */
  readonly plain?: boolean;
  readonly children?: ComponentChildren;
}

export function ProofForm({ factor, label, act, close, plain, children }: Props) {
  const { api, store, failureOf } = useClient();
  const failed = useSignal<Failure | 'not shown' | null>(null);
  const busy = useSignal(false);
  const words = pageStrings.secondFactor;
  const withPasskey = factor.passkeys.length > 0 && canUsePasskeys();

  async function submit(form: HTMLFormElement, passkey: boolean): Promise<void> {
    const fields = new FormData(form);
    const password = { current_password: String(fields.get('current')) };
    busy.value = true;
    failed.value = null;
    try {
      if (!passkey) await act({ ...password, code: String(fields.get('code') ?? '') }, fields);
      else {
        const shown = await show(await api.askForPasskey());
        if (shown) await act({ ...password, ...shown }, fields);
        else failed.value = 'not shown';
      }
    } catch (error) {
      failed.value = failureOf(error);
    }
    busy.value = false;
  }

  return (
    <form
      class="card-form"
      onSubmit={(event) => {
        event.preventDefault();
        const { currentTarget, submitter } = event;
        void submit(currentTarget, (submitter as HTMLButtonElement | null)?.value === 'passkey');
      }}
    >
      {/* A password manager wants to know whose password it is. */}
      <input hidden name="username" autocomplete="username" value={store.state.me} readOnly />
      {children}
      <label>
        {pageStrings.account.currentPassword}
        <input name="current" type="password" autocomplete="current-password" required />
      </label>
      {factor.on && (
        <label>
          {words.code}
          <input
            name="code"
            autocomplete="one-time-code"
            autocapitalize="none"
            spellcheck={false}
            maxLength={40}
            dir="ltr"
          />
          <small>{words.codeHint}</small>
        </label>
      )}
      {!plain && <p class="card-note">{words.everywhereElse}</p>}
      {failed.value && (
        <Trouble
          text={failed.value === 'not shown' ? words.notShown : words.failed}
          failure={failed.value === 'not shown' ? null : failed.value}
        />
      )}
      <div class="card-buttons">
        <button type="submit" class="button" disabled={busy.value}>
          {label}
        </button>
        {withPasskey && (
          <button type="submit" class="soft" value="passkey" disabled={busy.value}>
            {words.usePasskey}
          </button>
        )}
        <button type="button" class="soft" onClick={close}>
          {pageStrings.account.cancel}
        </button>
      </div>
    </form>
  );
}
