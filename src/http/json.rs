//! What clients read, in the recorded order of keys; what chatd adds stands at the end.

use std::io;

use serde::Serialize;
use serde_json::ser::{Formatter, PrettyFormatter};

use crate::chat::Chat;
use crate::domain::{self, Change, User, UserId};

/// A message.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Message)]
pub struct MessageJson {
    id: i64,
    /// The sender's name.
    user: String,
    recipient: String,
    /// RFC 3339, UTC; six digits of fraction, or none when it is zero.
    timestamp: String,
    body: String,
    /// The message's number in its conversation, from 1, gap-free.
    seq: i64,
    /// The conversation's number, the same for both people.
    conversation: i64,
    /// The sender's key, or null.
    client_id: Option<String>,
    /// 1, and one more with each change.
    version: i64,
}

impl From<domain::Message> for MessageJson {
    fn from(m: domain::Message) -> Self {
        Self {
            id: m.id,
            user: m.sender_name,
            recipient: m.recipient_name,
            timestamp: m.timestamp.to_string(),
            body: m.body,
            seq: m.seq,
            conversation: m.conversation,
            client_id: m.client_id,
            version: m.version,
        }
    }
}

/// Somebody.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = User)]
pub struct UserJson {
    username: String,
}

impl From<User> for UserJson {
    fn from(user: User) -> Self {
        Self { username: user.username }
    }
}

/// Pages of the recorded list.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = NumberedMessages)]
pub struct NumberedJson {
    pub count: i64,
    pub next: Option<String>,
    pub previous: Option<String>,
    pub results: Vec<MessageJson>,
}

/// A page without a count.
#[derive(Serialize)]
pub struct PageJson<T> {
    pub next: Option<String>,
    pub previous: Option<String>,
    pub results: Vec<T>,
}

/// A conversation, as the reader sees it.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Conversation)]
pub struct ConversationJson {
    id: i64,
    /// The other person's name.
    peer: String,
    last_message: Option<MessageJson>,
    last_seq: i64,
    read_seq: i64,
    peer_read_seq: i64,
    unread: i64,
}

impl From<domain::Conversation> for ConversationJson {
    fn from(c: domain::Conversation) -> Self {
        Self {
            id: c.id,
            peer: c.peer,
            last_message: c.last_message.map(Into::into),
            last_seq: c.last_seq,
            read_seq: c.read_seq,
            peer_read_seq: c.peer_read_seq,
            unread: c.unread,
        }
    }
}

/// The list of conversations, with the cursor of the moment before it was read.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Conversations)]
pub struct ConversationsJson {
    pub next: Option<String>,
    pub previous: Option<String>,
    pub results: Vec<ConversationJson>,
    pub cursor: String,
}

/// One conversation with its cursor.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = OneConversation)]
pub struct OneConversationJson {
    #[serde(flatten)]
    pub conversation: ConversationJson,
    pub cursor: String,
}

/// How far both people have read.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = ReadState)]
pub struct ReadJson {
    conversation: i64,
    peer: String,
    read_seq: i64,
    peer_read_seq: i64,
    unread: i64,
}

impl From<domain::ReadState> for ReadJson {
    fn from(r: domain::ReadState) -> Self {
        Self {
            conversation: r.conversation,
            peer: r.peer,
            read_seq: r.read_seq,
            peer_read_seq: r.peer_read_seq,
            unread: r.unread,
        }
    }
}

/// Something that changed for the reader. Clients ignore types that they do not know.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Event)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum EventJson {
    MessageCreated {
        cursor: String,
        message: MessageJson,
        /// For the recipient alone.
        #[serde(skip_serializing_if = "Option::is_none")]
        unread: Option<i64>,
    },
    Read {
        cursor: String,
        #[serde(flatten)]
        state: ReadJson,
    },
    /// Of a later version.
    Unknown { cursor: String },
}

impl EventJson {
    pub fn new(chat: &Chat, user: UserId, event: domain::Event) -> Self {
        let cursor = chat.cursor(user, event.at);
        match event.change {
            Change::MessageCreated { message, unread } => {
                Self::MessageCreated { cursor, message: message.into(), unread }
            }
            Change::Read(state) => Self::Read { cursor, state: state.into() },
            Change::Unknown => Self::Unknown { cursor },
        }
    }
}

impl EventJson {
    /// The cursor behind this event.
    pub fn cursor(&self) -> String {
        match self {
            Self::MessageCreated { cursor, .. } | Self::Read { cursor, .. } | Self::Unknown { cursor } => {
                cursor.clone()
            }
        }
    }
}

/// A page of the log.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Events)]
pub struct EventsJson {
    pub events: Vec<EventJson>,
    pub cursor: String,
    pub more: bool,
}

/// Who is signed in, and what the client needs to know of the server.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Session)]
pub struct SessionJson {
    pub user: String,
    pub is_staff: bool,
    pub is_superuser: bool,
    pub message_max_length: usize,
    pub messages_to_load: u32,
}

/// JSON as the recorded API writes it: compact or indented, UTF-8 unescaped but for U+2028 and U+2029.
pub fn write(value: &(impl Serialize + ?Sized), indent: usize) -> String {
    let mut out = Vec::new();
    let done = if indent == 0 {
        value.serialize(&mut serde_json::Serializer::with_formatter(
            &mut out,
            Escaping(serde_json::ser::CompactFormatter),
        ))
    } else {
        let spaces = vec![b' '; indent];
        let pretty = Escaping(PrettyFormatter::with_indent(&spaces));
        value.serialize(&mut serde_json::Serializer::with_formatter(&mut out, pretty))
    };
    done.ok().and_then(|()| String::from_utf8(out).ok()).unwrap_or_else(|| "null".to_owned())
}

/// Escapes the two line separators that JavaScript once refused in strings.
struct Escaping<F>(F);

macro_rules! pass_on {
    ($($name:ident($($arg:ident: $type:ty),*)),* $(,)?) => {
        $(fn $name<W: ?Sized + io::Write>(&mut self, writer: &mut W $(, $arg: $type)*) -> io::Result<()> {
            self.0.$name(writer $(, $arg)*)
        })*
    };
}

impl<F: Formatter> Formatter for Escaping<F> {
    fn write_string_fragment<W: ?Sized + io::Write>(&mut self, writer: &mut W, text: &str) -> io::Result<()> {
        let mut rest = text;
        while let Some(at) = rest.find(['\u{2028}', '\u{2029}']) {
            writer.write_all(&rest.as_bytes()[..at])?;
            writer.write_all(if rest[at..].starts_with('\u{2028}') { b"\\u2028" } else { b"\\u2029" })?;
            rest = &rest[at + 3..];
        }
        writer.write_all(rest.as_bytes())
    }

    pass_on!(
        begin_array(), end_array(), begin_array_value(first: bool), end_array_value(), begin_object(), end_object(),
        begin_object_key(first: bool), end_object_key(), begin_object_value(), end_object_value(),
    );
}

/// The frame of an event. Nothing but this text is to be held while a client takes it.
pub fn event_frame(event: &EventJson) -> String {
    let cursor = event.cursor();
    write(&serde_json::json!({"type": "event", "cursor": cursor, "event": event}), 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_as_recorded() {
        let value = serde_json::json!({"b": "a\u{2028}\u{2029}\u{1}é🎉<\"", "a": []});
        assert_eq!(write(&value, 0), "{\"b\":\"a\\u2028\\u2029\\u0001é🎉<\\\"\",\"a\":[]}");
        assert_eq!(write(&serde_json::json!({"a": [1]}), 4), "{\n    \"a\": [\n        1\n    ]\n}");
    }
}
