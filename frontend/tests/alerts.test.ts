// What tells of messages that nobody looks at: which are worth it, which tab says it, and what is shown and heard.

import { signal } from '@preact/signals';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { startAlerts } from '../src/alerts/alerts';
import { createTabs } from '../src/alerts/tabs';
import { showUnread } from '../src/alerts/unread';
import { isMuted, worthAnAlert } from '../src/alerts/worth';
import type { ConversationSummary, Message } from '../src/api/types';
import type { Client } from '../src/view/context';
import { memoryStorage, until } from './client';
import { createLocks } from './locks';
import { message, seqs, summary as summaryOf } from './messages';

const NOW = Date.UTC(2026, 10, 22, 12);

const summary = (peer: string, more: Partial<ConversationSummary> = {}) =>
  summaryOf(peer, { last_seq: 9, unread: 1, ...more });

const from = (user: string, seq: number, body = `message ${seq}`) =>
  message(seq, { user, recipient: 'ann', body });

describe('an alert', () => {
  const list = (...all: ConversationSummary[]) => new Map(all.map((each) => [each.peer, each]));
  const worth = (heard: Message[], ...all: ConversationSummary[]) =>
    seqs(worthAnAlert(heard, list(...all), 'ann', NOW));

  it('is for the newest message of each conversation', () => {
    expect(worth([from('bob', 1), from('carol', 5), from('bob', 3), from('bob', 2)])).toEqual([3, 5]);
  });

  it('is never for one’s own message', () => {
    expect(worth([from('ann', 1), from('bob', 2)])).toEqual([2]);
  });

  it('is not for what was read meanwhile, on another device too', () => {
    expect(worth([from('bob', 4)], summary('bob', { read_seq: 4, unread: 0 }))).toEqual([]);
    expect(worth([from('bob', 4)], summary('bob', { read_seq: 3 }))).toEqual([4]);
  });

  it('is not for what a stranger writes before they are accepted', () => {
    expect(worth([from('bob', 4)], summary('bob', { request: true }))).toEqual([]);
    expect(worth([from('bob', 4)], summary('bob', { request: false }))).toEqual([4]);
  });

  it('is not for a muted conversation, until the time is over', () => {
    const until = (time: string) => summary('bob', { muted_until: time });
    expect(worth([from('bob', 4)], until('2026-11-22T12:00:01Z'))).toEqual([]);
    expect(worth([from('bob', 4)], until('2026-11-22T11:59:59Z'))).toEqual([4]);
    expect([summary('bob'), summary('bob', { muted_until: null })].map((each) => isMuted(each, NOW))).toEqual(
      [false, false],
    );
  });
});

describe('of several tabs', () => {
  const three = () => {
    const locks = createLocks();
    return [0, 1, 2].map(() => createTabs('ann', locks));
  };
  const leading = (tabs: ReturnType<typeof three>) => tabs.map((tab) => tab.leads());

  it('one speaks, and when it is gone another', async () => {
    const tabs = three();
    await vi.waitFor(() => expect(leading(tabs)).toEqual([true, false, false]));
    tabs[0]?.leave();
    await vi.waitFor(() => expect(leading(tabs)).toEqual([false, true, false]));
    tabs[2]?.leave();
    tabs[1]?.leave();
    await vi.waitFor(() => expect(leading(tabs)).toEqual([false, false, false]));
  });

  it('each knows what can be seen in the others', async () => {
    const [one, two, three_] = three() as [
      ReturnType<typeof createTabs>,
      ReturnType<typeof createTabs>,
      ReturnType<typeof createTabs>,
    ];
    two.show('bob');
    three_.show('bob');
    await vi.waitFor(async () => expect(await one.isShown('bob')).toBe(true));
    two.show('carol');
    expect([await one.isShown('bob'), await two.isShown('carol'), await one.isShown('dora')]).toEqual([
      true,
      true,
      false,
    ]);
    three_.leave();
    await vi.waitFor(async () => expect(await one.isShown('bob')).toBe(false));
    two.show(null);
    await vi.waitFor(async () => expect(await one.isShown('carol')).toBe(false));
  });

  it('of two accounts neither speaks for the other', async () => {
    const locks = createLocks();
    const [ann, bob] = [createTabs('ann', locks), createTabs('bob', locks)];
    await vi.waitFor(() => expect([ann.leads(), bob.leads()]).toEqual([true, true]));
  });

  it('each speaks for itself where there are no locks', async () => {
    const alone = createTabs('ann', null);
    alone.show('bob');
    expect([alone.leads(), await alone.isShown('bob'), await alone.isShown('carol')]).toEqual([
      true,
      true,
      false,
    ]);
  });
});

