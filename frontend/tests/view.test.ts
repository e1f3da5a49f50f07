// The pure parts of the view.

import { h } from 'preact';
import { describe, expect, it } from 'vitest';
import { classify, SIGNED_OUT } from '../src/api/failure';
import { hueOf, initials } from '../src/view/avatar';
import { Bubble, Tick } from '../src/view/bubble';
import { addressesIn, isBigEmoji } from '../src/view/links';
import { conversationPath, parseRoute } from '../src/view/router';
import { buildDays, type MessageRow, type RowsInput } from '../src/view/rows';
import { dayName } from '../src/view/times';
import * as windows from '../src/view/window';
import { elements } from './elements';
import { message, page, range, seqs } from './messages';

const links = (body: string) => addressesIn(body).map(({ href }) => href);

describe('links', () => {
  it.each([
    ['see https://example.org/a.', ['https://example.org/a']],
    ['(https://example.org/a_(b)) and more', ['https://example.org/a_(b)']],
    ['mailto:me@example.org, HTTP://EXAMPLE.ORG', ['mailto:me@example.org', 'http://example.org/']],
    ['javascript:alert(1) data:text/html,x ftp://example.org //example.org', []],
    ['<a href="https://example.org">x</a>', ['https://example.org/']],
    ['https://', []],
    [
      'JavaScript:alert(1) DATA:text/html,<b>x</b> vbscript:x blob:https://example.org/1 file:///etc',
      ['https://example.org/1'],
    ],
    ['https:javascript:alert(1) mailto:', []],
  ])('in %s', (body, expected) => {
    expect(links(body)).toEqual(expected);
  });

  it('are elements that tell the other page nothing, mailto too; other schemes are none', () => {
    const row: MessageRow = {
      kind: 'message',
      key: 'x',
      seq: 1,
      sender: 'bob',
      mine: true,
      body: 'https://a.example mailto:b@c.example javascript:alert(1) data:text/html,x http://d.example',
      timestamp: '2026-11-20T10:00:00Z',
      delivery: null,
      refused: null,
      request: null,
      message: null,
      replyTo: null,
      quote: null,
      first: true,
      last: true,
    };
    const never = () => {};
    const drawn = h(Bubble, {
      ...{ peer: 'bob', row, highlighted: false },
      onRetry: never,
      onEdit: never,
      onDiscard: never,
    });
    const anchors = elements(drawn).filter((each) => each.type === 'a');
    expect(anchors.map(({ props }) => props.href)).toEqual([
      'https://a.example/',
      'mailto:b@c.example',
      'http://d.example/',
    ]);
    for (const { props } of anchors) {
      expect([props.rel, props.target], props.href).toEqual(['noopener noreferrer', '_blank']);
    }
  });
});

describe('what a screen reader is told of a message of mine', () => {
  it.each([
    ['sending', 'Sending'],
    ['stored', 'Sent'],
    ['delivered', 'Delivered'],
    ['read', 'Read'],
    ['failed', 'Not sent'],
  ] as const)('%s: %s', (delivery, text) => {
    const all = elements(h(Tick, { delivery }));
    const said = all.filter(({ props }) => props.class === 'sr-only').map(({ props }) => props.children);
    expect(said).toEqual([text]);
    expect(all.some(({ type, props }) => type === 'svg' && props['aria-hidden'] === 'true')).toBe(true);
  });
});

describe('large emoji', () => {
  it.each([
    ['😀', true],
    ['👩‍👩‍👧‍👦 🇩🇪 👍🏽', true],
    ['😀😀😀😀', false],
    ['ok 😀', false],
    ['12', false],
    ['', false],
  ])('%s: %s', (body, big) => {
    expect(isBigEmoji(body)).toBe(big);
  });
});

