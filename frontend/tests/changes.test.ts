// Edits, deletions, replies, ticks, typing, presence and settings: the store against a server.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Message } from '../src/api/types';
import { lastOwn } from '../src/conversation/composing';
import type { Store } from '../src/conversation/store';
import { shown } from '../src/conversation/thread';
import { type Mock, signIn, until } from './client';
import { startMock } from './mock-server.mjs';

let mock: Mock;
const stores: Store[] = [];

beforeEach(async () => {
  mock = await startMock();
});

afterEach(async () => {
  for (const store of stores.splice(0)) store.stop();
  await mock.stop();
});

async function ready(name: string): Promise<Store> {
  const store = await signIn(mock, name);
  stores.push(store);
  await store.start();
  await until(() => store.state.link.value === 'up', 'the link is up');
  return store;
}

/** Ann and Bob, each with the other's conversation open. */
async function two(): Promise<[Store, Store]> {
  const [ann, bob] = [await ready('ann'), await ready('bob')];
  await ann.open('bob');
  await bob.open('ann');
  return [ann, bob];
}

const thread = (store: Store, peer: string) => shown(store.state.conversation(peer).thread.value);
const summary = (store: Store, peer: string) => store.state.summaries.value.get(peer);
const told = (type: string) =>
  mock.said.filter((frame: { type: string }) => frame.type === type) as Record<string, unknown>[];

function held(store: Store, peer: string, seq: number): Message {
  const message = thread(store, peer).find((each) => each.seq === seq);
  if (!message) throw new Error(`message ${seq} is not held`);
  return message;
}

describe('a message of mine', () => {
  it('is changed on every device, in the list and where it is quoted', async () => {
    mock.model.send('ann', 'bob', 'helo');
    const [ann, bob] = await two();
    bob.send('ann', 'hi', 1);
    await until(() => thread(ann, 'bob').length === 2, 'the answer is there');
    expect(held(ann, 'bob', 2).reply_to).toBe(1);
    expect(await ann.edit(held(ann, 'bob', 1), 'hello')).toBeNull();
    expect(held(ann, 'bob', 1)).toMatchObject({ body: 'hello', version: 2 });
    await until(() => held(bob, 'ann', 1).body === 'hello', 'bob has the change');
    expect(bob.quoted('ann', 1)?.body).toBe('hello');
  });

  it('leaves a trace when it is deleted, also in the list', async () => {
    mock.model.send('ann', 'bob', 'regret');
    const [ann, bob] = await two();
    expect(await ann.remove(held(ann, 'bob', 1))).toBeNull();
    await until(() => held(bob, 'ann', 1).deleted_at !== null, 'bob knows');
    expect(held(bob, 'ann', 1).body).toBe('');
    expect(summary(bob, 'ann')?.last_message?.deleted_at).not.toBeNull();
    expect(summary(bob, 'ann')?.unread).toBe(1);
    const refused = await ann.edit(held(ann, 'bob', 1), 'back');
    expect(refused).toMatchObject({ kind: 'refused', reason: 'This message was deleted.' });
  });

  it('stays as it is when the server does not answer, and so does what was typed', async () => {
    mock.model.send('ann', 'bob', 'helo');
    const [ann] = await two();
    ann.state.draft('bob').value = 'half a';
    ann.compose('bob', 'edit', held(ann, 'bob', 1));
    const { composing } = ann.state.conversation('bob');
    if (composing.value.kind === 'edit') composing.value.text.value = 'hello';
    mock.faults.push({
      match: (request: { method: string }) => request.method === 'PATCH',
      before: (request: { socket: { destroy: () => void } }) => request.socket.destroy(),
    });
    expect(await ann.edit(held(ann, 'bob', 1), 'hello')).toEqual({ kind: 'unreachable' });
    expect(held(ann, 'bob', 1).body).toBe('helo');
    expect(composing.value).toMatchObject({ kind: 'edit', text: { value: 'hello' } });
    ann.composeNew('bob');
    expect(ann.state.draft('bob').value).toBe('half a');
  });

  it('is the newest that is not deleted when one asks for the last', async () => {
    for (const body of ['one', 'two']) mock.model.send('ann', 'bob', body);
    mock.model.send('bob', 'ann', 'three');
    const [ann] = await two();
    expect(lastOwn(ann.state, 'bob')?.body).toBe('two');
    await ann.remove(held(ann, 'bob', 2));
    expect(lastOwn(ann.state, 'bob')?.body).toBe('one');
  });

  it('says how far it got: stored, delivered, read', async () => {
    const ann = await ready('ann');
    await ann.open('bob');
    ann.send('bob', 'hello');
    await until(() => summary(ann, 'bob')?.last_seq === 1, 'it is stored');
    expect(summary(ann, 'bob')).toMatchObject({ peer_delivered_seq: 0, peer_read_seq: 0 });
    const bob = await ready('bob');
    await until(() => summary(ann, 'bob')?.peer_delivered_seq === 1, 'it is delivered');
    expect(summary(ann, 'bob')?.peer_read_seq).toBe(0);
    bob.seen('ann', 1);
    await until(() => summary(ann, 'bob')?.peer_read_seq === 1, 'it is read');
  });

  it('is said to be delivered once for all that came in together', async () => {
    for (let number = 0; number < 20; number += 1) mock.model.send('bob', 'ann', `${number}`);
    await ready('ann');
    const posts = () => mock.requests.filter((each: { path: string }) => each.path.endsWith('/delivered/'));
    await until(() => posts().length > 0, 'it was said');
    await until(
      () => mock.model.summary(mock.model.between('ann', 'bob'), 'bob').peer_delivered_seq === 20,
      'all',
    );
    expect(posts().length).toBe(1);
  });
});

