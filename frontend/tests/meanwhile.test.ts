// Answers that come late: somebody has done something else since, here or on another device.

import { describe, expect, it } from 'vitest';
import type { Api } from '../src/api/client';
import type { ChatEvent } from '../src/api/types';
import { createBlocks } from '../src/conversation/blocks';
import { createChanges } from '../src/conversation/changes';
import { lookAtList } from '../src/conversation/faces';
import { createHistory } from '../src/conversation/history';
import { createReading } from '../src/conversation/reading';
import { receiveEvent } from '../src/conversation/receive';
import { createState } from '../src/conversation/state';
import { withSummary } from '../src/conversation/summaries';
import { shown } from '../src/conversation/thread';
import { until } from './client';
import { message, summary } from './messages';

const SESSION = {
  user: 'ann',
  is_staff: false,
  is_superuser: false,
  message_max_length: 100,
  messages_to_load: 15,
};
const KEPT = { conversation: 1, peer: 'bob', muted_until: null, pinned: false, archived: false };
const READ = {
  conversation: 1,
  peer: 'bob',
  read_seq: 2,
  peer_read_seq: 0,
  unread: 0,
  peer_delivered_seq: 0,
};
const SHARED = { share_typing: true, share_presence: true, share_read: true, who_may_write: 'everybody' };

/** Ann with one conversation, and a server whose answers wait: for each question, in their order, what answers it. */
function client() {
  const state = createState(SESSION);
  const waiting: { question: string; give: (answer: unknown) => void; fail: () => void }[] = [];
  const ask =
    (name: string) =>
    (...args: readonly unknown[]) =>
      new Promise((resolve, reject) => {
        const question = [name, ...args.filter((arg) => typeof arg !== 'object')].join(' ');
        waiting.push({ question, give: resolve, fail: () => reject(new Error('no')) });
      });
  const api = new Proxy({}, { get: (_, name) => ask(String(name)) }) as Api;
  state.summaries.value = new Map([['bob', summary('bob', { last_seq: 2, unread: 2 })]]);
  const rest = () => new Promise((done) => setImmediate(done));
  const take = (question: string) => {
    const index = waiting.findIndex((each) => each.question === question);
    const [found] = index < 0 ? [] : waiting.splice(index, 1);
    if (!found) throw new Error(`${question} was not asked, but ${waiting.map((each) => each.question)}`);
    return found;
  };
  return {
    state,
    api,
    hear: (event: object) => receiveEvent(state, { cursor: 'c', ...event } as ChatEvent),
    asked: () => waiting.map(({ question }) => question),
    answer: async (question: string, answer: unknown) => {
      take(question).give(answer);
      await rest();
    },
    bob: () => state.summaries.value.get('bob'),
  };
}

describe('an answer that is older than what was heard', () => {
  it('does not undo how another device keeps a conversation', async () => {
    const ann = client();
    void createChanges(ann.state, ann.api).arrange('bob', { pinned: true });
    ann.hear({ type: 'conversation', ...KEPT, pinned: true });
    ann.hear({ type: 'conversation', ...KEPT, pinned: false });
    await ann.answer('arrange bob', { ...KEPT, pinned: true });
    expect(ann.bob()?.pinned).toBe(false);
    void createChanges(ann.state, ann.api).arrange('bob', { pinned: true });
    await ann.answer('arrange bob', { ...KEPT, pinned: true });
    expect(ann.bob()?.pinned, 'nothing was heard').toBe(true);
  });

  it('does not undo what another device lets others see', async () => {
    const ann = client();
    void createChanges(ann.state, ann.api).share({ share_typing: true });
    ann.hear({ type: 'settings', ...SHARED, share_typing: false });
    await ann.answer('share', SHARED);
    expect(ann.state.sharing.value?.share_typing).toBe(false);
    void createChanges(ann.state, ann.api).loadSharing();
    await ann.answer('sharing', SHARED);
    expect(ann.state.sharing.value?.share_typing, 'nothing was heard').toBe(true);
  });

  it('does not take back what the other has read', async () => {
    const ann = client();
    const reading = createReading(ann.state, ann.api);
    reading.seen('bob', 2);
    reading.again();
    ann.hear({ type: 'read', ...READ, read_seq: 0, peer_read_seq: 1, unread: 2 });
    await ann.answer('read bob 2', READ);
    expect(ann.bob()?.peer_read_seq).toBe(1);
    ann.hear({ type: 'read', ...READ, peer_read_seq: 1 });
    expect(ann.bob()).toMatchObject({ unread: 0, read_seq: 2 });
  });

  it('does not show again what is hidden since', async () => {
    const ann = client();
    const look = () => lookAtList(ann.state, ann.api, () => {});
    void look();
    ann.hear({ type: 'settings', ...SHARED, share_read: false });
    await ann.answer('conversations', { results: [summary('bob', { peer_read_seq: 2 })], next: null });
    expect(ann.bob()?.peer_read_seq).toBe(0);
    void look();
    await ann.answer('conversations', { results: [summary('bob', { peer_read_seq: 2 })], next: null });
    expect(ann.bob()?.peer_read_seq, 'nothing was heard').toBe(2);
  });

  it('does not bring back the last message as it was', () => {
    const [old, edited] = [message(2), message(2, { body: 'edited', version: 2 })];
    const known = new Map([['bob', summary('bob', { last_seq: 2, last_message: edited })]]);
    const now = withSummary(known, summary('bob', { last_seq: 2, last_message: old }));
    expect(now.get('bob')?.last_message?.body).toBe('edited');
    const next = withSummary(known, summary('bob', { last_seq: 3, last_message: message(3) }));
    expect(next.get('bob')?.last_message?.seq).toBe(3);
  });

  it('does not bring back what was put aside after the last message', () => {
    const heard = [{ type: 'conversation', cursor: 'c', ...KEPT, archived: true }] as ChatEvent[];
    const known = new Map([['bob', summary('bob', { last_seq: 2, archived: true })]]);
    const archived = (list: typeof known, events: ChatEvent[], more: object) =>
      withSummary(list, summary('bob', { last_seq: 1, ...more }), events).get('bob')?.archived;
    expect(archived(known, heard, { archived: false })).toBe(true);
    const back = new Map([['bob', summary('bob', { last_seq: 2 })]]);
    expect(archived(back, [], { archived: true }), 'a message came since').toBe(false);
  });

  it('does not block anew whom another device has unblocked', async () => {
    const ann = client();
    const blocks = createBlocks(ann.state, ann.api);
    ann.state.link.value = 'up';
    await ann.answer('blocks', { results: [] });
    void blocks.block('bob');
    ann.hear({ type: 'blocks' });
    ann.hear({ type: 'blocks' });
    await ann.answer('blocks', { results: [] });
    await until(() => ann.asked().includes('blocks'), 'the list to be asked for as of the second');
    await ann.answer('blocks', { results: [] });
    await ann.answer('block bob', { user: 'bob', created_at: '' });
    expect([...(ann.state.blocked.value ?? [])]).toEqual([]);
    void blocks.block('bob');
    await ann.answer('block bob', { user: 'bob', created_at: '' });
    expect([...(ann.state.blocked.value?.keys() ?? [])], 'nothing was heard').toEqual(['bob']);
    blocks.stop();
  });
});

