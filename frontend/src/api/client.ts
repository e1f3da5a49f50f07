// The server's API as functions. How to add one: its object in `types.ts`, one line here.

import { classify, RequestError } from './failure';
import type {
  ConversationPage,
  ConversationSummary,
  EventPage,
  Message,
  Page,
  Person,
  ReadState,
  Session,
} from './types';

type Method = 'GET' | 'POST' | 'DELETE';
type Query = Record<string, string | number>;

/** Above every number that a message can have: the page before it is the newest one. */
const BEYOND = Number.MAX_SAFE_INTEGER;
const PATIENCE_MS = 20_000;

export interface Outgoing {
  readonly recipient: string;
  readonly body: string;
  readonly client_id: string;
}

export type Api = ReturnType<typeof createApi>;

export function createApi(base: string, fetcher: typeof fetch = (...args) => fetch(...args)) {
  const root = `${base}api/v1/`;

  async function call<T>(method: Method, path: string, query: Query = {}, body?: unknown): Promise<T> {
    const search = new URLSearchParams(Object.entries(query).map(([key, value]) => [key, String(value)]));
    const address = `${root}${path}${search.size > 0 ? `?${search}` : ''}`;
    const init: RequestInit = {
      method,
      credentials: 'same-origin',
      headers: {
        Accept: 'application/json',
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
      },
      signal: AbortSignal.timeout(PATIENCE_MS),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    };
    const [response, content] = await answer(address, init);
    if (!response.ok) {
      throw new RequestError(classify(response.status, content, response.headers.get('Retry-After')));
    }
    return content as T;
  }

  async function answer(address: string, init: RequestInit): Promise<[Response, unknown]> {
    try {
      const response = await fetcher(address, init);
      const text = await response.text();
      return [response, text === '' ? null : parsed(text)];
    } catch {
      throw new RequestError({ kind: 'unreachable' });
    }
  }

  const named = (name: string) => `conversation/${encodeURIComponent(name)}/`;
  const history = (target: string, query: Query) =>
    call<Page<Message>>('GET', 'message/', { target, ...query });

  return {
    session: () => call<Session>('GET', 'session/'),
    signOut: () => call<null>('DELETE', 'session/'),
    people: (search: string, limit = 20) => call<Page<Person>>('GET', 'user/', { search, limit }),
    conversations: (limit = 50) => call<ConversationPage>('GET', 'conversation/', { limit }),
    /** A following page, by the address that the page before it gave. */
    moreConversations: (next: string) =>
      call<ConversationPage>(
        'GET',
        'conversation/',
        Object.fromEntries(new URL(next, 'http://any').searchParams),
      ),
    conversation: (name: string) => call<ConversationSummary>('GET', named(name)),
    read: (name: string, seq: number) => call<ReadState>('POST', `${named(name)}read/`, {}, { seq }),
    send: (message: Outgoing) => call<Message>('POST', 'message/', {}, message),
    newest: (target: string, limit: number) => history(target, { before_seq: BEYOND, limit }),
    before: (target: string, seq: number, limit: number) => history(target, { before_seq: seq, limit }),
    after: (target: string, seq: number, limit: number) => history(target, { after_seq: seq, limit }),
    around: (target: string, seq: number, limit: number) => history(target, { around_seq: seq, limit }),
    events: (after: string, limit = 100) => call<EventPage>('GET', 'event/', { after, limit }),
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
