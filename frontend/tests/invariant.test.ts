// The realtime invariant: whatever happens, a snapshot with the events after its cursor equals a fresh snapshot. It holds
// for a fetched one and for one that this device has kept, whichever of its tabs kept it, and when.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Api } from '../src/api/client';
import type { ChatEvent, Message } from '../src/api/types';
import { createChanges } from '../src/conversation/changes';
import { createHistory } from '../src/conversation/history';
import { createKeeping } from '../src/conversation/keeping';
import { receiveEvent, threadWith } from '../src/conversation/receive';
import { createState } from '../src/conversation/state';
import { fromSnapshot, inOrder, withEvent } from '../src/conversation/summaries';
import { createSync } from '../src/conversation/sync';
import { emptyThread, shown, type Thread, withPage } from '../src/conversation/thread';
import { openDevice } from '../src/device/device';
import { type Browser, newBrowser } from './client';
import { Model } from './model.mjs';

const USERS = ['ann', 'bob', 'carol'];
const ME = 'ann';

type Step =
  | { do: 'send'; from: number; to: number }
  | { do: 'read'; user: number; peer: number; seq: number }
  | { do: 'delivered'; user: number; peer: number; seq: number }
  | { do: 'arrange'; user: number; peer: number; pinned: boolean; archived: boolean }
  | { do: 'guard'; user: number; on: boolean }
  | { do: 'accept'; user: number; peer: number }
  | { do: 'edit' | 'remove'; a: number; b: number; seq: number };

const person = fc.integer({ min: 0, max: USERS.length - 1 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('send' as const), from: person, to: person }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('read' as const), user: person, peer: person, seq: fc.nat(12) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('delivered' as const),
      user: person,
      peer: person,
      seq: fc.nat(12),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('arrange' as const),
      user: person,
      peer: person,
      pinned: fc.boolean(),
      archived: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('guard' as const), user: person, on: fc.boolean() }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('accept' as const), user: person, peer: person }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom('edit' as const, 'remove' as const),
      a: person,
      b: person,
      seq: fc.integer({ min: 1, max: 12 }),
    }),
  },
);

function play(model: Model, steps: readonly Step[]): void {
  const name = (index: number) => USERS[index] ?? ME;
  for (const each of steps) {
    if (each.do === 'send') model.send(name(each.from), name(each.to), 'hi', null);
    if (each.do === 'read') model.read(name(each.user), name(each.peer), each.seq);
    if (each.do === 'delivered') model.delivered(name(each.user), name(each.peer), each.seq);
    if (each.do === 'arrange') model.arrange(name(each.user), name(each.peer), kept(each));
    if (each.do === 'guard') model.guard(name(each.user), each.on);
    if (each.do === 'accept') model.accept(name(each.user), name(each.peer));
    if (each.do !== 'edit' && each.do !== 'remove') continue;
    const conversation = model.between(name(each.a), name(each.b));
    if (conversation && each.do === 'edit') model.edit(conversation, each.seq, 'edited');
    if (conversation && each.do === 'remove') model.remove(conversation, each.seq);
  }
}

function kept({ pinned, archived }: { pinned: boolean; archived: boolean }) {
  return { pinned, archived, muted_until: pinned ? '2099-01-01T00:00:00Z' : null };
}

function messagesWith(model: Model, peer: string): readonly Message[] {
  return model.between(ME, peer)?.messages ?? [];
}

function threadNow(model: Model, peer: string): Thread {
  return withPage(emptyThread(peer), messagesWith(model, peer), 'newest');
}

/** The events after `cursor`, where some stretches come twice, as after a reconnect that resumed too early. */
function delivered(model: Model, after: number, repeats: readonly number[]): ChatEvent[] {
  const events = model.events(ME, after) as unknown as ChatEvent[];
  return events.flatMap((event, index) => {
    const back = repeats[index % repeats.length] ?? 0;
    return [event, ...events.slice(Math.max(0, index - back + 1), index + 1)];
  });
}

