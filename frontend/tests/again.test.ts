// Reads that came too soon.

import { afterEach, describe, expect, it, vi } from 'vitest';
import { createApi } from '../src/api/client';
import { failureOf } from '../src/api/failure';

/** A server that says "too soon" so many times. */
function server(refusals: number, after: string | null = '1') {
  const asked: string[] = [];
  const fetcher = async (_: RequestInfo | URL, init?: RequestInit) => {
    asked.push(init?.method ?? '');
    if (asked.length > refusals) return new Response('{"user": "ann"}');
    return new Response('{"detail": "Request was throttled."}', {
      status: 429,
      headers: after === null ? {} : { 'Retry-After': after },
    });
  };
  return { api: createApi('http://any/', fetcher), asked };
}

describe('a read that came too soon', () => {
  vi.useFakeTimers();
  afterEach(() => vi.clearAllTimers());

  it('waits as long as it is told, and comes again', async () => {
    const { api, asked } = server(2, '2');
    const answer = api.session();
    await vi.advanceTimersByTimeAsync(1_900);
    expect(asked.length).toBe(1);
    await vi.advanceTimersByTimeAsync(200);
    expect(asked.length).toBe(2);
    await vi.runAllTimersAsync();
    expect((await answer).user).toBe('ann');
    expect(asked).toEqual(['GET', 'GET', 'GET']);
  });

  it.each([
    ['too often', 100, '1', 5],
    ['for too long', 100, '60', 1],
    ['without saying how long', 100, null, 5],
  ])('fails when it is refused %s', async (_, refusals, after, times) => {
    const { api, asked } = server(refusals, after);
    const failed = api.session().catch(failureOf);
    await vi.runAllTimersAsync();
    expect(await failed).toMatchObject({ kind: 'busy', status: 429 });
    expect(asked.length).toBe(times);
  });

  it('is a read: what is written comes again where it is known what that means', async () => {
    const { api, asked } = server(1);
    const failed = api.share({ share_typing: true }).catch(failureOf);
    await vi.runAllTimersAsync();
    expect(await failed).toMatchObject({ kind: 'busy', status: 429 });
    expect(asked).toEqual(['PATCH']);
  });
});