describe('a page of messages for which somebody did not wait', () => {
  const page = (from: number, to: number, newer: boolean) => ({
    results: Array.from({ length: to - from + 1 }, (_, index) => message(to - index)),
    next: null,
    previous: newer ? 'newer' : null,
  });
  const seqs = (ann: ReturnType<typeof client>) =>
    shown(ann.state.conversation('bob').thread.value).map(({ seq }) => seq);

  /** At the end of a conversation of 900 messages. */
  async function atTheEnd() {
    const ann = client();
    ann.state.summaries.value = new Map([['bob', summary('bob', { last_seq: 900 })]]);
    const history = createHistory(ann.state, ann.api);
    const busy = () => [...ann.state.conversation('bob').loading.value.busy];
    void history.open('bob');
    await ann.answer(`newest bob 30`, page(871, 900, false));
    expect(seqs(ann).at(-1)).toBe(900);
    return { ann, history, busy };
  }

  it('leaves those who went back where they are', async () => {
    const { ann, history, busy } = await atTheEnd();
    void history.open('bob', 5);
    expect(busy()).toEqual(['around']);
    void history.open('bob');
    expect(busy()).toEqual([]);
    await ann.answer('around bob 5 60', page(1, 35, true));
    expect(seqs(ann)).toEqual(Array.from({ length: 30 }, (_, index) => 871 + index));
  });

  it.each([
    [5, 500],
    [500, 5],
  ])('is not that of the last jump, whichever comes first: %i', async (first, second) => {
    const { ann, history, busy } = await atTheEnd();
    const pages = { 5: page(1, 35, true), 500: page(471, 530, true) };
    void history.open('bob', 5);
    void history.open('bob', 500);
    void history.open('bob', 500);
    expect(ann.asked()).toEqual(['around bob 5 60', 'around bob 500 60']);
    for (const seq of [first, second] as (5 | 500)[]) await ann.answer(`around bob ${seq} 60`, pages[seq]);
    expect([seqs(ann)[0], seqs(ann).at(-1)]).toEqual([471, 530]);
    expect(busy()).toEqual([]);
  });

  it('does not come after everything was to be had anew', async () => {
    const { ann, history, busy } = await atTheEnd();
    void history.older('bob');
    history.abandon();
    ann.state.conversation('bob').loading.value = { busy: new Set(), failed: null };
    void history.older('bob');
    const before = seqs(ann);
    await ann.answer('before bob 871 30', page(841, 870, true));
    expect(seqs(ann)).toEqual(before);
    expect(busy(), 'the second one is still under way').toEqual(['older']);
    await ann.answer('before bob 871 30', page(841, 870, true));
    expect(seqs(ann)[0]).toBe(841);
    expect(busy()).toEqual([]);
  });
});
