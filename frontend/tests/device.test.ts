// What this device keeps, with a real IndexedDB underneath; and what is left of it when there is none.

import { IDBObjectStore } from 'fake-indexeddb';
import { afterEach, describe, expect, it } from 'vitest';
import type { Pending } from '../src/conversation/outbox';
import type { Snapshot } from '../src/conversation/snapshot';
import { type Device, openDevice } from '../src/device/device';
import { createTurns } from '../src/device/turns';
import { type Browser, fakeLocks, newBrowser, until } from './client';
import { page } from './messages';

const opened: Device[] = [];

afterEach(() => {
  for (const device of opened.splice(0)) device.close();
});

async function open(browser: Browser, user = 'ann'): Promise<Device> {
  const device = await openDevice({ ...browser, base: browser.id, user });
  opened.push(device);
  return device;
}

function item(clientId: string, more: Partial<Pending> = {}): Pending {
  return {
    clientId,
    peer: 'bob',
    body: clientId,
    writtenAt: `2026-11-22T07:00:0${clientId}.000Z`,
    replyTo: null,
    refused: null,
    ...more,
  };
}

const puts = (...items: Pending[]) => new Map(items.map((each) => [each.clientId, each]));

function snapshot(cursor: string, ...peers: string[]): Snapshot {
  const marks = { last_seq: 2, read_seq: 2, peer_read_seq: 0, unread: 0, peer_delivered_seq: 0 };
  const counts = { ...marks, muted_until: null, pinned: false, archived: false };
  return {
    cursor,
    following: null,
    summaries: peers.map((peer, index) => ({ id: index, peer, last_message: null, ...counts })),
    threads: peers.map((peer) => ({ peer, past: page(1, 2).reverse(), lastSeq: 2 })),
  };
}

describe('the device', () => {
  it('gives back what was saved, after the page is gone', async () => {
    const browser = newBrowser();
    const before = await open(browser);
    await before.save({
      outbox: puts(item('1'), item('2')),
      drafts: new Map([['bob', { peer: 'bob', text: 'half' }]]),
    });
    await before.keep(snapshot('c.1', 'bob', 'carol'), null);
    const held = await (await open(browser)).load();
    expect(held).toEqual({
      outbox: [item('1'), item('2')],
      drafts: [{ peer: 'bob', text: 'half' }],
      snapshot: snapshot('c.1', 'bob', 'carol'),
    });
  });

  it('stores what is saved in one go together', async () => {
    const browser = newBrowser();
    const device = await open(browser);
    const text = new Map([['bob', { peer: 'bob', text: 'half' }]]);
    await device.save({ drafts: text });
    void device.save({ outbox: puts(item('1')) });
    const last = device.save({ drafts: new Map([['bob', null]]) });
    const other = await open(browser);
    const seen = await other.load();
    await last;
    expect([seen.outbox.length, seen.drafts.length]).toEqual([1, 0]);
  });

  it('shows nobody what somebody else left', async () => {
    const browser = newBrowser();
    await (await open(browser)).save({ outbox: puts(item('1')) });
    expect((await (await open(browser, 'bob')).load()).outbox).toEqual([]);
    expect((await (await open({ ...browser, id: '/other/' })).load()).outbox).toEqual([]);
  });

  it('writes differences, and everything when another tab has written meanwhile', async () => {
    const browser = newBrowser();
    const [one, two] = [await open(browser), await open(browser)];
    const first = snapshot('c.1', 'bob', 'carol');
    await one.keep(first, null);
    const carol = first.summaries.filter(({ peer }) => peer === 'carol');
    const second: Snapshot = { ...first, cursor: 'c.2', summaries: carol };
    await one.keep(second, first);
    expect((await two.load()).snapshot).toEqual(second);
    await two.keep(snapshot('c.3', 'dora'), null);
    const third: Snapshot = { ...second, cursor: 'c.4' };
    await one.keep(third, second);
    expect((await two.load()).snapshot, 'nothing of the other tab is left').toEqual(third);
  });

  it('is gone after it was erased, also for a tab that had it open', async () => {
    const browser = newBrowser();
    const [one, two] = [await open(browser), await open(browser)];
    await one.save({ outbox: puts(item('1')) });
    await one.keep(snapshot('c.1', 'bob'), null);
    await one.erase();
    expect(await two.save({ outbox: puts(item('2')) }), 'too late').toBe(false);
    expect(await browser.factory?.databases()).toEqual([]);
    expect(await (await open(browser)).load()).toEqual({ outbox: [], drafts: [], snapshot: null });
  });

  it('moves the outbox over that a version before it left, once', async () => {
    const browser = newBrowser();
    browser.storage.setItem('chatd:outbox:ann:1', JSON.stringify(item('1')));
    browser.storage.setItem('chatd:outbox:ann:x', 'not even JSON');
    browser.storage.setItem('chatd:outbox:bob:2', JSON.stringify(item('2')));
    expect((await (await open(browser)).load()).outbox).toEqual([item('1')]);
    expect(browser.storage.length, 'what is of somebody else stays').toBe(1);
    expect((await (await open(browser)).load()).outbox).toEqual([item('1')]);
  });
});