describe('rows', () => {
  const input: RowsInput = {
    messages: [],
    pending: [],
    me: 'ann',
    peerReadSeq: 0,
    peerDeliveredSeq: 0,
    quoted: () => null,
    readBefore: null,
    above: undefined,
  };
  const at = (seq: number, user: string, time: string, more = {}) =>
    message(seq, { user, timestamp: new Date(`2026-11-${time}`).toISOString(), ...more });
  const rowsOf = (more: Partial<RowsInput>) =>
    buildDays({ ...input, ...more })
      .flatMap((day) => day.rows)
      .filter((row): row is MessageRow => row.kind === 'message');

  it('group one person’s messages within five minutes of the same day', () => {
    const messages = [
      at(1, 'bob', '20T10:00:00'),
      at(2, 'bob', '20T10:04:59'),
      at(3, 'bob', '20T10:10:00'),
      at(4, 'ann', '20T10:10:01'),
      at(5, 'ann', '20T23:59:00'),
      at(6, 'ann', '21T00:01:00'),
    ];
    expect(rowsOf({ messages }).map((row) => [row.first, row.last])).toEqual([
      [true, false],
      [false, true],
      [true, true],
      [true, true],
      [true, true],
      [true, true],
    ]);
    expect(buildDays({ ...input, messages }).map((day) => day.rows.length)).toEqual([5, 1]);
  });

  it('say how far a message of mine got', () => {
    const messages = [at(1, 'ann', '20T10:00:00'), at(2, 'bob', '20T10:01:00'), at(3, 'ann', '20T10:02:00')];
    const pending = [
      {
        clientId: 'x',
        peer: 'bob',
        body: 'x',
        writtenAt: '2026-11-20T11:00:00Z',
        replyTo: null,
        refused: null,
      },
      {
        clientId: 'y',
        peer: 'bob',
        body: 'y',
        writtenAt: '2026-11-20T11:00:01Z',
        replyTo: null,
        refused: 'no',
      },
    ];
    const rows = rowsOf({ messages, pending, peerReadSeq: 1 });
    expect(rows.map((row) => row.delivery)).toEqual(['read', null, 'stored', 'sending', 'failed']);
  });

  it('keep the element of a bubble when the server’s copy takes its place', () => {
    const pending = [
      {
        clientId: 'x',
        peer: 'bob',
        body: 'x',
        writtenAt: '2026-11-20T11:00:00Z',
        replyTo: null,
        refused: null,
      },
    ];
    const stored = [at(1, 'ann', '20T11:00:00', { client_id: 'x' })];
    expect(rowsOf({ pending })[0]?.key).toBe(rowsOf({ messages: stored })[0]?.key);
  });

  it('put the line above the first message of somebody else’s that was not read', () => {
    const messages = [at(1, 'bob', '20T10:00:00'), at(2, 'ann', '20T10:01:00'), at(3, 'bob', '20T10:01:30')];
    const rows = buildDays({ ...input, messages, readBefore: 1 }).flatMap((day) => day.rows);
    expect(rows.map((row) => row.key)).toEqual(['#1', '#2', 'unread', '#3']);
  });
});

describe('the window', () => {
  const all = page(1, 1_000).toReversed();
  const endless = Number.POSITIVE_INFINITY;

  it('never holds more than its limit, whichever way it moves', () => {
    let view = windows.atEnd(all);
    for (let turn = 0; turn < 40; turn += 1) {
      view = windows.extendedUp(all, view);
      expect(windows.inView(all, view).length).toBeLessThanOrEqual(windows.MOST);
    }
    expect(windows.inView(all, view)[0]?.seq).toBe(1);
    for (let turn = 0; turn < 40; turn += 1) {
      view = windows.extendedDown(all, view);
      expect(windows.inView(all, view).length).toBeLessThanOrEqual(windows.MOST);
    }
    expect(windows.inView(all, view).at(-1)?.seq).toBe(1_000);
    expect(view.to).toBe(endless);
  });

  it('gives way on the side that is not read when messages arrive', () => {
    const view = { from: 700, to: endless };
    const below = windows.inView(all, windows.settled(all, view, windows.MOST, true));
    expect(below.at(-1)?.seq).toBe(1_000);
    const above = windows.inView(all, windows.settled(all, view, windows.MOST, false));
    expect(above[0]?.seq).toBe(700);
    expect(Math.max(below.length, above.length)).toBeLessThanOrEqual(windows.MOST);
  });

  it('does not take in older messages at once when they are loaded', () => {
    const few = all.slice(970);
    const view = windows.settled(few, windows.atEnd(few), windows.MOST, true);
    expect(seqs(windows.inView(all.slice(900), view))).toEqual(range(971, 1_000));
  });

  it('opens around a message', () => {
    const shown = windows.inView(all, windows.around(all, 500));
    expect(shown.some((each) => each.seq === 500)).toBe(true);
    expect(shown.length).toBeLessThan(100);
  });
});