const SESSION = {
  user: ME,
  is_staff: false,
  is_superuser: false,
  message_max_length: 10_000,
  messages_to_load: 15,
};

describe('events on top of a snapshot', () => {
  const scripts = fc.tuple(
    fc.array(step, { maxLength: 25 }),
    fc.array(step, { maxLength: 15 }),
    fc.array(step),
  );
  const repeats = fc.array(fc.nat(4), { minLength: 1, maxLength: 5 });

  it('give the list that a fresh snapshot gives', () => {
    fc.assert(
      fc.property(scripts, repeats, ([before, between, after], again) => {
        const model = new Model(USERS);
        play(model, before);
        const cursor = model.logs.get(ME)?.length ?? 0;
        play(model, between);
        const old = fromSnapshot(model.list(ME));
        play(model, after);
        const now = delivered(model, cursor, again).reduce((list, event) => withEvent(list, event, ME), old);
        expect(inOrder(now)).toEqual(model.list(ME));
      }),
      { numRuns: 400 },
    );
  });

  it('give the messages that a fresh page gives', () => {
    fc.assert(
      fc.property(scripts, repeats, ([before, between, after], again) => {
        const model = new Model(USERS);
        play(model, before);
        const cursor = model.logs.get(ME)?.length ?? 0;
        play(model, between);
        const old = USERS.map((peer) => threadNow(model, peer));
        play(model, after);
        const events = delivered(model, cursor, again);
        for (const thread of old) {
          const now = events.reduce((one, event) => threadWith(one, event, ME), thread);
          expect(shown(now)).toEqual(messagesWith(model, thread.peer));
        }
      }),
      { numRuns: 400 },
    );
  });

  it('would not, if the events after the cursor were left out', () => {
    const model = new Model(USERS);
    const old = fromSnapshot(model.list(ME));
    play(model, [{ do: 'send', from: 1, to: 0 }]);
    expect(inOrder(old)).not.toEqual(model.list(ME));
  });
});

/** Somebody whose link brings what the script says, and whose answers are made and come when it says so. */
function listener(model: Model) {
  const state = createState(SESSION);
  let cursor = model.cursor(ME);
  const waiting: { make: () => void; give: () => void }[] = [];
  const late = <T>(look: () => T) =>
    new Promise<T>((resolve) => {
      let made: { readonly answer: T } | undefined;
      const make = () => {
        made ??= { answer: look() };
      };
      waiting.push({
        make,
        give: () => {
          make();
          if (made) resolve(made.answer);
        },
      });
    });
  /** Some of the newest, or some around one. */
  const page = (peer: string, seq = Number.POSITIVE_INFINITY) =>
    late(() => {
      const all = messagesWith(model, peer);
      const end = Math.min(all.length, seq + 2);
      const previous = end < all.length ? 'there are newer ones' : null;
      return { results: all.slice(Math.max(0, end - 4), end).reverse(), next: null, previous };
    });
  const list = () => late(() => ({ results: model.list(ME), next: null, cursor: model.cursor(ME) }));
  const api = {
    newest: (peer: string) => page(peer),
    around: page,
    conversations: list,
    moreConversations: list,
    conversation: (peer: string) => late(() => model.list(ME).find((each) => each.peer === peer)),
    profile: () => Promise.reject(new Error('nobody asked')),
  } as unknown as Api;
  const link = { start: () => {}, stop: () => {}, say: () => {}, hurry: () => {}, doubt: () => {} };
  const sync = createSync({ state, api, link: () => link, onReset: () => {}, onPassing: () => {} });
  const rest = () => new Promise((done) => setImmediate(done));
  const give = async () => {
    for (const each of waiting.splice(0)) each.give();
    await rest();
  };
  return {
    state,
    sync,
    history: createHistory(state, api),
    changes: createChanges(state, api),
    hear: async (most: number) => {
      for (const event of model.events(ME, model.position(ME, cursor) ?? 0, most)) {
        cursor = event.cursor;
        sync.hear({ type: 'event', cursor, event });
      }
      await rest();
    },
    make: () => {
      for (const each of waiting) each.make();
    },
    give,
    settle: async () => {
      while (waiting.length > 0) await give();
    },
  };
}

