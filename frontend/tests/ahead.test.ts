// What is asked for before it is known whose it is.

import { describe, expect, it } from 'vitest';
import { askAhead } from '../src/api/ahead';
import type { Api } from '../src/api/client';

/** An API whose answers bear its name, and what it was asked. */
function named(name: string, fails = false) {
  const asked: string[] = [];
  const read =
    (what: string) =>
    async (...args: unknown[]) => {
      asked.push([what, ...args].join(' '));
      if (fails) throw new Error('no');
      return { cursor: name, results: [] };
    };
  const api = { conversations: read('list'), newest: read('newest'), around: read('around') };
  return { api: api as unknown as Api, asked };
}

const list = (api: Api) => api.conversations();
const listAndPage = async (api: Api) => {
  await api.conversations();
  await api.newest('ann', 30);
};
const by = async (answer: Promise<unknown>) => ((await answer) as { cursor: string }).cursor;

describe('what is asked for ahead', () => {
  it('is the first answer, and no other', async () => {
    const [early, own] = [named('early'), named('own')];
    const api = askAhead(early.api, () => 'one', list).over(own.api);
    expect(early.asked).toEqual(['list']);
    expect(await by(api.conversations())).toBe('early');
    expect(await by(api.conversations())).toBe('own');
    expect([early.asked.length, own.asked.length]).toEqual([1, 1]);
  });

  it('is a page of messages too, after the list', async () => {
    const [early, own] = [named('early'), named('own')];
    const api = askAhead(early.api, () => 'one', listAndPage).over(own.api);
    expect(early.asked).toEqual(['list']);
    expect(await by(api.conversations())).toBe('early');
    expect(early.asked).toEqual(['list', 'newest ann 30']);
    expect(await by(api.newest('bob', 30))).toBe('own');
    expect(await by(api.newest('ann', 30))).toBe('early');
    expect(await by(api.newest('ann', 30))).toBe('own');
  });

  it('is not taken after somebody has signed in', async () => {
    let signIn = 'one';
    const api = askAhead(named('early').api, () => signIn, list).over(named('own').api);
    signIn = 'two';
    expect(await by(api.conversations())).toBe('own');
    signIn = 'one';
    expect(await by(api.conversations())).toBe('own');
  });

  it('is asked for again when it failed', async () => {
    const api = askAhead(named('early', true).api, () => 'one', list).over(named('own').api);
    expect(await by(api.conversations())).toBe('own');
  });

  it('is not kept for later, not even if it comes later', async () => {
    const early = named('early');
    const ahead = askAhead(early.api, () => 'one', listAndPage);
    const api = ahead.over(named('own').api);
    ahead.drop();
    await expect.poll(() => early.asked.length).toBe(2);
    expect(await by(api.conversations())).toBe('own');
    expect(await by(api.newest('ann', 30))).toBe('own');
  });
});
