// Everything that the screen shows, as signals. The other modules here change it; the views only read it.

import { type Signal, signal } from '@preact/signals';
import type { Failure } from '../api/failure';
import type { Block, ChatEvent, Message, Presence, Session, Sharing } from '../api/types';
import type { LinkState } from '../socket/link';
import { strings } from '../words';
import type { Known } from './faces';
import type { Outbox } from './outbox';
import type { Summaries } from './summaries';
import { emptyThread, type Place, type Thread } from './thread';

interface Loading {
  readonly busy: ReadonlySet<Place>;
  readonly failed: {
    readonly place: Place;
    readonly failure: Failure;
    /** Around which message, if around one. */
    readonly seq?: number;
  } | null;
}

/** What the server calls those who deleted their account: nobody else can have such a name. */
const isGone = (name: string) => /^deleted-\d+(-[\da-f]{8})?$/.test(name);

export interface Conversation {
  readonly thread: Signal<Thread>;
  readonly loading: Signal<Loading>;
  /** Messages that are answered and not among those that are loaded, by number; null: asked for, and not there yet. */
  readonly quotes: Signal<ReadonlyMap<number, Message | null>>;
  /** What the composer is about, besides a new message. */
  readonly composing: Signal<Composing>;
}

/** Answering a message, or changing one: `text` stands in the composer meanwhile, and the draft waits. */
export type Composing =
  | { readonly kind: 'new' }
  | { readonly kind: 'reply'; readonly to: Message }
  | { readonly kind: 'edit'; readonly message: Message; readonly text: Signal<string> };

export type State = ReturnType<typeof createState>;

/** Told of what comes into being only when it is asked for. */
export interface Followers {
  readonly draft?: (peer: string, draft: Signal<string>) => void;
  readonly thread?: (thread: Signal<Thread>) => void;
}

export function createState(session: Session, followers: Followers = {}) {
  const conversations = new Map<string, Conversation>();
  const drafts = new Map<string, Signal<string>>();
  const summaries = signal<Summaries>(new Map());
  const faces = signal<ReadonlyMap<string, Known>>(new Map([[session.user, session]]));

  function conversation(peer: string): Conversation {
    const known = conversations.get(peer);
    if (known) return known;
    const made: Conversation = {
      thread: signal(emptyThread(peer, summaries.peek().get(peer)?.last_seq)),
      loading: signal({ busy: new Set(), failed: null }),
      quotes: signal(new Map()),
      composing: signal<Composing>({ kind: 'new' }),
    };
    conversations.set(peer, made);
    followers.thread?.(made.thread);
    return made;
  }

  /** What stands in the composer of a conversation, open or not. */
  function draft(peer: string): Signal<string> {
    const known = drafts.get(peer);
    if (known) return known;
    const made = signal('');
    drafts.set(peer, made);
    followers.draft?.(peer, made);
    return made;
  }

  return {
    session,
    me: session.user,
    summaries,
    /** The address of the following page of the list, if there is one. */
    following: signal<string | null>(null),
    /** When the list was looked at last, in milliseconds. */
    seen: signal(0),
    list: signal<'loading' | 'ready' | 'failed'>('loading'),
    /** Why the list, or its following page, could not be had. */
    listFailure: signal<Failure | null>(null),
    moreFailure: signal<Failure | null>(null),
    link: signal<LinkState>('connecting'),
    signedOut: signal(false),
    /** What others may see of oneself; unknown until somebody asks. */
    sharing: signal<Sharing | null>(null),
    /** Whom one blocks, by name; unknown until the server or this device has said so. */
    blocked: signal<ReadonlyMap<string, Block> | null>(null),
    /** How often the server said that it is another list now, and as of which of these it is known here. */
    blocksTold: signal(1),
    blocksKnown: signal(0),
    /** Who types to me at this moment. */
    typing: signal<ReadonlySet<string>>(new Set()),
    /** What is seen beside names. */
    faces,
    /** What somebody is called: as they like, or by their username. */
    called: (name: string) =>
      faces.value.get(name)?.display_name || (isGone(name) ? strings.conversation.gone : name),
    /** The language that was chosen elsewhere; unknown until it is. */
    language: signal<string | undefined>(undefined),
    /** How those appear whom this page watches. */
    presence: signal<ReadonlyMap<string, Presence>>(new Map()),
    outbox: signal<Outbox>([]),
    /** What is heard while the server is asked for something, one list for each question (`meanwhile.ts`). */
    reads: new Set<ChatEvent[]>(),
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
