// What survives: pages that end and come back, several tabs of one browser, and a server that starts over.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Store } from '../src/conversation/store';
import { shown } from '../src/conversation/thread';
import { type Browser, type Mock, newBrowser, signIn, until } from './client';
import { range } from './messages';
import { startMock } from './mock-server.mjs';

interface Request {
  readonly method: string;
  readonly path: string;
}

let mock: Mock;
let browser: Browser;
const stores: Store[] = [];

beforeEach(async () => {
  mock = await startMock();
  browser = newBrowser();
});

afterEach(async () => {
  for (const store of stores.splice(0)) store.stop();
  await mock.stop();
});

/** A page that has what this device holds, and has not begun to talk with the server. */
async function cold(name = 'ann', at = browser): Promise<Store> {
  const store = await signIn(mock, name, at);
  stores.push(store);
  await store.load();
  return store;
}

async function page(name = 'ann', at = browser): Promise<Store> {
  const store = await cold(name, at);
  await store.start();
  await until(() => store.state.link.value === 'up', 'the link is up');
  return store;
}

/** Ends as a page does that is closed. */
async function close(store: Store): Promise<void> {
  store.rest(true);
  store.stop();
  stores.splice(stores.indexOf(store), 1);
}

const bodies = (store: Store, peer = 'bob') =>
  shown(store.state.conversation(peer).thread.value).map((each) => each.body);
const pending = (store: Store) => store.state.outbox.value.map((each) => each.body);
const stored = () => mock.model.messages.map((each: { body: string }) => each.body);
const posts = () =>
  mock.requests.filter((each: Request) => each.method === 'POST' && each.path.endsWith('/message/')).length;

const isSend = (request: { method?: string }, url: URL) =>
  request.method === 'POST' && url.pathname.endsWith('/message/');
const refuseSends = () =>
  mock.faults.push({
    match: isSend,
    before: (request: { socket: { destroy: () => void } }) => request.socket.destroy(),
  });
/** The server is slow, and in the end too busy. */
function holdSends(): () => void {
  const held: (() => void)[] = [];
  mock.faults.push({
    match: isSend,
    before: (_: unknown, response: { writeHead: (status: number) => { end: () => void } }) =>
      held.push(() => response.writeHead(502).end()),
  });
  return () => {
    mock.faults.length = 0;
    for (const answer of held.splice(0)) answer();
  };
}

