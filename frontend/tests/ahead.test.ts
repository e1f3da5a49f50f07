// The list that is asked for before it is known whose it is.

import { describe, expect, it } from 'vitest';
import { askAhead } from '../src/api/ahead';
import type { Api } from '../src/api/client';
import type { ConversationPage } from '../src/api/types';

/** An API whose lists bear its name, and a count of how often it was asked. */
function lists(name: string, fails = false) {
  const asked = { times: 0 };
  const conversations = async () => {
    asked.times += 1;
    if (fails) throw new Error('no');
    return { cursor: name, next: null, results: [] } as unknown as ConversationPage;
  };
  return { api: { conversations } as unknown as Api, asked };
}

describe('a list that is asked for ahead', () => {
  it('is the first one, and no other', async () => {
    const [early, own] = [lists('early'), lists('own')];
    const api = askAhead(early.api, () => 'one').over(own.api);
    expect(early.asked.times).toBe(1);
    expect((await api.conversations()).cursor).toBe('early');
    expect((await api.conversations()).cursor).toBe('own');
    expect([early.asked.times, own.asked.times]).toEqual([1, 1]);
  });

  it('is not taken after somebody has signed in', async () => {
    let signIn = 'one';
    const api = askAhead(lists('early').api, () => signIn).over(lists('own').api);
    signIn = 'two';
    expect((await api.conversations()).cursor).toBe('own');
    signIn = 'one';
    expect((await api.conversations()).cursor).toBe('own');
  });

  it('is asked for again when it failed', async () => {
    const api = askAhead(lists('early', true).api, () => 'one').over(lists('own').api);
    expect((await api.conversations()).cursor).toBe('own');
  });

  it('is not kept for later', async () => {
    const ahead = askAhead(lists('early').api, () => 'one');
    const api = ahead.over(lists('own').api);
    ahead.drop();
    expect((await api.conversations()).cursor).toBe('own');
  });
});
