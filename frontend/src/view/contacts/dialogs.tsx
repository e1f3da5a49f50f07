// Asked before somebody is blocked; and what the staff is told of a message. Fetched when one of them is wanted.

import { useSignal } from '@preact/signals';
import type { Failure } from '../../api/failure';
import type { Message } from '../../api/types';
import { pageStrings, strings } from '../../words';
import { useClient } from '../context';
import { openLayer } from '../layer';
import { plainText } from '../markup';
import { Trouble } from '../trouble';

const MOST_REASON = 1_000;

interface BlockProps {
  readonly peer: string;
  /** Already: then it is to end. */
  readonly blocked: boolean;
  readonly close: () => void;
}

export function BlockDialog({ peer, blocked, close }: BlockProps) {
  const { store } = useClient();
  const failed = useSignal<Failure | null>(null);
  const busy = useSignal(false);
  const words = { ...strings.block, ...pageStrings.block };

  async function act(): Promise<void> {
    busy.value = true;
    failed.value = await (blocked ? store.unblock(peer) : store.block(peer));
    busy.value = false;
    if (!failed.peek()) close();
  }

  return (
    <div class="question">
      <ul>
        {(blocked ? words.undoEffects : words.effects).map((each) => (
          <li key={each}>{each}</li>
        ))}
      </ul>
      {failed.value && <Trouble text={blocked ? words.notUndone : words.notDone} failure={failed.value} />}
      <div class="card-buttons">
        <button
          type="button"
          class={blocked ? 'button' : 'soft danger'}
          disabled={busy.value}
          onClick={() => void act()}
        >
          {blocked ? words.unblock : words.block}
        </button>
        <button type="button" class="soft" onClick={close}>
          {pageStrings.account.cancel}
        </button>
      </div>
    </div>
  );
}

interface ReportProps {
  readonly message: Message;
  readonly close: () => void;
}

export function ReportDialog({ message, close }: ReportProps) {
  const { store } = useClient();
  const done = useSignal(false);
  return (
    <>
      <div role="status">{done.value && <p class="question">{pageStrings.report.done}</p>}</div>
      {done.value ? (
        <div class="question">
          <div class="card-buttons">
            <button type="button" class="button" onClick={close}>
              {strings.dialog.close}
            </button>
            {!store.state.blocked.value?.has(message.user) && (
              <button
                type="button"
                class="soft danger"
                onClick={() => openLayer({ kind: 'block', peer: message.user, blocked: false })}
              >
                {strings.block.menu(store.state.called(message.user))}
              </button>
            )}
          </div>
        </div>
      ) : (
        <ReportForm message={message} close={close} done={() => (done.value = true)} />
      )}
    </>
  );
}

function ReportForm({ message, close, done }: ReportProps & { readonly done: () => void }) {
  const { api, failureOf } = useClient();
  const failed = useSignal<Failure | null>(null);
  const busy = useSignal(false);
  const words = pageStrings.report;

  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const reason = String(new FormData(event.currentTarget as HTMLFormElement).get('reason') ?? '');
    busy.value = true;
    failed.value = null;
    try {
      await api.report(message.id, reason.trim());
      done();
    } catch (error) {
      failed.value = failureOf(error);
      busy.value = false;
    }
  }

  const now = failed.value;
  const often = now?.kind === 'busy' && now.status === 429;
  return (
    <form class="question" onSubmit={(event) => void submit(event)}>
      <blockquote dir="auto">{plainText(message.body).slice(0, 200)}</blockquote>
      <p id="report-text">{words.text}</p>
      <div class="card-form">
        <label>
          {words.reason}
          <textarea name="reason" dir="auto" maxLength={MOST_REASON} aria-describedby="report-text" />
        </label>
      </div>
      {now && <Trouble text={often ? words.tooMany : words.notDone} failure={often ? null : now} />}
      <div class="card-buttons">
        <button type="submit" class="button" disabled={busy.value}>
          {words.send}
        </button>
        <button type="button" class="soft" onClick={close}>
          {pageStrings.account.cancel}
        </button>
      </div>
    </form>
  );
}
