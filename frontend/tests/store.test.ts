// The store against a server, over real HTTP and WebSocket.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Store } from '../src/conversation/store';
import { shown } from '../src/conversation/thread';
import { PATIENCE_MS } from '../src/view/banner';
import { type Browser, type Mock, signIn, until } from './client';
import { range, seqs } from './messages';
import { startMock } from './mock-server.mjs';

interface Request {
  readonly method: string;
  readonly path: string;
}

let mock: Mock;
const stores: Store[] = [];

beforeEach(async () => {
  mock = await startMock();
});

afterEach(async () => {
  for (const store of stores.splice(0)) store.stop();
  await mock.stop();
});

async function ready(name: string, browser?: Browser): Promise<Store> {
  const store = await signIn(mock, name, browser);
  stores.push(store);
  await store.start();
  await until(() => store.state.link.value === 'up', 'the link is up');
  return store;
}

const thread = (store: Store, peer: string) => shown(store.state.conversation(peer).thread.value);
const bodies = (store: Store, peer: string) => thread(store, peer).map((each) => each.body);
const summary = (store: Store, peer: string) => store.state.summaries.value.get(peer);
const asked = (part: string) =>
  mock.requests.filter((each: Request) => each.method === 'GET' && each.path.includes(part));

function fill(count: number, from = 'bob', to = 'ann'): void {
  for (let number = 1; number <= count; number += 1) mock.model.send(from, to, `${from} ${number}`);
}

describe('two people', () => {
  it('see what the other writes, once, in order, with counts and marks', async () => {
    const [ann, bob] = [await ready('ann'), await ready('bob')];
    await ann.open('bob');
    await bob.open('ann');
    ann.send('bob', 'hello');
    ann.send('bob', 'are you there?');
    await until(() => thread(bob, 'ann').length === 2, 'bob has both');
    bob.send('ann', 'yes');
    await until(() => thread(ann, 'bob').length === 3, 'ann has the answer');
    expect(bodies(ann, 'bob')).toEqual(['hello', 'are you there?', 'yes']);
    expect(bodies(bob, 'ann')).toEqual(bodies(ann, 'bob'));
    await until(() => ann.state.outbox.value.length === 0, 'nothing is pending');
    expect(summary(bob, 'ann')?.unread).toBe(2);
    bob.seen('ann', 2);
    await until(() => summary(ann, 'bob')?.peer_read_seq === 2, 'ann sees that it was read');
    expect(summary(bob, 'ann')?.unread).toBe(0);
  });

  it('never show a message beside the bubble that it was sent from', async () => {
    const ann = await ready('ann');
    await ann.open('bob');
    const doubled: string[] = [];
    const { outbox, conversation } = ann.state;
    const stop = conversation('bob').thread.subscribe((now) => {
      const stored = new Set(shown(now).map((each) => each.client_id));
      for (const item of outbox.peek()) if (stored.has(item.clientId)) doubled.push(item.body);
    });
    for (let number = 1; number <= 20; number += 1) ann.send('bob', `${number}`);
    await until(() => thread(ann, 'bob').length === 20 && outbox.value.length === 0, 'all are stored');
    stop();
    expect(bodies(ann, 'bob')).toEqual(range(1, 20).map(String));
    expect(doubled).toEqual([]);
  });
});

