// The database of one person on this device, as plain rows: five stores, and everything that changes together is
// written in one transaction. Nothing here throws: without a database, with a full disk, or when another tab has erased
// it, a write is lost and the page goes on from memory.
//
// How to add a store: its name in `STORES`, `VERSION` one higher. How to change what the rows of the cache look like:
// `SHAPE` one higher, and the caches of before are left aside.

import type { Block, ConversationSummary } from '../api/types';
import { newClientId } from '../conversation/client-id';
import type { Pending } from '../conversation/outbox';
import type { KeptThread, Snapshot } from '../conversation/snapshot';

const VERSION = 1;
const SHAPE = 1;
/** A database that somebody holds closed must not hold up the first drawing. */
const PATIENCE_MS = 2_000;
const STORES = { outbox: 'clientId', drafts: 'peer', summaries: 'peer', threads: 'peer', about: 'what' };
const CACHE = ['about', 'summaries', 'threads'] as const;

export interface Draft {
  readonly peer: string;
  readonly text: string;
}

/** What is put and what goes, by key. */
export interface Changes {
  readonly outbox: ReadonlyMap<string, Pending | null>;
  readonly drafts: ReadonlyMap<string, Draft | null>;
}

export interface Held {
  readonly outbox: readonly Pending[];
  readonly drafts: readonly Draft[];
  readonly snapshot: Snapshot | null;
}

export interface Shelf {
  read: () => Promise<Held>;
  outbox: () => Promise<readonly Pending[] | null>;
  /** Resolves when it is stored for good, with whether it is. */
  write: (changes: Changes) => Promise<boolean>;
  /**
   * Puts a snapshot in the place of the last one. `before` is what this tab stored last: if no other tab has stored
   * since, only the differences are written. Rows of two tabs never mix: what a cursor covers would not be known.
   */
  keep: (snapshot: Snapshot | null, before: Snapshot | null) => Promise<boolean>;
  /** Everything goes, also from the pages that have it open. */
  erase: () => Promise<void>;
}

interface About {
  readonly what: 'snapshot';
  readonly shape: number;
  readonly writer: string;
  readonly cursor: string;
  readonly following: string | null;
  readonly seen?: number | undefined;
  readonly blocks?: readonly Block[] | undefined;
}

export const NOTHING: Held = { outbox: [], drafts: [], snapshot: null };

/** Null when there is no database to be had. */
export async function openShelf(factory: IDBFactory | undefined, name: string): Promise<Shelf | null> {
  try {
    if (!factory) return null;
    return shelf(factory, await open(factory, name), name, newClientId());
  } catch {
    return null;
  }
}

function open(factory: IDBFactory, name: string): Promise<IDBDatabase> {
  const request = factory.open(name, VERSION);
  request.onupgradeneeded = () => {
    const known = request.result.objectStoreNames;
    for (const [store, keyPath] of Object.entries(STORES))
      if (!known.contains(store)) request.result.createObjectStore(store, { keyPath });
  };
  return new Promise((resolve, reject) => {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      reject(new Error('the database does not open'));
    }, PATIENCE_MS);
    request.onsuccess = () => {
      clearTimeout(timer);
      if (late) request.result.close();
      else resolve(request.result);
    };
    request.onerror = () => reject(request.error);
  });
}

function shelf(factory: IDBFactory, database: IDBDatabase, name: string, writer: string): Shelf {
  // Another tab erases or upgrades it: what this one still says must not come after that.
  database.onversionchange = () => database.close();

  return {
    read: () => attempt(NOTHING, () => readAll(database)),
    outbox: () =>
      attempt(null, () => all<Pending>(database.transaction('outbox', 'readonly').objectStore('outbox'))),
    write: (changes) =>
      attempt(false, async () => {
        if (await attempt(false, () => write(database, changes))) return true;
        // A full disk: the cache can be had again, what was written here can not.
        await attempt(false, () => keep(database, writer, null, null));
        return write(database, changes);
      }),
    keep: (snapshot, before) => attempt(false, () => keep(database, writer, snapshot, before)),
    erase: async () => {
      await attempt(undefined, () => empty(database));
      database.close();
      await attempt(undefined, () => remove(factory, name));
    },
  };
}

