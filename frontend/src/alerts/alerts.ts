// Notifications and sounds. Messages are gathered for a moment, so that a burst makes one sound and one notification for
// each conversation. Fetched only when one of the two is switched on.

import { effect } from '@preact/signals';
import type { Message } from '../api/types';
import type { Client } from '../view/context';
import { plainText } from '../view/markup';
import { hideContent, notifications, sounds } from '../view/preferences';
import { conversationPath } from '../view/router';
import { strings } from '../words';
import { permission, refreshPermission } from './permission';
import { chime } from './sound';
import { createTabs, type Tabs } from './tabs';
import { worthAnAlert } from './worth';

const GATHER_MS = 400;

/** Until the function that it returns is called. */
export function startAlerts(client: Client, tabs: Tabs = createTabs(client.store.state.me)): () => void {
  const { state } = client.store;
  const shown = new Map<string, Notification>();
  const stopReporting = reportShown(client, tabs);
  let gathered: Message[] = [];
  let before = state.heard.peek();
  let timer: ReturnType<typeof setTimeout> | undefined;

  const stopHearing = effect(() => {
    const message = state.heard.value;
    if (!message || message === before) return;
    before = message;
    gathered.push(message);
    timer ??= setTimeout(() => void decide(), GATHER_MS);
  });
  const stopClosing = effect(() => {
    const summaries = state.summaries.value;
    for (const peer of shown.keys()) if (summaries.get(peer)?.unread === 0) close(peer);
  });

  async function decide(): Promise<void> {
    timer = undefined;
    const heard = gathered;
    gathered = [];
    if (!tabs.leads()) return;
    const worth = worthAnAlert(heard, state.summaries.peek(), state.me, Date.now());
    const hidden = await Promise.all(worth.map(async (message) => !(await tabs.isShown(message.user))));
    const alerts = worth.filter((_, index) => hidden[index]);
    refreshPermission();
    if (notifications.on.peek() && permission.peek() === 'granted')
      for (const message of alerts) notify(message);
    if (sounds.on.peek() && alerts.length > 0) await chime();
  }

  function notify(message: Message): void {
    const peer = message.user;
    const path = conversationPath(client.router.base, peer);
    const made = show(state.called(peer), message.body, path);
    if (!made) return;
    shown.set(peer, made);
    made.onclick = () => {
      window.focus();
      client.router.go(conversationPath(client.router.base, peer));
      close(peer);
    };
  }

  function close(peer: string): void {
    shown.get(peer)?.close();
    shown.delete(peer);
  }

  // Nobody would be there to open the conversation.
  const closeAll = () => [...shown.keys()].forEach(close);
  addEventListener('pagehide', closeAll);

  return () => {
    clearTimeout(timer);
    for (const stop of [stopHearing, stopClosing, stopReporting, closeAll, tabs.leave]) stop();
    removeEventListener('pagehide', closeAll);
  };
}

/** Some phones have notifications only for service workers: there this is none. */
function show(name: string, body: string, path: string): Notification | null {
  const text = hideContent.on.peek() ? strings.alerts.hidden : plainText(body);
  try {
    // A newer one about the same conversation takes the place of the one before.
    return new Notification(name, { body: text, tag: `chatd:${path}`, dir: 'auto', data: { path } });
  } catch {
    return null;
  }
}

/** Tells the other tabs which conversation can be seen in this one. */
function reportShown({ router }: Client, tabs: Tabs): () => void {
  const report = () => {
    const { route } = router.visit.peek();
    const visible = document.visibilityState === 'visible' && route.page === 'conversation';
    tabs.show(visible ? route.name : null);
  };
  const stop = effect(() => {
    void router.visit.value;
    report();
  });
  document.addEventListener('visibilitychange', report);
  return () => {
    stop();
    document.removeEventListener('visibilitychange', report);
  };
}
