// Everything that the screen shows, as signals. The other modules here change it; the views only read it.

import { type Signal, signal } from '@preact/signals';
import type { Failure } from '../api/failure';
import type { Message, Session } from '../api/types';
import type { LinkState } from '../socket/link';
import type { Outbox } from './outbox';
import type { Summaries } from './summaries';
import { emptyThread, type Place, type Thread } from './thread';

interface Loading {
  readonly busy: ReadonlySet<Place>;
  readonly failed: { readonly place: Place; readonly failure: Failure } | null;
}

export interface Conversation {
  readonly thread: Signal<Thread>;
  readonly loading: Signal<Loading>;
}

export type State = ReturnType<typeof createState>;

export function createState(session: Session, outbox: Outbox) {
  const conversations = new Map<string, Conversation>();
  const drafts = new Map<string, Signal<string>>();
  const summaries = signal<Summaries>(new Map());

  function conversation(peer: string): Conversation {
    const known = conversations.get(peer);
    if (known) return known;
    const made: Conversation = {
      thread: signal(emptyThread(peer, summaries.peek().get(peer)?.last_seq)),
      loading: signal({ busy: new Set(), failed: null }),
    };
    conversations.set(peer, made);
    return made;
  }

  /** What stands in the composer of a conversation, open or not. */
  function draft(peer: string): Signal<string> {
    const made = drafts.get(peer) ?? signal('');
    drafts.set(peer, made);
    return made;
  }

  return {
    session,
    me: session.user,
    summaries,
    /** The address of the following page of the list, if there is one. */
    following: signal<string | null>(null),
    list: signal<'loading' | 'ready' | 'failed'>('loading'),
    link: signal<LinkState>('connecting'),
    signedOut: signal(false),
    outbox: signal(outbox),
    /** The newest message of somebody else's that arrived while this page was open. */
    heard: signal<Message | null>(null),
    /** Names that the server is known to write like this. */
    people: new Set([session.user]),
    draft,
    conversation,
    /** Only those that were looked at. */
    opened: () => [...conversations.values()],
    openedWith: (peer: string) => conversations.get(peer),
  };
}
