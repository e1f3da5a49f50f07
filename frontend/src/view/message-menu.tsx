// What can be done with a message: a menu beside it, opened by the button that each bubble has, by a tap, or by keys. One
// menu for all of them; where it stands is computed when it opens.

import { signal } from '@preact/signals';
import { useLayoutEffect, useRef } from 'preact/hooks';
import type { Failure } from '../api/failure';
import type { Message } from '../api/types';
import { strings } from '../words';
import { focusComposer } from './composer';
import { useClient } from './context';
import { copy } from './copy';
import { openLayer } from './layer';
import { inFull } from './times';
import { Trouble } from './trouble';

interface Opened {
  readonly message: Message;
  /** What opened it, and has the focus again when it closes. */
  readonly button: HTMLElement;
  /** The second look, before something is gone for ever. */
  readonly asking: boolean;
  readonly failed: Failure | null;
}

const opened = signal<Opened | null>(null);
const MENU = 'message-menu';
const WHEN = 'message-when';
const GAP = 8;

export function openMessageMenu(message: Message, button: HTMLElement): void {
  opened.value = { message, button, asking: false, failed: null };
}

/** Below the button, or above where there is no room. */
function show(menu: HTMLElement, button: HTMLElement): void {
  menu.showPopover({ source: button });
  const at = button.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = menu;
  const end = visualViewport ? visualViewport.offsetTop + visualViewport.height : innerHeight;
  const below = at.bottom + GAP + height <= end;
  const top = below ? at.bottom + GAP : Math.max(GAP, at.top - GAP - height);
  const left = Math.min(Math.max(GAP, at.right - width), innerWidth - width - GAP);
  menu.style.setProperty('--top', `${top}px`);
  const rightToLeft = getComputedStyle(menu).direction === 'rtl';
  menu.style.setProperty('--start', `${rightToLeft ? innerWidth - left - width : left}px`);
}

export function MessageMenu({ peer }: { peer: string }) {
  const { store } = useClient();
  const panel = useRef<HTMLDivElement>(null);
  const now = opened.value;
  const words = strings.message;
  const close = () => panel.current?.hidePopover();

  // Once its items are there: only then has it a size, and something to have the focus.
  useLayoutEffect(() => {
    if (now && panel.current && !panel.current.matches(':popover-open')) show(panel.current, now.button);
    if (now) panel.current?.querySelector('button')?.focus();
  }, [now?.button, now?.asking]);

  function compose(what: 'reply' | 'edit', message: Message): void {
    close();
    store.compose(peer, what, message);
    focusComposer();
  }

  async function remove({ message, button }: Opened): Promise<void> {
    const failure = await store.remove(message);
    if (failure === null) close();
    else opened.value = { message, button, asking: true, failed: failure };
  }

  return (
    <div
      class="menu message-menu"
      id={MENU}
      popover="auto"
      ref={panel}
      onToggle={(event) => {
        if (event.newState === 'closed') opened.value = null;
      }}
    >
      {now && !now.asking && <When message={now.message} />}
      <div role="menu" aria-label={words.actions} aria-describedby={WHEN} onKeyDown={moveFocus}>
        {now && !now.asking && (
          <>
            <Item label={words.reply} act={() => compose('reply', now.message)} />
            <Item
              label={words.copy}
              act={() => {
                copy(now.message.body);
                close();
              }}
            />
            {now.message.user !== store.state.me && (
              <Item
                label={strings.report.menu}
                act={() => {
                  close();
                  openLayer({ kind: 'report', message: now.message });
                }}
              />
            )}
            {now.message.user === store.state.me && (
              <>
                <Item label={words.edit} act={() => compose('edit', now.message)} />
                <Item
                  label={words.remove}
                  act={() => {
                    opened.value = { ...now, asking: true };
                  }}
                />
              </>
            )}
          </>
        )}
        {now?.asking && (
          <>
            {now.failed ? (
              <Trouble text={words.removeFailed} failure={now.failed} />
            ) : (
              <p class="menu-note" role="alert">
                {words.removeSure}
              </p>
            )}
            <Item label={words.removeYes} act={() => void remove(now)} />
            <Item label={words.cancel} act={close} />
          </>
        )}
      </div>
    </div>
  );
}

/** The date and time in full, for whoever has no pointer to rest on them. */
function When({ message }: { message: Message }) {
  return (
    <p class="menu-when" id={WHEN}>
      <time dateTime={message.timestamp}>{inFull(message.timestamp)}</time>
      {message.edited_at !== null && (
        <span>
          {strings.message.edited} <time dateTime={message.edited_at}>{inFull(message.edited_at)}</time>
        </span>
      )}
    </p>
  );
}

function Item({ label, act }: { label: string; act: () => void }) {
  return (
    <button type="button" class="menu-item" role="menuitem" onClick={act}>
      {label}
    </button>
  );
}

/** Up and Down lead from one item to the next, as in every menu. */
function moveFocus(event: KeyboardEvent & { readonly currentTarget: HTMLElement }): void {
  const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
  if (step === 0) return;
  event.preventDefault();
  const items = [...event.currentTarget.querySelectorAll('button')];
  const at = items.indexOf(document.activeElement as HTMLButtonElement);
  items[(at + step + items.length) % items.length]?.focus();
}
