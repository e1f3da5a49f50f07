// The objects of the server's API, as it sends them. How to add one: write its shape here, its address in `endpoints.ts`.

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
}

export interface ConversationSummary {
  readonly id: number;
  readonly peer: string;
  readonly last_message: Message | null;
  readonly last_seq: number;
  readonly read_seq: number;
  readonly peer_read_seq: number;
  readonly unread: number;
}

export interface ReadState {
  readonly conversation: number;
  readonly peer: string;
  readonly read_seq: number;
  readonly peer_read_seq: number;
  readonly unread: number;
}

export interface Session {
  readonly user: string;
  readonly is_staff: boolean;
  readonly is_superuser: boolean;
  readonly message_max_length: number;
  readonly messages_to_load: number;
}

export interface Person {
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

export type ChatEvent = MessageCreated | MessageChanged | ReadMoved;

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