describe('a quoted message', () => {
  it('that is not loaded is asked for once, and follows its changes', async () => {
    for (let number = 1; number <= 120; number += 1) mock.model.send('bob', 'ann', `bob ${number}`);
    mock.model.send('ann', 'bob', 'as you said', null, 2);
    const ann = await ready('ann');
    await ann.open('bob', 121);
    expect(ann.quoted('bob', 2)).toBeNull();
    const asked = () =>
      mock.requests.filter((each: { query: string }) => each.query.includes('around_seq=2&'));
    await until(() => ann.quoted('bob', 2)?.body === 'bob 2', 'it is there');
    expect(asked().length).toBe(1);
    mock.model.edit(mock.model.between('ann', 'bob'), 2, 'changed');
    await until(() => ann.quoted('bob', 2)?.body === 'changed', 'it has changed');
  });
});

describe('typing', () => {
  it('is said at most every three seconds, and is over with the message', async () => {
    mock.model.send('ann', 'bob', 'hi');
    const [ann, bob] = await two();
    for (let key = 0; key < 10; key += 1) ann.types('bob');
    await until(() => bob.state.typing.value.has('ann'), 'bob sees it');
    expect(told('typing').length).toBe(1);
    ann.send('bob', 'there');
    await until(() => thread(bob, 'ann').length === 2, 'it is there');
    expect(bob.state.typing.value.has('ann')).toBe(false);
    ann.types('bob');
    await until(() => told('typing').length === 2, 'after a message it is said anew');
  });
});

describe('presence', () => {
  it('is asked for those in view, again on a new link, and forgotten with the old one', async () => {
    mock.model.send('ann', 'bob', 'hi');
    const ann = await ready('ann');
    ann.watch(['bob', 'ann', 'carol']);
    await until(
      () => String(told('presence').at(-1)?.peers) === 'bob,carol',
      'it is asked, and not of oneself',
    );
    mock.passOn('ann', { type: 'presence', peer: 'bob', state: 'online', last_seen: null });
    await until(() => ann.state.presence.value.get('bob')?.state === 'online', 'bob is here');
    const before = told('presence').length;
    ann.watch(['bob', 'carol', 'ann']);
    expect(told('presence').length).toBe(before);
    mock.cutSockets(1012);
    await until(() => told('presence').length > before, 'it is asked again');
    expect(told('presence').at(-1)).toMatchObject({ state: 'online', peers: ['bob', 'carol'] });
    expect(ann.state.presence.value.size).toBe(0);
  });

  it('is asked anew once there is a conversation: of somebody else nothing is told', async () => {
    const [ann, bob] = [await ready('ann'), await ready('bob')];
    ann.watch(['bob']);
    await until(() => told('presence').some(({ peers }) => String(peers) === 'bob'), 'asked in vain');
    const asked = () => told('presence').filter(({ peers }) => String(peers) === 'bob').length;
    const before = asked();
    bob.send('ann', 'hi');
    await until(() => ann.state.summaries.value.has('bob'), 'it has begun');
    ann.watch(['bob']);
    await until(() => asked() === before + 1, 'asked again');
  });

  it('says that nobody looks at the page any more', async () => {
    const ann = await ready('ann');
    ann.attend(false);
    await until(() => told('presence').at(-1)?.state === 'away', 'away');
    ann.attend(true);
    await until(() => told('presence').at(-1)?.state === 'online', 'online');
  });
});

describe('a conversation', () => {
  it('is kept as one likes on every device of one’s own, and comes back from aside with a message', async () => {
    mock.model.send('bob', 'ann', 'hi');
    const [one, other] = [await ready('ann'), await ready('ann')];
    expect(await one.arrange('bob', { pinned: true, archived: true })).toBeNull();
    await until(() => summary(other, 'bob')?.archived === true, 'the other device knows');
    expect(summary(other, 'bob')).toMatchObject({ pinned: true, muted_until: null });
    mock.model.send('bob', 'ann', 'are you there?');
    await until(() => summary(other, 'bob')?.last_seq === 2, 'a message comes');
    expect(summary(other, 'bob')).toMatchObject({ pinned: true, archived: false });
  });
});
