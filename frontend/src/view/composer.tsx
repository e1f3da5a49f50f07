// Where a message is written. The text leaves it only for the outbox.

import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { trimBody } from '../conversation/body';
import { strings } from '../strings';
import { useClient } from './context';
import { SendIcon } from './icons';

/** From here on the rest is counted. */
const COUNT_FROM = 0.9;

export function Composer({ peer }: { peer: string }) {
  const { store } = useClient();
  const { message_max_length: limit } = store.state.session;
  const draft = store.state.draft(peer);
  const field = useRef<HTMLTextAreaElement>(null);
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
    if (body === '' || over) return;
    store.send(peer, body);
    draft.value = '';
    field.current?.focus();
  }

  function onKeyDown(event: KeyboardEvent): void {
    // Safari ends a composition before the key that ended it: 229 is what is left to know it by.
    const composing = event.isComposing || event.keyCode === 229;
    if (event.key !== 'Enter' || event.shiftKey || composing) return;
    event.preventDefault();
    send();
  }

  return (
    <form
      class="composer"
      aria-label={words.form}
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      {length >= limit * COUNT_FROM && (
        <p id="composer-count" class={`count${over ? ' over' : ''}`} role="status">
          {over ? words.over(length - limit) : words.left(limit - length)}
        </p>
      )}
      <div class="composer-field">
        <textarea
          ref={field}
          rows={1}
          dir="auto"
          value={text}
          aria-label={words.label(peer)}
          aria-invalid={over}
          aria-describedby={length >= limit * COUNT_FROM ? 'composer-count' : undefined}
          placeholder={words.placeholder}
          autocomplete="off"
          enterkeyhint="send"
          onInput={(event) => {
            draft.value = event.currentTarget.value;
          }}
          onKeyDown={onKeyDown}
        />
        <button
          type="submit"
          class="send"
          disabled={over || length === 0}
          aria-label={words.send}
          title={words.send}
        >
          <SendIcon />
        </button>
      </div>
    </form>
  );
}

/** As high as its text; the style says from which line on it scrolls. */
function grow(field: HTMLTextAreaElement): void {
  field.style.height = 'auto';
  field.style.height = `${field.scrollHeight}px`;
}
