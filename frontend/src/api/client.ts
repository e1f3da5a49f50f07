// The server's API as functions. How to add one: its object in `types.ts`, one line here.

import { classify, RequestError } from './failure';
import type {
  Account,
  Arrangement,
  Block,
  ConversationPage,
  ConversationSettings,
  ConversationSummary,
  Copy,
  Device,
  EventPage,
  FactorProof,
  FactorsChanged,
  Invite,
  Message,
  OwnProfile,
  Page,
  Person,
  Profile,
  ProfileChange,
  ReadState,
  Report,
  SecondFactor,
  Session,
  Sharing,
  TotpSetUp,
} from './types';
import type { MadePasskey, ToMake, ToShow } from './webauthn';

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
type Query = Record<string, string | number>;

/** Above every number that a message can have: the page before it is the newest one. */
const BEYOND = Number.MAX_SAFE_INTEGER;
const PATIENCE_MS = 20_000;
/** A read that came too soon is no failure: it comes again by itself, so often, if it is asked to wait no longer. */
const AGAIN = 4;
const LONGEST_WAIT_S = 5;

export interface Outgoing {
  readonly recipient: string;
  readonly body: string;
  readonly client_id: string;
  readonly reply_to: number | null;
}

export type Api = ReturnType<typeof createApi>;

