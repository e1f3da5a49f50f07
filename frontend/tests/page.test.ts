// What ties the client to the page that it runs in.

import { describe, expect, it } from 'vitest';
import { readBase, socketAddress } from '../src/api/base';
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
    onReturn(
      () => {
        woken += 1;
      },
      view as Window,
      document as Document & typeof document,
    );
    return { view, document, woken: () => woken };
  }

  it('wakes the client when the network is back', () => {
    const { view, woken } = returning();
    view.dispatchEvent(new Event('offline'));
    expect(woken()).toBe(0);
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
