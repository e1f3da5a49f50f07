// The messages of a conversation: rows for the part that is in view, and the scrolling around them (`log-scroll.ts`).

import { useComputed, useSignal } from '@preact/signals';
import { useEffect, useLayoutEffect, useMemo, useRef } from 'preact/hooks';
import { hasOlder, shown } from '../conversation/thread';
import { strings } from '../words';
import { Avatar, Name } from './avatar';
import { Bubble } from './bubble';
import { useClient } from './context';
import { DownIcon } from './icons';
import { LogScroll } from './log-scroll';
import { showTimes } from './long-press';
import { MessageMenu } from './message-menu';
import type { Visit } from './router';
import { buildDays, type Day, type Row } from './rows';
import { LogSkeleton } from './skeleton';
import { dayName, today } from './times';
import { Trouble } from './trouble';
import { inView, MOST } from './window';

export function MessageLog({ peer, visit }: { peer: string; visit: Visit }) {
  const { store, router } = useClient();
  const scroll = useMemo(() => new LogScroll(store, router, visit, peer), []);
  const { thread, loading } = store.state.conversation(peer);
  const wanted = visit.scroll?.seq ?? scroll.target;
  // What is here already may not hold what the visit is for. Without a connection it is shown all the same.
  const opened = useSignal(store.lacks(peer, wanted) === undefined);

  useEffect(() => {
    void store.open(peer, wanted).then(() => {
      opened.value = true;
    });
    return () => {
      scroll.stop();
      store.close();
    };
  }, []);

  // What is written here is shown whether or not the history can be had.
  const pending = store.state.outbox.value.some((item) => item.peer === peer);
  if (thread.value.loaded ? opened.value : pending) return <Loaded scroll={scroll} />;
  if (loading.value.failed) return <LoadFailed peer={peer} />;
  return <LogSkeleton label={strings.conversation.loading} />;
}

function Loaded({ scroll }: { scroll: LogScroll }) {
  const { state } = useClient().store;
  // Another name is another label, and not another drawing of all that is below it.
  const label = useComputed(() => strings.conversation.log(state.called(scroll.peer)));
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
    log.current?.addEventListener('click', tapped);
    if (log.current) showTimes(log.current);
    addEventListener('focus', look);
    addEventListener('blur', look);
    document.addEventListener('visibilitychange', look);
    return () => {
      observer.disconnect();
      removeEventListener('focus', look);
      removeEventListener('blur', look);
      document.removeEventListener('visibilitychange', look);
    };
  }, []);

  return (
    <>
      <div
        class="log"
        role="log"
        aria-live="off"
        aria-label={label}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: the keyboard must be able to scroll it
        tabIndex={0}
        ref={log}
        onScroll={() => scroll.scrolled()}
        onKeyDown={moveAlong}
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
          <Ending peer={scroll.peer} />
        </div>
      </div>
      <JumpButton scroll={scroll} />
      <MessageMenu peer={scroll.peer} />
    </>
  );
}

function useDays(scroll: LogScroll): readonly Day[] {
  const { store } = useClient();
  const { state } = store;
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
  const summary = state.summaries.value.get(scroll.peer);
  const view = scroll.beforeDrawing(MOST - mine.length);
  const messages = inView(all, view);
  const open = view.to === Number.POSITIVE_INFINITY && now.tail;
  return buildDays({
    messages,
    pending: open ? mine : [],
    me: state.me,
    peerReadSeq: summary?.peer_read_seq ?? 0,
    peerDeliveredSeq: summary?.peer_delivered_seq ?? 0,
    quoted: (seq) => store.quoted(scroll.peer, seq),
    readBefore: scroll.readBefore,
    above: all.findLast((message) => message.seq < (messages[0]?.seq ?? 0)),
  });
}

/** On a screen that is touched a tap on a message opens its menu; the button would be in the way. */
function tapped(event: MouseEvent): void {
  const at = event.target as HTMLElement;
  if (!matchMedia('(hover: none)').matches || at.closest('a, button')) return;
  if (getSelection()?.isCollapsed === false) return;
  at.closest('.bubble')?.querySelector<HTMLElement>('.actions')?.click();
}

/** Up and Down lead from one message's button to the next; Tab leads to the newest one alone. */
function moveAlong(event: KeyboardEvent): void {
  const here = (event.target as HTMLElement).closest('.actions');
  const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
  if (!here || step === 0) return;
  event.preventDefault();
  const all = [...document.querySelectorAll<HTMLElement>('.log .actions')];
  all[all.indexOf(here as HTMLElement) + step]?.focus();
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
      peer={scroll.peer}
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
  const { failed } = loading.value;
  if (failed && (failed.place === 'older' || !thread.value.loaded)) return <LoadFailed peer={peer} />;
  if (!thread.value.loaded || !fromStart || hasOlder(thread.value))
    return <div class="older" aria-hidden="true" />;
  const empty = shown(thread.value).length === 0;
  return (
    <div class="beginning">
      <Avatar name={peer} size="l" />
      <h2>
        <Name of={peer} />
      </h2>
      <p>{peer === state.me ? words.beginSelf : words.begin(state.called(peer))}</p>
      {empty && peer !== state.me && <p>{words.sayHello}</p>}
    </div>
  );
}

/** Below the last row: that those after it could not be had. */
function Ending({ peer }: { peer: string }) {
  const { thread, loading } = useClient().store.state.conversation(peer);
  const { failed } = loading.value;
  return thread.value.loaded && failed && failed.place !== 'older' ? <LoadFailed peer={peer} /> : null;
}

function LoadFailed({ peer }: { peer: string }) {
  const { store, router } = useClient();
  const { failed } = store.state.conversation(peer).loading.value;
  return (
    <Trouble
      kind="load-failed"
      text={strings.conversation.failed}
      failure={failed?.failure ?? null}
      again={() => void store.again(peer)}
    >
      {failed?.failure.kind === 'refused' && (
        <a class="button" href={router.base}>
          {strings.conversation.home}
        </a>
      )}
    </Trouble>
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
