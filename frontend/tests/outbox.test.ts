import { describe, expect, it } from 'vitest';
import { newClientId } from '../src/conversation/client-id';
import * as outbox from '../src/conversation/outbox';
import { message } from './messages';

function item(clientId: string, peer = 'bob', refused: string | null = null): outbox.Pending {
  return {
    clientId,
    peer,
    body: clientId,
    writtenAt: `2026-11-22T07:00:0${clientId.length}.000Z`,
    replyTo: null,
    refused,
  };
}

const three = [item('a'), item('bb', 'carol'), item('ccc')];

describe('the outbox', () => {
  it('gives the next one of a conversation, skipping what was refused', () => {
    expect(outbox.nextFor(three, 'bob')?.clientId).toBe('a');
    expect(outbox.nextFor(outbox.refused(three, 'a', 'no'), 'bob')?.clientId).toBe('ccc');
    expect([...outbox.waitingPeers(outbox.refused(three, 'bb', 'no'))]).toEqual(['bob']);
  });

  it('puts a retried one at the end of the line', () => {
    const again = outbox.retried(outbox.refused(three, 'a', 'no'), 'a', '2026-11-22T08:00:00.000Z');
    expect(again.map((each) => each.clientId)).toEqual(['bb', 'ccc', 'a']);
    expect(again.at(-1)).toMatchObject({ refused: null, writtenAt: '2026-11-22T08:00:00.000Z' });
  });

  it('takes over what another tab did, in the order of writing', () => {
    const [a, b, c] = three as [outbox.Pending, outbox.Pending, outbox.Pending];
    expect(outbox.merged([c], [b, a])).toEqual(three);
    expect(outbox.merged(three, [{ ...c, refused: 'no' }], new Set(['a', 'bb']))).toEqual([
      { ...c, refused: 'no' },
    ]);
  });

  it('lets go of what the server has, and of nothing else', () => {
    const mine = message(2, { client_id: 'a' });
    expect(outbox.settled(three, mine, 'ann').map((each) => each.clientId)).toEqual(['bb', 'ccc']);
    expect(outbox.settled(three, { ...mine, user: 'bob' }, 'ann')).toBe(three);
    expect(outbox.settled(three, { ...mine, client_id: null }, 'ann')).toBe(three);
  });
});

describe('client ids', () => {
  it('fit the server’s alphabet, in a secure context and without one', () => {
    const insecure = {
      getRandomValues: (bytes: Uint8Array<ArrayBuffer>) => crypto.getRandomValues(bytes),
    } as unknown as Crypto;
    for (const id of [newClientId(), newClientId(insecure)]) expect(id).toMatch(/^[A-Za-z0-9_-]{1,64}$/);
    expect(newClientId(insecure)).not.toBe(newClientId(insecure));
  });
});
