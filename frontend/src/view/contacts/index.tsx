// Where one writes to somebody: the composer, unless one blocks them; and above it what a stranger waits for.

import { useSignal } from '@preact/signals';
import type { Failure } from '../../api/failure';
import type { ConversationSummary } from '../../api/types';
import type { Store } from '../../conversation/store';
import { strings } from '../../words';
import { Composer } from '../composer';
import { useClient } from '../context';
import { openLayer } from '../layer';
import { Trouble } from '../trouble';

/** Whether somebody waits to be accepted. */
export function isRequest({ state }: Store, peer: string): boolean {
  return state.summaries.value.get(peer)?.request === true && !state.blocked.value?.has(peer);
}

export function ComposerPlace({ peer }: { peer: string }) {
  const { store } = useClient();
  const summary = store.state.summaries.value.get(peer);
  if (store.state.blocked.value?.has(peer)) return <Blocked peer={peer} />;
  return (
    <>
      {summary?.request && <Request summary={summary} />}
      <Composer peer={peer} />
    </>
  );
}

/** What was being written is kept. */
function Blocked({ peer }: { peer: string }) {
  const { store } = useClient();
  const failed = useSignal<Failure | null>(null);
  const busy = useSignal(false);
  const words = strings.block;
  const name = store.state.called(peer);

  async function unblock(): Promise<void> {
    busy.value = true;
    failed.value = await store.unblock(peer);
    busy.value = false;
  }

  return (
    <section class="contact" aria-label={words.blocked(name)}>
      <p>{words.blocked(name)}</p>
      {failed.value && <Trouble text={words.notUndone} failure={failed.value} />}
      <button type="button" class="soft" disabled={busy.value} onClick={() => void unblock()}>
        {words.unblock}
      </button>
    </section>
  );
}

function Request({ summary }: { summary: ConversationSummary }) {
  const { store } = useClient();
  const failed = useSignal<Failure | null>(null);
  const busy = useSignal(false);
  const words = strings.requests;
  const { peer, last_message: message } = summary;
  const name = store.state.called(peer);

  async function accept(): Promise<void> {
    busy.value = true;
    failed.value = await store.accept(peer);
    busy.value = false;
  }

  return (
    <section class="contact" aria-label={words.wants(name)}>
      <p>
        {words.wants(name)} <small>{words.hint}</small>
      </p>
      {failed.value && <Trouble text={words.notAccepted} failure={failed.value} />}
      <div class="contact-buttons">
        <button type="button" class="button" disabled={busy.value} onClick={() => void accept()}>
          {words.accept}
        </button>
        <button
          type="button"
          class="soft danger"
          onClick={() => openLayer({ kind: 'block', peer, blocked: false })}
        >
          {strings.block.block}
        </button>
        {message?.user === peer && message.deleted_at === null && (
          <button type="button" class="soft" onClick={() => openLayer({ kind: 'report', message })}>
            {strings.report.menu}
          </button>
        )}
      </div>
    </section>
  );
}
