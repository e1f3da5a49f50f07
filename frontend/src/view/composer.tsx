// Where a message is written. The text leaves it only for the outbox.

import { useSignal } from '@preact/signals';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import type { Failure } from '../api/failure';
import type { Message } from '../api/types';
import { trimBody } from '../conversation/body';
import { lastOwn } from '../conversation/composing';
import type { Composing } from '../conversation/state';
import { strings } from '../words';
import { useClient } from './context';
import { CloseIcon, SaveIcon, SendIcon } from './icons';
import { QuoteText } from './quote';
import { Trouble } from './trouble';

/** From here on the rest is counted. */
const COUNT_FROM = 0.9;

/** After something else had the focus, such as a menu. */
export function focusComposer(): void {
  document.querySelector<HTMLElement>('.composer textarea')?.focus();
}

export function Composer({ peer }: { peer: string }) {
  const { store } = useClient();
  const { message_max_length: limit } = store.state.session;
  const composing = store.state.conversation(peer).composing.value;
  const draft = composing.kind === 'edit' ? composing.text : store.state.draft(peer);
  const field = useRef<HTMLTextAreaElement>(null);
  const saving = useSignal(false);
  const failed = useSignal<Failure | null>(null);
  const text = draft.value;
  const length = [...trimBody(text)].length;
  const over = length > limit;
  const words = strings.composer;

  useLayoutEffect(() => {
    if (field.current) grow(field.current);
  }, [text]);

  useEffect(() => {
    if (matchMedia('(hover: hover) and (pointer: fine)').matches)
      field.current?.focus({ preventScroll: true });
  }, []);

  function send(): void {
    const body = trimBody(draft.peek());
    if (body === '' || over || saving.peek()) return;
    if (composing.kind === 'edit') return void save(composing.message, body);
    store.send(peer, body, composing.kind === 'reply' ? composing.to.seq : undefined);
    draft.value = '';
    store.composeNew(peer);
    field.current?.focus();
  }

  /** The text stays until the server has it. */
  async function save(message: Message, body: string): Promise<void> {
    saving.value = true;
    failed.value = null;
    const failure = await store.edit(message, body);
    saving.value = false;
    if (failure) failed.value = failure;
    else store.composeNew(peer);
  }

  function stop(): void {
    failed.value = null;
    store.composeNew(peer);
    field.current?.focus();
  }

  function onKeyDown(event: KeyboardEvent): void {
    // Safari ends a composition before the key that ended it: 229 is what is left to know it by.
    if (event.isComposing || event.keyCode === 229) return;
    if (event.key === 'Escape' && composing.kind !== 'new') {
      event.preventDefault();
      stop();
    } else if (isPlain(event, 'ArrowUp') && draft.peek() === '' && composing.kind === 'new') {
      const last = lastOwn(store.state, peer);
      if (!last) return;
      event.preventDefault();
      store.compose(peer, 'edit', last);
    } else if (event.key === 'Enter' && !event.shiftKey) {
      event.preventDefault();
      send();
    }
  }

  const label = composing.kind === 'edit' ? words.save : words.send;
  return (
    <form
      class="composer"
      aria-label={words.form}
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      {composing.kind !== 'new' && <About composing={composing} stop={stop} />}
      {failed.value && <Trouble kind="count over" text={words.saveFailed} failure={failed.value} />}
      {length >= limit * COUNT_FROM && (
        <p id="composer-count" class={`count${over ? ' over' : ''}`} role="status">
          {over ? words.over(length - limit) : words.left(limit - length)}
        </p>
      )}
      <div class="composer-field">
        <textarea
          ref={field}
          rows={1}
          // Without a text "auto" is left to right, whatever the language of the placeholder.
          dir={text === '' ? undefined : 'auto'}
          value={text}
          aria-label={words.label(peer)}
          aria-invalid={over}
          aria-describedby={length >= limit * COUNT_FROM ? 'composer-count' : undefined}
          placeholder={words.placeholder}
          autocomplete="off"
          enterkeyhint="send"
          onInput={(event) => {
            draft.value = event.currentTarget.value;
            if (composing.kind !== 'edit') store.types(peer);
          }}
          onKeyDown={onKeyDown}
        />
        <button
          type="submit"
          class="send"
          disabled={over || length === 0 || saving.value}
          aria-label={label}
          title={label}
        >
          {composing.kind === 'edit' ? <SaveIcon /> : <SendIcon />}
        </button>
      </div>
    </form>
  );
}

/** What is answered or changed, above the field. */
function About({ composing, stop }: { composing: Exclude<Composing, { kind: 'new' }>; stop: () => void }) {
  const words = strings.composer;
  return (
    <div class="about">
      <p>
        <span class="about-what">{composing.kind === 'edit' ? words.editing : words.replying}</span>
        <span class="quote">
          <QuoteText message={composing.kind === 'edit' ? composing.message : composing.to} />
        </span>
      </p>
      <button type="button" class="round" aria-label={words.stop} title={words.stop} onClick={stop}>
        <CloseIcon />
      </button>
    </div>
  );
}

/** With Alt it leads to another conversation. */
function isPlain({ key, altKey, ctrlKey, metaKey, shiftKey }: KeyboardEvent, wanted: string): boolean {
  return key === wanted && !altKey && !ctrlKey && !metaKey && !shiftKey;
}

/** As high as its text; the style says from which line on it scrolls, and does all of it where `field-sizing` is known. */
function grow(field: HTMLTextAreaElement): void {
  if (CSS.supports('field-sizing', 'content')) return;
  field.style.height = 'auto';
  field.style.height = `${field.scrollHeight}px`;
}
