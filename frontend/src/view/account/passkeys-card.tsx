// Passkeys: which there are, one more, one less.

import { useSignal } from '@preact/signals';
import type { FactorProof, Passkey } from '../../api/types';
import { canUsePasskeys, make } from '../../api/webauthn';
import { pageStrings } from '../../words';
import { useClient } from '../context';
import { dateOf } from '../times';
import { ProofForm } from './proof-form';
import { Opener, type Shared } from './second-factor';

export function PasskeysCard({ factor, changed }: Shared) {
  const { api } = useClient();
  const open = useSignal(false);
  const notMade = useSignal(false);
  const removing = useSignal<number | null>(null);
  const words = pageStrings.secondFactor;
  const possible = factor.passkeys_here && canUsePasskeys();

  async function add(proof: FactorProof, fields: FormData): Promise<void> {
    notMade.value = false;
    const made = await make(await api.startPasskey(proof));
    open.value = false;
    if (made) await changed(await api.addPasskey(String(fields.get('name')), made));
    else notMade.value = true;
  }

  async function remove(id: number, proof: FactorProof): Promise<void> {
    await changed(await api.removePasskey(id, proof));
    removing.value = null;
  }

  return (
    <section class="card" aria-labelledby="passkeys-title">
      <h2 id="passkeys-title">{words.passkeys}</h2>
      <p>{possible ? words.passkeysText : words.passkeysNotHere}</p>
      <ul class="devices">
        {factor.passkeys.map((passkey) => (
          <li key={passkey.id}>
            <PasskeyLine passkey={passkey} remove={() => (removing.value = passkey.id)} />
            {removing.value === passkey.id && (
              <ProofForm
                factor={factor}
                label={words.removeThis(passkey.name)}
                act={(proof) => remove(passkey.id, proof)}
                close={() => (removing.value = null)}
              />
            )}
          </li>
        ))}
      </ul>
      {notMade.value && (
        <p class="menu-note" role="alert">
          {words.notMade}
        </p>
      )}
      {possible && !open.value && <Opener open={open} label={words.add} />}
      {open.value && (
        <ProofForm factor={factor} label={words.add} act={add} close={() => (open.value = false)}>
          <label>
            {words.passkeyName}
            <input name="name" maxLength={100} required />
            <small>{words.passkeyNameHint}</small>
          </label>
        </ProofForm>
      )}
    </section>
  );
}

function PasskeyLine({ passkey, remove }: { passkey: Passkey; remove: () => void }) {
  const words = pageStrings.secondFactor;
  const used = passkey.last_used_at;
  return (
    <div class="device">
      <span>
        <bdi>{passkey.name}</bdi>
        <small>
          {words.added(dateOf(passkey.created_at))} ·{' '}
          {used === null ? words.neverUsed : pageStrings.account.lastUsed(dateOf(used))}
        </small>
      </span>
      <button type="button" class="soft" aria-label={words.removeThis(passkey.name)} onClick={remove}>
        {words.remove}
      </button>
    </div>
  );
}
