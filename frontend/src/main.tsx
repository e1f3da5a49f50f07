// Starts the client: who is signed in, the store, the first drawing. The server sends this page only to signed-in
// people, so an answer that says otherwise leads to the sign-in page.

import { effect } from '@preact/signals';
import { render } from 'preact';
import { readBase, socketAddress } from './api/base';
import { createApi } from './api/client';
import { failureOf } from './api/failure';
import type { Session } from './api/types';
import { outboxStorage } from './conversation/outbox-storage';
import { createStore } from './conversation/store';
import { delay } from './socket/backoff';
import { createLink } from './socket/link';
import { App } from './view/app';
import { onSignOutElsewhere } from './view/menu';
import { createRouter, followLinks } from './view/router';
import { StartFailed } from './view/start';
import './view/css/index.css';
import { watchMidnight } from './view/times';
import { onReturn } from './view/wake';

const base = readBase(document);
const api = createApi(base);
const root = document.querySelector('#app') ?? document.body;

void start(0);

async function start(attempt: number): Promise<void> {
  try {
    open(await api.session());
  } catch (error) {
    if (failureOf(error).kind === 'signed-out') return signIn();
    render(<StartFailed />, root);
    setTimeout(() => void start(attempt + 1), delay(attempt, Math.random, 500));
  }
}

function open(session: Session): void {
  const router = createRouter(base);
  const store = createStore({
    api,
    session,
    storage: outboxStorage(localStorage, session.user),
    address: (cursor) => socketAddress(location, base, cursor),
    createLink,
  });
  effect(() => {
    if (store.state.signedOut.value) signIn();
  });
  addEventListener('click', (event) => followLinks(event, router));
  onReturn(store.wake);
  onSignOutElsewhere(signIn);
  watchMidnight();
  render(<App client={{ store, router }} />, root);
  void store.start();
}

function signIn(): void {
  location.assign(`${base}login/?next=${encodeURIComponent(location.pathname)}`);
}