describe('a page that ends', () => {
  it('leaves what was written, and the next one sends it, once and in order', async () => {
    refuseSends();
    const before = await page();
    for (const text of ['first', 'second', 'third']) before.send('bob', text);
    await close(before);
    mock.faults.length = 0;
    const after = await cold();
    expect(pending(after)).toEqual(['first', 'second', 'third']);
    await after.start();
    await until(() => after.state.outbox.value.length === 0, 'the outbox is empty');
    expect(stored()).toEqual(['first', 'second', 'third']);
    await close(after);
    expect(pending(await cold()), 'nor does it come back').toEqual([]);
  });

  it('leaves what was refused, with the reason', async () => {
    const before = await page();
    before.send('bob', 'x'.repeat(10_001));
    await until(() => before.state.outbox.value[0]?.refused != null, 'it is refused');
    await close(before);
    expect((await cold()).state.outbox.value[0]?.refused).toContain('no more than 10000 characters');
  });

  it('leaves the drafts, one for each conversation', async () => {
    const before = await page();
    before.state.draft('bob').value = 'half of a';
    before.state.draft('carol').value = 'sent in the end';
    before.state.draft('bob').value = 'half of a thought';
    before.send('carol', before.state.draft('carol').value);
    before.state.draft('carol').value = '';
    await close(before);
    const after = await cold();
    expect(after.state.draft('bob').value).toBe('half of a thought');
    expect(after.state.draft('carol').value).toBe('');
  });

  it('is drawn again from what was kept, and goes on by cursor alone', async () => {
    for (const number of range(1, 5)) mock.model.send('bob', 'ann', `bob ${number}`);
    const before = await page();
    await before.open('bob');
    await close(before);
    mock.model.send('bob', 'ann', 'meanwhile');
    mock.model.edit(mock.model.between('ann', 'bob'), 2, 'changed meanwhile');
    const asked = mock.requests.length;
    const after = await cold();
    expect(after.state.list.value).toBe('ready');
    expect(bodies(after)).toEqual(range(1, 5).map((number) => `bob ${number}`));
    await after.start();
    await after.open('bob');
    await until(() => bodies(after).at(-1) === 'meanwhile', 'what came meanwhile is here');
    expect(bodies(after)).toEqual(['bob 1', 'changed meanwhile', 'bob 3', 'bob 4', 'bob 5', 'meanwhile']);
    expect(after.state.summaries.value.get('bob')?.unread).toBe(6);
    const paths = mock.requests.slice(asked).map((each: Request) => each.path);
    expect(paths.filter((path: string) => /conversation|message/.test(path))).toEqual([]);
  });

  it('without a network shows what was kept, and catches up when it is there', async () => {
    mock.model.send('bob', 'ann', 'kept');
    const before = await page();
    await before.open('bob');
    await close(before);
    const after = await cold();
    mock.blockSockets();
    mock.faults.push({
      match: () => true,
      before: (request: { socket: { destroy: () => void } }) => request.socket.destroy(),
    });
    await after.start();
    await after.open('bob');
    after.send('bob', 'written without a network');
    expect([bodies(after), pending(after)]).toEqual([['kept'], ['written without a network']]);
    mock.unblockSockets();
    mock.faults.length = 0;
    mock.model.send('bob', 'ann', 'later');
    after.wake();
    await until(() => bodies(after).length === 3, 'everything is here');
    expect(stored()).toEqual(expect.arrayContaining(['kept', 'later', 'written without a network']));
    expect(bodies(after)).toEqual(stored());
  });

  it('leaves a look at the list that it could not finish, and the next one takes it', async () => {
    mock.model.send('ann', 'bob', 'hello');
    const before = await page();
    const lists = () => mock.requests.filter((each: Request) => each.path === '/api/v1/conversation/').length;
    const asked = lists();
    mock.faults.push({
      match: (_: unknown, url: URL) => url.pathname === '/api/v1/conversation/',
      before: () => {},
    });
    mock.model.log('ann', { type: 'settings', share_typing: true, share_presence: true, share_read: true });
    await until(() => lists() > asked, 'what others have read is asked for');
    mock.model.send('bob', 'ann', 'and this is kept with a later cursor');
    await until(() => before.state.summaries.value.get('bob')?.last_seq === 2, 'it is here');
    await close(before);
    mock.faults.length = 0;
    mock.model.between('ann', 'bob').read.bob = 1;
    const after = await page();
    const read = () => after.state.summaries.value.get('bob')?.peer_read_seq;
    expect(read()).toBe(0);
    await until(() => read() === 1, 'somebody has looked');
  });

  it('works without a database too, for as long as it lasts', async () => {
    const poor = newBrowser({ factory: undefined });
    const ann = await page('ann', poor);
    ann.state.draft('bob').value = 'typed';
    ann.send('bob', 'sent');
    await until(() => stored().includes('sent'), 'it is stored');
    await close(ann);
    expect((await cold('ann', poor)).state.list.value).toBe('loading');
  });
});

describe('a server that starts over', () => {
  it('makes the client drop what it has kept, but neither the outbox nor the drafts', async () => {
    for (const number of range(1, 3)) mock.model.send('bob', 'ann', `bob ${number}`);
    refuseSends();
    const before = await page();
    await before.open('bob');
    before.send('bob', 'unsent');
    before.state.draft('bob').value = 'half';
    await close(before);
    mock.model.epoch = 2;
    mock.model.between('ann', 'bob')?.messages.pop();
    const after = await page();
    await after.open('bob');
    await until(() => bodies(after).length === 2, 'the messages are as the server has them');
    expect(pending(after)).toEqual(['unsent']);
    expect(after.state.draft('bob').value).toBe('half');
    mock.faults.length = 0;
    after.wake();
    await until(() => bodies(after).at(-1) === 'unsent', 'it is sent');
  });
});

describe('a cursor of long ago', () => {
  it.each([
    ['cannot be served any more (410)', -1],
    ['is none any more (400)', null],
  ])('that %s leads to a fresh start, also without sockets', async (_, position) => {
    mock.model.send('bob', 'ann', 'old');
    const before = await page();
    await before.open('bob');
    before.state.draft('bob').value = 'half';
    await close(before);
    mock.blockSockets();
    mock.model.position = () => position;
    const after = await cold();
    const seen: unknown[] = [];
    after.state.list.subscribe((now) => seen.push(now));
    await after.start();
    await until(() => seen.join().startsWith('ready,loading,ready'), 'it has started over');
    expect(after.state.draft('bob').value).toBe('half');
  });
});

