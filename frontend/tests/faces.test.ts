// What is seen beside names: wherever it came from, what came last counts, and the list says it too.

import { describe, expect, it } from 'vitest';
import type { OwnProfile } from '../src/api/types';
import { followList, learnFace } from '../src/conversation/faces';
import { receiveEvent } from '../src/conversation/receive';
import { createState } from '../src/conversation/state';
import {
  fromSnapshot,
  type Summaries,
  withEvent,
  withLook,
  withMessage,
  withRead,
} from '../src/conversation/summaries';
import { message, summary } from './messages';

const SESSION = {
  user: 'ann',
  is_staff: false,
  is_superuser: false,
  message_max_length: 10,
  messages_to_load: 15,
};

function followed() {
  const state = createState(SESSION);
  followList(state);
  return state;
}

describe('a name', () => {
  it('is the username until another one is known', () => {
    const state = followed();
    expect(state.called('bob')).toBe('bob');
    state.summaries.value = fromSnapshot([
      summary('bob'),
      summary('carol', { display_name: '', avatar: null }),
    ]);
    expect([state.called('bob'), state.called('carol')]).toEqual(['bob', 'carol']);
    state.summaries.value = fromSnapshot([summary('bob', { display_name: 'Robert', avatar: 'f00' })]);
    expect([state.called('bob'), state.faces.value.get('bob')?.avatar]).toEqual(['Robert', 'f00']);
  });

  it('stays when a message moves the list', () => {
    const state = followed();
    state.summaries.value = fromSnapshot([summary('bob', { display_name: 'Robert', avatar: null })]);
    state.summaries.value = withMessage(
      state.summaries.value,
      message(2, { user: 'bob', recipient: 'ann' }),
      'ann',
      { unread: 1 },
    );
    expect([state.called('bob'), state.summaries.value.get('bob')?.display_name]).toEqual([
      'Robert',
      'Robert',
    ]);
  });

  it('that was looked at is kept with the list', () => {
    const state = followed();
    state.summaries.value = fromSnapshot([summary('bob', { display_name: 'Robert', avatar: 'f00' })]);
    const told = { username: 'bob', display_name: 'Bobby', about: 'hi', avatar: null, time_zone: 'UTC' };
    learnFace(state, 'bob', told);
    expect(state.faces.value.get('bob')).toEqual(told);
    expect(state.summaries.value.get('bob')).toMatchObject({ display_name: 'Bobby', avatar: null });
    // A newer list goes before it, and what only the look told stays.
    state.summaries.value = fromSnapshot([summary('bob', { display_name: 'Rob', avatar: 'f01' })]);
    expect(state.faces.value.get('bob')).toMatchObject({ display_name: 'Rob', avatar: 'f01', about: 'hi' });
  });

  it('of a server that knows none is none', () => {
    const state = followed();
    learnFace(state, 'bob', {});
    expect(state.faces.value.has('bob')).toBe(false);
  });
});

it('of one’s own is told by an event, with the language', () => {
  const state = createState({ ...SESSION, display_name: 'Ann', avatar: 'f00' });
  expect([state.called('ann'), state.language.value]).toEqual(['Ann', undefined]);
  const profile: OwnProfile = {
    ...{ display_name: 'Annie', about: '', time_zone: '', language: 'de', avatar: null, version: 2 },
  };
  receiveEvent(state, { type: 'profile_changed', cursor: 'c', ...profile });
  expect([state.called('ann'), state.faces.value.get('ann')?.avatar, state.language.value]).toEqual([
    'Annie',
    null,
    'de',
  ]);
});

describe('how far others have read', () => {
  const read = (list: Summaries) => list.get('bob')?.peer_read_seq;
  const marks = { conversation: 1, peer: 'bob', read_seq: 0, unread: 0, peer_delivered_seq: 5 };
  const settings = { type: 'settings', cursor: 'c', share_typing: true, share_presence: true } as const;

  it('rises, and is gone when it is hidden', () => {
    let list = fromSnapshot([summary('bob', { peer_read_seq: 3, last_seq: 5 })]);
    list = withRead(list, { ...marks, peer_read_seq: 2 });
    expect(read(list)).toBe(3);
    list = withRead(list, { ...marks, peer_read_seq: 0 });
    expect([read(list), list.get('bob')?.peer_delivered_seq]).toEqual([0, 5]);
    list = withLook(list, summary('bob', { peer_read_seq: 4, display_name: 'Rob' }));
    expect([read(list), list.get('bob')?.display_name, list.get('bob')?.last_seq]).toEqual([4, 'Rob', 5]);
    expect(withLook(list, summary('carol')).has('carol')).toBe(false);
  });

  it('is not seen by who hides it, but in notes to oneself', () => {
    let list = fromSnapshot([summary('bob', { peer_read_seq: 3 }), summary('ann', { peer_read_seq: 1 })]);
    list = withEvent(list, { ...settings, share_read: true }, 'ann');
    expect(read(list)).toBe(3);
    list = withEvent(list, { ...settings, share_read: false }, 'ann');
    expect([read(list), list.get('ann')?.peer_read_seq]).toEqual([0, 1]);
  });
});
