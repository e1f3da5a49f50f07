// The second step of signing in: an authenticator app, recovery codes, passkeys.

import { type Signal, useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { Failure } from '../../api/failure';
import type { FactorProof, FactorsChanged, SecondFactor, TotpSetUp } from '../../api/types';
import { pageStrings } from '../../words';
import { useClient } from '../context';
import { dateOf } from '../times';
import { Trouble } from '../trouble';
import { PasskeysCard } from './passkeys-card';
import { ProofForm } from './proof-form';
import { RecoveryCodes } from './recovery-codes';

/** What both cards share: what there is, and what comes of a change. */
export interface Shared {
  readonly factor: SecondFactor;
  /** After a change: new codes are shown before anything else. */
  readonly changed: (change: FactorsChanged) => Promise<void>;
}

export function SecondFactorCards() {
  const { api, store, failureOf } = useClient();
  const factor = useSignal<SecondFactor | null>(null);
  const missing = useSignal<Failure | null>(null);
  const codes = useSignal<readonly string[] | null>(null);
  const done = useSignal(false);
  const up = store.state.link.value === 'up';
  const words = pageStrings.secondFactor;

  async function load(): Promise<void> {
    try {
      factor.value = await api.secondFactor();
      missing.value = null;
    } catch (error) {
      missing.value = failureOf(error);
    }
  }

  useEffect(() => void load(), [up]);

  async function changed(change: FactorsChanged): Promise<void> {
    codes.value = change.recovery_codes;
    done.value = true;
    await load();
  }

  const shared = factor.value && { factor: factor.value, changed };
  return (
    <>
      <section
        class="card"
        aria-labelledby="second-factor-title"
        aria-busy={factor.value === null && !missing.value}
      >
        <h2 id="second-factor-title">{words.title}</h2>
        <p>{words.text}</p>
        <div role="status">{done.value && <p>{words.done}</p>}</div>
        {missing.value && <Trouble text={words.missing} failure={missing.value} again={() => void load()} />}
        {shared && !codes.value && <AppPart {...shared} />}
        {shared?.factor.on && !codes.value && <CodesPart {...shared} />}
        {codes.value && <RecoveryCodes codes={codes.value} close={() => (codes.value = null)} />}
      </section>
      {shared && <PasskeysCard {...shared} />}
    </>
  );
}

function AppPart({ factor, changed }: Shared) {
  const { api } = useClient();
  const open = useSignal(false);
  const setUp = useSignal<TotpSetUp | null>(null);
  const words = pageStrings.secondFactor;
  const since = factor.totp_since;

  const close = () => {
    [open.value, setUp.value] = [false, null];
  };

  async function act(proof: FactorProof): Promise<void> {
    if (since === null) setUp.value = await api.startTotp(proof);
    else {
      await changed(await api.removeTotp(proof));
      close();
    }
  }

  return (
    <>
      <h3>{words.app}</h3>
      <p>{since === null ? words.appOff : words.appOn(dateOf(since))}</p>
      {setUp.value ? (
        <SetUp setUp={setUp.value} changed={changed} close={close} />
      ) : open.value ? (
        <ProofForm
          factor={factor}
          label={since === null ? words.goOn : words.turnOff}
          act={act}
          close={close}
        />
      ) : (
        <Opener open={open} label={since === null ? words.setUp : words.turnOff} />
      )}
    </>
  );
}

interface SetUpProps {
  readonly setUp: TotpSetUp;
  readonly changed: Shared['changed'];
  readonly close: () => void;
}

function SetUp({ setUp, changed, close }: SetUpProps) {
  const { api, failureOf } = useClient();
  const failed = useSignal<Failure | null>(null);
  const busy = useSignal(false);
  const words = pageStrings.secondFactor;
  const { size, path } = setUp.qr;

  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const fields = new FormData(event.currentTarget as HTMLFormElement);
    busy.value = true;
    failed.value = null;
    try {
      await changed(await api.confirmTotp(setUp.token, String(fields.get('code'))));
      close();
    } catch (error) {
      failed.value = failureOf(error);
      busy.value = false;
    }
  }

  return (
    <form class="card-form" onSubmit={(event) => void submit(event)}>
      <p>{words.scan}</p>
      <svg class="qr" viewBox={`0 0 ${size} ${size}`} role="img" aria-label={words.qr}>
        <path d={path} />
      </svg>
      <p class="totp-key">
        {words.key} <code dir="ltr">{setUp.secret.match(/.{1,4}/g)?.join(' ')}</code>
      </p>
      <label>
        {words.firstCode}
        <input
          name="code"
          inputMode="numeric"
          autocomplete="one-time-code"
          maxLength={20}
          dir="ltr"
          required
        />
      </label>
      {failed.value && <Trouble text={words.failed} failure={failed.value} />}
      <div class="card-buttons">
        <button type="submit" class="button" disabled={busy.value}>
          {words.turnOn}
        </button>
        <button type="button" class="soft" onClick={close}>
          {pageStrings.account.cancel}
        </button>
      </div>
    </form>
  );
}

function CodesPart({ factor, changed }: Shared) {
  const { api } = useClient();
  const open = useSignal(false);
  const words = pageStrings.secondFactor;

  async function act(proof: FactorProof): Promise<void> {
    const change = await api.newRecoveryCodes(proof);
    open.value = false;
    await changed(change);
  }

  return (
    <>
      <h3>{words.codes}</h3>
      <p>
        {words.codesText} {words.codesLeft(factor.recovery_codes)}
      </p>
      {open.value ? (
        <ProofForm factor={factor} label={words.newCodes} act={act} close={() => (open.value = false)} />
      ) : (
        <Opener open={open} label={words.newCodes} />
      )}
    </>
  );
}

/** What opens a form in its own place. */
export function Opener({ open, label }: { open: Signal<boolean>; label: string }) {
  return (
    <button type="button" class="menu-item" onClick={() => (open.value = true)}>
      {label}
    </button>
  );
}
