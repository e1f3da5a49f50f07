// Going to another conversation by some letters of a name: recent ones first, then people one has not talked to yet, whom
// the server finds. The focus stays in the field; arrows move what is chosen.

import { useComputed, useSignal } from '@preact/signals';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { inOrder } from '../conversation/summaries';
import { strings } from '../words';
import { Avatar, Handle, Name } from './avatar';
import { useClient } from './context';
import { best, candidate } from './fuzzy';
import { type Search, useSearch } from './people-search';
import { conversationPath } from './router';
import { reasonOf } from './trouble';

const MOST = 20;
const LIST = 'switcher-list';
const optionId = (index: number) => `switcher-${index}`;

export function Switcher({ close }: { close: () => void }) {
  const { router } = useClient();
  const text = useSignal('');
  /** By name: a message that arrives meanwhile may move the lines. */
  const chosen = useSignal<string | null>(null);
  const search = useSearch(text.value);
  const names = useNames(text.value, search);
  const at = Math.max(0, names.indexOf(chosen.value ?? ''));
  const field = useRef<HTMLInputElement>(null);
  const words = strings.switcher;

  // The dialog gives the focus to this one when it opens, or has it open already. Not after the next frame: whoever types
  // on at once would lose letters.
  useLayoutEffect(() => {
    field.current?.setAttribute('autofocus', '');
    field.current?.focus();
  }, []);

  function go(name: string | undefined): void {
    if (name === undefined) return;
    // Closing gives the focus back; the conversation that opens then takes it.
    close();
    router.go(conversationPath(router.base, name));
  }

  function onKeyDown(event: KeyboardEvent): void {
    if (event.isComposing || event.altKey || event.ctrlKey || event.metaKey) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) chosen.value = names[(at + step + names.length) % names.length] ?? null;
    else if (event.key === 'Enter') go(names[at]);
    else return;
    event.preventDefault();
  }

  return (
    <div class="switcher">
      <input
        ref={field}
        type="text"
        role="combobox"
        aria-label={words.label}
        aria-autocomplete="list"
        aria-expanded={names.length > 0}
        aria-controls={LIST}
        aria-activedescendant={names.length > 0 ? optionId(at) : undefined}
        placeholder={words.placeholder}
        value={text.value}
        autocomplete="off"
        autocapitalize="none"
        spellcheck={false}
        onInput={(event) => {
          text.value = event.currentTarget.value;
          chosen.value = null;
        }}
        onKeyDown={onKeyDown}
      />
      <Options names={names} at={at} go={go} />
      <Outcome text={text.value.trim()} search={search} count={names.length} />
    </div>
  );
}

/** What is shown for a text. Without one: recent conversations, but not the one that is open. */
function useNames(text: string, search: Search | null): readonly string[] {
  const { store, router } = useClient();
  const candidates = useComputed(() =>
    inOrder(store.state.summaries.value).map(({ peer, display_name }) => candidate(peer, display_name)),
  );
  const known = candidates.value;
  const { route } = router.visit.value;
  const open = route.page === 'conversation' ? route.name : null;
  if (text.trim() === '') {
    return known
      .map(({ name }) => name)
      .filter((name) => name !== open && !store.state.summaries.value.get(name)?.request)
      .slice(0, MOST);
  }
  // The answer may be one to an earlier text. The answer to this one has people who are found by another name.
  const answered = search?.names ?? [];
  const others = search?.state === 'done' && search.text === text.trim() ? answered : [];
  const found = best(
    text,
    answered.map((name) => candidate(name, store.state.faces.value.get(name)?.display_name)),
    MOST,
  );
  return [...new Set([...best(text, known, MOST), ...found, ...others])].slice(0, MOST);
}

interface OptionsProps {
  readonly names: readonly string[];
  readonly at: number;
  readonly go: (name: string) => void;
}

function Options({ names, at, go }: OptionsProps) {
  const { state } = useClient().store;
  const list = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    list.current?.children[at]?.scrollIntoView({ block: 'nearest' });
  }, [at, names[at]]);
  return (
    <div class="entries options" id={LIST} role="listbox" aria-label={strings.switcher.list} ref={list}>
      {names.map((name, index) => (
        // biome-ignore lint/a11y/useKeyWithClickEvents: the field has the keys
        // biome-ignore lint/a11y/useFocusableInteractive: as above; it says which option is active
        <div
          key={name}
          id={optionId(index)}
          class="entry"
          role="option"
          aria-selected={index === at}
          onClick={() => go(name)}
        >
          <Avatar name={name} size="s" />
          <span class="entry-text">
            <span class="entry-name">
              <Name of={name} /> <Handle of={name} />
            </span>
            <Hint name={name} me={state.me} isNew={!state.summaries.value.has(name)} />
          </span>
        </div>
      ))}
    </div>
  );
}

function Hint({ name, me, isNew }: { name: string; me: string; isNew: boolean }) {
  if (name === me) return <span class="entry-preview">{strings.list.notes}</span>;
  return isNew ? <span class="entry-preview">{strings.search.start}</span> : null;
}

/** How the search went: to be seen when there is nothing else to see, and for a screen reader always. */
function Outcome({ text, search, count }: { text: string; search: Search | null; count: number }) {
  const words = strings.search;
  const settled = search !== null && search.state === 'done' && search.text === text;
  const failed = search?.state === 'failed';
  const none = settled && count === 0;
  return (
    <p class={none || failed ? 'results-note' : 'sr-only'} role="status">
      {failed
        ? `${words.failed} ${search.failure ? reasonOf(search.failure) : ''}`
        : none
          ? `${words.nothing(text)} ${words.noneHint}`
          : settled && words.found(count)}
    </p>
  );
}