async function attempt<T>(otherwise: T, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch {
    return otherwise;
  }
}

async function readAll(database: IDBDatabase): Promise<Held> {
  const transaction = database.transaction(Object.keys(STORES), 'readonly');
  const store = (each: keyof typeof STORES) => transaction.objectStore(each);
  const [outbox, drafts, summaries, threads, [about]] = await Promise.all([
    all<Pending>(store('outbox')),
    all<Draft>(store('drafts')),
    all<ConversationSummary>(store('summaries')),
    all<KeptThread>(store('threads')),
    all<About>(store('about')),
  ]);
  if (about?.shape !== SHAPE) return { outbox, drafts, snapshot: null };
  const { cursor, following, seen, blocks } = about;
  return { outbox, drafts, snapshot: { cursor, following, seen, blocks, summaries, threads } };
}

function write(database: IDBDatabase, { outbox, drafts }: Changes): Promise<true> {
  // What was written and not yet sent is there nowhere else.
  const durability = outbox.size > 0 ? 'strict' : 'relaxed';
  const transaction = database.transaction(['outbox', 'drafts'], 'readwrite', { durability });
  for (const [store, rows] of [['outbox', outbox] as const, ['drafts', drafts] as const])
    for (const [key, row] of rows) {
      if (row === null) transaction.objectStore(store).delete(key);
      else transaction.objectStore(store).put(row);
    }
  return committed(transaction);
}

async function keep(
  database: IDBDatabase,
  writer: string,
  snapshot: Snapshot | null,
  before: Snapshot | null,
): Promise<true> {
  const transaction = database.transaction([...CACHE], 'readwrite', { durability: 'relaxed' });
  // Without `before` there is nothing to wait for: the page may be gone before an answer comes.
  const [about] = before ? await all<About>(transaction.objectStore('about')) : [];
  const since = about?.writer === writer ? before : null;
  if (!since) for (const store of CACHE) transaction.objectStore(store).clear();
  if (snapshot) {
    const { cursor, following, seen, blocks } = snapshot;
    const row: About = { what: 'snapshot', shape: SHAPE, writer, cursor, following, seen, blocks };
    transaction.objectStore('about').put(row);
    differ(transaction.objectStore('summaries'), snapshot.summaries, since?.summaries ?? []);
    differ(transaction.objectStore('threads'), snapshot.threads, since?.threads ?? []);
  }
  return committed(transaction);
}

/** Rows are never changed, only replaced: what is the same object is stored already. */
function differ(
  store: IDBObjectStore,
  rows: readonly { readonly peer: string }[],
  before: readonly { readonly peer: string }[],
): void {
  const known = new Set(before);
  const peers = new Set(rows.map(({ peer }) => peer));
  for (const { peer } of before) if (!peers.has(peer)) store.delete(peer);
  for (const row of rows) if (!known.has(row)) store.put(row);
}

function empty(database: IDBDatabase): Promise<true> {
  const transaction = database.transaction(Object.keys(STORES), 'readwrite', { durability: 'strict' });
  for (const store of Object.keys(STORES)) transaction.objectStore(store).clear();
  return committed(transaction);
}

/** A page that sleeps may keep it open; it is empty by now, and goes when that page wakes or ends. */
function remove(factory: IDBFactory, name: string): Promise<void> {
  const request = factory.deleteDatabase(name);
  return new Promise((resolve) => {
    request.onsuccess = () => resolve();
    request.onerror = () => resolve();
    request.onblocked = () => resolve();
  });
}

function all<Row>(store: IDBObjectStore): Promise<Row[]> {
  const request = store.getAll();
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** Asks for the end at once: then the page may be closed, and what it asked for is stored all the same. */
function committed(transaction: IDBTransaction): Promise<true> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve(true);
    transaction.onabort = () => reject(transaction.error);
    transaction.commit();
  });
}