describe('a lost link', () => {
  it('is resumed by cursor alone: no list and no history is asked for again', async () => {
    fill(10);
    const ann = await ready('ann');
    await ann.open('bob');
    const before = mock.requests.length;
    mock.cutSockets(1012);
    await until(() => ann.state.link.value !== 'up', 'the link is lost');
    for (let number = 0; number < 25; number += 1) mock.model.send('bob', 'ann', `away ${number}`);
    await until(() => thread(ann, 'bob').length === 35, 'everything arrived');
    expect(seqs(thread(ann, 'bob'))).toEqual(range(1, 35));
    expect(summary(ann, 'bob')?.unread).toBe(35);
    const since = mock.requests
      .slice(before)
      .filter((each: Request) => /conversation|message/.test(each.path));
    expect(since).toEqual([]);
  });

  it('because the server restarts (1012) comes back without anything that the screen would show', async () => {
    fill(3);
    const ann = await ready('ann');
    await ann.open('bob');
    const shownOnScreen: unknown[] = [];
    const { list, signedOut, conversation } = ann.state;
    const stops = [
      list.subscribe((now) => now !== 'ready' && shownOnScreen.push(now)),
      signedOut.subscribe((now) => now && shownOnScreen.push('signed out')),
      conversation('bob').loading.subscribe((now) => now.failed && shownOnScreen.push(now.failed)),
    ];
    mock.cutSockets(1012);
    await until(() => ann.state.link.value !== 'up', 'the link is lost');
    const since = Date.now();
    await until(() => ann.state.link.value === 'up', 'it is back');
    expect(Date.now() - since, 'before the banner').toBeLessThan(PATIENCE_MS);
    for (const stop of stops) stop();
    expect(shownOnScreen).toEqual([]);
    expect(asked('session').length, 'nor is the session doubted').toBe(1);
  });

  it('starts over when the server cannot serve the cursor', async () => {
    fill(3);
    const ann = await ready('ann');
    await ann.open('bob');
    expect(bodies(ann, 'bob')).toEqual(['bob 1', 'bob 2', 'bob 3']);
    mock.model.epoch = 2;
    mock.model.between('ann', 'bob')?.messages.pop();
    mock.cutSockets();
    await until(() => thread(ann, 'bob').length === 2, 'the conversation is as the server has it now');
    await until(() => ann.state.link.value === 'up', 'the link is up');
    mock.model.send('bob', 'ann', 'after');
    await until(() => thread(ann, 'bob').length === 3, 'news arrive');
    expect(bodies(ann, 'bob')).toEqual(['bob 1', 'bob 2', 'after']);
  });

  it('without any socket, plain requests bring the news', async () => {
    fill(2);
    const ann = await ready('ann');
    await ann.open('bob');
    mock.blockSockets();
    mock.cutSockets();
    mock.model.send('bob', 'ann', 'by plain request');
    await until(() => bodies(ann, 'bob').includes('by plain request'), 'the event was fetched');
    expect(ann.state.link.value).not.toBe('up');
  });

  it('whose session is gone asks to sign in and keeps what was written', async () => {
    const ann = await ready('ann');
    mock.sessions.clear();
    mock.cutSockets(1008);
    await until(() => ann.state.signedOut.value, 'the client knows');
    ann.send('bob', 'kept');
    expect(ann.state.outbox.value.map((each) => each.body)).toEqual(['kept']);
  });
});

describe('sending', () => {
  const isSend = (request: { method?: string | undefined }, url: URL) =>
    request.method === 'POST' && url.pathname.endsWith('message/');

  it('goes on after an answer that got lost, without doubling', async () => {
    const ann = await ready('ann');
    await ann.open('bob');
    let lost = 0;
    mock.faults.push({
      match: (request: { method?: string }, url: URL) => isSend(request, url) && lost < 2,
      after: (request: { socket: { destroy: () => void } }) => {
        lost += 1;
        request.socket.destroy();
      },
    });
    ann.send('bob', 'one');
    ann.send('bob', 'two');
    await until(() => ann.state.outbox.value.length === 0 && lost === 2, 'both are stored');
    expect(mock.model.messages.map((each: { body: string }) => each.body)).toEqual(['one', 'two']);
    expect(bodies(ann, 'bob')).toEqual(['one', 'two']);
  });

  it('waits as long as the server says', async () => {
    const ann = await ready('ann');
    let first = 0;
    mock.faults.push({
      match: (request: { method?: string }, url: URL) => isSend(request, url) && first === 0,
      before: (_: unknown, response: { writeHead: (n: number, h: object) => { end: () => void } }) => {
        first = performance.now();
        response.writeHead(429, { 'Retry-After': '1' }).end();
      },
    });
    ann.send('bob', 'patient');
    await until(() => first > 0, 'the first try was refused');
    ann.wake();
    await until(() => ann.state.outbox.value.length === 0, 'it is stored');
    expect(performance.now() - first).toBeGreaterThanOrEqual(990);
  });

  it('fails at once when it is refused, lets the next one pass, and can be tried again', async () => {
    const ann = await ready('ann');
    await ann.open('bob');
    ann.send('bob', 'x'.repeat(10_001));
    ann.send('bob', 'short');
    await until(() => bodies(ann, 'bob').includes('short'), 'the second is stored');
    const [failed] = ann.state.outbox.value;
    expect(failed?.refused).toContain('no more than 10000 characters');
    ann.retry(failed?.clientId ?? '');
    expect(ann.state.outbox.value[0]?.refused).toBeNull();
    await until(() => ann.state.outbox.value[0]?.refused !== null, 'it is refused again');
    ann.discard(failed?.clientId ?? '');
    expect(ann.state.outbox.value).toEqual([]);
  });
});

