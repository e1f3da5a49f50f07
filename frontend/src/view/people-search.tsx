// Finding people by the beginning of their names, as one types. Conversations that match come first.

import { type Signal, useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { type Failure, failureOf } from '../api/failure';
import { inOrder } from '../conversation/summaries';
import { strings } from '../words';
import { Avatar, Handle, Name } from './avatar';
import { useClient } from './context';
import { CloseIcon, ComposeIcon, SearchIcon } from './icons';
import { searchWanted } from './pane';
import { conversationPath } from './router';
import { ListSkeleton } from './skeleton';
import { Trouble } from './trouble';

export interface Search {
  readonly text: string;
  readonly state: 'waiting' | 'done' | 'failed';
  readonly names: readonly string[];
  /** There are others whose names begin like this. */
  readonly more: boolean;
  readonly failure: Failure | null;
}

const NOTHING = { names: [], more: false, failure: null };

const GATHER_MS = 120;

/** The answer to the newest text; null while nothing is being looked for. `again`: without waiting for another text. */
export function useSearch(text: string): (Search & { readonly again: () => void }) | null {
  const { store } = useClient();
  const wanted = text.trim();
  const answer = useSignal<Search>({ text: '', state: 'waiting', ...NOTHING });
  const tries = useSignal(0);
  useEffect(() => {
    if (wanted === '') return;
    let current = true;
    const answered = (given: Omit<Search, 'text'>) => {
      if (current) answer.value = { text: wanted, ...given };
    };
    const timer = setTimeout(() => {
      store.search(wanted).then(
        (found) => answered({ state: 'done', ...found, failure: null }),
        (error) => answered({ state: 'failed', ...NOTHING, failure: failureOf(error) }),
      );
    }, GATHER_MS);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [wanted, tries.value]);
  const again = () => {
    answer.value = { text: wanted, state: 'waiting', ...NOTHING };
    tries.value += 1;
  };
  return wanted === '' ? null : { ...answer.value, again };
}

export function SearchField({ text }: { text: Signal<string> }) {
  const field = useRef<HTMLInputElement>(null);
  const wanted = searchWanted.value;
  useEffect(() => {
    if (wanted > 0) field.current?.focus();
  }, [wanted]);
  const words = strings.search;
  return (
    <search class="finder">
      <label class="finder-field">
        <SearchIcon />
        <span class="sr-only">{words.label}</span>
        <input
          ref={field}
          type="search"
          value={text.value}
          placeholder={words.placeholder}
          autocomplete="off"
          autocapitalize="none"
          spellcheck={false}
          onInput={(event) => {
            text.value = event.currentTarget.value;
          }}
          onKeyDown={(event) => {
            if (event.key === 'Escape') text.value = '';
            if (event.key === 'ArrowDown') focusFirst(event);
          }}
        />
      </label>
      <button
        type="button"
        class="round"
        aria-label={text.value === '' ? words.start : words.clear}
        title={text.value === '' ? words.start : words.clear}
        onClick={() => {
          text.value = '';
          field.current?.focus();
        }}
      >
        {text.value === '' ? <ComposeIcon /> : <CloseIcon />}
      </button>
    </search>
  );
}

interface ResultsProps {
  readonly text: Signal<string>;
  readonly search: Search & { readonly again: () => void };
  readonly current: string | null;
}

export function PeopleResults({ text, search, current }: ResultsProps) {
  const { store, router } = useClient();
  const words = strings.search;
  const key = text.value.trim().toLowerCase();
  const talked = inOrder(store.state.summaries.value)
    .map((summary) => summary.peer)
    .filter((peer) => `${peer} ${store.state.called(peer)}`.toLowerCase().includes(key));
  const settled = search.state === 'done' && search.text === text.value.trim();
  // The server finds people by other names than this one too. An answer to an earlier text is of use as far as it fits.
  const found = settled ? search.names : search.names.filter((name) => name.toLowerCase().startsWith(key));
  const names = [...new Set([...talked, ...found])];
  return (
    <div class="results">
      <h2>{words.people}</h2>
      <p class="sr-only" role="status">
        {settled && words.found(names.length)}
      </p>
      {search.state === 'failed' && (
        <Trouble kind="results-note" text={words.failed} failure={search.failure} again={search.again} />
      )}
      {settled && names.length === 0 && (
        <p class="results-note">
          {words.none(text.value.trim())} {words.noneHint}
        </p>
      )}
      {!settled && search.state !== 'failed' && names.length === 0 && <ListSkeleton label={words.loading} />}
      <ul class="entries">
        {names.map((name) => (
          <li key={name}>
            <a
              class="entry"
              href={conversationPath(router.base, name)}
              aria-current={name === current ? 'page' : undefined}
              onClick={() => {
                text.value = '';
              }}
            >
              <Avatar name={name} />
              <span class="entry-text">
                <span class="entry-name">
                  <Name of={name} />
                </span>
                {name === store.state.me ? (
                  <span class="entry-preview">{strings.list.notes}</span>
                ) : (
                  <Handle of={name} />
                )}
              </span>
            </a>
          </li>
        ))}
      </ul>
      {settled && search.more && <p class="results-note">{words.more}</p>}
    </div>
  );
}

function focusFirst(event: KeyboardEvent): void {
  const entry = document.querySelector<HTMLElement>('.sidebar-body .entry');
  if (!entry) return;
  event.preventDefault();
  entry.focus();
}