describe('addresses', () => {
  it.each([
    ['/', '/', { page: 'home' }],
    ['/c/bob/', '/', { page: 'conversation', name: 'bob' }],
    ['/chat/c/b%40b.org/12/', '/chat/', { page: 'conversation', name: 'b@b.org', seq: 12 }],
    ['/settings/', '/', { page: 'settings' }],
    ['/chat/requests/', '/chat/', { page: 'requests' }],
    ['/settings/blocked/', '/', { page: 'settings', section: 'blocked' }],
    ['/settings/reports/', '/', { page: 'settings', section: 'reports' }],
    ['/chat/settings/account/', '/chat/', { page: 'settings', section: 'account' }],
    ['/settings/invites/', '/', { page: 'settings', section: 'invites' }],
    ['/settings/other/', '/', { page: 'home' }],
    ['/c/%E0%A4%A/', '/', { page: 'conversation', name: '%E0%A4%A' }],
    ['/c/bob', '/', { page: 'home' }],
  ])('%s below %s', (path, base, route) => {
    expect(parseRoute(path, base)).toEqual(route);
  });

  it('carry any name', () => {
    const name = 'é/..?#+@_ ';
    expect(parseRoute(conversationPath('/x/', name), '/x/')).toEqual({ page: 'conversation', name });
  });
});

describe('days', () => {
  const now = new Date(2026, 10, 22).getTime();
  it.each([
    [0, 'Today'],
    [1, 'Yesterday'],
  ])('%s ago', (ago, name) => {
    expect(dayName(new Date(2026, 10, 22 - ago).getTime(), now)).toBe(name);
  });

  it('of another year carry the year', () => {
    expect(dayName(new Date(2024, 1, 3).getTime(), now)).toContain('2024');
    expect(dayName(new Date(2026, 1, 3).getTime(), now)).not.toContain('2026');
  });
});

describe('faces', () => {
  it('are the same for a name in any case', () => {
    expect(hueOf('Bob')).toBe(hueOf('bob'));
    expect([initials('bob'), initials('dieter.k'), initials('x'), initials('@')]).toEqual([
      'BO',
      'DK',
      'X',
      '?',
    ]);
  });
});

describe('failures', () => {
  it.each([
    [403, { detail: SIGNED_OUT }, { kind: 'signed-out' }],
    [403, { detail: 'Cross-site.' }, { kind: 'refused', status: 403, reason: 'Cross-site.', request: 'r1' }],
    [400, { recipient: ['Unknown.'] }, { kind: 'refused', status: 400, reason: 'Unknown.', request: 'r1' }],
    [413, null, { kind: 'refused', status: 413, reason: '', request: 'r1' }],
    [503, null, { kind: 'busy', status: 503, after: 7, request: 'r1' }],
    [429, { detail: 'Slow down.' }, { kind: 'busy', status: 429, after: 7, request: 'r1' }],
  ])('%s', (status, body, failure) => {
    expect(classify(status, body, { retryAfter: '7', request: 'r1' })).toEqual(failure);
  });
});
