// Starts the client: who is signed in, what this device holds for them, the first drawing, and then the server. The server
// sends this page only to signed-in people, so an answer that says otherwise leads to the sign-in page.

import { effect } from '@preact/signals';
import { render } from 'preact';
import { watchAlerts } from './alerts/start';
import { showUnread } from './alerts/unread';
import { type Ahead, askAhead } from './api/ahead';
import { readBase, socketAddress } from './api/base';
import { type Api, createApi } from './api/client';
import { failureOf, waitAfter } from './api/failure';
import type { Session } from './api/types';
import { firstPage } from './conversation/history';
import { createStore, type Store } from './conversation/store';
import { openDevice } from './device/device';
import { createWho, loyal } from './device/who';
import { delay } from './socket/backoff';
import { createLink } from './socket/link';
import { App } from './view/app';
import { followKeyboard } from './view/on-screen-keyboard';
import { followChoices } from './view/preferences';
import { createRouter, followLinks } from './view/router';
import { StartFailed, Starting } from './view/start';
import './view/css/index.css';
import { watchMidnight } from './view/times';
import { onLeave, onReturn } from './view/wake';
import { chosenLanguage, followLanguage, LANGUAGES, speak } from './words';
import { onMissingPart } from './worker/missing';
import { registerWorker } from './worker/register';

const base = readBase(document);
const api = createApi(base);
const storage = attempt(() => localStorage);
const who = createWho(storage, () => document.cookie, base);
const router = createRouter(base);
const root = document.querySelector('#app') ?? document.body;
let opened: Store | undefined;

addEventListener('vite:preloadError', () => {
  void onMissingPart({
    build: import.meta.url,
    storage: attempt(() => sessionStorage),
    isServerThere: async () => (await fetch(base, { method: 'HEAD' })).ok,
    reload: () => location.reload(),
  });
});
registerWorker(base);

// Without its words a language is spoken as English: the page comes up all the same.
void speak()
  .catch(() => speak('en'))
  .then(() => start(0));

/** With what this device knows, if that is of this sign-in; the server is asked all the same. */
async function start(attempts: number): Promise<void> {
  const known = who.recall();
  if (known) void open(known, null);
  else if (attempts === 0) {
    render(<Starting page={router.visit.peek().route.page} />, root);
  }
  const ahead = known ? null : askAhead(api, who.signIn, askFirst);
  try {
    const session = await api.session();
    who.remember(session);
    if (known && known.user !== session.user) return location.reload();
    followLanguage(session.language, base);
    opened?.learn(session);
    if (!known) await open(session, ahead);
  } catch (error) {
    const failure = failureOf(error);
    if (failure.kind === 'signed-out') return signIn();
    if (known) return;
    const wait = delay(attempts, Math.random, Math.max(500, waitAfter(failure)));
    const timer = setTimeout(() => void start(attempts + 1), wait);
    const again = () => {
      clearTimeout(timer);
      void start(0);
    };
    render(<StartFailed failure={failure} again={again} />, root);
  }
}

/** The list, and the page with which the conversation of this address opens. */
async function askFirst(api: Api): Promise<void> {
  const { results, next } = await api.conversations();
  const { route, scroll } = router.visit.peek();
  if (route.page !== 'conversation') return;
  const summary = results.find(({ peer }) => peer === route.name);
  if (summary || next !== null) await firstPage(api, route.name, summary, scroll?.seq ?? route.seq);
}

async function open(session: Session, ahead: Ahead | null): Promise<void> {
  const { user } = session;
  const own = createApi(
    base,
    loyal(
      fetch.bind(window),
      who.signIn,
      () => isStill(user),
      () => leave('other'),
    ),
  );
  const store: Store = createStore({
    api: ahead?.over(own) ?? own,
    session,
    device: await openDevice({
      base,
      user,
      factory: attempt(() => indexedDB),
      storage,
      locks: navigator.locks,
    }),
    address: (cursor) => socketAddress(location, base, cursor),
    createLink,
  });
  const leave = (why: 'other' | 'nobody') => {
    store.rest(true);
    store.stop();
    if (why === 'other') location.reload();
    else signIn();
  };
  opened = store;
  effect(() => {
    if (store.state.signedOut.value) void ended(0);
  });
  effect(() => followLanguage(store.state.language.value, base));
  addEventListener('click', (event) => followLinks(event, router));
  addEventListener('storage', (event) => {
    const why = who.isOver(event, user);
    if (why) leave(why);
  });
  onReturn(store.wake, store.doubt);
  onLeave(store.rest, () => (who.recall()?.user === user ? store.rise() : leave('other')));
  watchMidnight();
  followChoices();
  followKeyboard();
  await store.load();
  const signOut = async () => {
    await store.signOut();
    who.forget();
    location.assign(`${base}login/`);
  };
  const languages = {
    all: LANGUAGES,
    chosen: chosenLanguage,
    choose: (code: string) => followLanguage(code, base),
  };
  const client = { store, router, api: own, failureOf, languages, signOut };
  watchAlerts(client);
  render(<App client={client} />, root);
  // Whatever is heard from now on, an answer from before does not know.
  effect(() => {
    if (store.state.link.value !== 'connecting') ahead?.drop();
  });
  void store.start();
}

/** Signed out counts: what is asked for next will hear of that itself. */
async function isStill(user: string): Promise<boolean> {
  try {
    return (await api.session()).user === user;
  } catch (error) {
    if (failureOf(error).kind === 'signed-out') return true;
    throw error;
  }
}

/**
 * The session of this page has ended. Perhaps because somebody signed in beside it: then the page is theirs now. The end is
 * told before the answer with the new cookie is here, so it is asked again before it is believed.
 */
async function ended(attempts: number, refusals = 0): Promise<void> {
  try {
    who.remember(await api.session());
    location.reload();
  } catch (error) {
    if (failureOf(error).kind !== 'signed-out') {
      setTimeout(() => void ended(attempts + 1, refusals), delay(attempts, Math.random, 500));
    } else if (refusals < 2) setTimeout(() => void ended(attempts, refusals + 1), 400);
    else signIn();
  }
}

/** What was written and not sent stays on this device. */
function signIn(): void {
  showUnread(0);
  who.forget();
  location.assign(`${base}login/?next=${encodeURIComponent(location.pathname)}`);
}

/** Storage may be switched off: then it throws when it is looked at. */
function attempt<T>(get: () => T): T | undefined {
  try {
    return get();
  } catch {
    return undefined;
  }
}
