// What a person does to what is stored already: messages of their own, and how a conversation is kept. It happens when
// the server says so, and not before; what was typed stays where it is until then.

import { batch } from '@preact/signals';
import type { Api } from '../api/client';
import { type Failure, failureOf } from '../api/failure';
import type { Arrangement, ConversationSettings, Message, Sharing } from '../api/types';
import { heardSettings, readMeanwhile } from './meanwhile';
import { receiveChanged } from './receive';
import type { State } from './state';
import { peerOf, withSettings } from './summaries';
import { shown } from './thread';

/** What came of it: null, or why not. */
type Outcome = Promise<Failure | null>;

export function createChanges(state: State, api: Api) {
  async function attempt(work: () => Promise<void>): Outcome {
    try {
      await work();
      return null;
    } catch (error) {
      const failure = failureOf(error);
      if (failure.kind === 'signed-out') state.signedOut.value = true;
      return failure;
    }
  }

  const edit = (message: Message, body: string) =>
    attempt(async () => receiveChanged(state, await api.edit(message.id, body)));

  const remove = (message: Message) =>
    attempt(async () => {
      await api.remove(message.id);
      receiveChanged(state, await api.message(message.id));
    });

  const keep = (peer: string, ask: () => Promise<ConversationSettings>) =>
    attempt(() =>
      readMeanwhile(state, ask, (answer, heard) => {
        if (heardSettings(heard, peer)) return;
        state.summaries.value = withSettings(state.summaries.peek(), answer);
      }),
    );

  const arrange = (peer: string, change: Arrangement) => keep(peer, () => api.arrange(peer, change));

  const accept = (peer: string) => keep(peer, () => api.accept(peer));

  const learnSharing = (ask: () => Promise<Sharing>) =>
    attempt(() =>
      readMeanwhile(state, ask, (answer, heard) => {
        if (!heard.some((event) => event.type === 'settings')) state.sharing.value = answer;
      }),
    );

  const share = (change: Partial<Sharing>) => learnSharing(() => api.share(change));

  const loadSharing = () => learnSharing(() => api.sharing());

  /** The message of this number, from wherever it is held; asked for if it is nowhere. */
  function quoted(peer: string, seq: number): Message | null {
    const { thread, quotes } = state.conversation(peer);
    const held = shown(thread.value).find((message) => message.seq === seq) ?? quotes.value.get(seq);
    if (held === undefined) void fetchQuote(peer, seq);
    return held ?? null;
  }

  async function fetchQuote(peer: string, seq: number): Promise<void> {
    const { quotes } = state.conversation(peer);
    const put = (message: Message | null) => {
      quotes.value = new Map(quotes.peek()).set(seq, message);
    };
    if (quotes.peek().has(seq)) return;
    put(null);
    const isIt = (message: Message) => message.seq === seq && peerOf(message, state.me) === peer;
    const failure = await attempt(() =>
      readMeanwhile(
        state,
        () => api.around(peer, seq, 1),
        ({ results }, heard) => {
          const copies = [...results, ...heard.flatMap((event) => ('message' in event ? event.message : []))];
          const [first, ...others] = copies.filter(isIt);
          if (first) put(others.reduce((one, other) => (other.version > one.version ? other : one), first));
        },
      ),
    );
    // Asked again when it is drawn again.
    if (failure) {
      const rest = new Map(quotes.peek());
      rest.delete(seq);
      batch(() => {
        quotes.value = rest;
      });
    }
  }

  return { edit, remove, arrange, accept, share, loadSharing, quoted };
}
