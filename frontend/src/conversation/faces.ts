// What is seen beside names: it comes with the list, with people who were found, and with a look at somebody. What came
// last counts.

import { batch, effect } from '@preact/signals';
import type { Api } from '../api/client';
import type { ChatEvent, ConversationPage, Face, Profile } from '../api/types';
import { readMeanwhile } from './meanwhile';
import type { State } from './state';
import { withLook } from './summaries';

/** What is known of somebody besides the name; of most people nothing. */
export type Known = Face & Partial<Profile>;

/** What was said of somebody; in the list as well, which this device keeps. */
export function learnFace(state: State, name: string, face: Known): void {
  const { display_name, avatar = null } = face;
  if (display_name === undefined) return;
  batch(() => {
    state.faces.value = new Map(state.faces.peek()).set(name, { ...state.faces.peek().get(name), ...face });
    const summary = state.summaries.peek().get(name);
    if (!summary || isSame(summary, face)) return;
    state.summaries.value = new Map(state.summaries.peek()).set(name, { ...summary, display_name, avatar });
  });
}

/** Looks at what somebody says of themself; what cannot be had stays as it was. */
export async function lookAt(state: State, api: Api, name: string): Promise<void> {
  const profile = await api.profile(name).catch(() => null);
  if (profile) learnFace(state, profile.username, profile);
}

/**
 * Looks at those at the top of a list that was kept: no event tells what they are called, and what they have hidden. Whose
 * account was deleted has another name everywhere: then all of it is had anew.
 */
export async function lookAtList(state: State, api: Api, reset: () => void): Promise<void> {
  const put = ({ results }: ConversationPage, heard: readonly ChatEvent[]) => {
    const names = new Map(Array.from(state.summaries.peek().values(), ({ id, peer }) => [id, peer]));
    if (results.some(({ id, peer }) => (names.get(id) ?? peer) !== peer)) return reset();
    batch(() => {
      state.seen.value = Date.now();
      state.summaries.value = results.reduce(
        (list, each) => withLook(list, each, heard),
        state.summaries.peek(),
      );
    });
  };
  await readMeanwhile(state, () => api.conversations(), put).catch(() => {});
}

/** What stands in the list is known. */
export function followList(state: State): void {
  effect(() => {
    const faces = new Map(state.faces.peek());
    let news = false;
    for (const { peer, display_name, avatar = null } of state.summaries.value.values()) {
      if (display_name === undefined || isSame(faces.get(peer), { display_name, avatar })) continue;
      faces.set(peer, { ...faces.get(peer), display_name, avatar });
      news = true;
    }
    if (news) state.faces.value = faces;
  });
}

function isSame(known: Face | undefined, face: Face): boolean {
  return known?.display_name === face.display_name && (known?.avatar ?? null) === (face.avatar ?? null);
}