describe('history', () => {
  it('pages upward to the first message, once for each part', async () => {
    fill(100);
    const ann = await ready('ann');
    ann.seen('bob', 100);
    await until(() => summary(ann, 'bob')?.unread === 0, 'all is read');
    await ann.open('bob');
    expect(seqs(thread(ann, 'bob'))).toEqual(range(71, 100));
    for (let turn = 0; turn < 5; turn += 1) await Promise.all([ann.older('bob'), ann.older('bob')]);
    expect(seqs(thread(ann, 'bob'))).toEqual(range(1, 100));
    expect(asked('message/').length).toBe(4);
    await ann.open('bob');
    expect(asked('message/').length).toBe(4);
  });

  it('opens where many unread messages begin, and reads on to the newest', async () => {
    fill(100);
    const ann = await ready('ann');
    ann.seen('bob', 40);
    await until(() => summary(ann, 'bob')?.unread === 60, 'forty are read');
    await ann.open('bob');
    expect(seqs(thread(ann, 'bob'))).toContain(41);
    expect(seqs(thread(ann, 'bob'))).not.toContain(100);
    mock.model.send('bob', 'ann', 'new');
    await until(() => summary(ann, 'bob')?.last_seq === 101, 'the list knows');
    for (let turn = 0; turn < 3; turn += 1) await ann.newer('bob');
    const all = seqs(thread(ann, 'bob'));
    expect(all).toEqual(range(all[0] ?? 0, 101));
  });

  it('fetches a hole that events do not fill', async () => {
    fill(5);
    const ann = await ready('ann');
    await ann.open('bob');
    const silent = mock.model.onEvent;
    mock.model.onEvent = () => {};
    for (const number of [6, 7, 8]) mock.model.send('bob', 'ann', `${number}`);
    ann.send('bob', 'mine');
    await until(() => thread(ann, 'bob').length === 9, 'the hole is filled');
    expect(seqs(thread(ann, 'bob'))).toEqual(range(1, 9));
    mock.model.onEvent = silent;
  });

  it('says what failed, and tries again when the link is back', async () => {
    fill(40);
    const ann = await ready('ann');
    ann.seen('bob', 40);
    await until(() => summary(ann, 'bob')?.unread === 0, 'all is read');
    await ann.open('bob');
    mock.faults.push({
      match: (_: unknown, url: URL) => url.search.includes('before_seq=11'),
      before: (request: { socket: { destroy: () => void } }) => request.socket.destroy(),
    });
    await ann.older('bob');
    expect(ann.state.conversation('bob').loading.value.failed?.place).toBe('older');
    mock.faults.length = 0;
    mock.cutSockets();
    await until(() => thread(ann, 'bob').length === 40, 'the rest is here');
  });

  it('that failed while the link is up are asked for again by themselves', async () => {
    fill(3);
    const ann = await ready('ann');
    let lost = 0;
    mock.faults.push({
      match: (_: unknown, url: URL) => url.search.includes('target=bob') && lost < 2,
      before: (request: { socket: { destroy: () => void } }) => {
        lost += 1;
        request.socket.destroy();
      },
    });
    await ann.open('bob');
    expect(ann.state.conversation('bob').loading.value.failed?.place).toBe('newest');
    expect(ann.state.link.value).toBe('up');
    await until(() => thread(ann, 'bob').length === 3, 'the messages are here');
    expect(lost).toBe(2);
    expect(ann.state.link.value).toBe('up');
  });
});

describe('people', () => {
  it('are found under the name as they write it', async () => {
    const ann = await ready('ann');
    expect(await ann.resolve('BOB')).toBe('bob');
    expect(await ann.resolve('bo')).toBeNull();
  });

  it('of whom the list did not know come in with their counts', async () => {
    const [ann] = [await ready('ann')];
    mock.model.send('carol', 'ann', 'hi');
    await until(() => summary(ann, 'carol')?.unread === 1, 'carol is in the list');
    expect(asked('conversation/carol').length).toBe(0);
  });
});
