// The scrolling of one visit to a conversation: where it opens, what it keeps in place, when it wants more, and how far
// it was read. It owns no element; the log hands it over after each drawing.

import { type Signal, signal } from '@preact/signals';
import type { Store } from '../conversation/store';
import { hasNewer, hasOlder, shown } from '../conversation/thread';
import * as anchors from './anchor';
import type { Router, Visit } from './router';
import * as windows from './window';

const SEEN_MS = 1_000;
const REMEMBER_MS = 200;
/** Rows come and go between two movements: in the same frame as one, even a still row counts as shifted. */
const QUIET_MS = 60;
/** So near to the end of what is here there is no time to wait for that. */
const URGENT_PX = 200;

export class LogScroll {
  /** Redraws the log. */
  readonly turn = signal(0);
  readonly atBottom: Signal<boolean> = signal(true);
  /** The highest number that was on screen, or was read before. */
  readonly seenSeq = signal(0);
  /** Up to which number all was read when the visit began; null when nothing was unread. */
  readBefore: number | null = null;

  private view: windows.View | null = null;
  private anchor: anchors.Anchor | null = null;
  private log: HTMLElement | null = null;
  private placed = false;
  private unsettled = false;
  private following = true;
  private toEnd = false;
  /** Whether the end of what is shown was the end of the conversation when it was last drawn. */
  private wasTail = true;
  private seenTimer: ReturnType<typeof setTimeout> | undefined;
  private scrolledAt = 0;
  private quietTimer: ReturnType<typeof setTimeout> | undefined;
  private rememberTimer: ReturnType<typeof setTimeout> | undefined;
  private readonly store: Store;
  private readonly router: Router;
  private readonly visit: Visit;
  readonly peer: string;

  constructor(store: Store, router: Router, visit: Visit, peer: string) {
    this.store = store;
    this.router = router;
    this.visit = visit;
    this.peer = peer;
  }

  get target(): number | undefined {
    const { route } = this.visit;
    return route.page === 'conversation' ? route.seq : undefined;
  }

  private get thread() {
    return this.store.state.conversation(this.peer).thread.peek();
  }

  /** Whether what is shown begins with the conversation. */
  get fromStart(): boolean {
    return (this.view?.from ?? 0) <= 1;
  }

  /** Called while drawing, when the document still shows the previous state. */
  beforeDrawing(room: number): windows.View {
    const messages = shown(this.thread);
    this.anchor = this.log && this.placed ? anchors.capture(this.log) : null;
    this.following = (this.anchor?.atBottom ?? false) && this.atTail();
    this.view ??= this.firstView();
    this.view = windows.settled(messages, this.view, room, this.anchor?.atBottom ?? true);
    return this.view;
  }

  afterDrawing(log: HTMLElement): void {
    this.log = log;
    if (!this.placed || this.unsettled) this.place(log);
    else if (this.following || this.toEnd) anchors.toEnd(log);
    else if (this.anchor) anchors.restore(log, this.anchor);
    this.toEnd = false;
    this.look();
  }

  /** After a scroll, and after each drawing. */
  look(): void {
    const { log } = this;
    if (!log || !this.placed) return;
    this.atBottom.value =
      anchors.isAtBottom(log) && this.view?.to === Number.POSITIVE_INFINITY && this.thread.tail;
    this.reach(log);
    this.noteSeen();
  }

  scrolled(): void {
    this.scrolledAt = performance.now();
    this.look();
    clearTimeout(this.rememberTimer);
    this.rememberTimer = setTimeout(() => this.remember(), REMEMBER_MS);
  }

  resized(): void {
    if (this.log && this.placed && this.atBottom.peek()) anchors.toEnd(this.log);
  }

  /** Leaves nothing behind that would act on another visit. */
  stop(): void {
    clearTimeout(this.seenTimer);
    clearTimeout(this.rememberTimer);
    clearTimeout(this.quietTimer);
    this.log = null;
  }

  /** For this visit's entry of the history alone, and only while it is in the document: else no row has a place. */
  remember(): void {
    if (!this.log?.isConnected || this.unsettled || this.router.visit.peek() !== this.visit) return;
    this.router.remember(this.atBottom.peek() ? null : anchors.topMessage(this.log));
  }

  async jump(): Promise<void> {
    await this.store.newest(this.peer);
    if (this.view?.to !== Number.POSITIVE_INFINITY || !this.wasTail)
      this.view = windows.atEnd(shown(this.thread));
    this.toEnd = true;
    this.turn.value += 1;
  }

