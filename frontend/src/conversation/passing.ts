// What passes while people look: who types to whom, and who is here. Nothing of it is kept, and nothing depends on it.

import type { Presence } from '../api/types';
import type { Frame, Link } from '../socket/link';
import type { State } from './state';

/** One says that one types at most this often. */
const SAY_MS = 3_000;
/** Somebody who does not say so again has stopped. */
const GONE_MS = 5_000;
/** As many as the server watches for one socket. */
const MOST_WATCHED = 50;

export function createPassing(state: State, link: () => Link) {
  const timers = new Map<string, ReturnType<typeof setTimeout>>();
  const said = new Map<string, number>();
  let watched: readonly string[] = [];
  let asked = '';
  let active = true;

  function hear(frame: Frame): void {
    const peer = typeof frame.peer === 'string' ? frame.peer : null;
    // Of whom one blocks one sees no more.
    if (peer === null || state.blocked.peek()?.has(peer)) return;
    if (frame.type === 'typing') starts(peer);
    if (frame.type === 'presence') {
      const { state: how, last_seen } = frame as unknown as Presence;
      state.presence.value = new Map(state.presence.peek()).set(peer, { state: how, last_seen });
    }
  }

  function starts(peer: string): void {
    clearTimeout(timers.get(peer));
    timers.set(
      peer,
      setTimeout(() => stops(peer), GONE_MS),
    );
    if (!state.typing.peek().has(peer)) state.typing.value = new Set(state.typing.peek()).add(peer);
  }

  /** Also when their message is here. */
  function stops(peer: string): void {
    clearTimeout(timers.get(peer));
    timers.delete(peer);
    if (!state.typing.peek().has(peer)) return;
    const rest = new Set(state.typing.peek());
    rest.delete(peer);
    state.typing.value = rest;
  }

  function types(peer: string): void {
    const now = Date.now();
    // A stranger learns nothing before they are accepted.
    if (state.summaries.peek().get(peer)?.request) return;
    if (peer === state.me || now - (said.get(peer) ?? Number.NEGATIVE_INFINITY) < SAY_MS) return;
    said.set(peer, now);
    link().say({ type: 'typing', peer });
  }

  /** The message was sent: the next key says anew that one types. */
  function sent(peer: string): void {
    said.delete(peer);
  }

  /** These are in view from now on, the most important first. */
  function watch(peers: readonly string[]): void {
    const next = peers.filter((peer) => peer !== state.me).slice(0, MOST_WATCHED);
    // The server shows nobody with whom there is no conversation: once it has begun, it is asked again.
    const asking = next.map((peer) => `${state.summaries.peek().has(peer)} ${peer}`).join();
    if (asking === asked) return;
    [asked, watched] = [asking, next];
    link().say({ type: 'presence', peers: watched });
  }

  /** Somebody looks at this page, or nobody does. */
  function attend(now: boolean): void {
    if (now === active) return;
    active = now;
    link().say({ type: 'presence', state: active ? 'online' : 'away' });
  }

  /** A new link knows nothing of it, and what the old one told may be over. */
  function linkUp(): void {
    state.presence.value = new Map();
    link().say({ type: 'presence', state: active ? 'online' : 'away', peers: watched });
  }

  return { hear, stops, types, sent, watch, attend, linkUp };
}
