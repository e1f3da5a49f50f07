// Strangers who wait to be accepted, and people whom one blocks: what is counted, told and kept of them.

import { describe, expect, it, vi } from 'vitest';
import type { Api } from '../src/api/client';
import { classify, RequestError } from '../src/api/failure';
import type { Block, ConversationSummary } from '../src/api/types';
import { createBlocks, knownBlocks, learnBlocks } from '../src/conversation/blocks';
import { receiveEvent } from '../src/conversation/receive';
import { createState } from '../src/conversation/state';
import {
  fromSnapshot,
  requestsIn,
  unreadTotal,
  withEvent,
  withMessage,
  withSettings,
  withSummary,
} from '../src/conversation/summaries';
import { newBrowser, signIn, until } from './client';
import { message, summary as summaryOf } from './messages';
import { startMock } from './mock-server.mjs';

const SESSION = {
  user: 'ann',
  is_staff: false,
  is_superuser: false,
  message_max_length: 10,
  messages_to_load: 15,
};

const summary = (peer: string, more: Partial<ConversationSummary> = {}) =>
  summaryOf(peer, { unread: 1, ...more });

const written = (seq: number, user = 'bob') =>
  message(seq, { user, recipient: user === 'bob' ? 'ann' : 'bob' });
const bob = (list: ReturnType<typeof fromSnapshot>) => list.get('bob')?.request;
const block = (user: string): Block => ({ user, since: '2026-11-22T10:00:00Z' });
const error = (status: number) =>
  new RequestError(classify(status, null, { retryAfter: null, request: null }));

describe('a request', () => {
  const first = withMessage(new Map(), written(1), 'ann', { unread: 1, request: true });

  it('is not counted until it is accepted, then all of it is', () => {
    expect([bob(first), unreadTotal(first)]).toEqual([true, 0]);
    const settings = { conversation: 1, peer: 'bob', muted_until: null, pinned: false, archived: false };
    const accepted = withSettings(first, { ...settings, request: false });
    expect([bob(accepted), unreadTotal(accepted)]).toEqual([false, 1]);
  });

  it('is accepted by writing back, and stays so', () => {
    const back = withMessage(first, written(2, 'ann'), 'ann');
    expect(bob(back)).toBe(false);
    const event = { type: 'message_created', cursor: 'e', message: written(1), request: true } as const;
    expect(bob(withEvent(back, event, 'ann'))).toBe(false);
  });

  it('is none where an older version left nothing of it, and what is fetched says so', () => {
    expect(unreadTotal(fromSnapshot([summary('bob')]))).toBe(1);
    expect(requestsIn(fromSnapshot([summary('bob')]), null)).toEqual([]);
    expect(bob(withSummary(fromSnapshot([summary('bob')]), summary('bob', { request: true })))).toBe(true);
    const accepted = fromSnapshot([summary('bob', { request: false })]);
    expect(bob(withSummary(accepted, summary('bob', { request: true })))).toBe(false);
  });

  it('of somebody who is blocked waits for nothing', () => {
    expect(requestsIn(first, new Map()).map(({ peer }) => peer)).toEqual(['bob']);
    expect(requestsIn(first, new Map([['bob', block('bob')]]))).toEqual([]);
  });

  it('tells the stranger neither that it arrived nor that it was read, until it is accepted', async () => {
    const mock = await startMock();
    mock.model.guard('ann', true);
    const store = await signIn(mock, 'ann', newBrowser());
    await store.start();
    await until(() => store.state.link.value === 'up', 'the link is up');
    mock.model.send('bob', 'ann', 'hello');
    mock.model.send('carol', 'carol', 'a note');
    await until(() => store.state.summaries.value.get('bob')?.request === true, 'the request is here');
    store.seen('bob', 1);
    store.types('bob');
    // Somebody who is no stranger, after it: what would be told of the request is told by then.
    mock.model.guard('ann', false);
    mock.model.send('carol', 'ann', 'hi');
    const told = () =>
      mock.requests
        .map(({ path }: { path: string }) => path)
        .filter((path: string) => /read|delivered/.test(path));
    await until(() => told().length > 0, 'the other message is told to be here');
    expect(told()).toEqual(['/api/v1/conversation/carol/delivered/']);
    expect(mock.said.filter(({ type }: { type: string }) => type === 'typing')).toEqual([]);
    expect(await store.accept('bob')).toBeNull();
    expect(unreadTotal(store.state.summaries.value)).toBe(2);
    await until(() => told().includes('/api/v1/conversation/bob/delivered/'), 'it is told now');
    store.stop();
    await mock.stop();
  });
});

