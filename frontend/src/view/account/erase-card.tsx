// The end of the account. What goes and what others keep is said before.

import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { Failure } from '../../api/failure';
import type { FactorProof, SecondFactor } from '../../api/types';
import { pageStrings } from '../../words';
import { useClient } from '../context';
import { Trouble } from '../trouble';
import { ProofForm } from './proof-form';

export function EraseCard() {
  const open = useSignal(false);
  const words = pageStrings.data;
  return (
    <section class="card" aria-labelledby="erase-title">
      <h2 id="erase-title">{words.erase}</h2>
      <p>{words.eraseText}</p>
      <p>{words.goes}</p>
      <p>{words.stays}</p>
      <p>{words.name}</p>
      {open.value ? (
        <EraseForm
          close={() => {
            open.value = false;
          }}
        />
      ) : (
        <button type="button" class="menu-item leave" onClick={() => (open.value = true)}>
          {words.begin}
        </button>
      )}
    </section>
  );
}

function EraseForm({ close }: { close: () => void }) {
  const { api, signOut, failureOf } = useClient();
  const factor = useSignal<SecondFactor | null>(null);
  const missing = useSignal<Failure | null>(null);
  const words = pageStrings.data;

  async function load(): Promise<void> {
    missing.value = null;
    try {
      factor.value = await api.secondFactor();
    } catch (error) {
      missing.value = failureOf(error);
    }
  }

  useEffect(() => void load(), []);

  async function erase(proof: FactorProof): Promise<void> {
    await api.deleteAccount(proof);
    // What this device keeps goes too. The session is over already.
    await signOut().catch(() => location.reload());
  }

  if (missing.value) {
    return <Trouble text={words.notErased} failure={missing.value} again={() => void load()} />;
  }
  return (
    factor.value && <ProofForm factor={factor.value} label={words.sure} act={erase} close={close} plain />
  );
}
