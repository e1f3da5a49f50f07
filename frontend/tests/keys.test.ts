// The keyboard: which key means what, finding names by letters, and what is chosen on this device.

import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { best, candidate, distance, fold } from '../src/view/fuzzy';
import { commandOf, type Habits, isApple, neighbour } from '../src/view/keys';
import { part } from '../src/view/lazy';
import { memoryStorage } from './client';

const habits: Habits = { apple: false, singleKeys: true };
const at = (tagName: string, more = {}) => ({ tagName, ...more }) as unknown as EventTarget;
const BODY = at('BODY');

/** "Ctrl+Shift+k" as an event. */
function pressed(keys: string, target: EventTarget = BODY, code = '') {
  const parts = keys.split('+');
  const key = parts.at(-1) ?? '';
  const held = (name: string) => parts.slice(0, -1).includes(name);
  const [ctrlKey, metaKey, altKey, shiftKey] = ['Ctrl', 'Cmd', 'Alt', 'Shift'].map(held) as [
    boolean,
    boolean,
    boolean,
    boolean,
  ];
  return { key, code, ctrlKey, metaKey, altKey, shiftKey, target };
}

describe('a key', () => {
  it.each([
    ['Ctrl+k', 'switcher'],
    ['Ctrl+K', 'switcher'],
    ['Alt+ArrowDown', 'next'],
    ['Alt+ArrowUp', 'previous'],
    ['Shift+?', 'shortcuts'],
    ['?', 'shortcuts'],
    ['؟', 'shortcuts'],
  ] as const)('%s: %s', (keys, command) => {
    expect(commandOf(pressed(keys), habits)).toBe(command);
  });

  it.each([
    ...['k', 'Cmd+k', 'Ctrl+Shift+k', 'Ctrl+Alt+k', 'Ctrl+f', 'ArrowDown', 'Ctrl+Alt+ArrowDown'],
    ...['Alt+Shift+ArrowUp', 'Ctrl+?', 'Alt+?', 'Cmd+?', 'Escape', 'Enter'],
  ])('%s means nothing', (keys) => {
    expect(commandOf(pressed(keys), habits)).toBe(null);
  });

  it('with Cmd is a command on a Mac, and Ctrl+K is left to the text field there', () => {
    const mac = { ...habits, apple: true };
    expect(commandOf(pressed('Cmd+k'), mac)).toBe('switcher');
    expect(commandOf(pressed('Ctrl+k'), mac)).toBe(null);
    expect(['MacIntel', 'iPhone', 'iPad', 'Win32', 'Linux x86_64'].map(isApple)).toEqual([
      true,
      true,
      true,
      false,
      false,
    ]);
  });

  it('is found by its place on keyboards of other scripts', () => {
    expect(commandOf(pressed('Ctrl+ن', BODY, 'KeyK'), habits)).toBe('switcher');
    expect(commandOf(pressed('Ctrl+т', BODY, 'KeyN'), habits)).toBe(null);
    expect(commandOf(pressed('Ctrl+t', BODY, 'KeyK'), habits)).toBe(null);
  });
});

describe('a single key', () => {
  it.each([
    ['INPUT', {}],
    ['INPUT', { type: 'search' }],
    ['INPUT', { type: 'password' }],
    ['TEXTAREA', {}],
    ['SELECT', {}],
    ['DIV', { isContentEditable: true }],
  ])('does nothing in a text field: %s %j', (tag, more) => {
    expect(commandOf(pressed('?', at(tag, more)), habits)).toBe(null);
    expect(commandOf(pressed('Ctrl+k', at(tag, more)), habits)).toBe('switcher');
  });

  it('works on what takes no text, and without a target', () => {
    for (const target of [at('BUTTON'), at('INPUT', { type: 'radio' }), at('DIV')])
      expect(commandOf(pressed('?', target), habits)).toBe('shortcuts');
    expect(commandOf({ ...pressed('?'), target: null }, habits)).toBe('shortcuts');
  });

  it('does nothing when single keys are switched off; the others do not mind', () => {
    const off = { ...habits, singleKeys: false };
    expect(commandOf(pressed('?'), off)).toBe(null);
    expect(commandOf(pressed('Ctrl+k'), off)).toBe('switcher');
    expect(commandOf(pressed('Alt+ArrowDown'), off)).toBe('next');
  });

  it('leaves a list of choices its own arrows', () => {
    expect(commandOf(pressed('Alt+ArrowDown', at('SELECT')), habits)).toBe(null);
  });
});

describe('the next conversation', () => {
  const order = ['ann', 'bob', 'carol'];
  it.each([
    ['bob', 1, 'carol'],
    ['bob', -1, 'ann'],
    ['ann', -1, null],
    ['carol', 1, null],
    [null, 1, 'ann'],
    [null, -1, 'carol'],
    ['nobody', 1, 'ann'],
  ] as const)('from %s by %i is %s', (current, step, next) => {
    expect(neighbour(order, current, step)).toBe(next);
  });

  it('of nobody is none', () => {
    expect(neighbour([], null, 1)).toBe(null);
  });
});