  private atTail(): boolean {
    return this.view?.to === Number.POSITIVE_INFINITY && this.thread.tail && this.wasTail;
  }

  private firstView(): windows.View {
    const { store, visit, peer } = this;
    const messages = shown(this.thread);
    const summary = store.state.summaries.peek().get(peer);
    this.readBefore = summary && summary.unread > 0 ? summary.read_seq : null;
    this.seenSeq.value = this.readBefore ?? Math.max(this.thread.lastSeq, summary?.last_seq ?? 0);
    const at =
      visit.scroll?.seq ?? this.target ?? (this.readBefore === null ? undefined : this.readBefore + 1);
    const known = messages.find((message) => message.seq === at);
    return known ? windows.around(messages, known.seq) : windows.atEnd(messages);
  }

  /** Goes to where the visit begins. Again after the next drawing, while there is not enough below to get there. */
  private place(log: HTMLElement): void {
    const top = this.firstTop(log);
    log.scrollTop = top;
    this.placed = true;
    this.unsettled = log.scrollTop < top - 1 && hasNewer(this.thread);
  }

  private firstTop(log: HTMLElement): number {
    const { scroll } = this.visit;
    const row = anchors.rowOf(log, scroll?.seq ?? this.target ?? -1);
    const line = log.querySelector<HTMLElement>('.new-line');
    if (row && scroll) return row.offsetTop - scroll.offset;
    if (row) return row.offsetTop - (log.clientHeight - row.offsetHeight) / 2;
    return line ? line.offsetTop - log.clientHeight / 4 : log.scrollHeight - log.clientHeight;
  }

  /** Brings more rows into the document, or more messages from the server, before the end of what is here is reached. */
  private reach(log: HTMLElement): void {
    const { thread, view } = this;
    this.wasTail = thread.tail;
    if (!view) return;
    const messages = shown(thread);
    const ahead = 2 * log.clientHeight;
    // While a step still fits, nothing has to go for it. Then two screens could be more than the window holds, and both
    // ends would pull for ever.
    const fits = windows.hasRoom(messages, view);
    const near = fits ? ahead : Math.min(ahead, log.scrollHeight / 4);
    const below = anchors.distanceFromEnd(log);
    const { busy, failed } = this.store.state.conversation(this.peer).loading.peek();
    const first = messages[0]?.seq ?? 0;
    const endless = view.to === Number.POSITIVE_INFINITY;
    if (view.from > first && log.scrollTop < near) {
      this.whenQuiet(log.scrollTop, () => this.show(windows.extendedUp(messages, view)));
    } else if (!endless && below < near) {
      this.whenQuiet(below, () => this.show(windows.extendedDown(messages, view)));
    } else if (!failed) {
      const above = view.from <= first && log.scrollTop < ahead && hasOlder(thread);
      if (above && !busy.has('older')) void this.store.older(this.peer);
      if (endless && below < ahead && hasNewer(thread) && !busy.has('newer'))
        void this.store.newer(this.peer);
    }
  }

  private whenQuiet(left: number, act: () => void): void {
    const quiet = this.scrolledAt + QUIET_MS - performance.now();
    clearTimeout(this.quietTimer);
    if (quiet <= 0 || left < URGENT_PX) act();
    else this.quietTimer = setTimeout(() => this.look(), quiet + 1);
  }

  private show(view: windows.View): void {
    this.view = view;
    this.turn.value += 1;
  }

  /** What was on screen for a second, in a window that has the focus, was read. */
  private noteSeen(): void {
    // Somebody who looked away begins anew.
    if (!isWatched()) {
      clearTimeout(this.seenTimer);
      this.seenTimer = undefined;
    }
    if (!this.log || this.seenTimer !== undefined || !isWatched()) return;
    const seq = anchors.lastSeen(this.log);
    const unread = this.store.state.summaries.peek().get(this.peer)?.unread ?? 0;
    if (seq > this.seenSeq.peek()) this.seenSeq.value = seq;
    if (unread === 0 || seq === 0) return;
    this.seenTimer = setTimeout(() => {
      this.seenTimer = undefined;
      if (!this.log || !isWatched()) return;
      // What was scrolled away meanwhile was passed, not read.
      const now = anchors.lastSeen(this.log);
      this.store.seen(this.peer, Math.min(seq, now));
      if (now > seq) this.noteSeen();
    }, SEEN_MS);
  }
}

function isWatched(): boolean {
  return document.visibilityState === 'visible' && document.hasFocus();
}
