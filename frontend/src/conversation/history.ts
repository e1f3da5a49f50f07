// Loads what a conversation lacks: its newest page when it is opened, older and newer ones while reading, and the
// messages of a hole. What is already here is never asked for again.

import { effect } from '@preact/signals';
import type { Api } from '../api/client';
import { failureOf, waitAfter } from '../api/failure';
import type { ConversationSummary, Message, Page } from '../api/types';
import { delay } from '../socket/backoff';
import { readMeanwhile } from './meanwhile';
import { settleAll, threadWith } from './receive';
import type { State } from './state';
import { firstSeq, hasNewer, hasOlder, holeIn, type Place, pastEnd, withPage } from './thread';

const PAGE = 30;
/** Half of it is above the message that is wanted, half below. */
const AROUND = 60;
/** With more unread messages than this, the newest page would begin after the first of them. */
const UNREAD_IN_PAGE = 25;
/** How long a hole may stay: what fills it is usually the next frame of the link. */
const HOLE_MS = 2_000;
const HOLE_PAGE = 100;

/** Around which message a conversation opens of which nothing is here; undefined: with its newest page. */
function opensAt(summary: ConversationSummary | undefined, seq?: number): number | undefined {
  return seq ?? (summary && summary.unread > UNREAD_IN_PAGE ? summary.read_seq + 1 : undefined);
}

/** Asks for the page with which a conversation opens of which nothing is here. */
export function firstPage(api: Api, peer: string, summary: ConversationSummary | undefined, seq?: number) {
  const at = opensAt(summary, seq);
  return at === undefined ? api.newest(peer, PAGE) : api.around(peer, at, AROUND);
}

interface Wish {
  readonly place: Place;
  readonly seq: number | undefined;
}

const JUMPS: readonly Place[] = ['newest', 'around'];

function without(busy: ReadonlySet<Place>, places: readonly Place[]): ReadonlySet<Place> {
  return new Set([...busy].filter((place) => !places.includes(place)));
}

