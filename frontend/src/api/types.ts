// The objects of the server's API, as it sends them. How to add one: write its shape here, its address in `endpoints.ts`.

import type { ShownPasskey } from './webauthn';

export interface Message {
  readonly id: number;
  readonly user: string;
  readonly recipient: string;
  readonly timestamp: string;
  readonly body: string;
  readonly seq: number;
  readonly conversation: number;
  readonly client_id: string | null;
  readonly version: number;
  readonly edited_at: string | null;
  readonly deleted_at: string | null;
  /** The `seq` of the message that it answers. */
  readonly reply_to: number | null;
}

/** What is seen beside a name. Missing in what an older version left on this device, and before it was asked for. */
export interface Face {
  /** Empty: the username. */
  readonly display_name?: string;
  /** The name of the picture. */
  readonly avatar?: string | null;
}

/** What somebody says of themself. */
export interface Profile extends Face {
  readonly username: string;
  readonly about: string;
  readonly time_zone: string;
}

/** What one says of oneself. */
export interface OwnProfile {
  readonly display_name: string;
  readonly about: string;
  readonly time_zone: string;
  readonly language: string;
  readonly avatar: string | null;
  readonly version: number;
}

export type ProfileChange = Partial<Pick<OwnProfile, 'display_name' | 'about' | 'time_zone' | 'language'>>;

export interface ConversationSummary extends Face {
  readonly id: number;
  readonly peer: string;
  readonly last_message: Message | null;
  readonly last_seq: number;
  readonly read_seq: number;
  /** 0 also while one of the two does not share it. */
  readonly peer_read_seq: number;
  readonly unread: number;
  readonly peer_delivered_seq: number;
  readonly muted_until: string | null;
  readonly pinned: boolean;
  readonly archived: boolean;
  /** A stranger's, which waits to be accepted. Missing in what an older version left on this device. */
  readonly request?: boolean | undefined;
}

export interface ReadState {
  readonly conversation: number;
  readonly peer: string;
  readonly read_seq: number;
  readonly peer_read_seq: number;
  readonly unread: number;
  readonly peer_delivered_seq: number;
}

/** How one keeps a conversation. */
export interface ConversationSettings {
  readonly conversation: number;
  readonly peer: string;
  readonly muted_until: string | null;
  readonly pinned: boolean;
  /** Until its next message. */
  readonly archived: boolean;
  readonly request?: boolean | undefined;
}

export type Arrangement = Partial<Pick<ConversationSettings, 'muted_until' | 'pinned' | 'archived'>>;

/** A link with which people make their accounts. */
export interface Invite {
  readonly id: number;
  readonly made_by: string | null;
  readonly note: string;
  readonly created_at: string;
  readonly expires_at: string;
  readonly most_uses: number;
  readonly uses: number;
  readonly revoked_at: string | null;
  readonly open: boolean;
}

/** Where one is signed in. */
export interface Account {
  readonly username: string;
  readonly email: string;
  readonly date_joined: string;
}

export interface Device {
  readonly id: string;
  readonly user_agent: string;
  readonly created_at: string;
  readonly last_used_at: string;
  readonly current: boolean;
}

export interface Passkey {
  readonly id: number;
  readonly name: string;
  readonly created_at: string;
  readonly last_used_at: string | null;
}

/** What the account is proven with besides the password. */
export interface SecondFactor {
  readonly on: boolean;
  readonly totp_since: string | null;
  readonly passkeys: readonly Passkey[];
  readonly recovery_codes: number;
  /** Whether the server can have passkeys at this address. */
  readonly passkeys_here: boolean;
}

export interface TotpSetUp {
  readonly token: string;
  readonly secret: string;
  readonly uri: string;
  readonly qr: { readonly size: number; readonly path: string };
}

export interface FactorsChanged {
  /** Shown this once; null when those from before are still good. */
  readonly recovery_codes: readonly string[] | null;
}

/** The password once more, and the second step where there is one. */
export type FactorProof = { readonly current_password: string } & (
  | { readonly code: string }
  | ShownPasskey
  | object
);

/** Everybody; strangers by a request; whom I have written to; nobody new. */
export type WhoMayWrite = 'everyone' | 'requests' | 'contacts' | 'nobody';

/** What others may see of oneself while it happens, and who may write to one. */
export interface Sharing {
  readonly share_typing: boolean;
  readonly share_presence: boolean;
  readonly share_read: boolean;
  readonly who_may_write?: WhoMayWrite | undefined;
}

/** Somebody who is blocked. */
export interface Block extends Face {
  readonly user: string;
  readonly since: string;
}

/** What somebody told the staff of a message. */
export interface Report {
  readonly id: number;
  readonly created_at: string;
  readonly reporter: string | null;
  readonly reason: string;
  readonly closed_at: string | null;
  readonly closed_by: string | null;
  /** Null if what was stored of it is damaged. */
  readonly message: ReportedMessage | null;
  /** Oldest first; the reported one is among them. */
  readonly context: readonly ReportedMessage[];
}

type ReportedMessage = Pick<Message, 'id' | 'user' | 'recipient' | 'timestamp' | 'body'>;

/** How somebody appears; `state` is null when they do not show it. */
export interface Presence {
  readonly state: 'online' | 'away' | 'offline' | null;
  readonly last_seen: string | null;
}

export interface Session extends Face {
  readonly user: string;
  readonly is_staff: boolean;
  readonly is_superuser: boolean;
  readonly message_max_length: number;
  readonly messages_to_load: number;
  /** Missing in what an older version left on this device. */
  readonly may_invite?: boolean;
  readonly language?: string;
}

export interface Person extends Face {
  readonly username: string;
}

export interface Page<T> {
  readonly next: string | null;
  readonly previous: string | null;
  readonly results: readonly T[];
}

export interface ConversationPage extends Page<ConversationSummary> {
  readonly cursor: string;
}

interface MessageCreated {
  readonly type: 'message_created';
  readonly cursor: string;
  readonly message: Message;
  readonly unread?: number;
  readonly request?: boolean;
}

interface MessageChanged {
  readonly type: 'message_edited' | 'message_deleted';
  readonly cursor: string;
  readonly message: Message;
}

interface ReadMoved extends ReadState {
  readonly type: 'read';
  readonly cursor: string;
}

interface Arranged extends ConversationSettings {
  readonly type: 'conversation';
  readonly cursor: string;
}

interface SharingChanged extends Sharing {
  readonly type: 'settings';
  readonly cursor: string;
}

interface ProfileChanged extends OwnProfile {
  readonly type: 'profile_changed';
  readonly cursor: string;
}

/** Whom one blocks is to be asked for anew. */
interface BlocksChanged {
  readonly type: 'blocks';
  readonly cursor: string;
}

export type ChatEvent =
  | MessageCreated
  | MessageChanged
  | ReadMoved
  | Arranged
  | SharingChanged
  | ProfileChanged
  | BlocksChanged;

/** An event of a type that this client does not know: its cursor counts, its content does not. */
export interface UnknownEvent {
  readonly type: string;
  readonly cursor: string;
}

export interface EventPage {
  readonly events: readonly (ChatEvent | UnknownEvent)[];
  readonly cursor: string;
  readonly more: boolean;
}

/** Everything of one's own, to take along. */
export interface Copy {
  readonly state: 'none' | 'waiting' | 'running' | 'ready' | 'failed';
  /** From 0 to 1. */
  readonly progress: number;
  readonly expires_at: string | null;
  /** Paths on this host, when it is ready. */
  readonly lines: string | null;
  readonly page: string | null;
}
