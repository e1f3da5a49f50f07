// The conversations, newest activity first; and those of strangers, who wait to be accepted.

import { useEffect } from 'preact/hooks';
import { isMuted } from '../alerts/worth';
import type { ConversationSummary } from '../api/types';
import type { Pending } from '../conversation/outbox';
import { inOrder, requestsIn } from '../conversation/summaries';
import { strings } from '../words';
import { Avatar, Name } from './avatar';
import { Tick } from './bubble';
import { useClient } from './context';
import { BackIcon, MutedIcon, PinIcon } from './icons';
import { Hills } from './illustration';
import { plainText } from './markup';
import { wantSearch } from './pane';
import { conversationPath, requestsPath } from './router';
import { cameTo, type Delivery } from './rows';
import { ListSkeleton } from './skeleton';
import { inFull, shortTime, today } from './times';
import { Again, Trouble, Why } from './trouble';

export function ConversationList({ current }: { current: string | null }) {
  const { store } = useClient();
  const { state } = store;
  const words = strings.list;
  const known = inOrder(state.summaries.value);
  const all = known.filter((summary) => !summary.request);
  const requests = requestsIn(state.summaries.value, state.blocked.value).length;
  const open = all.filter((summary) => !summary.archived);
  const list = [...open.filter((each) => each.pinned), ...open.filter((each) => !each.pinned)];
  const archived = all.filter((summary) => summary.archived);
  useWatch(current, list);
  if (known.length === 0 && state.list.value === 'loading') return <ListSkeleton label={words.loading} />;
  if (known.length === 0 && state.list.value === 'failed') {
    return <ListFailed />;
  }
  if (known.length === 0) return <ListEmpty />;
  return (
    <>
      {requests > 0 && <RequestsLink many={requests} />}
      {all.length === 0 && state.following.value === null && <ListEmpty />}
      <Entries list={list} current={current} />
      {archived.length > 0 && (
        <details class="archived" open={archived.some((each) => each.peer === current) || undefined}>
          <summary>{words.archived(archived.length)}</summary>
          <Entries list={archived} current={current} />
        </details>
      )}
      <More />
    </>
  );
}

function More() {
  const { state, moreConversations } = useClient().store;
  const words = strings.list;
  return (
    <>
      {state.moreFailure.value && (
        <Trouble kind="list-notice" text={words.moreFailed} failure={state.moreFailure.value} />
      )}
      {state.following.value !== null && (
        <button type="button" class="soft more" onClick={() => void moreConversations()}>
          {words.more}
        </button>
      )}
    </>
  );
}

function RequestsLink({ many }: { many: number }) {
  const { router } = useClient();
  return (
    <a class="requests-link" href={requestsPath(router.base)}>
      {strings.requests.link(many)}
    </a>
  );
}

interface RequestListProps {
  readonly current: string | null;
  /** It is the page, and not beside one. */
  readonly heading: boolean;
}

/** In the place of the list. */
export function RequestList({ current, heading }: RequestListProps) {
  const { store, router } = useClient();
  const { state } = store;
  const words = strings.requests;
  const list = requestsIn(state.summaries.value, state.blocked.value);
  useWatch(current, []);
  const Title = heading ? 'h1' : 'h2';
  const waits = list.length === 0 && state.list.value === 'loading';
  return (
    <>
      <header class="requests-header">
        <a
          class="round"
          href={router.base}
          aria-label={strings.conversation.back}
          onClick={(event) => {
            event.preventDefault();
            router.up();
          }}
        >
          <BackIcon />
        </a>
        <Title>{words.title}</Title>
      </header>
      {waits && <ListSkeleton label={strings.list.loading} />}
      {list.length === 0 && state.list.value === 'failed' && <ListFailed />}
      {list.length === 0 && state.list.value === 'ready' && <p class="results-note">{words.none}</p>}
      {list.length > 0 && <p class="results-note">{words.text}</p>}
      <Entries list={list} current={current} />
      <More />
    </>
  );
}

function Entries({ list, current }: { list: readonly ConversationSummary[]; current: string | null }) {
  return (
    <ul class="entries placed" style={{ '--count': list.length }}>
      {list.map((summary, index) => (
        <Entry key={summary.peer} summary={summary} place={index} current={summary.peer === current} />
      ))}
    </ul>
  );
}

/** The one that is open first, then those at the top: so many are watched. */
function useWatch(current: string | null, list: readonly ConversationSummary[]): void {
  const { store } = useClient();
  const peers = list.map((summary) => summary.peer);
  const watched = current === null ? peers : [current, ...peers.filter((peer) => peer !== current)];
  const known = [current !== null && peers.includes(current), ...watched].join('\n');
  useEffect(() => store.watch(watched), [known]);
}

