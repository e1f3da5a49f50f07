// The messages of a conversation: rows for the part that is in view, and the scrolling around them (`log-scroll.ts`).

import { useEffect, useLayoutEffect, useMemo, useRef } from 'preact/hooks';
import { hasOlder, shown } from '../conversation/thread';
import { strings } from '../strings';
import { Avatar } from './avatar';
import { Bubble } from './bubble';
import { useClient } from './context';
import { DownIcon } from './icons';
import { LogScroll } from './log-scroll';
import type { Visit } from './router';
import { buildDays, type Day, type Row } from './rows';
import { LogSkeleton } from './skeleton';
import { dayName, today } from './times';
import { inView, MOST } from './window';

export function MessageLog({ peer, visit }: { peer: string; visit: Visit }) {
  const { store, router } = useClient();
  const scroll = useMemo(() => new LogScroll(store, router, visit, peer), []);
  const { thread, loading } = store.state.conversation(peer);

  useEffect(() => {
    void store.open(peer, visit.scroll?.seq ?? scroll.target);
    return () => {
      scroll.stop();
      store.close();
    };
  }, []);

  if (thread.value.loaded) return <Loaded scroll={scroll} />;
  if (loading.value.failed) return <LoadFailed peer={peer} />;
  return <LogSkeleton label={strings.conversation.loading} />;
}

function Loaded({ scroll }: { scroll: LogScroll }) {
  const log = useRef<HTMLDivElement>(null);
  const inner = useRef<HTMLDivElement>(null);
  const days = useDays(scroll);

  useLayoutEffect(() => {
    if (log.current) scroll.afterDrawing(log.current);
  });

  useEffect(() => {
    const observer = new ResizeObserver(() => scroll.resized());
    if (log.current) observer.observe(log.current);
    if (inner.current) observer.observe(inner.current);
    const look = () => scroll.look();
    addEventListener('focus', look);
    document.addEventListener('visibilitychange', look);
    return () => {
      observer.disconnect();
      removeEventListener('focus', look);
      document.removeEventListener('visibilitychange', look);
    };
  }, []);

  return (
    <>
      <div
        class="log"
        role="log"
        aria-live="off"
        aria-label={strings.conversation.log(scroll.peer)}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: the keyboard must be able to scroll it
        tabIndex={0}
        ref={log}
        onScroll={() => scroll.scrolled()}
      >
        <div class="rows" ref={inner}>
          <Beginning peer={scroll.peer} fromStart={scroll.fromStart} />
          {days.map(({ day, rows }) => (
            <div class="day" key={day}>
              <p class="day-line">
                <span>{dayName(day, today.value)}</span>
              </p>
              {rows.map((row) => (
                <RowView key={row.key} row={row} scroll={scroll} />
              ))}
            </div>
          ))}
        </div>
      </div>
      <JumpButton scroll={scroll} />
    </>
  );
}

function useDays(scroll: LogScroll): readonly Day[] {
  const { state } = useClient().store;
  const { thread, loading } = state.conversation(scroll.peer);
  const now = thread.value;
  const mine = state.outbox.value.filter((item) => item.peer === scroll.peer).slice(-MOST / 2);
  const newest = mine.at(-1)?.clientId;
  const sent = useRef(newest);
  // Both are read so that their changes draw the log anew: a wider view, and a page that failed.
  void scroll.turn.value;
  void loading.value;
  useEffect(() => {
    if (newest !== undefined && newest !== sent.current) void scroll.jump();
    sent.current = newest;
  }, [newest]);

  const all = shown(now);
  const view = scroll.beforeDrawing(MOST - mine.length);
  const messages = inView(all, view);
  const open = view.to === Number.POSITIVE_INFINITY && now.tail;
  return buildDays({
    messages,
    pending: open ? mine : [],
    me: state.me,
    peerReadSeq: state.summaries.value.get(scroll.peer)?.peer_read_seq ?? 0,
    readBefore: scroll.readBefore,
    above: all.findLast((message) => message.seq < (messages[0]?.seq ?? 0)),
  });
}

function RowView({ row, scroll }: { row: Row; scroll: LogScroll }) {
  const { store } = useClient();
  if (row.kind === 'unread') {
    return (
      <div class="new-line">
        <span>{strings.conversation.newMessages}</span>
      </div>
    );
  }
  const edit = (clientId: string) => {
    const draft = store.state.draft(scroll.peer);
    draft.value = draft.peek() === '' ? row.body : `${row.body}\n${draft.peek()}`;
    store.discard(clientId);
    document.querySelector<HTMLElement>('.composer textarea')?.focus();
  };
  return (
    <Bubble
      row={row}
      highlighted={row.seq !== null && row.seq === scroll.target}
      onRetry={store.retry}
      onEdit={edit}
      onDiscard={store.discard}
    />
  );
}

/** Above the first row: where the conversation began, or room for what is being loaded. */
function Beginning({ peer, fromStart }: { peer: string; fromStart: boolean }) {
  const { state } = useClient().store;
  const { thread, loading } = state.conversation(peer);
  const words = strings.conversation;
  if (loading.value.failed) return <LoadFailed peer={peer} />;
  if (!fromStart || hasOlder(thread.value)) return <div class="older" aria-hidden="true" />;
  const empty = shown(thread.value).length === 0;
  return (
    <div class="beginning">
      <Avatar name={peer} size="l" />
      <h2>
        <bdi>{peer}</bdi>
      </h2>
      <p>{peer === state.me ? words.beginSelf : words.begin(peer)}</p>
      {empty && peer !== state.me && <p>{words.sayHello}</p>}
    </div>
  );
}

function LoadFailed({ peer }: { peer: string }) {
  const { store } = useClient();
  return (
    <div class="load-failed" role="alert">
      <p>{strings.conversation.failed}</p>
      <button type="button" class="soft" onClick={() => void store.again(peer)}>
        {strings.conversation.again}
      </button>
    </div>
  );
}

function JumpButton({ scroll }: { scroll: LogScroll }) {
  const { state } = useClient().store;
  const last = state.conversation(scroll.peer).thread.value.lastSeq;
  if (scroll.atBottom.value) return null;
  const count = Math.max(0, last - scroll.seenSeq.value);
  const words = strings.conversation;
  return (
    <button
      type="button"
      class="jump"
      aria-label={count > 0 ? words.jumpCount(count) : words.jump}
      title={words.jump}
      onClick={() => void scroll.jump()}
    >
      <DownIcon />
      {count > 0 && (
        <span class="badge" key={count}>
          {count}
        </span>
      )}
    </button>
  );
}