describe('finding a name', () => {
  const names = ['zoe', 'helena', 'dieter.k', 'Bob', 'ann', 'anna-lena', 'José', 'bobby', 'kobold', 'b.o.b'];
  const find = (text: string) =>
    best(
      text,
      names.map((name) => candidate(name)),
      20,
    );
  it.each([
    ['bob', ['Bob', 'bobby', 'b.o.b']],
    ['ob', ['Bob', 'bobby', 'kobold', 'b.o.b']],
    ['dk', ['dieter.k']],
    ['lena', ['anna-lena', 'helena']],
    ['jose', ['José']],
    ['JOSÉ', ['José']],
    ['al', ['anna-lena']],
    ['an n', ['ann', 'anna-lena']],
    ['xyz', []],
    ['', names],
  ])('%j: %j', (text, found) => {
    expect(find(text)).toEqual(found);
  });

  it('leaves names that fit equally well in their order: the most recent one first', () => {
    const recent = ['bea', 'ben', 'bert'].map((name) => candidate(name));
    expect(best('be', recent, 2)).toEqual(['bea', 'ben']);
    expect(best('be', recent.toReversed(), 2)).toEqual(['bert', 'ben']);
  });

  it('always finds a name by its letters in order', () => {
    const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(name, fc.array(fc.boolean(), { minLength: 20, maxLength: 20 }), (text, kept) => {
        const key = fold(text);
        const some = [...key].filter((_, index) => kept[index]).join('');
        expect(distance(some, key)).toBeLessThan(Number.POSITIVE_INFINITY);
      }),
    );
  });

  it('looks at each of five thousand names once for a key, and prepares none of them again', () => {
    const seen = { keys: 0, names: 0 };
    const many = Array.from({ length: 5_000 }, (_, index) => {
      const { name, key } = candidate(`person-${index}`);
      return {
        get name() {
          seen.names += 1;
          return name;
        },
        get key() {
          seen.keys += 1;
          return key;
        },
      };
    });
    const folding = vi.spyOn(String.prototype, 'normalize');
    for (const text of ['p', 'p1', 'p12', '4999']) {
      Object.assign(seen, { keys: 0, names: 0 });
      folding.mockClear();
      expect(best(text, many, 20).length).toBeGreaterThan(0);
      expect(seen.keys).toBe(5_000);
      expect(seen.names).toBeLessThanOrEqual(20);
      expect(folding).toHaveBeenCalledTimes(1);
    }
    folding.mockRestore();
  });
});

describe('what is chosen on this device', () => {
  async function fresh(storage: Storage) {
    vi.stubGlobal('localStorage', storage);
    vi.resetModules();
    return import('../src/view/preferences');
  }

  it('is there again on the next visit, and is followed by other tabs', async () => {
    const storage = memoryStorage();
    const [here, there] = [await fresh(storage), await fresh(storage)];
    const view = new EventTarget();
    there.followChoices(view as unknown as Window);
    expect(here.singleKeys.on.value).toBe(true);
    here.singleKeys.choose(false);
    expect([here.singleKeys.on.value, there.singleKeys.on.value]).toEqual([false, true]);
    view.dispatchEvent(Object.assign(new Event('storage'), { key: 'chatd:single-keys' }));
    expect(there.singleKeys.on.value).toBe(false);
    expect((await fresh(storage)).singleKeys.on.value).toBe(false);
    storage.clear();
    view.dispatchEvent(Object.assign(new Event('storage'), { key: null }));
    expect(there.singleKeys.on.value).toBe(true);
    vi.unstubAllGlobals();
  });

  it('holds until the page is left where nothing can be stored', async () => {
    const none = new Proxy({} as Storage, {
      get: () => () => {
        throw new DOMException('no', 'SecurityError');
      },
    });
    const { singleKeys } = await fresh(none);
    singleKeys.choose(false);
    expect(singleKeys.on.value).toBe(false);
    vi.unstubAllGlobals();
  });
});

describe('a part that is fetched later', () => {
  it('says that it is missing, and is asked for again the next time', async () => {
    const Drawing = () => null;
    const answers = [Promise.reject(new Error('404')), Promise.resolve(Drawing)];
    const asked = vi.fn(() => answers.shift() ?? Promise.reject(new Error('once too often')));
    const { drawing, load } = part(asked);
    await load();
    expect(drawing.value).toBe('missing');
    await load();
    expect(drawing.value).toBe(Drawing);
    await load();
    expect(asked).toHaveBeenCalledTimes(2);
  });
});