describe('a device that cannot keep anything', () => {
  const broken = (open: () => IDBOpenDBRequest) => ({ open }) as unknown as IDBFactory;

  it.each([
    ['has no database', undefined],
    [
      'has it switched off',
      broken(() => {
        throw new DOMException('no', 'SecurityError');
      }),
    ],
    ['does not open it', broken(() => ({}) as IDBOpenDBRequest)],
  ])('%s: nothing throws, and nothing is said to be stored', async (_, factory) => {
    const device = await open(newBrowser({ factory }));
    expect(await device.load()).toEqual({ outbox: [], drafts: [], snapshot: null });
    expect(await device.save({ outbox: puts(item('1')) })).toBe(false);
    expect(await device.outbox()).toBeNull();
    expect(await device.keep(snapshot('c.1', 'bob'), null)).toBe(false);
    await device.erase();
  });

  it('is full: the cache makes room for what was written', async () => {
    const browser = newBrowser();
    const device = await open(browser);
    await device.keep(snapshot('c.1', 'bob'), null);
    const { put } = IDBObjectStore.prototype;
    let refused = 0;
    IDBObjectStore.prototype.put = function full(this: IDBObjectStore, ...args) {
      if (this.name !== 'outbox' || refused === 1) return put.apply(this, args);
      refused += 1;
      throw new DOMException('full', 'QuotaExceededError');
    };
    try {
      expect(await device.save({ outbox: puts(item('1')) })).toBe(true);
    } finally {
      IDBObjectStore.prototype.put = put;
    }
    const held = await (await open(browser)).load();
    expect([held.outbox.length, held.snapshot]).toEqual([1, null]);
  });
});

describe('tabs', () => {
  it('hear each other, also what was said before they listened', async () => {
    const browser = newBrowser();
    const [one, two] = [await open(browser), await open(browser)];
    const heard: unknown[] = [];
    one.tabs.tell({ gone: ['1'], stored: true });
    one.tabs.tell({ gone: ['2'], stored: true });
    await until(() => {
      two.tabs.hear((news) => heard.push(news.gone?.[0]));
      return heard.length === 2;
    }, 'both were heard');
    expect(heard).toEqual(['1', '2']);
  });
});

describe('turns', () => {
  const never = () => new Promise<void>(() => {});

  it('let one tab work at a time, and the next one when it is done', async () => {
    const locks = fakeLocks();
    const [one, two] = [createTurns(locks, ''), createTurns(locks, '')];
    const order: string[] = [];
    let done = () => {};
    const first = one.take('a', async () => {
      order.push('one begins');
      await new Promise<void>((resolve) => {
        done = resolve;
      });
      order.push('one ends');
    });
    const second = two.take('a', async () => void order.push('two'));
    await two.take('another', async () => void order.push('another'));
    done();
    await Promise.all([first, second]);
    expect(order).toEqual(['one begins', 'another', 'one ends', 'two']);
  });

  it('are given up by a tab that is put to sleep, whatever it is doing', async () => {
    const locks = fakeLocks();
    const [one, two] = [createTurns(locks, ''), createTurns(locks, '')];
    let over: AbortSignal | undefined;
    const first = one.take('a', (signal) => {
      over = signal;
      return never();
    });
    let worked = false;
    const second = two.take('a', async () => {
      worked = true;
    });
    one.giveUp();
    await Promise.all([first, second]);
    expect([over?.aborted, worked]).toEqual([true, true]);
  });

  it('are taken from a tab that does not give them up', async () => {
    const locks = fakeLocks();
    let over: AbortSignal | undefined;
    const first = createTurns(locks, '').take('a', (signal) => {
      over = signal;
      return never();
    });
    let worked = false;
    await createTurns(locks, '', 20).take('a', async () => {
      worked = true;
    });
    await first;
    expect([over?.aborted, worked]).toEqual([true, true]);
  });

  it('are everybody’s where the browser has no locks', async () => {
    let count = 0;
    const work = async () => {
      count += 1;
    };
    await Promise.all([
      createTurns(undefined, '').take('a', work),
      createTurns(undefined, '').take('a', work),
    ]);
    expect(count).toBe(2);
  });
});