export function createApi(base: string, fetcher: typeof fetch = (...args) => fetch(...args)) {
  const root = `${base}api/v1/`;

  async function call<T>(method: Method, path: string, query: Query = {}, body?: unknown): Promise<T> {
    const search = new URLSearchParams(Object.entries(query).map(([key, value]) => [key, String(value)]));
    const address = `${root}${path}${search.size > 0 ? `?${search}` : ''}`;
    const init = (): RequestInit => ({
      method,
      credentials: 'same-origin',
      headers: {
        Accept: 'application/json',
        ...(body === undefined
          ? {}
          : { 'Content-Type': body instanceof Blob ? body.type : 'application/json' }),
      },
      signal: AbortSignal.timeout(PATIENCE_MS),
      ...(body === undefined ? {} : { body: body instanceof Blob ? body : JSON.stringify(body) }),
    });
    for (let tries = 0; ; tries += 1) {
      const [response, content] = await answer(address, init());
      if (response.ok) return content as T;
      const { status, headers } = response;
      const failure = classify(status, content, {
        retryAfter: headers.get('Retry-After'),
        request: headers.get('X-Request-Id'),
      });
      const wait = failure.kind === 'busy' ? (failure.after ?? 1) : 0;
      if (status !== 429 || method !== 'GET' || tries === AGAIN || wait > LONGEST_WAIT_S) {
        throw new RequestError(failure);
      }
      // Not all of them in the same moment.
      await new Promise((done) => setTimeout(done, (wait + Math.random() * tries) * 1_000));
    }
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

  /** What gives this browser another session. The end of the old one may be heard of before its answer is here. */
  let renewing: Promise<unknown> = Promise.resolve();

  function renew<T>(path: string, body: unknown): Promise<T> {
    const answered = call<T>('POST', path, {}, body);
    renewing = answered.catch(() => null);
    return answered;
  }

  const named = (name: string) => `conversation/${encodeURIComponent(name)}/`;
  const history = (target: string, query: Query) =>
    call<Page<Message>>('GET', 'message/', { target, ...query });

  return {
    session: () => renewing.then(() => call<Session>('GET', 'session/')),
    signOut: () => call<null>('DELETE', 'session/'),
    people: (search: string, limit = 20) => call<Page<Person>>('GET', 'user/', { search, limit }),
    conversations: (limit = 50) => call<ConversationPage>('GET', 'conversation/', { limit }),
    /** A following page, by the address that the page before it gave. */
    moreConversations: (next: string) => call<ConversationPage>('GET', 'conversation/', queryOf(next)),
    conversation: (name: string) => call<ConversationSummary>('GET', named(name)),
    read: (name: string, seq: number) => call<ReadState>('POST', `${named(name)}read/`, {}, { seq }),
    delivered: (name: string, seq: number) =>
      call<ReadState>('POST', `${named(name)}delivered/`, {}, { seq }),
    arrange: (name: string, change: Arrangement) =>
      call<ConversationSettings>('PATCH', named(name), {}, change),
    accept: (name: string) => call<ConversationSettings>('POST', `${named(name)}accept/`),
    blocks: () => call<{ results: Block[] }>('GET', 'block/'),
    block: (user: string) => call<Block>('POST', 'block/', {}, { user }),
    unblock: (user: string) => call<null>('DELETE', `block/${encodeURIComponent(user)}/`),
    report: (message: number, reason: string) =>
      call<{ readonly id: number }>('POST', 'report/', {}, { message, reason }),
    reports: (state: 'open' | 'closed') => call<Page<Report>>('GET', 'report/', { state }),
    moreReports: (next: string) => call<Page<Report>>('GET', 'report/', queryOf(next)),
    closeReport: (id: number, closed: boolean) => call<Report>('PATCH', `report/${id}/`, {}, { closed }),
    sharing: () => call<Sharing>('GET', 'settings/'),
    share: (change: Partial<Sharing>) => call<Sharing>('PATCH', 'settings/', {}, change),
    devices: () => call<{ results: Device[] }>('GET', 'device/'),
    endDevice: (id: string) => call<null>('DELETE', `device/${encodeURIComponent(id)}/`),
    endOtherDevices: () => call<null>('DELETE', 'device/'),
    invites: () => call<{ results: Invite[] }>('GET', 'invite/'),
    invite: (wish: { uses: number; days: number; note: string }) =>
      call<Invite & { url: string }>('POST', 'invite/', {}, wish),
    revokeInvite: (id: number) => call<null>('DELETE', `invite/${id}/`),
    account: () => call<Account>('GET', 'account/'),
    /** What was sent to the new address; null if it is changed. */
    changeEmail: (current: string, email: string) =>
      call<{ readonly detail: string } | null>(
        'POST',
        'account/email/',
        {},
        { current_password: current, email },
      ),
    changePassword: (current: string, next: string) =>
      renew<null>('account/password/', { current_password: current, new_password: next }),
    deleteAccount: (proof: FactorProof) => call<null>('POST', 'account/delete/', {}, proof),
    copy: () => call<Copy>('GET', 'account/export/'),
    makeCopy: () => call<Copy>('POST', 'account/export/', {}, {}),
    profile: (name: string) => call<Profile>('GET', `profile/${encodeURIComponent(name)}/`),
    ownProfile: () => call<OwnProfile>('GET', 'account/profile/'),
    changeProfile: (change: ProfileChange) => call<OwnProfile>('PATCH', 'account/profile/', {}, change),
    putAvatar: (picture: Blob) => call<OwnProfile>('PUT', 'account/avatar/', {}, picture),
    removeAvatar: () => call<null>('DELETE', 'account/avatar/'),
    secondFactor: () => call<SecondFactor>('GET', 'account/second-factor/'),
    startTotp: (proof: FactorProof) => call<TotpSetUp>('POST', 'account/second-factor/', {}, proof),
    confirmTotp: (token: string, code: string) =>
      renew<FactorsChanged>('account/second-factor/confirm/', { token, code }),
    removeTotp: (proof: FactorProof) => renew<FactorsChanged>('account/second-factor/off/', proof),
    newRecoveryCodes: (proof: FactorProof) =>
      renew<FactorsChanged>('account/second-factor/recovery-codes/', proof),
    startPasskey: (proof: FactorProof) => call<ToMake>('POST', 'account/passkey/start/', {}, proof),
    addPasskey: (name: string, made: MadePasskey) =>
      renew<FactorsChanged>('account/passkey/', { name, ...made }),
    removePasskey: (id: number, proof: FactorProof) =>
      renew<FactorsChanged>(`account/passkey/${id}/remove/`, proof),
    askForPasskey: () => call<ToShow>('POST', 'session/passkey/', {}, {}),
    edit: (id: number, body: string) => call<Message>('PATCH', `message/${id}/`, {}, { body }),
    remove: (id: number) => call<null>('DELETE', `message/${id}/`),
    message: (id: number) => call<Message>('GET', `message/${id}/`),
    send: (message: Outgoing) => call<Message>('POST', 'message/', {}, message),
    newest: (target: string, limit: number) => history(target, { before_seq: BEYOND, limit }),
    before: (target: string, seq: number, limit: number) => history(target, { before_seq: seq, limit }),
    after: (target: string, seq: number, limit: number) => history(target, { after_seq: seq, limit }),
    around: (target: string, seq: number, limit: number) => history(target, { around_seq: seq, limit }),
    events: (after: string, limit = 100) => call<EventPage>('GET', 'event/', { after, limit }),
  };
}

function queryOf(address: string): Query {
  return Object.fromEntries(new URL(address, 'http://any').searchParams);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