describe('whom one blocks', () => {
  function tied(answers: (() => Promise<{ results: Block[] }>)[], more: Partial<Api> = {}) {
    const state = createState(SESSION);
    const asked = vi.fn(() => (answers.shift() ?? (() => Promise.reject(error(404))))());
    const blocks = createBlocks(state, { blocks: asked, ...more } as unknown as Api, () => 0);
    const names = () => [...(state.blocked.value?.keys() ?? [])];
    return { state, blocks, asked, names };
  }

  it('is asked for when the link is up, once, and again when it is another list', async () => {
    const one = tied([async () => ({ results: [block('bob')] }), async () => ({ results: [] })]);
    expect(one.asked).not.toHaveBeenCalled();
    one.state.link.value = 'up';
    await vi.waitFor(() => expect(one.names()).toEqual(['bob']));
    one.state.link.value = 'down';
    one.state.link.value = 'up';
    expect(one.asked).toHaveBeenCalledTimes(1);
    receiveEvent(one.state, { type: 'blocks', cursor: 'e1' });
    expect(knownBlocks(one.state), 'what is old is not kept').toBeUndefined();
    await vi.waitFor(() => expect(one.names()).toEqual([]));
    expect(knownBlocks(one.state)).toEqual([]);
    one.blocks.stop();
  });

  it('that changed while it was asked for is asked for again', async () => {
    let answer = (_: { results: Block[] }) => {};
    const slow = new Promise<{ results: Block[] }>((resolve) => {
      answer = resolve;
    });
    const one = tied([() => slow, async () => ({ results: [block('carol')] })]);
    one.state.link.value = 'up';
    receiveEvent(one.state, { type: 'blocks', cursor: 'e1' });
    answer({ results: [block('bob')] });
    await vi.waitFor(() => expect(one.names()).toEqual(['carol']));
    expect(one.asked).toHaveBeenCalledTimes(2);
    one.blocks.stop();
  });

  it('is asked for again after a server in trouble, and when the link is back', async () => {
    vi.useFakeTimers();
    const one = tied([
      () => Promise.reject(error(503)),
      () => Promise.reject(new RequestError({ kind: 'unreachable' })),
      async () => ({ results: [block('bob')] }),
    ]);
    one.state.link.value = 'up';
    await vi.advanceTimersByTimeAsync(0);
    expect([one.asked.mock.calls.length, one.state.blocked.value]).toEqual([1, null]);
    one.state.link.value = 'down';
    await vi.advanceTimersByTimeAsync(60_000);
    expect(one.asked).toHaveBeenCalledTimes(2);
    one.state.link.value = 'up';
    await vi.advanceTimersByTimeAsync(0);
    expect(one.names()).toEqual(['bob']);
    one.blocks.stop();
    vi.useRealTimers();
  });

  it('changes when the server says so, and not before', async () => {
    const refusals = [error(404), error(503)];
    const one = tied([], {
      block: async (user) => block(user),
      unblock: () => Promise.reject(refusals.pop()),
    });
    learnBlocks(one.state, []);
    expect(await one.blocks.block('bob')).toBeNull();
    expect(one.names()).toEqual(['bob']);
    expect((await one.blocks.unblock('bob'))?.kind).toBe('busy');
    expect(one.names()).toEqual(['bob']);
    // Gone already: another device was faster.
    expect(await one.blocks.unblock('bob')).toBeNull();
    expect(one.names()).toEqual([]);
    one.blocks.stop();
  });

  it('a refusal to be written to is not taken for the end of the session', () => {
    const words = { detail: "This person can't be written to." };
    expect(classify(403, words, { retryAfter: null, request: null })).toMatchObject({
      kind: 'refused',
      reason: words.detail,
    });
  });
});