function ListEmpty() {
  const words = strings.list;
  return (
    <div class="list-notice">
      <Hills />
      <h2>{words.emptyTitle}</h2>
      <p>{words.emptyText}</p>
      <button type="button" class="button" onClick={wantSearch}>
        {strings.welcome.action}
      </button>
    </div>
  );
}

function ListFailed() {
  const { state, loadAgain } = useClient().store;
  const failure = state.listFailure.value;
  const words = strings.list;
  return (
    <div class="list-notice" role="alert">
      <h2>{words.failedTitle}</h2>
      <p>{failure && <Why failure={failure} />}</p>
      <p>{words.failedText}</p>
      <Again act={() => void loadAgain()} />
    </div>
  );
}

interface EntryProps {
  readonly summary: ConversationSummary;
  /** Its line, counted from the top. The style puts it there: moving up is no shift of the layout. */
  readonly place: number;
  readonly current: boolean;
}

function Entry({ summary, place, current }: EntryProps) {
  const { store, router } = useClient();
  const { peer, unread } = summary;
  const pending = store.state.outbox.value.findLast((item) => item.peer === peer);
  const at = pending?.writtenAt ?? summary.last_message?.timestamp;
  return (
    <li style={{ '--place': place }}>
      <a
        class={`entry${unread > 0 ? ' has-unread' : ''}`}
        href={conversationPath(router.base, peer)}
        aria-current={current ? 'page' : undefined}
      >
        <span class="entry-face">
          <Avatar name={peer} />
          <Here peer={peer} />
        </span>
        <span class="entry-text">
          <span class="entry-top">
            <span class="entry-name">
              <Name of={peer} />
            </span>
            {at && (
              <time class="entry-time" dateTime={at} title={inFull(at)}>
                {shortTime(at, today.value)}
              </time>
            )}
          </span>
          <span class="entry-bottom">
            <Preview key={previewKey(summary, pending)} summary={summary} pending={pending} open={current} />
            <Marks summary={summary} />
            {unread > 0 && (
              // Another number is another element: a wider one would be a shift of its digits.
              <span class="badge" key={unread}>
                <span aria-hidden="true">{unread > 99 ? '99+' : unread}</span>
                <span class="sr-only">{strings.list.unread(unread)}</span>
              </span>
            )}
          </span>
        </span>
      </a>
    </li>
  );
}

/** That somebody is here; how they appear is said in words in the conversation. */
function Here({ peer }: { peer: string }) {
  const { presence, blocked } = useClient().store.state;
  const how = blocked.value?.has(peer) ? null : presence.value.get(peer)?.state;
  if (how !== 'online' && how !== 'away') return null;
  return (
    <span class={`here here-${how}`}>
      <span class="sr-only">{strings.presence[how]}</span>
    </span>
  );
}

function Marks({ summary }: { summary: ConversationSummary }) {
  const words = strings.keep;
  return (
    <>
      {isMuted(summary, Date.now()) && (
        <span class="mark" title={words.muted}>
          <MutedIcon />
          <span class="sr-only">{words.muted}</span>
        </span>
      )}
      {summary.pinned && (
        <span class="mark" title={words.pinned}>
          <PinIcon />
          <span class="sr-only">{words.pinned}</span>
        </span>
      )}
    </>
  );
}

interface PreviewProps {
  readonly summary: ConversationSummary;
  readonly pending: Pending | undefined;
  /** Then its draft stands in the composer, beside this. */
  readonly open: boolean;
}

function Preview({ summary, pending, open }: PreviewProps) {
  const { me, draft, typing } = useClient().store.state;
  const text = open ? '' : draft(summary.peer).value.trim();
  if (text !== '') {
    return (
      <span class="entry-preview" key="draft">
        <span class="entry-draft">{strings.list.draft}</span> <bdi>{text}</bdi>
      </span>
    );
  }
  const last = summary.last_message;
  const gone = pending === undefined && last !== null && last.deleted_at !== null;
  const body = gone ? strings.message.deleted : (pending?.body ?? last?.body ?? '');
  const mine = pending !== undefined || last?.user === me;
  const delivery = mine ? deliveryOf(summary, pending) : null;
  if (typing.value.has(summary.peer)) {
    return <span class="entry-preview typing">{strings.presence.typing}</span>;
  }
  return (
    <span class="entry-preview">
      {delivery && <Tick delivery={delivery} />}
      {mine && summary.peer !== me && <span class="entry-you">{strings.list.you}</span>}
      <bdi>{plainText(body)}</bdi>
    </span>
  );
}

/** Another message is another element; the server's copy of what was just sent is not. */
function previewKey({ last_message }: ConversationSummary, pending: Pending | undefined): string {
  return pending?.clientId ?? last_message?.client_id ?? String(last_message?.seq);
}

function deliveryOf(summary: ConversationSummary, pending: Pending | undefined): Delivery {
  if (pending) return pending.refused === null ? 'sending' : 'failed';
  return cameTo(summary.last_seq, summary.peer_read_seq, summary.peer_delivered_seq);
}