export function createHistory(state: State, api: Api, random: () => number = Math.random) {
  let lineage = 0;
  const watched = new Set<string>();
  /** Where somebody wants to be in a conversation, while it is asked for: an earlier wish has no answer any more. */
  const wishes = new Map<string, Wish>();

  async function load(
    peer: string,
    place: Place,
    fetchPage: () => Promise<Page<Message>>,
    about: { readonly seq?: number } = {},
  ): Promise<void> {
    const { thread, loading } = state.conversation(peer);
    const jump = JUMPS.includes(place);
    const known = wishes.get(peer);
    if (jump ? known?.place === place && known.seq === about.seq : loading.peek().busy.has(place)) return;
    if (jump) forget(peer);
    const [mine, wish] = [lineage, { place, seq: about.seq }];
    if (jump) wishes.set(peer, wish);
    const isWanted = () => mine === lineage && (!jump || wishes.get(peer) === wish);
    loading.value = { busy: new Set(loading.peek().busy).add(place), failed: null };
    try {
      await readMeanwhile(state, fetchPage, (page, heard) => {
        if (!isWanted()) return;
        const fetched = withPage(thread.peek(), page.results, place, page.previous !== null);
        thread.value = heard.reduce((now, event) => threadWith(now, event, state.me), fetched);
        settleAll(state, page.results);
      });
    } catch (error) {
      const failure = failureOf(error);
      if (failure.kind === 'signed-out') state.signedOut.value = true;
      else if (isWanted()) {
        loading.value = { ...loading.peek(), failed: { place, failure, ...about } };
      }
    } finally {
      if (isWanted()) {
        if (jump) forget(peer);
        else loading.value = { ...loading.peek(), busy: without(loading.peek().busy, [place]) };
      }
    }
  }

  /** Somebody is where they want to be, or wants to be elsewhere. */
  function forget(peer: string): void {
    const { loading } = state.conversation(peer);
    if (wishes.delete(peer)) loading.value = { ...loading.peek(), busy: without(loading.peek().busy, JUMPS) };
  }

  /** Opens at the newest messages, at the first unread one, or around `seq`. */
  async function open(peer: string, seq?: number): Promise<void> {
    watch(peer);
    const target = lacks(peer, seq);
    if (target !== undefined) await around(peer, target);
    else if (state.conversation(peer).thread.peek().loaded) forget(peer);
    else await newest(peer);
  }

  async function around(peer: string, seq: number): Promise<void> {
    await load(peer, 'around', () => api.around(peer, seq, AROUND), { seq });
  }

  /** The message that is missing here and around which a conversation is to be opened, if there is one. */
  function lacks(peer: string, seq?: number): number | undefined {
    const thread = state.conversation(peer).thread.peek();
    const summary = state.summaries.peek().get(peer);
    if (!thread.loaded) return opensAt(summary, seq);
    // What was kept on this device may begin after the first unread one.
    const begins = summary && summary.unread > 0 && firstSeq(thread) > summary.read_seq + 1;
    const target = seq ?? (begins ? summary.read_seq + 1 : undefined);
    return thread.past.some((message) => message.seq === target) ? undefined : target;
  }

  async function newest(peer: string): Promise<void> {
    const { tail, loaded } = state.conversation(peer).thread.peek();
    if (!loaded || !tail) await load(peer, 'newest', () => api.newest(peer, PAGE));
  }

  async function older(peer: string): Promise<void> {
    const thread = state.conversation(peer).thread.peek();
    if (hasOlder(thread)) await load(peer, 'older', () => api.before(peer, firstSeq(thread), PAGE));
  }

  async function newer(peer: string): Promise<void> {
    const thread = state.conversation(peer).thread.peek();
    if (hasNewer(thread)) await load(peer, 'newer', () => api.after(peer, pastEnd(thread), PAGE));
  }

  /** Looks for a hole whenever the link is up, and fetches what did not come by itself. */
  function watch(peer: string): void {
    if (watched.has(peer)) return;
    watched.add(peer);
    const { thread } = state.conversation(peer);
    let timer: ReturnType<typeof setTimeout> | undefined;
    effect(() => {
      const open = holeIn(thread.value) !== null && state.link.value === 'up';
      clearTimeout(timer);
      if (open) timer = setTimeout(() => void mend(peer), HOLE_MS);
    });
    retryFailed(peer);
  }

  /** A request may be lost with the link and fail only when the next one is up: then nothing else begins it again. */
  function retryFailed(peer: string): void {
    const { loading } = state.conversation(peer);
    let timer: ReturnType<typeof setTimeout> | undefined;
    let attempt = 0;
    effect(() => {
      const { busy, failed } = loading.value;
      const up = state.link.value === 'up';
      clearTimeout(timer);
      if (busy.size > 0) return;
      if (!failed) attempt = 0;
      else if (up && failed.failure.kind !== 'refused') {
        timer = setTimeout(() => void again(peer), delay(attempt, random, waitAfter(failed.failure)));
        attempt += 1;
      }
    });
  }

  async function mend(peer: string): Promise<void> {
    const hole = holeIn(state.conversation(peer).thread.peek());
    if (!hole) return;
    const limit = Math.min(HOLE_PAGE, hole.before - hole.after - 1);
    await load(peer, 'newer', () => api.after(peer, hole.after, limit));
  }

  /** Tries again what failed, when there is reason to hope. */
  async function again(peer: string): Promise<void> {
    const failed = state.conversation(peer).loading.peek().failed;
    if (failed?.place === 'older') await older(peer);
    else if (failed?.place === 'newer') await newer(peer);
    else if (failed?.seq !== undefined) await around(peer, failed.seq);
    else if (failed) await newest(peer);
  }

  /** Whatever is under way belongs to a history that is no longer ours. */
  function abandon(): void {
    lineage += 1;
    wishes.clear();
  }

  return { open, lacks, newest, older, newer, again, abandon };
}
