import { describe, expect, it } from 'vitest';
import { keptThread, restoredThread, worthKeeping } from '../src/conversation/snapshot';
import { emptyThread, holeIn, shown, withLive, withPage } from '../src/conversation/thread';
import { message, page, range, seqs } from './messages';

const loaded = (first: number, last: number) => withPage(emptyThread('bob'), page(first, last), 'newest');

describe('what is kept of a conversation', () => {
  it('are its newest messages', () => {
    const kept = keptThread(loaded(1, 100));
    expect(seqs(kept?.past ?? [])).toEqual(range(41, 100));
  });

  it('is nothing of one that was not looked at, or is read somewhere in its middle', () => {
    expect(keptThread(withLive(emptyThread('bob'), message(1)))).toBeNull();
    expect(keptThread(withPage(loaded(90, 100), page(10, 20), 'around', true))).toBeNull();
    expect(keptThread(withPage(emptyThread('bob'), [], 'newest'))).toBeNull();
  });

  it('knows of the messages beyond a hole, without having them', () => {
    const kept = keptThread(withLive(loaded(1, 10), message(15)));
    const back = kept && restoredThread(kept);
    expect(back && seqs(shown(back))).toEqual(range(1, 10));
    expect(back && holeIn(back)).toEqual({ after: 10, before: 16 });
  });

  it('is the more worth the later something happened', () => {
    const threads = range(1, 25).map((number) => ({
      peer: `${number}`,
      past: [message(number)],
      lastSeq: number,
    }));
    expect(worthKeeping(threads).map(({ peer }) => Number(peer))).toEqual(range(6, 25).reverse());
  });
});
