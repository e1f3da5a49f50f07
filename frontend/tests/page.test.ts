// What ties the client to the page that it runs in.

import { describe, expect, it } from 'vitest';
import { readBase, socketAddress } from '../src/api/base';
import { copy } from '../src/view/copy';
import { onReturn } from '../src/view/wake';

const at = (href: string) => new URL(href) as unknown as Location;

const page = (content: string | null) =>
  ({
    querySelector: (selector: string) =>
      selector === 'meta[name="chatd-base"]' && content !== null ? { getAttribute: () => content } : null,
  }) as unknown as Document;

describe('the base path', () => {
  it.each([
    ['/', '/'],
    ['/chat/', '/chat/'],
    ['/chat', '/chat/'],
    ['', '/'],
    [null, '/'],
  ])('of a page that says %j is %s', (content, base) => {
    expect(readBase(page(content))).toBe(base);
  });
});

describe('the address of the live link', () => {
  it.each([
    ['http://localhost:8000/c/bob/', '/', null, 'ws://localhost:8000/ws?events=1'],
    ['https://chat.example/', '/', null, 'wss://chat.example/ws?events=1'],
    [
      'https://example.org:8443/chat/settings/',
      '/chat/',
      'a.7',
      'wss://example.org:8443/chat/ws?events=1&after=a.7',
    ],
    ['https://[::1]/', '/', 'a&b=c', 'wss://[::1]/ws?events=1&after=a%26b%3Dc'],
  ])('from %s below %s', (href, base, cursor, address) => {
    expect(socketAddress(at(href), base, cursor)).toBe(address);
  });
});

describe('coming back to the page', () => {
  function returning() {
    const view = new EventTarget();
    const document = Object.assign(new EventTarget(), {
      visibilityState: 'visible' as DocumentVisibilityState,
    });
    let woken = 0;
    let doubted = 0;
    onReturn(
      () => {
        woken += 1;
      },
      () => {
        doubted += 1;
      },
      view as Window,
      document as Document & typeof document,
    );
    return { view, document, woken: () => woken, doubted: () => doubted };
  }

  it('doubts the link when the network is gone, and wakes the client when it is back', () => {
    const { view, woken, doubted } = returning();
    view.dispatchEvent(new Event('offline'));
    expect([woken(), doubted()]).toEqual([0, 1]);
    view.dispatchEvent(new Event('online'));
    expect(woken()).toBe(1);
  });

  it('wakes it when the page becomes visible, not when it is hidden', () => {
    const { document, woken } = returning();
    document.visibilityState = 'hidden';
    document.dispatchEvent(new Event('visibilitychange'));
    expect(woken()).toBe(0);
    document.visibilityState = 'visible';
    document.dispatchEvent(new Event('visibilitychange'));
    expect(woken()).toBe(1);
  });
});

describe('copying a message', () => {
  /** A page whose copying takes what the first listener gives it, as a browser's does. */
  function copying(works: boolean) {
    const taken: string[] = [];
    const page = Object.assign(new EventTarget(), {
      execCommand: () => {
        const clipboardData = { setData: (type: string, text: string) => taken.push(`${type}: ${text}`) };
        page.dispatchEvent(Object.assign(new Event('copy', { cancelable: true }), { clipboardData }));
        return works;
      },
    });
    return { page: page as unknown as Document, taken };
  }

  it('puts its source on the clipboard, marks and all', () => {
    const { page, taken } = copying(true);
    expect(copy('**a**\n> `b`', page)).toBe(true);
    expect(taken).toEqual(['text/plain: **a**\n> `b`']);
  });

  it('says when it did not work, and leaves later copying alone', () => {
    const { page, taken } = copying(false);
    expect(copy('a', page)).toBe(false);
    page.execCommand('copy');
    expect(taken).toEqual(['text/plain: a']);
  });
});
