// The end of a session may be heard of before the answer that brings the next one: nobody is asked in between.

import { expect, test } from 'vitest';
import { createApi } from '../src/api/client';

test('who is signed in is asked when what changes the session has been answered, well or not', async () => {
  for (const status of [200, 400]) {
    const asked: string[] = [];
    let answer = () => {};
    const changing = new Promise<void>((done) => {
      answer = done;
    });
    const api = createApi('/', async (address, init) => {
      asked.push(`${init?.method} ${String(address)}`);
      if (init?.method === 'POST') {
        await changing;
        asked.push('answered');
      }
      return new Response('{}', { status: init?.method === 'POST' ? status : 200 });
    });
    const change = api.confirmTotp('token', '123456').catch(() => null);
    const session = api.session();
    await new Promise((done) => setTimeout(done));
    expect(asked).toEqual(['POST /api/v1/account/second-factor/confirm/']);
    answer();
    await Promise.all([change, session]);
    expect(asked.slice(1)).toEqual(['answered', 'GET /api/v1/session/']);
  }
});
