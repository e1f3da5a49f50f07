// Whose browser this is.

import { describe, expect, it } from 'vitest';
import { createWho, loyal } from '../src/device/who';
import { memoryStorage } from './client';

const ann = {
  user: 'ann',
  is_staff: false,
  is_superuser: false,
  message_max_length: 10_000,
  messages_to_load: 15,
};

function browser(base = '/', storage: Storage | undefined = memoryStorage()) {
  const jar = { cookie: 'a=b; csrftoken=one' };
  return { jar, storage, who: createWho(storage, () => jar.cookie, base) };
}

describe('who this device belongs to', () => {
  it('is known without asking, until somebody signs in', () => {
    const { who, jar, storage } = browser();
    expect(who.recall()).toBeNull();
    who.remember(ann);
    expect(who.recall()).toEqual(ann);
    expect(createWho(storage, () => jar.cookie, '/').recall()).toEqual(ann);
    expect(createWho(storage, () => jar.cookie, '/other/').recall()).toBeNull();
    jar.cookie = 'csrftoken=two';
    expect(who.recall()).toBeNull();
  });

  it('is kept without the token itself', () => {
    const { who, jar, storage } = browser();
    jar.cookie = 'csrftoken=a-very-long-and-secret-token';
    who.remember(ann);
    expect(storage.getItem('chatd:session:/')).not.toContain('secret');
  });

  it('is nobody when it is forgotten, broken, or storage is switched off', () => {
    const { who, storage } = browser();
    who.remember(ann);
    who.forget();
    expect(who.recall()).toBeNull();
    storage.setItem('chatd:session:/', '{"session":1}');
    expect(who.recall()).toBeNull();
    const off = createWho(undefined, () => '', '/');
    off.remember(ann);
    expect(off.recall()).toBeNull();
  });

  it('is heard of in other tabs when it ends', () => {
    const { who } = browser();
    const key = 'chatd:session:/';
    const value = (user: string) => JSON.stringify({ session: { ...ann, user }, signIn: 'x' });
    expect(who.isOver({ key, newValue: value('ann') }, 'ann')).toBeNull();
    expect(who.isOver({ key, newValue: value('bob') }, 'ann')).toBe('other');
    expect(who.isOver({ key, newValue: null }, 'ann')).toBe('nobody');
    expect(who.isOver({ key: 'chatd:theme', newValue: null }, 'ann')).toBeNull();
  });
});

describe('requests', () => {
  it('are made in the name of one person only', async () => {
    let [signIn, mine, asked, left] = ['one', true, 0, 0];
    const made: unknown[] = [];
    const fetcher = loyal(
      (async (input: unknown) => made.push(input)) as unknown as typeof fetch,
      () => signIn,
      async () => {
        asked += 1;
        return mine;
      },
      () => {
        left += 1;
      },
    );
    await fetcher('a');
    expect(asked, 'nothing has changed').toBe(0);
    signIn = 'two';
    await fetcher('b');
    await fetcher('c');
    expect([asked, made], 'the same person has signed in again').toEqual([1, ['a', 'b', 'c']]);
    [signIn, mine] = ['three', false];
    await expect(fetcher('d')).rejects.toThrow();
    await expect(fetcher('e')).rejects.toThrow();
    expect([left, made]).toEqual([2, ['a', 'b', 'c']]);
  });
});