describe('unread messages', () => {
  it('are in the title, the icon and the badge, and go from all of them', async () => {
    const icon = { href: 'http://x/chat/static/favicon.svg' };
    const page = { title: '', querySelector: () => icon } as unknown as Document;
    const badges: (number | null)[] = [];
    const app = {
      setAppBadge: async (count: number) => void badges.push(count),
      clearAppBadge: async () => void badges.push(null),
    };
    for (const [count, title, file] of [
      [3, '(3) chatd', 'favicon-unread.svg'],
      [4, '(4) chatd', 'favicon-unread.svg'],
      [0, 'chatd', 'favicon.svg'],
    ] as const) {
      showUnread(count, page, app);
      expect([page.title, icon.href]).toEqual([title, `http://x/chat/static/${file}`]);
    }
    expect(badges).toEqual([3, 4, null]);
  });

  it('do without what the browser does not have, or refuses', async () => {
    const page = { title: '', querySelector: () => null } as unknown as Document;
    showUnread(1, page, {});
    showUnread(1, page, { setAppBadge: () => Promise.reject(new Error('not installed')) });
    expect(page.title).toBe('(1) chatd');
  });
});

describe('a message that arrives', () => {
  class FakeNotification {
    static permission = 'granted';
    static made: FakeNotification[] = [];
    closed = false;
    onclick: () => void = () => {};
    readonly title: string;
    readonly options: NotificationOptions;

    constructor(title: string, options: NotificationOptions) {
      this.title = title;
      this.options = options;
      FakeNotification.made.push(this);
    }

    close(): void {
      this.closed = true;
    }
  }

  let chimes = 0;
  const played = async () => {
    chimes += 1;
  };
  let preferences: typeof import('../src/view/preferences');
  let start: typeof startAlerts;
  let stop = () => {};
  const page = Object.assign(new EventTarget(), { visibilityState: 'visible' });
  const view = Object.assign(new EventTarget(), { focus: vi.fn() });

  beforeEach(async () => {
    vi.resetModules();
    Object.assign(FakeNotification, { permission: 'granted', made: [] });
    chimes = 0;
    vi.stubGlobal('Notification', FakeNotification);
    vi.stubGlobal('localStorage', memoryStorage());
    vi.stubGlobal('document', page);
    vi.stubGlobal('window', view);
    vi.stubGlobal('addEventListener', view.addEventListener.bind(view));
    vi.stubGlobal('removeEventListener', view.removeEventListener.bind(view));
    vi.doMock('../src/alerts/sound', () => ({ chime: played }));
    ({ startAlerts: start } = await import('../src/alerts/alerts'));
    preferences = await import('../src/view/preferences');
    preferences.notifications.choose(true);
    preferences.sounds.choose(true);
  });

  afterEach(() => {
    stop();
    vi.useRealTimers();
    vi.unstubAllGlobals();
    vi.doUnmock('../src/alerts/sound');
  });

  function open(path: { page: 'home' } | { page: 'conversation'; name: string } = { page: 'home' }) {
    const heard = signal<Message | null>(from('bob', 1, 'from before'));
    const summaries = signal(new Map([['bob', summary('bob')]]));
    const visit = signal({ number: 0, route: path, scroll: null });
    const went: string[] = [];
    const router = { base: '/chat/', visit, go: (to: string) => went.push(to) };
    const client = {
      store: { state: { me: 'ann', heard, summaries, called: (name: string) => name } },
      router,
    } as unknown as Client;
    stop = start(client, createTabs('ann', null));
    return { heard, summaries, went };
  }

  const made = () => FakeNotification.made.map(({ title, options }) => `${title}: ${options.body}`);

  it('makes one notification for each conversation, and one sound for all, in a burst', async () => {
    vi.useFakeTimers();
    const { heard } = open();
    for (const each of [from('bob', 2), from('bob', 3, '**bold** `code`'), from('carol', 9, 'hello')])
      heard.value = each;
    await vi.advanceTimersByTimeAsync(1_000);
    expect(made()).toEqual(['bob: bold code', 'carol: hello']);
    expect(chimes).toBe(1);
    heard.value = from('bob', 4, 'later');
    await vi.advanceTimersByTimeAsync(1_000);
    expect(made().length).toBe(3);
    const [first, , last] = FakeNotification.made;
    expect(last?.options.tag, 'takes the place of the one before').toBe(first?.options.tag);
    expect(chimes).toBe(2);
  });

  it('leads to its conversation by a click, in this window', async () => {
    const { heard, went } = open();
    heard.value = from('bob', 2);
    await until(() => FakeNotification.made.length === 1, 'it is shown');
    FakeNotification.made[0]?.onclick();
    expect(went).toEqual(['/chat/c/bob/']);
    expect(view.focus).toHaveBeenCalled();
    expect(FakeNotification.made[0]?.closed).toBe(true);
  });

  it('says nothing while its conversation can be seen, and does when the page is hidden', async () => {
    vi.useFakeTimers();
    const { heard } = open({ page: 'conversation', name: 'bob' });
    heard.value = from('bob', 2);
    await vi.advanceTimersByTimeAsync(1_000);
    expect([made(), chimes]).toEqual([[], 0]);
    page.visibilityState = 'hidden';
    page.dispatchEvent(new Event('visibilitychange'));
    heard.value = from('bob', 3);
    await vi.advanceTimersByTimeAsync(1_000);
    expect([made(), chimes]).toEqual([['bob: message 3'], 1]);
    page.visibilityState = 'visible';
  });

  it('is closed when its conversation was read, anywhere, and when the page goes', async () => {
    const { heard, summaries } = open();
    heard.value = from('bob', 2);
    await until(() => FakeNotification.made.length === 1, 'it is shown');
    summaries.value = new Map([['bob', summary('bob', { unread: 0, read_seq: 2 })]]);
    expect(FakeNotification.made[0]?.closed).toBe(true);
    heard.value = from('carol', 9);
    await until(() => FakeNotification.made.length === 2, 'another is shown');
    view.dispatchEvent(new Event('pagehide'));
    expect(FakeNotification.made[1]?.closed).toBe(true);
  });

  it('does not say what is in it, when that was chosen', async () => {
    preferences.hideContent.choose(true);
    const { heard } = open();
    heard.value = from('bob', 2, 'secret');
    await until(() => FakeNotification.made.length === 1, 'it is shown');
    expect(JSON.stringify(FakeNotification.made[0])).not.toContain('secret');
    expect(made()).toEqual(['bob: New message']);
  });

  it('is respected to be unwanted: by the browser, or by a choice for this device', async () => {
    vi.useFakeTimers();
    const { heard } = open();
    FakeNotification.permission = 'denied';
    heard.value = from('bob', 2);
    await vi.advanceTimersByTimeAsync(1_000);
    expect([made(), chimes]).toEqual([[], 1]);
    FakeNotification.permission = 'granted';
    preferences.notifications.choose(false);
    preferences.sounds.choose(false);
    heard.value = from('bob', 3);
    await vi.advanceTimersByTimeAsync(1_000);
    expect([made(), chimes]).toEqual([[], 1]);
  });
});

describe('the part that alerts', () => {
  it('is fetched when something is switched on, stopped when nothing is, and not missed when it is missing', async () => {
    vi.resetModules();
    vi.stubGlobal('localStorage', memoryStorage());
    const { watchAlerts } = await import('../src/alerts/start');
    const { notifications, sounds } = await import('../src/view/preferences');
    const said: string[] = [];
    const answers = [Promise.reject(new Error('404')), Promise.resolve(), Promise.resolve()];
    watchAlerts({} as Client, async () => {
      said.push('fetched');
      await answers.shift();
      const startAlerts = () => {
        said.push('started');
        return () => void said.push('stopped');
      };
      return { startAlerts };
    });
    expect(said, 'both are off on the first visit').toEqual([]);
    sounds.choose(true);
    await vi.waitFor(() => expect(said).toEqual(['fetched']));
    sounds.choose(false);
    notifications.choose(true);
    await vi.waitFor(() => expect(said).toEqual(['fetched', 'fetched', 'started']));
    sounds.choose(true);
    notifications.choose(false);
    sounds.choose(false);
    expect(said).toEqual(['fetched', 'fetched', 'started', 'stopped']);
    vi.unstubAllGlobals();
  });
});
