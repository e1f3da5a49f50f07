// The right-hand side: one conversation, or what is said when there is none.

import { signal, useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { type Failure, failureOf, waitAfter } from '../api/failure';
import { delay } from '../socket/backoff';
import { strings } from '../words';
import { Avatar, Handle } from './avatar';
import { ComposerPlace, isRequest } from './contacts';
import { useClient } from './context';
import { Appearance, ConversationMenu } from './conversation-header';
import { BackIcon } from './icons';
import { Hills } from './illustration';
import { MessageLog } from './message-log';
import { conversationPath, requestsPath, type Visit } from './router';
import { LogSkeleton } from './skeleton';
import { Again, Why } from './trouble';

type Found = 'waiting' | 'unknown' | 'unreachable' | 'here';

interface Finding {
  readonly found: Found;
  /** Why it could not be found out. */
  readonly failure: Failure | null;
  readonly again: () => void;
}

export function ConversationPane({ name, visit }: { name: string; visit: Visit }) {
  const { found, failure, again } = useFound(name);
  const { store } = useClient();
  const shown = store.state.called(name);
  const up = store.state.link.value === 'up';
  const words = strings.conversation;
  // What they say of themselves may have changed since; nobody waits for it.
  useEffect(() => {
    if (found === 'here' && up) void store.look(name);
  }, [name, found, up]);
  return (
    <section class="pane" aria-label={words.region(shown)}>
      <PaneHeader title={shown} peer={found === 'unknown' ? null : name} />
      {found === 'here' && (
        <>
          <div class="log-frame">
            <MessageLog key={visit.number} peer={name} visit={visit} />
          </div>
          <ComposerPlace key={name} peer={name} />
        </>
      )}
      {found === 'waiting' && <LogSkeleton label={words.loading} />}
      {found === 'unknown' && <Notice title={words.unknownTitle(name)} text={words.unknownText} />}
      {found === 'unreachable' && (
        <Notice title={words.unreachableTitle} text={failure && <Why failure={failure} />} again={again} />
      )}
    </section>
  );
}

interface HeaderProps {
  readonly title: string;
  /** Whose conversation is below it, if it is one. */
  readonly peer?: string | null;
  /** What it lies below, when that is not the list. */
  readonly parent?: { readonly path: string; readonly label: string };
}

export function PaneHeader({ title, peer = null, parent }: HeaderProps) {
  const { router, store } = useClient();
  const requests = peer !== null && isRequest(store, peer) ? requestsPath(router.base) : undefined;
  const above = parent?.path ?? requests;
  return (
    <header class="pane-header">
      <a
        class={parent ? 'back inner round' : 'back round'}
        href={above ?? router.base}
        aria-label={parent?.label ?? (requests ? strings.requests.back : strings.conversation.back)}
        onClick={(event) => {
          event.preventDefault();
          router.up(above);
        }}
      >
        <BackIcon />
      </a>
      {peer !== null && <Avatar name={peer} />}
      <div class="pane-title">
        <h1>
          <bdi>{title}</bdi>
          {peer !== null && (
            <>
              {' '}
              <Handle of={peer} />
            </>
          )}
        </h1>
        {peer !== null && <Appearance peer={peer} />}
      </div>
      {peer !== null && <ConversationMenu peer={peer} />}
    </header>
  );
}

/** An address may be typed by hand, and names are found in any case: the conversation opens under the real one. */
function useFound(name: string): Finding {
  const { store, router } = useClient();
  const found = useSignal<Found>('waiting');
  const failure = useSignal<Failure | null>(null);
  /** Counts how often somebody did not want to wait. */
  const tries = useSignal(0);
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
        (error: unknown) => {
          if (!current) return;
          found.value = 'unreachable';
          const why = failureOf(error);
          failure.value = why;
          timer = setTimeout(() => void ask(attempt + 1), delay(attempt, Math.random, waitAfter(why)));
        },
      );
    void ask(0);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [name, known, list, up, tries.value]);
  const again = () => {
    found.value = 'waiting';
    tries.value += 1;
    void store.loadAgain();
  };
  if (known) return { found: 'here', failure: null, again };
  return list === 'failed'
    ? { found: 'unreachable', failure: store.state.listFailure.value, again }
    : { found: found.value, failure: failure.value, again };
}

interface NoticeProps {
  readonly title: string;
  readonly text: ComponentChildren;
  readonly again?: () => void;
}

function Notice({ title, text, again }: NoticeProps) {
  const { router } = useClient();
  return (
    <div class="notice">
      <Hills />
      <h2>{title}</h2>
      <p>{text}</p>
      {again && <Again act={again} />}
      <a class="button" href={router.base}>
        {strings.conversation.home}
      </a>
    </div>
  );
}

/** Asked for by buttons far from the field that finds people. */
export const searchWanted = signal(0);

export function wantSearch(): void {
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