type Listener = ReturnType<typeof listener>;

/** What happens after a question: when it is heard, and when the answer is made and when it comes. */
const course = fc.record({
  steps: fc.array(fc.tuple(step, fc.nat(2)), { maxLength: 15 }),
  made: fc.nat(15),
  given: fc.nat(15),
});

async function follow(
  model: Model,
  ann: Listener,
  { steps, made, given }: typeof course extends fc.Arbitrary<infer T> ? T : never,
): Promise<void> {
  for (const [index, [each, most]] of steps.entries()) {
    if (index === made) ann.make();
    if (index === given) await ann.give();
    play(model, [each]);
    await ann.hear(most);
  }
  await ann.settle();
  await ann.hear(Number.POSITIVE_INFINITY);
  await ann.settle();
}

describe('events that are heard while an answer is under way', () => {
  const start = fc.array(step, { maxLength: 25 });

  it('are not lost with it: messages', async () => {
    await fc.assert(
      fc.asyncProperty(
        start,
        course,
        fc.option(fc.integer({ min: 1, max: 6 })),
        async (before, after, seq) => {
          const model = new Model(USERS);
          play(model, before);
          const ann = listener(model);
          ann.state.summaries.value = fromSnapshot(model.list(ME));
          for (const peer of USERS) void ann.history.open(peer, seq ?? undefined);
          await follow(model, ann, after);
          for (const peer of USERS) {
            const thread = ann.state.conversation(peer).thread.value;
            const now = shown(thread);
            const all = messagesWith(model, peer);
            const first = (now[0]?.seq ?? 1) - 1;
            expect(now).toEqual(all.slice(first, thread.tail ? undefined : first + now.length));
          }
        },
      ),
      { numRuns: 300, seed: 1 },
    );
  });

  it.each(['the following page of the list', 'a conversation of which nothing was known'])(
    'are not lost with it: %s',
    async (which) => {
      await fc.assert(
        fc.asyncProperty(start, course, async (before, after) => {
          const model = new Model(USERS);
          play(model, before);
          const ann = listener(model);
          const known = model.list(ME);
          ann.state.summaries.value = fromSnapshot(
            which === 'the following page of the list' ? known.slice(0, 1) : [],
          );
          ann.state.following.value = '/?cursor=1';
          if (which === 'the following page of the list') void ann.sync.more();
          else play(model, [{ do: 'send', from: 1, to: 0 }]);
          await ann.hear(1);
          await follow(model, ann, after);
          const now = [...ann.state.summaries.value.values()];
          const all = model.list(ME);
          const told = all.filter(({ peer }) => now.some((each) => each.peer === peer));
          expect(inOrder(ann.state.summaries.value)).toEqual(
            which === 'the following page of the list' ? all : told,
          );
        }),
        { numRuns: 300, seed: 1 },
      );
    },
  );

  it('are not lost with it: what is quoted', async () => {
    const model = new Model(USERS);
    play(model, [{ do: 'send', from: 1, to: 0 }]);
    const ann = listener(model);
    ann.changes.quoted('bob', 1);
    ann.make();
    play(model, [{ do: 'remove', a: 0, b: 1, seq: 1 }]);
    await ann.hear(1);
    await ann.give();
    expect(ann.changes.quoted('bob', 1)).toEqual(messagesWith(model, 'bob')[0]);
  });
});

