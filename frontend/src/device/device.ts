// What this device keeps for one person, and shares between their tabs: the outbox, drafts, and a cache of conversations
// with the cursor that it is as of (`shelf.ts`, a database for each person); news between tabs (`tabs.ts`); and turns,
// so that only one of them sends (`turns.ts`). Who that person is stands in `who.ts`. No DOM; `conversation/keeping.ts`
// ties it to the store.
//
// How to add the next thing that is kept: a store in `shelf.ts`, its changes in `save`, and if other tabs are to see it,
// a field of `News`. It is erased with everything else when its person signs out. What is kept for the device and not
// for a person (colours, language) stays out of here.

import { oldOutbox } from './old-outbox';
import { type Changes, type Held, NOTHING, openShelf, type Shelf } from './shelf';
import { createTabs, type Tabs } from './tabs';
import { createTurns, type Locks, type Turns } from './turns';

export interface Device {
  readonly tabs: Tabs;
  readonly turns: Turns;
  readonly load: () => Promise<Held>;
  /** The outbox as it is stored now; null when that is not known. */
  readonly outbox: Shelf['outbox'];
  /** What is saved in one go is stored together, or not at all. Resolves with whether it is stored. */
  readonly save: (changes: Partial<Changes>) => Promise<boolean>;
  /** When everything that was saved so far is stored. */
  readonly saved: () => Promise<unknown>;
  readonly keep: Shelf['keep'];
  readonly erase: () => Promise<void>;
  readonly close: () => void;
}

export interface DeviceOptions {
  /** Where this chatd lives on its host: another one may live beside it. */
  readonly base: string;
  readonly user: string;
  readonly factory: IDBFactory | undefined;
  readonly storage: Storage | undefined;
  readonly locks: Locks | undefined;
}

const NO_SHELF: Shelf = {
  read: async () => NOTHING,
  outbox: async () => null,
  write: async () => false,
  keep: async () => false,
  erase: async () => {},
};

export async function openDevice({ base, user, factory, storage, locks }: DeviceOptions): Promise<Device> {
  const name = `chatd ${base} ${user}`;
  // Before anything is read: what another tab says from now on is not lost between the two.
  const tabs = createTabs(name);
  const shelf = (await openShelf(factory, name)) ?? NO_SHELF;
  const old = oldOutbox(storage, user);
  let waiting: { outbox: Map<string, unknown>; drafts: Map<string, unknown> } | null = null;
  let last: Promise<boolean> = Promise.resolve(true);

  function save({ outbox = new Map(), drafts = new Map() }: Partial<Changes>): Promise<boolean> {
    if (!waiting) {
      const mine = { outbox: new Map(), drafts: new Map() };
      waiting = mine;
      last = Promise.resolve().then(() => {
        waiting = null;
        return shelf.write(mine);
      });
    }
    for (const [key, item] of outbox) waiting.outbox.set(key, item);
    for (const [key, draft] of drafts) waiting.drafts.set(key, draft);
    return last;
  }

  async function load(): Promise<Held> {
    const held = await shelf.read();
    const known = new Set(held.outbox.map((item) => item.clientId));
    const moved = old.items.filter((item) => !known.has(item.clientId));
    if (old.items.length > 0) {
      const stored = await save({ outbox: new Map(moved.map((item) => [item.clientId, item])) });
      if (stored) old.remove();
    }
    return { ...held, outbox: [...held.outbox, ...moved] };
  }

  return {
    tabs,
    turns: createTurns(locks, `${name} `),
    load,
    outbox: shelf.outbox,
    save,
    saved: () => last,
    keep: shelf.keep,
    erase: async () => {
      tabs.close();
      old.remove();
      await shelf.erase();
    },
    close: tabs.close,
  };
}