describe('two tabs', () => {
  it('show the same that is pending, drafts too, and send it once, in order', async () => {
    const [one, two] = [await page(), await page()];
    const answer = holdSends();
    one.send('bob', '1');
    await until(() => posts() === 1, 'the first is on its way');
    two.send('bob', '2');
    await until(() => pending(one).length === 2, 'the first tab has the second too');
    one.send('bob', '3');
    one.state.draft('carol').value = 'to carol';
    await until(() => pending(one).length === 3 && pending(two).length === 3, 'both have all three');
    expect(pending(two)).toEqual(pending(one));
    await until(() => two.state.draft('carol').value === 'to carol', 'the draft is in both');
    expect(posts(), 'one tab sends').toBe(1);
    answer();
    await until(() => pending(one).length + pending(two).length === 0, 'neither has anything left');
    expect(stored()).toEqual(['1', '2', '3']);
    expect(posts(), 'and what was not answered once more').toBe(4);
  });

  it('each see what is refused, retried and deleted in the other', async () => {
    const [one, two] = [await page(), await page()];
    one.send('bob', 'x'.repeat(10_001));
    await until(() => two.state.outbox.value[0]?.refused != null, 'the other knows');
    two.retry(two.state.outbox.value[0]?.clientId ?? '');
    await until(() => one.state.outbox.value[0]?.refused != null && posts() === 2, 'it is refused again');
    two.discard(two.state.outbox.value[0]?.clientId ?? '');
    await until(() => pending(one).length === 0, 'it is gone from both');
  });

  it('of which one is put to sleep in the middle: the other goes on', async () => {
    const [one, two] = [await page(), await page()];
    const answer = holdSends();
    one.send('bob', 'left behind');
    one.send('bob', 'and this');
    await until(() => posts() === 1 && pending(two).length === 2, 'it is on its way');
    one.rest(true);
    await until(() => posts() === 2, 'the other tab sends it');
    answer();
    await until(() => pending(two).length === 0, 'it is stored');
    expect(stored()).toEqual(['left behind', 'and this']);
  });

  it('that cannot hear each other find what the other did in the database, before they send', async () => {
    const channel = globalThis.BroadcastChannel;
    globalThis.BroadcastChannel = undefined as unknown as typeof channel;
    mock.model.onEvent = () => {};
    try {
      refuseSends();
      const one = await page();
      one.send('bob', '1');
      await until(() => posts() > 0, 'it tries');
      one.send('bob', '2');
      one.rest(true);
      const two = await page();
      expect(pending(two)).toEqual(['1', '2']);
      mock.faults.length = 0;
      two.wake();
      await until(() => pending(two).length === 0, 'the other tab has sent both');
      const before = posts();
      one.rise();
      await until(() => pending(one).length === 0, 'the first knows');
      expect([posts() - before, stored()]).toEqual([0, ['1', '2']]);
    } finally {
      globalThis.BroadcastChannel = channel;
    }
  });

  it('without locks both send, and each message is stored once and in order', async () => {
    const plain = newBrowser({ locks: undefined });
    const [one, two] = [await page('ann', plain), await page('ann', plain)];
    for (const number of range(1, 6)) (number % 2 ? one : two).send('bob', `${number}`);
    await until(
      () => pending(one).length + pending(two).length === 0 && stored().length === 6,
      'all are stored',
    );
    expect(stored().filter((text: string) => Number(text) % 2)).toEqual(['1', '3', '5']);
    expect([...stored()].sort()).toEqual(range(1, 6).map(String));
  });
});

describe('signing out', () => {
  it('leaves nothing here, also not what another tab still says', async () => {
    const [one, two] = [await page(), await page()];
    await one.open('bob');
    one.send('nobody', 'to nobody');
    one.state.draft('bob').value = 'half';
    await until(() => two.state.outbox.value[0]?.refused != null, 'it is refused');
    await one.signOut();
    two.state.draft('bob').value = 'too late';
    await close(two);
    expect(await browser.factory?.databases()).toEqual([]);
    const after = await cold();
    expect([pending(after), after.state.draft('bob').value, after.state.list.value]).toEqual([
      [],
      '',
      'loading',
    ]);
  });

  it('by the server keeps the outbox and the drafts', async () => {
    const before = await page();
    mock.sessions.clear();
    mock.cutSockets(1008);
    await until(() => before.state.signedOut.value, 'the client knows');
    before.send('bob', 'kept');
    before.state.draft('carol').value = 'half';
    await close(before);
    const after = await page();
    expect(after.state.draft('carol').value).toBe('half');
    await until(() => stored().includes('kept'), 'it is sent after signing in again');
  });
});
