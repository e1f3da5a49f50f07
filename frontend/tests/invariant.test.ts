// The realtime invariant: whatever happens, a snapshot with the events after its cursor equals a fresh snapshot.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ChatEvent, Message } from '../src/api/types';
import { fromSnapshot, inOrder, peerOf, withEvent } from '../src/conversation/summaries';
import { emptyThread, shown, type Thread, withChanged, withLive, withPage } from '../src/conversation/thread';
import { Model } from './model.mjs';

const USERS = ['ann', 'bob', 'carol'];
const ME = 'ann';

type Step =
  | { do: 'send'; from: number; to: number }
  | { do: 'read'; user: number; peer: number; seq: number }
  | { do: 'edit'; a: number; b: number; seq: number };

const person = fc.integer({ min: 0, max: USERS.length - 1 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('send' as const), from: person, to: person }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('read' as const), user: person, peer: person, seq: fc.nat(12) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('edit' as const),
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
    const conversation = each.do === 'edit' ? model.between(name(each.a), name(each.b)) : undefined;
    if (each.do === 'edit' && conversation) model.edit(conversation, each.seq, 'edited');
  }
}

function messagesWith(model: Model, peer: string): readonly Message[] {
  return model.between(ME, peer)?.messages ?? [];
}

function threadNow(model: Model, peer: string): Thread {
  return withPage(emptyThread(peer), messagesWith(model, peer), 'newest');
}

/** What `receive.ts` does to a thread. */
function advance(thread: Thread, event: ChatEvent): Thread {
  if (event.type === 'read' || peerOf(event.message, ME) !== thread.peer) return thread;
  return event.type === 'message_created'
    ? withLive(thread, event.message)
    : withChanged(thread, event.message);
}

/** The events after `cursor`, where some stretches come twice, as after a reconnect that resumed too early. */
function delivered(model: Model, after: number, repeats: readonly number[]): ChatEvent[] {
  const events = model.events(ME, after) as unknown as ChatEvent[];
  return events.flatMap((event, index) => {
    const back = repeats[index % repeats.length] ?? 0;
    return [event, ...events.slice(Math.max(0, index - back + 1), index + 1)];
  });
}

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
          const now = events.reduce(advance, thread);
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