/** A page of ann's: what this device holds, else a fresh snapshot; events reach it when the script says so. */
async function openTab(model: Model, browser: Browser) {
  const device = await openDevice({ ...browser, base: browser.id, user: ME });
  let kept: Promise<unknown> = Promise.resolve();
  const keeping = createKeeping({
    ...device,
    keep: (...snapshots) => {
      kept = device.keep(...snapshots);
      return kept as Promise<boolean>;
    },
  });
  const state = createState(SESSION, keeping.followers);
  let cursor = await keeping.begin(
    state,
    () => cursor,
    () => {},
  );
  if (cursor === null) {
    cursor = model.cursor(ME);
    state.summaries.value = fromSnapshot(model.list(ME));
    state.list.value = 'ready';
  }
  return {
    state,
    hear: (most: number) => {
      for (const event of model.events(ME, model.position(ME, cursor ?? '') ?? 0, most)) {
        cursor = event.cursor;
        receiveEvent(state, event as unknown as ChatEvent);
      }
    },
    look: (peer: string) => {
      const { thread } = state.conversation(peer);
      if (!thread.peek().loaded) {
        thread.value = withPage(thread.peek(), messagesWith(model, peer).slice(-4), 'newest');
      }
    },
    keep: () => {
      keeping.flush();
      return kept;
    },
    close: () => {
      keeping.stop();
      device.close();
    },
  };
}

type TabStep =
  | { do: 'hear'; tab: number; most: number }
  | { do: 'look'; tab: number; peer: number }
  | { do: 'keep' | 'reload'; tab: number };

const tab = fc.nat(1);
const tabStep: fc.Arbitrary<TabStep> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('hear' as const), tab, most: fc.integer({ min: 1, max: 6 }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('look' as const), tab, peer: person }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('keep' as const), tab }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reload' as const), tab }) },
);

const isTabStep = (each: Step | TabStep): each is TabStep => 'tab' in each;

/** What a page shows that is opened after all this, and has heard everything. */
async function playTabs(script: readonly (Step | TabStep)[], before: readonly Step[]) {
  const [model, browser] = [new Model(USERS), newBrowser()];
  play(model, before);
  const tabs = [await openTab(model, browser), await openTab(model, browser)] as const;
  const pages = [...tabs];
  for (const each of script) {
    const page = isTabStep(each) ? pages[each.tab] : undefined;
    if (!isTabStep(each)) play(model, [each]);
    else if (each.do === 'hear') page?.hear(each.most);
    else if (each.do === 'look') page?.look(USERS[each.peer] ?? ME);
    else if (each.do === 'keep') await page?.keep();
    else {
      await page?.keep();
      page?.close();
      pages[each.tab] = await openTab(model, browser);
    }
  }
  for (const page of pages) page.close();
  const last = await openTab(model, browser);
  last.hear(Number.POSITIVE_INFINITY);
  last.close();
  return { model, state: last.state };
}

describe('events on top of what this device kept', () => {
  const scripts = fc.array(fc.oneof(step, tabStep), { maxLength: 60, size: 'max' });

  it('give what a fresh page gives, whichever tab kept it', async () => {
    await fc.assert(
      fc.asyncProperty(scripts, fc.array(step, { maxLength: 15 }), async (script, before) => {
        const { model, state } = await playTabs(script, before);
        expect(inOrder(state.summaries.value)).toEqual(model.list(ME));
        for (const { thread } of state.opened()) {
          const now = shown(thread.value);
          expect(now).toEqual(messagesWith(model, thread.value.peer).slice((now[0]?.seq ?? 1) - 1));
        }
      }),
      { numRuns: 150 },
    );
  }, 30_000);

  it('have something to stand on: what was kept is what the next page begins with', async () => {
    const sends: Step[] = Array.from({ length: 6 }, () => ({ do: 'send', from: 1, to: 0 }));
    const { state } = await playTabs(
      [
        { do: 'look', tab: 0, peer: 1 },
        { do: 'keep', tab: 0 },
      ],
      sends,
    );
    expect(state.openedWith('bob')?.thread.value.past.map((message) => message.seq)).toEqual([3, 4, 5, 6]);
  });
});
