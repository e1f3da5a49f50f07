// The right-hand side: one conversation, or what is said when there is none.

import { signal, useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { delay } from '../socket/backoff';
import { strings } from '../strings';
import { Avatar } from './avatar';
import { Composer } from './composer';
import { useClient } from './context';
import { BackIcon } from './icons';
import { Hills } from './illustration';
import { MessageLog } from './message-log';
import { conversationPath, type Visit } from './router';
import { LogSkeleton } from './skeleton';

type Found = 'waiting' | 'unknown' | 'unreachable' | 'here';

export function ConversationPane({ name, visit }: { name: string; visit: Visit }) {
  const found = useFound(name);
  const words = strings.conversation;
  return (
    <section class="pane" aria-label={words.region(name)}>
      <PaneHeader title={name} avatar={found !== 'unknown'} />
      {found === 'here' && (
        <>
          <div class="log-frame">
            <MessageLog key={visit.number} peer={name} visit={visit} />
          </div>
          <Composer key={name} peer={name} />
        </>
      )}
      {found === 'waiting' && <LogSkeleton label={words.loading} />}
      {found === 'unknown' && <Notice title={words.unknownTitle(name)} text={words.unknownText} />}
      {found === 'unreachable' && <Notice title={words.unreachableTitle} text={words.unreachableText} />}
    </section>
  );
}

export function PaneHeader({ title, avatar = false }: { title: string; avatar?: boolean }) {
  const { router } = useClient();
  return (
    <header class="pane-header">
      <a
        class="back round"
        href={router.base}
        aria-label={strings.conversation.back}
        onClick={(event) => {
          event.preventDefault();
          router.up();
        }}
      >
        <BackIcon />
      </a>
      {avatar && <Avatar name={title} />}
      <h1>
        <bdi>{title}</bdi>
      </h1>
    </header>
  );
}

/** An address may be typed by hand, and names are found in any case: the conversation opens under the real one. */
function useFound(name: string): Found {
  const { store, router } = useClient();
  const found = useSignal<Found>('waiting');
  const asked = useRef<string | null>(null);
  const list = store.state.list.value;
  const up = store.state.link.value === 'up';
  // Somebody may turn out to be there by writing.
  const known = store.state.summaries.value.has(name) || store.known(name);
  useEffect(() => {
    if (known || list !== 'ready') return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let current = true;
    if (asked.current !== name) found.value = 'waiting';
    asked.current = name;
    const ask = (attempt: number) =>
      store.resolve(name).then(
        (real) => {
          if (!current) return;
          if (real !== null && real !== name) router.replace(conversationPath(router.base, real));
          found.value = real === null ? 'unknown' : real === name ? 'here' : 'waiting';
        },
        () => {
          if (!current) return;
          found.value = 'unreachable';
          timer = setTimeout(() => void ask(attempt + 1), delay(attempt));
        },
      );
    void ask(0);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [name, known, list, up]);
  if (known) return 'here';
  return list === 'failed' ? 'unreachable' : found.value;
}

function Notice({ title, text }: { title: string; text: string }) {
  const { router } = useClient();
  return (
    <div class="notice">
      <Hills />
      <h2>{title}</h2>
      <p>{text}</p>
      <a class="button" href={router.base}>
        {strings.conversation.home}
      </a>
    </div>
  );
}

/** Asked for by buttons far from the field that finds people. */
export const searchWanted = signal(0);

function wantSearch(): void {
  searchWanted.value += 1;
}

export function WelcomePane() {
  const { state } = useClient().store;
  const words = strings.welcome;
  const first = state.list.value === 'ready' && state.summaries.value.size === 0;
  return (
    <Centered>
      <h2>{first ? words.firstTitle : words.title}</h2>
      <p>{first ? words.firstText : words.text}</p>
      <button type="button" class="button" onClick={wantSearch}>
        {words.action}
      </button>
    </Centered>
  );
}

function Centered({ children }: { children: ComponentChildren }) {
  return (
    <section class="pane welcome" aria-label={strings.welcome.title}>
      <div class="notice">
        <Hills />
        {children}
      </div>
    </section>
  );
}
