import { describe, expect, it } from 'vitest';
import {
  emptyThread,
  hasNewer,
  hasOlder,
  holeIn,
  shown,
  withChanged,
  withLive,
  withPage,
} from '../src/conversation/thread';
import { message, page, range, seqs } from './messages';

const newest = withPage(emptyThread('bob'), page(71, 100), 'newest');

describe('history', () => {
  it('is oldest first whatever the order of the page', () => {
    expect(seqs(shown(newest))).toEqual(range(71, 100));
  });

  it('grows upward without doubling what overlaps', () => {
    const grown = withPage(newest, page(50, 75), 'older');
    expect(seqs(shown(grown))).toEqual(range(50, 100));
    expect(hasOlder(grown)).toBe(true);
    expect(hasOlder(withPage(grown, page(1, 49), 'older'))).toBe(false);
  });

  it('ignores an older page that does not touch what is here', () => {
    expect(withPage(newest, page(1, 30), 'older')).toBe(newest);
  });

  it('is loaded, empty and at its end for people who never wrote', () => {
    const empty = withPage(emptyThread('bob'), [], 'newest');
    expect(empty.loaded).toBe(true);
    expect(hasOlder(empty) || hasNewer(empty)).toBe(false);
    expect(holeIn(empty)).toBeNull();
  });

  it('opened around an old message reaches down until it meets the newest', () => {
    const around = withPage(emptyThread('bob', 100), page(40, 60), 'around', true);
    expect(hasNewer(around)).toBe(true);
    const withNews = withLive(withLive(around, message(101)), message(102));
    expect(seqs(shown(withNews))).toEqual(range(40, 60));
    expect(holeIn(withNews)).toBeNull();
    const met = withPage(withNews, page(61, 100), 'newer', true);
    expect(seqs(shown(met))).toEqual(range(40, 102));
    expect(hasNewer(met)).toBe(false);
  });

  it('knows from the page alone that there are newer messages', () => {
    expect(hasNewer(withPage(emptyThread('bob'), page(40, 60), 'around', true))).toBe(true);
    expect(hasNewer(withPage(emptyThread('bob'), page(40, 60), 'around', false))).toBe(false);
  });

  it('jumps to the newest page, dropping the distant part and live messages that the page holds', () => {
    const around = withLive(withPage(emptyThread('bob', 100), page(10, 20), 'around', true), message(101));
    const jumped = withPage(around, page(73, 102), 'newest');
    expect(seqs(shown(jumped))).toEqual(range(73, 102));
  });
});

describe('live messages', () => {
  it('follow the past at once', () => {
    expect(seqs(shown(withLive(newest, message(101))))).toEqual(range(71, 101));
  });

  it('change nothing when they come twice', () => {
    const once = withLive(newest, message(101));
    expect(seqs(shown(withLive(once, message(101))))).toEqual(range(71, 101));
  });

  it('stay in order when they do not come in order, and show the hole until it is filled', () => {
    const holed = withLive(withLive(newest, message(104)), message(103));
    expect(seqs(shown(holed))).toEqual([...range(71, 100), 103, 104]);
    expect(holeIn(holed)).toEqual({ after: 100, before: 103 });
    const filled = withPage(holed, page(101, 102), 'newer', true);
    expect(seqs(shown(filled))).toEqual(range(71, 104));
    expect(holeIn(filled)).toBeNull();
  });

  it('wait while the first page is under way', () => {
    const early = withLive(emptyThread('bob', 100), message(101));
    expect(holeIn(early)).toBeNull();
    expect(seqs(shown(withPage(early, page(71, 100), 'newest')))).toEqual(range(71, 101));
  });

  it('tell of a hole when only the number of the last message is known', () => {
    expect(holeIn({ ...newest, lastSeq: 103 })).toEqual({ after: 100, before: 104 });
  });

  it('below what is loaded are left to history', () => {
    expect(withLive(newest, message(12))).toBe(newest);
  });
});

describe('versions', () => {
  it('the higher one stays, in either order', () => {
    const edited = message(90, { body: 'edited', version: 2 });
    const changed = withChanged(newest, edited);
    expect(shown(changed).find((each) => each.seq === 90)?.body).toBe('edited');
    expect(shown(withPage(changed, page(85, 95), 'older')).find((each) => each.seq === 90)?.body).toBe(
      'edited',
    );
  });

  it('a change to a message that is not here brings it not', () => {
    expect(withChanged(newest, message(3, { version: 2 }))).toBe(newest);
    expect(withChanged(newest, message(140, { version: 2 }))).toBe(newest);
  });
});
