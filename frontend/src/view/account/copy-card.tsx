// Everything of one's own to take along: asked for, waited for, fetched.

import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { Failure } from '../../api/failure';
import type { Copy } from '../../api/types';
import { pageStrings } from '../../words';
import { useClient } from '../context';
import { inFull } from '../times';
import { Trouble } from '../trouble';

const LOOK_MS = 1000;

export function CopyCard() {
  const { api, failureOf } = useClient();
  const copy = useSignal<Copy | null>(null);
  const missing = useSignal<Failure | null>(null);
  const failed = useSignal<Failure | null>(null);
  const words = pageStrings.data;
  const { state } = copy.value ?? {};
  const making = state === 'waiting' || state === 'running';

  async function load(): Promise<void> {
    try {
      copy.value = await api.copy();
      missing.value = null;
    } catch (error) {
      missing.value = failureOf(error);
    }
  }

  async function make(): Promise<void> {
    failed.value = null;
    try {
      copy.value = await api.makeCopy();
    } catch (error) {
      failed.value = failureOf(error);
    }
  }

  useEffect(() => void load(), []);
  useEffect(() => {
    if (!making) return;
    const looking = setInterval(() => void load(), LOOK_MS);
    return () => clearInterval(looking);
  }, [making]);

  return (
    <section class="card" aria-labelledby="copy-title" aria-busy={copy.value === null && !missing.value}>
      <h2 id="copy-title">{words.take}</h2>
      <p>{words.takeText}</p>
      <p role="status">{copy.value && told(copy.value)}</p>
      {making && <progress value={copy.value?.progress ?? 0} aria-label={words.making} />}
      {copy.value?.page && (
        <a class="menu-item" href={copy.value.page} target="_blank" rel="noopener noreferrer">
          {words.read}
        </a>
      )}
      {copy.value?.lines && (
        <a class="menu-item" href={copy.value.lines} download>
          {words.lines}
        </a>
      )}
      {missing.value && <Trouble text={words.notKnown} failure={missing.value} again={() => void load()} />}
      {failed.value && <Trouble text={words.notMade} failure={failed.value} />}
      {!making && copy.value && (
        <button type="button" class="menu-item" onClick={() => void make()}>
          {state === 'ready' ? words.again : words.make}
        </button>
      )}
    </section>
  );
}

function told({ state, expires_at: until }: Copy): string {
  const words = pageStrings.data;
  if (state === 'ready') return until ? words.until(inFull(until)) : '';
  if (state === 'failed') return words.broken;
  return state === 'none' ? '' : words.making;
}
