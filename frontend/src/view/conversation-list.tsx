// The conversations, newest activity first.

import type { ConversationSummary } from '../api/types';
import type { Pending } from '../conversation/outbox';
import { inOrder } from '../conversation/summaries';
import { strings } from '../strings';
import { Avatar } from './avatar';
import { Tick } from './bubble';
import { useClient } from './context';
import { Hills } from './illustration';
import { conversationPath } from './router';
import type { Delivery } from './rows';
import { ListSkeleton } from './skeleton';
import { inFull, shortTime, today } from './times';

export function ConversationList({ current }: { current: string | null }) {
  const { store } = useClient();
  const { state } = store;
  const words = strings.list;
  const list = inOrder(state.summaries.value);
  if (list.length === 0 && state.list.value === 'loading') return <ListSkeleton label={words.loading} />;
  if (list.length === 0 && state.list.value === 'failed') {
    return <ListNotice title={words.failedTitle} text={words.failedText} />;
  }
  if (list.length === 0) return <ListNotice title={words.emptyTitle} text={words.emptyText} picture />;
  return (
    <>
      <ul class="entries placed" style={{ '--count': list.length }}>
        {list.map((summary, index) => (
          <Entry key={summary.peer} summary={summary} place={index} current={summary.peer === current} />
        ))}
      </ul>
      {state.following.value !== null && (
        <button type="button" class="soft more" onClick={() => void store.moreConversations()}>
          {words.more}
        </button>
      )}
    </>
  );
}

function ListNotice({ title, text, picture }: { title: string; text: string; picture?: boolean }) {
  return (
    <div class="list-notice">
      {picture && <Hills />}
      <h2>{title}</h2>
      <p>{text}</p>
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
        <Avatar name={peer} />
        <span class="entry-text">
          <span class="entry-top">
            <span class="entry-name">
              <bdi>{peer}</bdi>
            </span>
            {at && (
              <time class="entry-time" dateTime={at} title={inFull(at)}>
                {shortTime(at, today.value)}
              </time>
            )}
          </span>
          <span class="entry-bottom">
            <Preview key={previewKey(summary, pending)} summary={summary} pending={pending} />
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

function Preview({ summary, pending }: { summary: ConversationSummary; pending: Pending | undefined }) {
  const { me } = useClient().store.state;
  const last = summary.last_message;
  const body = pending?.body ?? last?.body ?? '';
  const mine = pending !== undefined || last?.user === me;
  const delivery = mine ? deliveryOf(summary, pending) : null;
  return (
    <span class="entry-preview">
      {delivery && <Tick delivery={delivery} />}
      {mine && summary.peer !== me && <span class="entry-you">{strings.list.you}</span>}
      <bdi>{body}</bdi>
    </span>
  );
}

/** Another message is another element; the server's copy of what was just sent is not. */
function previewKey({ last_message }: ConversationSummary, pending: Pending | undefined): string {
  return pending?.clientId ?? last_message?.client_id ?? String(last_message?.seq);
}

function deliveryOf(summary: ConversationSummary, pending: Pending | undefined): Delivery {
  if (pending) return pending.refused === null ? 'sending' : 'failed';
  return summary.last_seq <= summary.peer_read_seq ? 'read' : 'stored';
}
